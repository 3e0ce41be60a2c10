/* witness.c: see witness.h. */
#include "witness.h"

bool lin_witness_holds(const lin_part *parts, uint64_t count, lin_state initial,
                       const lin_model *model, const uint32_t *order, uint64_t length) {
    lin_state state = initial;
    uint64_t latest = 0, responded = 0, demanded = 0;
    for (uint64_t i = 0; i < count; i++)
        demanded += parts[i].responded != LIN_NEVER_RESPONDED;
    for (uint64_t i = 0; i < length; i++) {
        const lin_part *part = &parts[order[i]];
        if (part->invoked > latest)
            latest = part->invoked;
        /* Something that stands earlier was invoked when this had ended. */
        if (part->responded < latest || lin_step(model, part, &state) != 1)
            return false;
        responded += part->responded != LIN_NEVER_RESPONDED;
    }
    return responded == demanded;
}
