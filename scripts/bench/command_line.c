/* command_line.c: see command_line.h. */
#include "command_line.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_KEYS = 1000, LEAST_SLICES = 20, MOST_SLICES = 1000 };
#define MOST_KEYS ((uint64_t)1 << 36)

extern const bench_adapter bench_adapter_bwtree, bench_adapter_in_place;
#ifdef BENCH_HAVE_CXX
extern const bench_adapter bench_adapter_std_map;
#endif

static const bench_adapter *const builtin[] = {
    &bench_adapter_bwtree,
#ifdef BENCH_HAVE_CXX
    &bench_adapter_std_map,
#endif
    &bench_adapter_in_place,
    NULL,
};

static const bench_adapter *load_adapter(const char *file) {
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "cannot load the adapter: %s\n", dlerror());
        return NULL;
    }
    void *symbol = dlsym(library, BENCH_ADAPTER_SYMBOL);
    if (symbol == NULL) {
        fprintf(stderr, "%s does not export %s: see adapter.h\n", file, BENCH_ADAPTER_SYMBOL);
        return NULL;
    }
    const bench_adapter *(*get)(void);
    memcpy(&get, &symbol, sizeof get); /* C has no cast from an object pointer to a function's */
    const bench_adapter *adapter = get();
    if (adapter == NULL || adapter->abi != BENCH_ADAPTER_ABI) {
        fprintf(stderr,
                "%s is not an adapter of version %d: compile it again with this adapter.h\n", file,
                BENCH_ADAPTER_ABI);
        return NULL;
    }
    return adapter;
}

static const bench_adapter *find_adapter(const char *name) {
    if (strchr(name, '/') != NULL)
        return load_adapter(name);
    for (size_t i = 0; builtin[i] != NULL; i++)
        if (strcmp(builtin[i]->name, name) == 0)
            return builtin[i];
    fprintf(stderr, "there is no adapter %s; built in are", name);
    for (size_t i = 0; builtin[i] != NULL; i++)
        fprintf(stderr, "%s %s", i == 0 ? "" : ",", builtin[i]->name);
    fprintf(stderr, "; name a shared object by a path with a slash in it\n");
    return NULL;
}

arguments command_line_defaults(const char *program, size_t most) {
    return (arguments){.program = program,
                       .most = most,
                       .keys = 1000000,
                       .operations = 500000,
                       .seed = 1,
                       .threads = 1,
                       .workloads = "load_random,get_uniform,get_zipf,get_many,scan,read_update,"
                                    "insert_read,remove"};
}

/* The load whose keys a workload works on. */
static const workload *load_of(const workload *w) {
    const workload *load = workloads;
    while (load->keys != w->load)
        load++;
    return load;
}

void command_line_list(void) {
    for (size_t i = 0; builtin[i] != NULL; i++)
        printf("adapter %s %s\n", builtin[i]->name, builtin[i]->description);
    for (size_t i = 0; workloads[i].name != NULL; i++)
        printf("workload %s %s %u %s\n", workloads[i].name, load_of(&workloads[i])->name,
               workloads[i].user_bytes, workloads[i].description);
}

static bool parse_number(const char *option, const char *text, uint64_t least, uint64_t most,
                         uint64_t *number) {
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || *number < least ||
        *number > most) {
        fprintf(stderr, "%s must be a number from %" PRIu64 " to %" PRIu64 ", got %s\n", option,
                least, most, text);
        return false;
    }
    return true;
}

/* Takes one more adapter, of another name than those before. */
static bool add_adapter(arguments *a, const char *name) {
    if (a->count == a->most) {
        fprintf(stderr, "--adapter may be given at most %zu time%s, got one more: %s\n", a->most,
                a->most == 1 ? "" : "s", name);
        return false;
    }
    const bench_adapter *adapter = find_adapter(name);
    if (adapter == NULL)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->adapters[i]->name, adapter->name) == 0) {
            fprintf(stderr, "two indexes are called %s: give the adapter %s another name\n",
                    adapter->name, name);
            return false;
        }
    a->adapters[a->count++] = adapter;
    return true;
}

/* The first of the selected workloads; one is selected. */
static const workload *first_selected(const bool *selected) {
    const workload *w = workloads;
    while (!selected[w - workloads])
        w++;
    return w;
}

/* Marks the workloads named in a list with commas, and the load whose keys they work on. */
static bool select_workloads(const char *list, bool *selected) {
    for (const char *name = list; *name != '\0';) {
        size_t length = strcspn(name, ",");
        const workload *w = workload_find(name, length);
        if (w == NULL) {
            fprintf(stderr, "there is no workload %.*s; there are", (int)length, name);
            for (size_t i = 0; workloads[i].name != NULL; i++)
                fprintf(stderr, "%s %s", i == 0 ? "" : ",", workloads[i].name);
            fprintf(stderr, "\n");
            return false;
        }
        selected[w - workloads] = true;
        const workload *first = first_selected(selected);
        if (w->load != first->load) {
            fprintf(
                stderr,
                "%s works on the keys of %s and %s on those of %s: measure them in processes of "
                "their own\n",
                w->name, load_of(w)->name, first->name, load_of(first)->name);
            return false;
        }
        name += length + (name[length] == ',');
    }
    if (*list == '\0') {
        fprintf(stderr, "name a workload at least: --workloads A,B,…\n");
        return false;
    }
    selected[load_of(first_selected(selected)) - workloads] = true;
    return true;
}

/* Whether the numbers of keys and operations suffice for the workloads. */
static bool keys_suffice(const arguments *a) {
    for (const workload *w = workloads; w->name != NULL; w++) {
        if (!a->selected[w - workloads])
            continue;
        if (a->loaded < w->least_keys) {
            fprintf(stderr, "--keys must be at least %u for %s, got %" PRIu64 "\n", w->least_keys,
                    w->name, a->loaded);
            return false;
        }
        if (w->keys == CHOOSE_ONCE && a->operations + a->operations / 10 > a->loaded) {
            fprintf(stderr,
                    "--operations must be at most ten elevenths of --keys (%" PRIu64
                    ") for %s, got %" PRIu64 ": each key can be removed only once\n",
                    a->loaded, w->name, a->operations);
            return false;
        }
    }
    return true;
}

bool command_line_parse(int argc, char **argv, arguments *a) {
    for (int i = 1; i < argc; i += 2) {
        const char *option = argv[i], *text = i + 1 < argc ? argv[i + 1] : "";
        bool good = true;
        if (strcmp(option, "--check") == 0 || strcmp(option, "--latency") == 0) {
            *(option[2] == 'c' ? &a->check : &a->clocked) = true;
            i--; /* they have no value */
            continue;
        }
        if (strcmp(option, "--adapter") == 0)
            good = add_adapter(a, text);
        else if (strcmp(option, "--workloads") == 0)
            a->workloads = text;
        else if (strcmp(option, "--threads") == 0)
            good = parse_number(option, text, 1, CREW_MAX, &a->threads);
        else if (strcmp(option, "--keys") == 0)
            good = parse_number(option, text, LEAST_KEYS, MOST_KEYS, &a->keys);
        else if (strcmp(option, "--operations") == 0)
            good = parse_number(option, text, 1000, MOST_KEYS, &a->operations);
        else if (strcmp(option, "--seed") == 0)
            good = parse_number(option, text, 0, UINT64_MAX, &a->seed);
        else if (strcmp(option, "--slices") == 0 && a->slices != 0)
            good = parse_number(option, text, LEAST_SLICES, MOST_SLICES, &a->slices);
        else {
            fprintf(stderr, "there is no option %s: see the head of %s\n", option, a->program);
            good = false;
        }
        if (!good)
            return false;
    }
    if (a->count == 0) {
        fprintf(stderr, "say which index to measure: --adapter NAME\n");
        return false;
    }
    /* Each thread loads as many keys, in slices of one size. */
    a->loaded = a->keys - a->keys % (a->threads * (a->slices != 0 ? a->slices : 1));
    return select_workloads(a->workloads, a->selected) && keys_suffice(a);
}
