/* loops.h: the timed loops of all workloads, each with a twin that looks at the clock. */
#ifndef BENCH_LOOPS_H
#define BENCH_LOOPS_H

#include "workload.h"

#define LOOP(name)                 \
    extern timed_loop loop_##name; \
    extern timed_loop clocked_##name

LOOP(insert);
LOOP(put_many);
LOOP(get);
LOOP(get_many);
LOOP(get_many_short);
LOOP(scan);
LOOP(scan_short);
LOOP(sum);
LOOP(update);
LOOP(read_update);
LOOP(read_mostly);
LOOP(read_latest);
LOOP(scan_insert);
LOOP(read_modify_write);
LOOP(insert_read);
LOOP(remove);

#undef LOOP

#endif
