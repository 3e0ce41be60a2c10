/* interpose.c: the program's calls of pthreads and C11 threads, as the linker redirects them here
 * (--wrap), to sync.c and threads.c.
 */
#define _GNU_SOURCE
#include "runtime.h"

#include <errno.h>
#include <pthread.h>
#include <threads.h>
#include <time.h>

int bwx_key_create(unsigned *key, void (*destructor)(void *));
int bwx_key_delete(unsigned key);
void **bwx_key_slot(unsigned key);

/* ---- threads ---- */

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*entry)(void *), void *argument) {
    int state = PTHREAD_CREATE_JOINABLE;
    if (attributes != NULL)
        pthread_attr_getdetachstate(attributes, &state);
    /* The new thread's number is known before it runs. */
    bwx_access((uintptr_t)thread, sizeof *thread, BWX_WRITES, BWX_PC);
    bwx_dirty((uintptr_t)thread, sizeof *thread);
    *thread = bwx.thread_count + 1;
    bwx_thread_create(entry, NULL, argument, state == PTHREAD_CREATE_DETACHED, BWX_PC);
    return 0;
}

int __wrap_pthread_join(pthread_t thread, void **result) {
    return bwx_thread_join((unsigned)thread - 1, result, BWX_PC);
}

int __wrap_pthread_detach(pthread_t thread) {
    if (thread - 1 >= bwx.thread_count)
        return ESRCH;
    bwx.threads[thread - 1].detached = true;
    return 0;
}

pthread_t __wrap_pthread_self(void) {
    return bwx.current->id + 1;
}

int __wrap_pthread_equal(pthread_t one, pthread_t other) {
    return one == other;
}

void __wrap_pthread_exit(void *result) {
    bwx_thread_exit(result);
}

int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
    (void)prepare; /* nothing forks here */
    (void)parent;
    (void)child;
    return 0;
}

int __wrap_thrd_create(thrd_t *thread, thrd_start_t entry, void *argument) {
    bwx_dirty((uintptr_t)thread, sizeof *thread);
    *thread = bwx.thread_count + 1;
    bwx_thread_create(NULL, entry, argument, false, BWX_PC);
    return thrd_success;
}

int __wrap_thrd_join(thrd_t thread, int *result) {
    void *value;
    bwx_thread_join((unsigned)thread - 1, &value, BWX_PC);
    if (result != NULL)
        *result = (int)(intptr_t)value;
    return thrd_success;
}

int __wrap_thrd_detach(thrd_t thread) {
    return __wrap_pthread_detach(thread) == 0 ? thrd_success : thrd_error;
}

thrd_t __wrap_thrd_current(void) {
    return bwx.current->id + 1;
}

int __wrap_thrd_equal(thrd_t one, thrd_t other) {
    return one == other;
}

void __wrap_thrd_exit(int result) {
    bwx_thread_exit((void *)(intptr_t)result);
}

void __wrap_thrd_yield(void) {
}

int __wrap_thrd_sleep(const struct timespec *duration, struct timespec *remaining) {
    (void)duration;
    (void)remaining;
    return 0;
}

int __wrap_sched_yield(void) {
    return 0;
}

/* ---- mutexes ---- */

int __wrap_pthread_mutexattr_init(pthread_mutexattr_t *attributes) {
    memset(attributes, 0, sizeof *attributes);
    return 0;
}

int __wrap_pthread_mutexattr_settype(pthread_mutexattr_t *attributes, int kind) {
    memcpy(attributes, &kind, sizeof kind);
    return 0;
}

int __wrap_pthread_mutexattr_destroy(pthread_mutexattr_t *attributes) {
    (void)attributes;
    return 0;
}

int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes) {
    int kind = 0;
    if (attributes != NULL)
        memcpy(&kind, attributes, sizeof kind);
    bwx_mutex_init(mutex, kind, BWX_PC);
    return 0;
}

int __wrap_pthread_mutex_destroy(pthread_mutex_t *mutex) {
    bwx_mutex_destroy(mutex, BWX_PC);
    return 0;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex) {
    return bwx_mutex_lock(mutex, BWX_PC);
}

int __wrap_pthread_mutex_trylock(pthread_mutex_t *mutex) {
    return bwx_mutex_trylock(mutex, BWX_PC);
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex) {
    return bwx_mutex_unlock(mutex, BWX_PC);
}

int __wrap_mtx_init(mtx_t *mutex, int kind) {
    bwx_mutex_init(mutex, (kind & mtx_recursive) != 0 ? PTHREAD_MUTEX_RECURSIVE : 0, BWX_PC);
    return thrd_success;
}

void __wrap_mtx_destroy(mtx_t *mutex) {
    bwx_mutex_destroy(mutex, BWX_PC);
}

int __wrap_mtx_lock(mtx_t *mutex) {
    return bwx_mutex_lock(mutex, BWX_PC) == 0 ? thrd_success : thrd_error;
}

int __wrap_mtx_trylock(mtx_t *mutex) {
    return bwx_mutex_trylock(mutex, BWX_PC) == 0 ? thrd_success : thrd_busy;
}

int __wrap_mtx_unlock(mtx_t *mutex) {
    return bwx_mutex_unlock(mutex, BWX_PC) == 0 ? thrd_success : thrd_error;
}

/* ---- condition variables ---- */

int __wrap_pthread_condattr_init(pthread_condattr_t *attributes) {
    memset(attributes, 0, sizeof *attributes);
    return 0;
}

int __wrap_pthread_condattr_setclock(pthread_condattr_t *attributes, clockid_t clock) {
    (void)attributes;
    (void)clock;
    return 0;
}

int __wrap_pthread_condattr_destroy(pthread_condattr_t *attributes) {
    (void)attributes;
    return 0;
}

int __wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes) {
    (void)attributes;
    bwx_cond_init(condition, BWX_PC);
    return 0;
}

int __wrap_pthread_cond_destroy(pthread_cond_t *condition) {
    bwx_access((uintptr_t)condition, 4, BWX_READS | BWX_ATOMIC | BWX_QUIET, BWX_PC);
    return 0;
}

int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) {
    return bwx_cond_wait(condition, mutex, false, BWX_PC);
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const struct timespec *until) {
    (void)until;
    return bwx_cond_wait(condition, mutex, true, BWX_PC);
}

int __wrap_pthread_cond_signal(pthread_cond_t *condition) {
    bwx_cond_wake(condition, false, BWX_PC);
    return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *condition) {
    bwx_cond_wake(condition, true, BWX_PC);
    return 0;
}

int __wrap_cnd_init(cnd_t *condition) {
    bwx_cond_init(condition, BWX_PC);
    return thrd_success;
}

void __wrap_cnd_destroy(cnd_t *condition) {
    (void)condition;
}

int __wrap_cnd_wait(cnd_t *condition, mtx_t *mutex) {
    bwx_cond_wait(condition, mutex, false, BWX_PC);
    return thrd_success;
}

int __wrap_cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
    (void)until;
    return bwx_cond_wait(condition, mutex, true, BWX_PC) == 0 ? thrd_success : thrd_timedout;
}

int __wrap_cnd_signal(cnd_t *condition) {
    bwx_cond_wake(condition, false, BWX_PC);
    return thrd_success;
}

int __wrap_cnd_broadcast(cnd_t *condition) {
    bwx_cond_wake(condition, true, BWX_PC);
    return thrd_success;
}

/* ---- once, thread-specific data ---- */

int __wrap_pthread_once(pthread_once_t *control, void (*routine)(void)) {
    bwx_once(control, routine, BWX_PC);
    return 0;
}

void __wrap_call_once(once_flag *control, void (*routine)(void)) {
    bwx_once(control, routine, BWX_PC);
}

int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *)) {
    bwx_dirty((uintptr_t)key, sizeof *key);
    return bwx_key_create(key, destructor);
}

int __wrap_pthread_key_delete(pthread_key_t key) {
    return bwx_key_delete(key);
}

int __wrap_pthread_setspecific(pthread_key_t key, const void *value) {
    void **slot = bwx_key_slot(key);
    if (slot == NULL)
        return EINVAL;
    *slot = (void *)value;
    return 0;
}

void *__wrap_pthread_getspecific(pthread_key_t key) {
    void **slot = bwx_key_slot(key);
    return slot == NULL ? NULL : *slot;
}

int __wrap_tss_create(tss_t *key, tss_dtor_t destructor) {
    bwx_dirty((uintptr_t)key, sizeof *key);
    return bwx_key_create(key, destructor) == 0 ? thrd_success : thrd_error;
}

void __wrap_tss_delete(tss_t key) {
    bwx_key_delete(key);
}

int __wrap_tss_set(tss_t key, void *value) {
    return __wrap_pthread_setspecific(key, value) == 0 ? thrd_success : thrd_error;
}

void *__wrap_tss_get(tss_t key) {
    return __wrap_pthread_getspecific(key);
}
