/* workload.c: the stream of requests of one thread. See workload.h. */
#include "workload.h"

#include <math.h>

const char *rec_plan_make(rec_plan *plan, const rec_workload *workload) {
    uint64_t sum = 0;
    for (int kind = 0; kind < REC_KINDS; kind++)
        sum += workload->weight[kind];
    if (workload->space == 0 || workload->stride == 0)
        return "space and stride must be at least 1";
    if ((workload->space - 1) > (UINT64_MAX - workload->first_key) / workload->stride)
        return "first_key + (space - 1) * stride must stay below 2^64";
    if (sum == 0)
        return "at least one operation must have a weight above 0";
    if (workload->batch == 0 || workload->batch > REC_MAX_BATCH)
        return "batch must be from 1 to 64";
    if (workload->scan_length == 0 || workload->scan_length > REC_MAX_SCAN)
        return "scan_length must be from 1 to 256";
    if (workload->span == 0)
        return "span must be at least 1";
    if (workload->distribution > REC_CLUSTERED)
        return "unknown distribution";
    if (workload->distribution == REC_HOT &&
        (workload->hot_keys == 0 || workload->hot_keys > workload->space))
        return "hot_keys must be from 1 to space";
    if (workload->distribution == REC_ZIPFIAN && !(workload->skew > 0 && workload->skew < 1))
        return "skew must lie between 0 and 1, both exclusive";

    plan->workload = *workload;
    uint32_t filled = 0;
    uint64_t before = 0;
    for (int kind = 0; kind < REC_KINDS; kind++) {
        before += workload->weight[kind];
        uint32_t until = (uint32_t)(before * REC_MIX_TABLE / sum);
        if (workload->weight[kind] > 0 && until == filled && until < REC_MIX_TABLE)
            until++;
        while (filled < until)
            plan->mix[filled++] = (uint8_t)kind;
    }
    if (workload->distribution == REC_ZIPFIAN) {
        double n = (double)workload->space, theta = workload->skew;
        plan->zeta = 0;
        for (uint64_t i = 1; i <= workload->space; i++)
            plan->zeta += pow((double)i, -theta);
        plan->alpha = 1 / (1 - theta);
        plan->eta = (1 - pow(2 / n, 1 - theta)) / (1 - (1 + pow(0.5, theta)) / plan->zeta);
    }
    return NULL;
}

void rec_stream_start(rec_stream *stream, const rec_plan *plan, uint64_t seed, uint32_t thread,
                      uint32_t threads) {
    *stream = (rec_stream){.plan = plan, .thread = thread, .threads = threads};
    for (int i = 0; i < 4; i++) {
        seed = rec_mix64(seed + thread + 1);
        stream->state[i] = seed;
    }
}

static inline uint64_t rotate(uint64_t x, int by) {
    return (x << by) | (x >> (64 - by));
}

static uint64_t draw(rec_stream *stream) {
    uint64_t *s = stream->state, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

/* A number from 0 to below - 1; the bias of the multiplication does not matter here. */
static uint64_t below(rec_stream *stream, uint64_t bound) {
    return bound <= UINT32_MAX ? ((draw(stream) >> 32) * bound) >> 32 : draw(stream) % bound;
}

static double fraction(rec_stream *stream) {
    return (double)(draw(stream) >> 11) * 0x1p-53;
}

static uint64_t zipfian_rank(rec_stream *stream) {
    const rec_plan *plan = stream->plan;
    double n = (double)plan->workload.space, u = fraction(stream), uz = u * plan->zeta;
    if (uz < 1)
        return 0;
    if (uz < 1 + pow(0.5, plan->workload.skew))
        return plan->workload.space > 1;
    uint64_t rank = (uint64_t)(n * pow(plan->eta * u - plan->eta + 1, plan->alpha));
    return rank < plan->workload.space ? rank : plan->workload.space - 1;
}

static uint64_t next_position(rec_stream *stream) {
    const rec_workload *w = &stream->plan->workload;
    switch (w->distribution) {
    case REC_ZIPFIAN: return rec_mix64(zipfian_rank(stream)) % w->space;
    case REC_HOT:
        return fraction(stream) < w->hot_share ? below(stream, w->hot_keys)
                                               : below(stream, w->space);
    case REC_ASCENDING: return (stream->step * stream->threads + stream->thread) % w->space;
    case REC_CLUSTERED:
        if (stream->step % 64 == 0)
            stream->cluster = below(stream, w->space);
        return (stream->cluster + below(stream, 16)) % w->space;
    default: return below(stream, w->space);
    }
}

/* Navigation and scans also begin between the keys of the space. */
static uint64_t next_key_nearby(rec_stream *stream, uint64_t key) {
    if (stream->plan->workload.stride == 1)
        return key;
    switch (below(stream, 4)) {
    case 0: return key == 0 ? key : key - 1;
    case 1: return key == UINT64_MAX ? key : key + 1;
    default: return key;
    }
}

void rec_stream_next(rec_stream *stream, rec_request *request, uint64_t *keys) {
    const rec_workload *w = &stream->plan->workload;
    uint64_t position = next_position(stream);
    uint64_t key = rec_key_at(w, position);
    *request = (rec_request){.key = key, .limit = key, .count = 1};
    request->kind = stream->plan->mix[draw(stream) >> 52];
    stream->step++;
    switch (request->kind) {
    case REC_FLOOR:
    case REC_CEILING:
    case REC_LOWER:
    case REC_HIGHER: request->key = next_key_nearby(stream, key); break;
    case REC_WALK_FORWARD:
    case REC_WALK_BACKWARD:
        request->key = next_key_nearby(stream, key);
        request->count = 1 + (uint32_t)below(stream, w->scan_length);
        break;
    case REC_SCAN_FORWARD:
    case REC_DELETE_RANGE:
    case REC_COUNT: {
        uint64_t other = position + below(stream, w->span);
        request->limit = rec_key_at(w, other < w->space ? other : w->space - 1);
        request->count = 1 + (uint32_t)below(stream, w->scan_length);
        break;
    }
    case REC_SCAN_BACKWARD: {
        uint64_t back = below(stream, w->span);
        request->limit = rec_key_at(w, back < position ? position - back : 0);
        request->count = 1 + (uint32_t)below(stream, w->scan_length);
        break;
    }
    case REC_GET_MANY:
    case REC_PUT_MANY: {
        uint64_t most = w->batch < w->space ? w->batch : w->space;
        if (most == 0)
            break; /* no workload has an empty space or batch; divided by below */
        request->count = 1 + (uint32_t)below(stream, most);
        /* Distinct by construction: steps of one size around the space never meet before most. */
        uint64_t step = 1 + below(stream, w->space / most);
        for (uint32_t i = 0; i < request->count; i++)
            keys[i] = rec_key_at(w, (position + i * step) % w->space);
        break;
    }
    default: break;
    }
}
