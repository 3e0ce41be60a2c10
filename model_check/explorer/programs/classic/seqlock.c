/* seqlock.c: a reader copies two words without a lock, and notices when a writer was at them.
 *
 * The count is odd while a write is under way. The words are relaxed atomics, not plain: the copy may
 * happen beside a write, and only its result is thrown away (Boehm, MSPC 2012).
 *
 * expect: pass (sc, rc11)
 * expect -DNO_READER_FENCE: assertion (rc11)
 *     The second look at the count may be older than the words: a torn copy is believed.
 * expect -DNO_WRITER_FENCE: assertion (rc11)
 *     The words may be seen before the count is odd.
 * expect -DRELAXED_END: assertion (rc11)
 *     The even count may be seen before the words.
 * expect -DNO_SECOND_LOOK: assertion (sc, rc11)
 *     The copy is believed if the count was even before it.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef RELAXED_END
#define END memory_order_relaxed
#else
#define END memory_order_release
#endif

static atomic_uint count;
static atomic_int words[2];

static void write_both(int value) {
    unsigned before = atomic_load_explicit(&count, memory_order_relaxed); /* one writer */
    atomic_store_explicit(&count, before + 1, memory_order_relaxed);
#ifndef NO_WRITER_FENCE
    /* release: odd before the words; pairs with the acquire fence of a reader that saw a word. */
    atomic_thread_fence(memory_order_release);
#endif
    atomic_store_explicit(&words[0], value, memory_order_relaxed);
    atomic_store_explicit(&words[1], value, memory_order_relaxed);
    /* release: the words before the even count; pairs with the acquire in read_both. */
    atomic_store_explicit(&count, before + 2, END);
}

static bool read_both(int copy[2]) {
    /* acquire: the words of the write that made it even. */
    unsigned before = atomic_load_explicit(&count, memory_order_acquire);
    if (before % 2 != 0)
        return false;
    copy[0] = atomic_load_explicit(&words[0], memory_order_relaxed);
    copy[1] = atomic_load_explicit(&words[1], memory_order_relaxed);
#ifdef NO_SECOND_LOOK
    return true;
#else
#ifndef NO_READER_FENCE
    /* acquire: the words before the second look; pairs with the release fence of the writer. */
    atomic_thread_fence(memory_order_acquire);
#endif
    return atomic_load_explicit(&count, memory_order_relaxed) == before;
#endif
}

static void *writer(void *unused) {
    (void)unused;
    write_both(1);
    write_both(2);
    return NULL;
}

static void *reader(void *unused) {
    (void)unused;
    int copy[2];
    if (read_both(copy))
        assert(copy[0] == copy[1] && "both words are of one write");
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, writer, NULL);
    pthread_create(&threads[1], NULL, reader, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}
