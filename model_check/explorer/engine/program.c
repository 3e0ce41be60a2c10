/* program.c: reads a program's text (program.h).
 *
 * Options of the harness's own: failures=N lets N allocations of each thread fail, any of them; attach=N
 * leaves registration to the first operation in all threads but the first N, detach=0 leaves the rest to a
 * thread's end. lie=N and leak=1 are for the harness's own tests, states=1 to 4 for events.c.
 */
#include "program.h"

#include <stddef.h>

program engine_program;

/* What each operation takes: k a key, v a value, n a number; the letters after * repeat. */
static const struct {
    const char *word;
    const char *takes;
} words[OPERATION_KINDS] = {
    [GET] = {"get", "k"},
    [PUT] = {"put", "kv"},
    [INSERT] = {"insert", "kv"},
    [UPDATE] = {"update", "kv"},
    [REMOVE] = {"remove", "k"},
    [COMPARE_EXCHANGE] = {"compare_exchange", "kvv"},
    [FLOOR] = {"floor", "k"},
    [CEILING] = {"ceiling", "k"},
    [LOWER] = {"lower", "k"},
    [HIGHER] = {"higher", "k"},
    [FIRST] = {"first", ""},
    [LAST] = {"last", ""},
    [POP_FIRST] = {"pop_first", ""},
    [POP_LAST] = {"pop_last", ""},
    [COUNT] = {"count", "kk"},
    [DELETE_RANGE] = {"delete_range", "kk"},
    [GET_MANY] = {"get_many", "k*k"},
    [PUT_MANY] = {"put_many", "kv*kv"},
    [WALK] = {"walk", "knn"},
    [CONSOLIDATE] = {"consolidate", ""},
    [COLLECT] = {"collect", ""},
    [ATTACH] = {"attach", ""},
    [DETACH] = {"detach", ""},
    [PIN] = {"pin", ""},
    [UNPIN] = {"unpin", ""},
    [SIZE] = {"size", ""},
    [STATS] = {"stats", ""},
    [LEVEL_STATS] = {"level_stats", "n"},
    [CHECK] = {"check", ""},
    [CLOSE] = {"close", ""},
    [FAIL] = {"fail", "n"},
    [FREE] = {"free", ""},
    [OPEN_CURSOR] = {"open_cursor", ""},
    [FREE_CURSOR] = {"free_cursor", ""},
    [TELL] = {"tell", ""},
    [TOLD] = {"told", ""},
    [ADVANCE] = {"advance", ""},
    [RECLAIM] = {"reclaim", ""},
    [SHRINK] = {"shrink", ""},
    [HAND_OVER] = {"hand_over", ""},
    [TAKE_PAGES] = {"take_pages", "nnn"},
    [GIVE_PAGES] = {"give_pages", "nn"},
    [TAKE_PID] = {"take_pid", "n"},
    [GIVE_PID] = {"give_pid", "n"},
    [PIDS_LEFT] = {"pids_left", "n"},
    [POP_PID] = {"pop_pid", ""},
    [PUSH_PID] = {"push_pid", "n"},
    [USE_PID] = {"use_pid", "n"},
    [ACQUIRE] = {"acquire", ""},
    [UNLINK] = {"unlink", ""},
    [RETIRE] = {"retire", ""},
    [SEAL] = {"seal", ""},
    [TRY_ADVANCE] = {"try_advance", ""},
    [FREE_ONE] = {"free_one", ""},
};

#define OPTION(name) {#name, offsetof(bw_options, name), sizeof(((bw_options *)0)->name)}

static const struct {
    const char *name;
    size_t offset, size;
} options[] = {
    OPTION(leaf_capacity), OPTION(inner_capacity),    OPTION(leaf_log),    OPTION(inner_log),
    OPTION(max_pids),      OPTION(retire_batch),      OPTION(free_limit),  OPTION(merge_threshold),
    OPTION(retry_limit),   OPTION(backoff_min),       OPTION(backoff_max), OPTION(pooling),
    OPTION(worker),        OPTION(worker_log_length),
};

static const struct {
    const char *name;
    size_t offset;
} own_options[] = {
    {"failures", offsetof(program, failures)}, {"attach", offsetof(program, attach)},
    {"detach", offsetof(program, detach)},     {"lie", offsetof(program, lie)},
    {"leak", offsetof(program, leak)},         {"states", offsetof(program, states)},
};

UNSEEN const char *operation_word(operation_kind kind) {
    return words[kind].word;
}

/* ---- letters ---- */

UNSEEN static const char *skip_blanks(const char *at) {
    while (*at == ' ' || *at == '\n' || *at == '\t')
        at++;
    return at;
}

UNSEEN static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || c == '_';
}

/* Goes past the word if it stands here. */
UNSEEN static bool take_word(const char **at, const char *word) {
    const char *text = *at;
    for (; *word != 0; word++, text++)
        if (*text != *word)
            return false;
    if (is_letter(*text) || (*text >= '0' && *text <= '9'))
        return false;
    *at = skip_blanks(text);
    return true;
}

UNSEEN static bool take_number(const char **at, uint64_t *number) {
    const char *text = *at;
    if (take_word(at, "max")) {
        *number = UINT64_MAX;
        return true;
    }
    if (*text < '0' || *text > '9')
        return false;
    for (*number = 0; *text >= '0' && *text <= '9'; text++)
        *number = 10 * *number + (uint64_t)(*text - '0');
    *at = skip_blanks(text);
    return true;
}

/* ---- sections ---- */

UNSEEN static const char *add_key(uint64_t key) {
    program *p = &engine_program;
    unsigned at = 0;
    while (at < p->key_count && p->keys[at] < key)
        at++;
    if (at < p->key_count && p->keys[at] == key)
        return NULL;
    if (p->key_count == MAX_KEYS)
        return "a program may name 24 keys at most";
    for (unsigned i = p->key_count++; i > at; i--)
        p->keys[i] = p->keys[i - 1];
    p->keys[at] = key;
    return NULL;
}

UNSEEN static const char *read_arguments(const char **at, operation *op) {
    const char *takes = words[op->kind].takes;
    const char *again = NULL;
    for (const char *letter = takes;;) {
        if (*letter == '*')
            again = ++letter;
        if (*letter == 0 && again != NULL && **at >= '0' && **at <= '9')
            letter = again;
        if (*letter == 0)
            return NULL;
        uint64_t number;
        if (op->count == MAX_ARGUMENTS)
            return "an operation takes 8 numbers at most";
        if (!take_number(at, &number))
            return "an operation lacks a number";
        if (*letter == 'v' && number > UINT32_MAX)
            return "values of programs are below 2^32";
        op->arguments[op->count++] = number;
        const char *problem = *letter == 'k' ? add_key(number) : NULL;
        if (problem != NULL)
            return problem;
        letter++;
    }
}

UNSEEN static const char *read_operations(const char **at, section *into) {
    for (;;) {
        if (into->count == MAX_OPERATIONS)
            return "a section has too many operations (MAX_OPERATIONS in program.h)";
        operation *op = &into->operations[into->count++];
        unsigned kind = 0;
        while (kind < OPERATION_KINDS && !take_word(at, words[kind].word))
            kind++;
        if (kind == OPERATION_KINDS)
            return "there is no operation of this name";
        op->kind = (operation_kind)kind;
        const char *problem = read_arguments(at, op);
        if (problem != NULL)
            return problem;
        engine_program.closes |= kind == CLOSE || kind == FREE;
        engine_program.fails |= kind == FAIL;
        engine_program.takes_pages |= kind == TAKE_PAGES;
        engine_program.parts |= kind >= COUNT && kind <= WALK;
        if (**at != ',')
            return NULL;
        *at = skip_blanks(*at + 1);
    }
}

UNSEEN static void set(char *field, size_t size, uint64_t value) {
    if (size == sizeof(uint64_t))
        *(uint64_t *)(void *)field = value;
    else if (size == sizeof(uint32_t))
        *(uint32_t *)(void *)field = (uint32_t)value;
    else
        *(bool *)field = value != 0;
}

UNSEEN static const char *read_options(const char **at) {
    program *p = &engine_program;
    while (is_letter(**at)) {
        const char *name = *at;
        const char *end = name;
        while (is_letter(*end))
            end++;
        if (*end != '=')
            return "an option is name=number";
        char *field = NULL;
        size_t size = 0;
        for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
            const char *text = name;
            if (take_word(&text, options[i].name)) {
                field = (char *)&p->options + options[i].offset;
                size = options[i].size;
            }
        }
        for (size_t i = 0; i < sizeof own_options / sizeof own_options[0]; i++) {
            const char *text = name;
            if (take_word(&text, own_options[i].name)) {
                field = (char *)p + own_options[i].offset;
                size = sizeof(uint32_t);
            }
        }
        *at = end + 1;
        uint64_t value;
        if (field == NULL)
            return "there is no option of this name";
        if (!take_number(at, &value))
            return "an option is name=number";
        set(field, size, value);
    }
    p->fails |= p->failures != 0;
    return NULL;
}

UNSEEN static void begin(void) {
    char *bytes = (char *)&engine_program;
    for (size_t i = 0; i < sizeof engine_program; i++)
        bytes[i] = 0;
    engine_program.attach = MAX_THREADS;
    engine_program.detach = 1;
}

/* The smallest pages that there are, and nothing that time or the processor decides. */
UNSEEN static void set_defaults(bw_options *o) {
    o->leaf_capacity = 2;
    o->leaf_log = 1;
    o->inner_capacity = 3;
    o->inner_log = 1;
    o->max_pids = 64;
    o->retire_batch = 1;
    o->retry_limit = 0;
    o->backoff_min = o->backoff_max = 1;
    o->simd = BW_SIMD_SCALAR;
    o->pooling = false;
    o->worker = false;
}

UNSEEN const char *program_read(const char *text) {
    begin();
    program *p = &engine_program;
    bw_options_init(&p->options);
    set_defaults(&p->options);
    const char *at = skip_blanks(text);
    while (*at != 0) {
        const char *problem;
        if (take_word(&at, "options"))
            problem = read_options(&at);
        else if (take_word(&at, "before"))
            problem = read_operations(&at, &p->before);
        else if (take_word(&at, "after"))
            problem = read_operations(&at, &p->after);
        else if (take_word(&at, "thread"))
            problem = p->thread_count == MAX_THREADS
                          ? "a program has 4 threads at most"
                          : read_operations(&at, &p->threads[p->thread_count++]);
        else
            problem = "a section begins with options, before, thread or after";
        if (problem != NULL)
            return problem;
        if (*at == 0)
            break;
        if (*at != ';')
            return "sections are separated by ';', operations by ','";
        at = skip_blanks(at + 1);
    }
    if (p->takes_pages && !p->options.pooling)
        return "a program takes pages with pooling=1 only: nothing else gives them back";
    if (p->closes && p->parts)
        return "a program that closes the tree has no operation that is not atomic";
    return p->thread_count == 0 ? "a program has at least one thread" : NULL;
}
