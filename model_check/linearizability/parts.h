/* parts.h: a history, partitioned by key.
 *
 * Linearizability is local (Herlihy and Wing 1990): a history of a map is linearizable if for each
 * key the part of it that concerns the key is. Each record becomes one part for each key that it says
 * something about. A part is a step of a single cell that is absent or holds a value:
 *
 *     it happened at some instant of [invoked, responded],
 *     it is possible only in states that `need` (and `want`) describe: what the call saw,
 *     and `effect` (and `give`) is the state behind it.
 *
 * A range read (scan, walk, navigation) becomes one part for each entry it returned and one for each
 * key that it passed over: each was present with that value, or absent, at some instant of the call.
 * Different keys of one range read may have different instants here; that those of one page share one is for
 * page_reads.h. Absences that every history allows are left out: the key is absent at first, and nothing that could
 * insert it was invoked before the read had ended.
 */
#ifndef LIN_PARTS_H
#define LIN_PARTS_H

#include "history.h"

enum lin_need {
    LIN_ANY,
    LIN_ABSENT,
    LIN_SOME,
    LIN_VALUE,
    LIN_NEVER,
    LIN_OTHER, /* anything but `want` */
    LIN_CALL,  /* an operation of another object: `want` is its number in a model (model.h) */
};
enum lin_effect { LIN_KEEPS, LIN_SETS, LIN_DELETES };

/* `responded` of a call that was in flight when the recording ended, or whose thread died: it may have
 * taken effect at any time after its invocation, or not at all. */
#define LIN_NEVER_RESPONDED UINT64_MAX

/* In the place of a part's index: none. */
#define LIN_NO_PART UINT32_MAX

typedef struct lin_part {
    uint64_t invoked, responded;
    uint64_t want;   /* LIN_VALUE: the value seen */
    uint64_t give;   /* LIN_SETS: the value written */
    uint32_t record; /* index in its lane */
    uint16_t lane;
    uint8_t need;   /* enum lin_need; LIN_NEVER: the record contradicts itself */
    uint8_t effect; /* enum lin_effect */
} lin_part;

typedef struct lin_state {
    uint64_t value;
    uint32_t present;
} lin_state;

typedef struct lin_partition {
    uint64_t key_count;
    uint64_t *keys;     /* ascending */
    lin_state *initial; /* of each key */
    uint64_t *first;    /* key i has the parts first[i] … first[i+1]-1, by invocation */
    lin_part *parts;    /* all of them */
    uint64_t part_count;
    uint64_t record_count;
} lin_partition;

/* 0; -1: out of memory; -2: not a history (then *message says what is wrong with it). */
int lin_partition_make(lin_partition *partition, const rec_history *history, const char **message);
void lin_partition_free(lin_partition *partition);

/* The part that a record on one key is, or that it is none (false): a read of many keys. */
bool lin_part_of_record(const rec_record *record, lin_part *part);

/* The record is a call on one key, or one key's part of a batch. */
static inline bool lin_is_point(const rec_record *record) {
    return record->kind <= REC_COMPARE_EXCHANGE || record->kind == REC_GET_MANY ||
           record->kind == REC_PUT_MANY;
}

/* NULL, or what is wrong with a record of this lane. */
const char *lin_unsound(const rec_lane *lane, const rec_record *record);

/* Index of the first key >= key. */
uint64_t lin_rank(const lin_partition *partition, uint64_t key);

#endif
