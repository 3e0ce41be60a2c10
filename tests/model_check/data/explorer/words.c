/* words.c: threads that do what a text says, so that searches can be compared on programs by the thousand.
 *
 * WORDS=l0s1|a0(s1)c0: one part a thread; a word is a letter and a digit, the place or the number that it is
 * about. Each thread has a register, which reads set:
 *     l load, s store, a add, c w strong and weak compare-exchange of the register, y wait until not zero,
 *     m u lock and unlock, t try to lock and unlock, h choose among so many, z assume that the register
 *     is not zero, ? skip the next word if the register is even, ( ) the begin and the end of a setup piece.
 */
#include <bwexplore.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, PLACES = 4, SEEN = 16 };

static atomic_int place[PLACES];
static pthread_mutex_t mutex[PLACES] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                        PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static int inside[PLACES]; /* by the mutex of the same number */
static const char *texts[THREADS];
static int seen[THREADS][SEEN];

static void *thread(void *argument) {
    int self = (int)(intptr_t)argument;
    int reads = 0;
    int value = 0;
    int expected;
    for (const char *word = texts[self]; *word != 0 && *word != '|'; word += 2) {
        int at = word[1] - '0';
        int new = (self + 1) * 100 + (int)(word - texts[self]);
        switch (word[0]) {
        case 'l': value = atomic_load(&place[at]); break;
        case 's': atomic_store(&place[at], new); continue;
        case 'a': value = atomic_fetch_add(&place[at], 1); break;
        case 'c':
            expected = value;
            value = atomic_compare_exchange_strong(&place[at], &expected, new) ? -1 : expected;
            break;
        case 'w':
            expected = value;
            value = atomic_compare_exchange_weak(&place[at], &expected, new) ? -1 : expected;
            break;
        case 'y':
            while (atomic_load(&place[at]) == 0) {
            }
            continue;
        case 'm':
            pthread_mutex_lock(&mutex[at]);
            value = inside[at]++;
            break;
        case 'u':
            inside[at]++;
            pthread_mutex_unlock(&mutex[at]);
            continue;
        case 't':
            value = pthread_mutex_trylock(&mutex[at]) == 0 ? 1 : 2;
            if (value == 1)
                pthread_mutex_unlock(&mutex[at]);
            break;
        case 'h': value = bwx_choose(at); break;
        case 'z': bwx_assume(value != 0); continue;
        case '?':
            if (value % 2 == 0 && word[2] != 0 && word[2] != '|')
                word += 2;
            continue;
        case '(': bwx_setup_begin(); continue;
        case ')': bwx_setup_end(); continue;
        default: abort();
        }
        seen[self][reads++] = value;
    }
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    int n = 0;
    for (const char *text = getenv("WORDS"); text != NULL; n++) {
        texts[n] = text;
        text = strchr(text, '|');
        if (text != NULL)
            text++;
    }
    for (int i = 0; i < n; i++)
        pthread_create(&threads[i], NULL, thread, (void *)(intptr_t)i);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < n; i++)
        for (int r = 0; r < SEEN; r++)
            if (seen[i][r] != 0)
                bwx_outcome("%d.%d=%d", i, r, seen[i][r]);
    for (int i = 0; i < PLACES; i++)
        bwx_outcome("%d", atomic_load(&place[i]));
    return 0;
}
