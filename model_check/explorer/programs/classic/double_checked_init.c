/* double_checked_init.c: an object is made at its first use, and the lock is skipped ever after.
 *
 * expect: pass (sc, rc11)
 * expect -DRELAXED_LOAD: data-race (sc, rc11)
 *     The first look finds the object, but does not acquire what it is made of.
 * expect -DRELAXED_STORE: data-race (sc, rc11)
 *     The object is not published with its address.
 * expect -DNO_SECOND_CHECK: assertion (sc, rc11)
 *     Who waited for the lock makes the object a second time.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#ifdef RELAXED_LOAD
#define OBTAIN memory_order_relaxed
#else
#define OBTAIN memory_order_acquire
#endif
#ifdef RELAXED_STORE
#define PUBLISH memory_order_relaxed
#else
#define PUBLISH memory_order_release
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int object;
static int made; /* how often; kept by the lock */
static _Atomic(int *) shared;

static int *get(void) {
    /* acquire: the object; pairs with the release below. */
    int *found = atomic_load_explicit(&shared, OBTAIN);
    if (found != NULL)
        return found;
    pthread_mutex_lock(&lock);
#ifndef NO_SECOND_CHECK
    /* relaxed: the lock orders this look with the store. */
    found = atomic_load_explicit(&shared, memory_order_relaxed);
#endif
    if (found == NULL) {
        made++;
        assert(made == 1 && "the object is made once");
        object = 42;
        found = &object;
        /* release: publishes the object to those who do not take the lock. */
        atomic_store_explicit(&shared, found, PUBLISH);
    }
    pthread_mutex_unlock(&lock);
    return found;
}

static void *user(void *unused) {
    (void)unused;
    assert(*get() == 42);
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, user, NULL);
    pthread_create(&threads[1], NULL, user, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}
