/* judge.c: which way a key is judged. See judge.h. */
#include "judge.h"

#include <stdlib.h>

struct lin_judge {
    lin_forced *forced;
    lin_search *search;
    int only;
    lin_figures figures;
};

lin_judge *lin_judge_new(const lin_limits *limits, const lin_model *model) {
    lin_judge *judge = calloc(1, sizeof *judge);
    if (judge == NULL)
        return NULL;
    judge->only = LIN_ALGORITHMS;
    judge->forced = lin_forced_new();
    judge->search = lin_search_new(limits, model);
    if (judge->forced == NULL || judge->search == NULL) {
        lin_judge_free(judge);
        return NULL;
    }
    return judge;
}

void lin_judge_free(lin_judge *judge) {
    if (judge == NULL)
        return;
    lin_forced_free(judge->forced);
    lin_search_free(judge->search);
    free(judge);
}

void lin_judge_use(lin_judge *judge, int only) {
    judge->only = only;
    lin_search_go_deep(judge->search, only == LIN_DEEP);
}

void lin_judge_figures(const lin_judge *judge, lin_figures *figures) {
    *figures = judge->figures;
    figures->peak = lin_search_peak(judge->search);
    figures->deep = lin_search_deep(judge->search);
    figures->bytes = lin_forced_bytes(judge->forced);
}

static void count_overlapping(lin_judge *judge, const lin_part *parts, uint64_t count) {
    uint64_t until = 0, overlapping = 0;
    bool before = false;
    for (uint64_t i = 0; i < count; i++) {
        until = parts[i].responded > until ? parts[i].responded : until;
        bool beside_next = i + 1 < count && parts[i + 1].invoked <= until;
        overlapping += before | beside_next;
        before = beside_next;
    }
    judge->figures.overlapping += overlapping;
}

int lin_judge_parts(lin_judge *judge, const lin_part *parts, uint64_t count,
                    const lin_state *initial, uint64_t initial_count, uint64_t *failed,
                    uint32_t *order) {
    int verdict = LIN_NOT_FORCED;
    if ((judge->only == LIN_FORCED || judge->only == LIN_ALGORITHMS) && initial_count == 1)
        verdict = lin_forced_judge(judge->forced, parts, count, *initial, failed, order);
    if (judge->only == LIN_FORCED)
        return verdict;
    int way = verdict == LIN_NOT_FORCED ? LIN_SEARCHED : LIN_FORCED;
    judge->figures.keys[way]++;
    judge->figures.parts[way] += count;
    count_overlapping(judge, parts, count);
    if (way == LIN_FORCED && verdict != LIN_VIOLATION)
        return verdict;
    uint64_t at = 0;
    int searched =
        lin_search_judge(judge->search, parts, count, initial, initial_count, &at, order);
    if (way == LIN_SEARCHED || searched == LIN_VIOLATION)
        *failed = at;
    if (way == LIN_SEARCHED)
        return searched;
    return searched == LIN_OK ? LIN_UNKNOWN_DISPUTE : verdict;
}
