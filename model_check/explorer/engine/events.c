/* events.c: events of the engine (impl/src/event.h) for the explorer, in a harness built with BW_EVENTS.
 *
 * Each goes to bwx_event, as event_words.h says it. CALL and ANSWER, from operations.c, are the harness's own.
 *
 * With options states=1 each is followed by one of kind STATE: what the epoch's memory holds, by which the
 * state of spec/EpochReclamation.tla can be told: G, the root's page, the number of registrations, and for
 * each of them: registration, announced epoch, pages of the open bag and these, sealed pages and these, each
 * with its bag's tag.
 *
 * With states=2 it holds, for the state of spec/DeltaLog.tla, what the root's page and the pages hold that
 * threads have in hand: the number of pages, and for each: page, entries of its base and these (key, value),
 * records of its log and these (kind, key, value).
 *
 * With states=3 it holds, for the state of spec/FreeList.tla, the head of the list of free page ids, how many
 * page ids are told of, and of each from 1 on the word in its mapping entry: those that have been taken once,
 * 16 at most.
 *
 * With states=4 it holds, for the state of spec/StructureModification.tla, how many page ids have been taken
 * once, and for each from 0 on what its mapping entry holds: 0, no page; 1, the tombstone; or 2, and of the page
 * its level, low, high and right, then as with states=2.
 *
 * All of this is unseen by the explorer: it is no part of what the engine does.
 */
#include "events.h"

#include "bwexplore.h"
#include "event_words.h"

static const bw_tree *watched;

UNSEEN void events_watch(const bw_tree *tree) {
    watched = tree;
}

#if defined(BW_EVENTS)

enum { MOST_WORDS = 250, MOST_PIDS = 16 };

UNSEEN static unsigned put(uint64_t *words, unsigned n, uint64_t word) {
    if (n < MOST_WORDS)
        words[n++] = word;
    return n;
}

UNSEEN static unsigned put_thread(uint64_t *words, unsigned n, const bw_thread *thread) {
    n = put(words, n, (uintptr_t)thread);
    n = put(words, n, *(const volatile uint64_t *)&thread->announced);
    n = put(words, n, thread->limbo.open_count);
    for (const bw_page *page = thread->limbo.open; page != NULL; page = page->limbo_next)
        n = put(words, n, (uintptr_t)page);
    unsigned sealed = n;
    n = put(words, n, 0);
    for (const bw_page *bag = thread->limbo.sealed_first; bag != NULL; bag = bag->limbo_next_bag)
        for (const bw_page *page = bag; page != NULL; page = page->limbo_next) {
            words[sealed]++;
            n = put(words, n, (uintptr_t)page);
            n = put(words, n, bag->limbo_tag);
        }
    return n;
}

UNSEEN static void tell_epochs(void) {
    uint64_t words[MOST_WORDS];
    unsigned n = put(words, 0, *(const volatile uint64_t *)&watched->epoch);
    n = put(words, n, (uintptr_t)bw_map_word_page(*(const volatile uint64_t *)watched->map));
    unsigned count = n;
    n = put(words, n, 0);
    const bw_thread *thread = *(bw_thread *const volatile *)&watched->threads;
    for (; thread != NULL; thread = thread->next) {
        words[count]++;
        n = put_thread(words, n, thread);
    }
    bwx_event(EVENT_STATE, n, words);
}

/* The page that each thread has loaded last in its present call; the numbers are in the order of first calls. */
static const bw_page *in_hand[MAX_THREADS + 1];
static unsigned hands;
static _Thread_local unsigned my_hand; /* its number + 1 */

UNSEEN static void take_in_hand(const bw_page *page) {
    if (my_hand == 0 && hands <= MAX_THREADS)
        my_hand = ++hands;
    if (my_hand > 0)
        in_hand[my_hand - 1] = page;
}

UNSEEN static unsigned put_page(uint64_t *words, unsigned n, const bw_page *page) {
    n = put(words, n, (uintptr_t)page);
    n = put(words, n, page->count);
    const bw_block *blocks = (const bw_block *)((const char *)page + page->blocks_at);
    for (unsigned i = 0; i < page->count; i++) {
        n = put(words, n, blocks[i / BW_BLOCK].keys[i % BW_BLOCK]);
        n = put(words, n, blocks[i / BW_BLOCK].values[i % BW_BLOCK]);
    }
    unsigned count = n;
    n = put(words, n, 0);
    for (unsigned i = 0; i < page->log_slots; i++) {
        uint64_t word = ((const volatile uint64_t *)page->log)[i];
        if (word == 0)
            continue;
        const bw_record *record = bw_word_record(word);
        words[count]++;
        n = put(words, n, bw_word_kind(word));
        n = put(words, n, record == NULL ? 0 : record->key);
        n = put(words, n, record == NULL ? 0 : record->value);
    }
    return n;
}

UNSEEN static void tell_pages(void) {
    uint64_t words[MOST_WORDS];
    const bw_page *root = bw_map_word_page(*(const volatile uint64_t *)watched->map);
    unsigned n = put(words, 0, 1);
    n = put_page(words, n, root);
    for (unsigned i = 0; i < hands; i++) {
        if (in_hand[i] == NULL)
            continue;
        words[0]++;
        n = put_page(words, n, in_hand[i]);
    }
    bwx_event(EVENT_STATE, n, words);
}

UNSEEN static void tell_free_pids(void) {
    uint64_t words[MOST_WORDS];
    unsigned n = put(words, 0, *(const volatile uint64_t *)&watched->free_pids);
    uint64_t count = *(const volatile uint64_t *)&watched->next_pid - 1;
    if (count > MOST_PIDS)
        count = MOST_PIDS;
    n = put(words, n, count);
    for (uint64_t pid = 1; pid <= count; pid++)
        n = put(words, n, ((const volatile uint64_t *)watched->map)[pid]);
    bwx_event(EVENT_STATE, n, words);
}

UNSEEN static void tell_tree(void) {
    uint64_t words[MOST_WORDS];
    uint64_t count = *(const volatile uint64_t *)&watched->next_pid;
    unsigned n = put(words, 0, count);
    for (uint64_t pid = 0; pid < count; pid++) {
        const bw_page *page = bw_map_word_page(((const volatile uint64_t *)watched->map)[pid]);
        if (!bw_map_is_page(page)) {
            n = put(words, n, page != NULL && bw_page_is_tombstone(page));
            continue;
        }
        n = put(words, n, 2);
        n = put(words, n, page->level);
        n = put(words, n, page->low);
        n = put(words, n, page->high);
        n = put(words, n, page->right);
        n = put_page(words, n, page);
    }
    bwx_event(EVENT_STATE, n, words);
}

UNSEEN static void tell_state(void) {
    if (engine_program.states == 0 || watched == NULL)
        return;
    if (engine_program.states == 1)
        tell_epochs();
    else if (engine_program.states == 2)
        tell_pages();
    else if (engine_program.states == 3)
        tell_free_pids();
    else
        tell_tree();
}

UNSEEN void bw_event(enum bw_event_kind kind, const void *what, uint64_t a, uint64_t b) {
    uint64_t words[EVENT_WORDS];
    bwx_event((int)kind, event_words(kind, what, a, b, words), words);
    if (kind == BW_EVENT_LOAD_MAPPING && engine_program.states != 0)
        take_in_hand(what);
    tell_state();
}

UNSEEN void events_call(int what, uint64_t a, uint64_t b, uint64_t c) {
    const uint64_t words[] = {(uint64_t)what, a, b, c};
    bwx_event(EVENT_CALL, 4, words);
    tell_state();
}

UNSEEN void events_answer(bw_status status, uint64_t value) {
    const uint64_t words[] = {(uint64_t)(int64_t)status, value};
    bwx_event(EVENT_ANSWER, 2, words);
    take_in_hand(NULL);
    tell_state();
}

UNSEEN void events_nothing(void) {
    bwx_event(EVENT_NOTHING, 0, NULL);
    tell_state();
}

#else

void events_call(int what, uint64_t a, uint64_t b, uint64_t c) {
    (void)what, (void)a, (void)b, (void)c;
}

void events_answer(bw_status status, uint64_t value) {
    (void)status, (void)value;
}

void events_nothing(void) {
}

#endif
