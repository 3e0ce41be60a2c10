/* reader_writer_lock.c: many readers or one writer, in one word.
 *
 * expect: pass (sc, rc11)
 * expect -DRELAXED_READER_UNLOCK: data-race (sc, rc11)
 *     A reader's look is not ordered before the next write.
 * expect -DRELAXED_WRITER_UNLOCK: data-race (sc, rc11)
 *     A write is not handed to the next reader.
 * expect -DLOOK_THEN_ADD: data-race (sc, rc11)
 *     A reader enters between its look at the word and its addition.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#ifdef RELAXED_READER_UNLOCK
#define READER_LEAVES memory_order_relaxed
#else
#define READER_LEAVES memory_order_release
#endif
#ifdef RELAXED_WRITER_UNLOCK
#define WRITER_LEAVES memory_order_relaxed
#else
#define WRITER_LEAVES memory_order_release
#endif

static atomic_int word; /* how many readers; -1: a writer */
static int pair[2];     /* kept by the lock */

static void read_lock(void) {
    for (;;) {
        int readers = atomic_load_explicit(&word, memory_order_relaxed);
        if (readers < 0)
            continue;
#ifdef LOOK_THEN_ADD
        atomic_fetch_add_explicit(&word, 1, memory_order_acquire);
        return;
#else
        /* acquire: what the last writer wrote; pairs with the release in write_unlock. */
        if (atomic_compare_exchange_strong_explicit(&word, &readers, readers + 1,
                                                    memory_order_acquire, memory_order_relaxed))
            return;
#endif
    }
}

static void read_unlock(void) {
    /* release: the looks at the pair come before the next write; pairs with write_lock. */
    atomic_fetch_sub_explicit(&word, 1, READER_LEAVES);
}

static void write_lock(void) {
    int nobody;
    do {
        nobody = 0;
        /* acquire: what readers and writers before did. */
    } while (!atomic_compare_exchange_strong_explicit(&word, &nobody, -1, memory_order_acquire,
                                                      memory_order_relaxed));
}

static void write_unlock(void) {
    /* release: publishes the pair. */
#ifdef LOOK_THEN_ADD
    atomic_fetch_add_explicit(&word, 1, WRITER_LEAVES);
#else
    atomic_store_explicit(&word, 0, WRITER_LEAVES);
#endif
}

static void *reader(void *unused) {
    (void)unused;
    read_lock();
    assert(pair[0] == pair[1] && "nobody writes while a reader looks");
    read_unlock();
    return NULL;
}

static void *writer(void *unused) {
    (void)unused;
    write_lock();
    pair[0]++;
    pair[1]++;
    write_unlock();
    return NULL;
}

int main(void) {
    pthread_t threads[3];
    pthread_create(&threads[0], NULL, reader, NULL);
    pthread_create(&threads[1], NULL, writer, NULL);
    pthread_create(&threads[2], NULL, reader, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert(pair[0] == 1 && pair[1] == 1);
    return 0;
}
