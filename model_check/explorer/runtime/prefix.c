/* prefix.c: work for several processes.
 *
 * With split=N, the first N nodes of each path get every thread that can run (sleep sets still spare what is
 * equal), and what lies behind them is handed out: a prefix is, for each of its nodes, thread:done and, for
 * each choice, which of its options it takes. Who explores a prefix never changes these nodes and choices:
 * the other ways from there belong to others.
 */
#include "runtime.h"

#include <stdlib.h>

enum { MAX_PREFIX = 4096 };

unsigned bwx_prefix_nodes, bwx_prefix_choices;

static struct {
    uint8_t thread;
    uint16_t done;
} nodes[MAX_PREFIX];
static uint16_t choices[MAX_PREFIX];

void bwx_prefix_read(const char *text) {
    char *end;
    while (*text != ';' && *text != 0 && bwx_prefix_nodes < MAX_PREFIX) {
        nodes[bwx_prefix_nodes].thread = (uint8_t)strtoul(text, &end, 10);
        if (*end != ':')
            bwx_fatal("the prefix is damaged at '%.20s'", text);
        nodes[bwx_prefix_nodes++].done = (uint16_t)strtoul(end + 1, &end, 16);
        text = *end == ',' ? end + 1 : end;
    }
    text += *text == ';';
    while (*text != 0 && bwx_prefix_choices < MAX_PREFIX) {
        choices[bwx_prefix_choices++] = (uint16_t)strtoul(text, &end, 10);
        if (end == text)
            bwx_fatal("the prefix is damaged at '%.20s'", text);
        text = *end == ',' ? end + 1 : end;
    }
}

void bwx_prefix_node(unsigned number, uint8_t *thread, uint16_t *done) {
    *thread = nodes[number].thread;
    *done = nodes[number].done;
}

uint16_t bwx_prefix_choice(unsigned number) {
    return choices[number];
}
