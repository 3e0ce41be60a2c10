/* no_main.c: a library, not a program.
 *
 * expect: cannot-run "main"
 */
#include <stdatomic.h>

static atomic_int count;

int next(void);

int next(void) {
    return atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
}
