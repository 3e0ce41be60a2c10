/* reference_count.c: the last of several owners frees the object.
 *
 * expect: pass (sc, rc11)
 * expect -DRELAXED_DROP: use-after-free (sc, rc11)
 *     The other owners' last looks are not ordered before the free.
 * expect -DNO_ACQUIRE: use-after-free (sc, rc11)
 *     Who frees does not acquire what the others released.
 * expect -DLOOK_THEN_DROP: use-after-free (sc, rc11)
 *     The count is looked at by itself: two owners take themselves for the last, or one looks at the
 *     count of an object that is gone.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#ifdef RELAXED_DROP
#define DROP memory_order_relaxed
#else
#define DROP memory_order_release
#endif

typedef struct object {
    atomic_int owners;
    int value;
} object;

static void drop(object *shared) {
#ifdef LOOK_THEN_DROP
    atomic_fetch_sub_explicit(&shared->owners, 1, memory_order_acq_rel);
    if (atomic_load_explicit(&shared->owners, memory_order_acquire) != 0)
        return;
#else
    /* release: this owner's last look comes before the free; pairs with the fence below. */
    if (atomic_fetch_sub_explicit(&shared->owners, 1, DROP) != 1)
        return;
#endif
#ifndef NO_ACQUIRE
    /* acquire: what all other owners released. */
    atomic_thread_fence(memory_order_acquire);
#endif
    free(shared);
}

static void *owner(void *shared) {
    assert(((object *)shared)->value == 7);
    drop(shared);
    return NULL;
}

int main(void) {
    object *shared = malloc(sizeof *shared);
    if (shared == NULL)
        abort();
    atomic_init(&shared->owners, 2);
    shared->value = 7;
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, owner, shared);
    pthread_create(&threads[1], NULL, owner, shared);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}
