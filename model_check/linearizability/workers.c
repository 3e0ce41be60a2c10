/* workers.c: see workers.h. */
#include "workers.h"

#include <pthread.h>
#include <stdbool.h>

struct share {
    void (*work)(void *context, uint32_t worker);
    void *context;
    pthread_t thread;
    uint32_t worker;
    bool started;
};

static void *do_share(void *of) {
    struct share *share = of;
    share->work(share->context, share->worker);
    return NULL;
}

void lin_workers_do(uint32_t count, void (*work)(void *context, uint32_t worker), void *context) {
    struct share shares[LIN_MOST_WORKERS];
    for (uint32_t i = 1; i < count; i++) {
        shares[i] = (struct share){.work = work, .context = context, .worker = i};
        shares[i].started = pthread_create(&shares[i].thread, NULL, do_share, &shares[i]) == 0;
    }
    work(context, 0);
    for (uint32_t i = 1; i < count; i++) {
        if (shares[i].started)
            (void)pthread_join(shares[i].thread, NULL);
        else
            work(context, i);
    }
}
