/* scalar.c: the explorer sees memory through calls that the compiler puts in, and vector instructions are
 * none of its business: the harness is linked without the searches that use them, and asks for the
 * scalar one. These stand for the others, and are never called.
 */
#include "tree.h"

#if defined(__x86_64__)
const bw_search bw_search_avx2;
const bw_search bw_search_avx512;
#endif
