/* dictionary.h: the keys of a history, numbered. Many at a time, so that the waits for memory overlap. */
#ifndef LIN_DICTIONARY_H
#define LIN_DICTIONARY_H

#include <stdbool.h>
#include <stdint.h>

enum { LIN_BLOCK = 64 }; /* keys that are looked up together */

struct lin_key_slot {
    uint64_t key;
    uint64_t number; /* + 1; 0: free */
};

typedef struct lin_dictionary {
    uint64_t *keys; /* by their numbers */
    uint64_t count, capacity;
    struct lin_key_slot *table;
    uint64_t mask;
} lin_dictionary;

bool lin_dictionary_make(lin_dictionary *dictionary);
void lin_dictionary_free(lin_dictionary *dictionary);

/* Numbers of up to LIN_BLOCK keys; new ones get the next numbers. False: out of memory. */
bool lin_dictionary_add(lin_dictionary *dictionary, const uint64_t *keys, uint32_t count,
                        uint32_t *numbers);

/* The same for keys that are all there. */
void lin_dictionary_find(const lin_dictionary *dictionary, const uint64_t *keys, uint32_t count,
                         uint32_t *numbers);

static inline uint32_t lin_dictionary_number(const lin_dictionary *dictionary, uint64_t key) {
    uint32_t number;
    lin_dictionary_find(dictionary, &key, 1, &number);
    return number;
}

/* Numbers all keys anew in ascending order; `before` (count entries) receives the number that each had.
 * False: out of memory. */
bool lin_dictionary_sort(lin_dictionary *dictionary, uint32_t *before);

#endif
