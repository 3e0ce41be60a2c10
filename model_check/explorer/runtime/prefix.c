/* prefix.c: work for several processes.
 *
 * With split=N, the first N nodes of each path get every thread that can run (sleep sets still spare what is
 * equal), and what lies behind them is handed out: a prefix is, for each of its nodes, thread:done, with what
 * the done ones have touched there (they sleep, and what wakes them must be known), and, for each choice,
 * which of its options it takes. Who explores a prefix never changes these nodes and choices:
 * the other ways from there belong to others.
 */
#include "search.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_PREFIX = 4096 };

unsigned bwx_prefix_nodes, bwx_prefix_choices;

static struct {
    uint8_t thread;
    uint16_t done;
    bwx_touch touches[BWX_THREADS];
} nodes[MAX_PREFIX];
static uint16_t choices[MAX_PREFIX];

void bwx_prefix_read(const char *text) {
    char *end;
    while (*text != ';' && *text != 0 && bwx_prefix_nodes < MAX_PREFIX) {
        nodes[bwx_prefix_nodes].thread = (uint8_t)strtoul(text, &end, 10);
        if (*end != ':')
            bwx_fatal("the prefix is damaged at '%.20s'", text);
        nodes[bwx_prefix_nodes].done = (uint16_t)strtoul(end + 1, &end, 16);
        for (uint32_t rest = nodes[bwx_prefix_nodes].done; rest != 0; rest &= rest - 1) {
            bwx_touch *touch = &nodes[bwx_prefix_nodes].touches[__builtin_ctz(rest)];
            uint64_t *const sets[] = {&touch->reads_behind, &touch->writes_behind,
                                      &touch->syncs_behind};
            touch->writes = *end == 'w';
            if (*end != 'w' && *end != 'r')
                bwx_fatal("the prefix is damaged at '%.20s'", text);
            for (unsigned i = 0; i < 3; i++)
                *sets[i] = strtoull(end + 1, &end, 16);
        }
        bwx_prefix_nodes++;
        text = *end == ',' ? end + 1 : end;
    }
    if (*text != ';' && *text != 0)
        bwx_fatal("the prefix is too long: %d nodes are the most", MAX_PREFIX);
    text += *text == ';';
    while (*text != 0 && bwx_prefix_choices < MAX_PREFIX) {
        choices[bwx_prefix_choices++] = (uint16_t)strtoul(text, &end, 10);
        if (end == text)
            bwx_fatal("the prefix is damaged at '%.20s'", text);
        text = *end == ',' ? end + 1 : end;
    }
    if (*text != 0)
        bwx_fatal("the prefix is too long: %d choices are the most", MAX_PREFIX);
}

void bwx_prefix_node(bwx_node *at, unsigned number) {
    at->thread = nodes[number].thread;
    at->done = nodes[number].done;
    for (uint32_t rest = at->done; rest != 0; rest &= rest - 1) {
        bwx_touch *touch = &at->touches[__builtin_ctz(rest)];
        const bwx_touch *known = &nodes[number].touches[__builtin_ctz(rest)];
        touch->writes = known->writes;
        touch->reads_behind = known->reads_behind;
        touch->writes_behind = known->writes_behind;
        touch->syncs_behind = known->syncs_behind;
    }
}

size_t bwx_prefix_write(const bwx_node *at, char *text, size_t room) {
    size_t used = (size_t)snprintf(text, room, "%u:%x", at->thread, at->done);
    for (uint32_t rest = at->done; rest != 0; rest &= rest - 1) {
        const bwx_touch *touch = &at->touches[__builtin_ctz(rest)];
        if (used >= room)
            return used; /* the caller sees that it is too long */
        used += (size_t)snprintf(text + used, room - used, "%c%" PRIx64 ".%" PRIx64 ".%" PRIx64,
                                 touch->writes ? 'w' : 'r', touch->reads_behind,
                                 touch->writes_behind, touch->syncs_behind);
    }
    return used < room ? used + (size_t)snprintf(text + used, room - used, ",") : used;
}

uint16_t bwx_prefix_choice(unsigned number) {
    return choices[number];
}
