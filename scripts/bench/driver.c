/* driver.c: measures one index in one process and prints what it found as one line of JSON.
 *
 *     bench_driver --adapter NAME|FILE.so [--threads T] [--keys N] [--operations N] [--seed S]
 *                  [--workloads A,B,…]
 *     bench_driver --adapter NAME|FILE.so --check      only checks that its answers are right
 *     bench_driver --list        prints the adapters built in and the workloads
 *
 * One process an index and thread count: memory is read from the process, and no index meets the
 * heap that another has left behind. run.py interleaves the processes and makes the tables.
 * Exit status: 0, 1 (the index gave a wrong answer), 2 (could not run).
 */
#include "check.h"
#include "workload.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WRONG = 1, CANNOT = 2, MOST_WORKLOADS = 32, LEAST_KEYS = 10000 };
#define MOST_KEYS ((uint64_t)1 << 36)

extern const bench_adapter bench_adapter_bwtree;
#ifdef BENCH_HAVE_CXX
extern const bench_adapter bench_adapter_std_map;
#endif

static const bench_adapter *const builtin[] = {
    &bench_adapter_bwtree,
#ifdef BENCH_HAVE_CXX
    &bench_adapter_std_map,
#endif
    NULL,
};

typedef struct arguments {
    const char *adapter, *workloads;
    uint64_t keys, operations, seed, threads;
    bool check;
} arguments;

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

static void list_all(void) {
    for (size_t i = 0; builtin[i] != NULL; i++)
        printf("adapter %s %s\n", builtin[i]->name, builtin[i]->description);
    for (size_t i = 0; workloads[i].name != NULL; i++)
        printf("workload %s %s\n", workloads[i].name, workloads[i].description);
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

static bool parse(int argc, char **argv, arguments *a) {
    for (int i = 1; i < argc; i += 2) {
        const char *option = argv[i], *text = i + 1 < argc ? argv[i + 1] : "";
        bool good = true;
        if (strcmp(option, "--check") == 0) {
            a->check = true;
            i--; /* it has no value */
            continue;
        }
        if (strcmp(option, "--adapter") == 0)
            a->adapter = text;
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
        else {
            fprintf(stderr, "there is no option %s: see the head of driver.c\n", option);
            good = false;
        }
        if (!good)
            return false;
    }
    if (a->adapter == NULL)
        fprintf(stderr, "say which index to measure: --adapter NAME\n");
    return a->adapter != NULL;
}

/* Marks the workloads named in a list with commas. They work on the keys of load_random, which is
 * added where it is not named; load_ascending stands alone. */
static bool select_workloads(const char *list, bool *selected) {
    bool ascending = false, others = false;
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
        if (w->keys == CHOOSE_ASCENDING_LOAD)
            ascending = true;
        else
            others = true;
        name += length + (name[length] == ',');
    }
    if (ascending && others) {
        fprintf(stderr, "load_ascending is measured in a process of its own: name it alone\n");
        return false;
    }
    for (size_t i = 0; workloads[i].name != NULL; i++)
        if (workloads[i].keys == CHOOSE_RANDOM_LOAD)
            selected[i] = !ascending;
    return true;
}

/* Checks the adapter in a child process, so that what the check leaves behind in the heap and in the
 * adapter is not there when memory is measured. 0, WRONG or CANNOT. */
static int check_apart(const bench_adapter *adapter, uint64_t seed) {
    pid_t child = fork();
    if (child < 0) {
        fprintf(stderr, "cannot start a process for the check: %s\n", strerror(errno));
        return CANNOT;
    }
    if (child == 0) {
        char message[512];
        bool good = check_adapter(adapter, seed, message, sizeof message);
        if (!good)
            fprintf(stderr, "%s\n", message);
        _exit(good ? 0 : WRONG);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) {
            fprintf(stderr, "cannot wait for the check: %s\n", strerror(errno));
            return CANNOT;
        }
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "%s crashed in the check: signal %d (seed %" PRIu64 ")\n", adapter->name,
                WTERMSIG(status), seed);
        return WRONG;
    }
    return WEXITSTATUS(status);
}

static void job_open(unsigned thread, void *context) {
    bench_run *run = context;
    run->sessions[thread] = run->adapter->session_open(run->index);
}

static void job_close(unsigned thread, void *context) {
    bench_run *run = context;
    if (run->sessions[thread] != NULL)
        run->adapter->session_close(run->sessions[thread]);
}

static bool open_run(bench_run *run) {
    run->index = run->adapter->open();
    run->crew = run->index != NULL ? crew_start(run->threads) : NULL;
    if (run->crew == NULL) {
        fprintf(stderr, "%s cannot be opened\n", run->adapter->name);
        return false;
    }
    crew_run(run->crew, job_open, run);
    for (unsigned t = 0; t < run->threads; t++)
        if (run->sessions[t] == NULL) {
            fprintf(stderr, "%s gave no session to thread %u\n", run->adapter->name, t);
            return false;
        }
    return true;
}

/* Runs the selected workloads; prints the results as they come. 0, WRONG or CANNOT. */
static int measure(bench_run *run, const bool *selected) {
    int status = 0;
    const char *comma = "";
    printf("\"results\":[");
    for (size_t i = 0; workloads[i].name != NULL; i++) {
        const workload *w = &workloads[i];
        if (!selected[i] || (w->batch && run->adapter->get_many == NULL))
            continue;
        outcome out;
        if (!workload_run(w, run, &out)) {
            fprintf(stderr, "out of memory for the operations of %s: ask for fewer\n", w->name);
            return CANNOT;
        }
        printf("%s{\"workload\":\"%s\",\"operations\":%" PRIu64 ",\"seconds\":%.9f,"
               "\"processor_seconds\":%.9f,\"errors\":%" PRIu64,
               comma, w->name, out.operations, out.seconds, out.processor_seconds, out.errors);
        if (w->load)
            printf(",\"resident_bytes\":%" PRId64 ",\"own_bytes\":%" PRIu64, out.resident_bytes,
                   run->adapter->bytes != NULL ? run->adapter->bytes(run->index) : 0);
        printf("}");
        comma = ",";
        if (out.errors != 0) {
            fprintf(stderr,
                    "%s gave %" PRIu64 " wrong answers in %s (%u threads, seed %" PRIu64 ")\n",
                    run->adapter->name, out.errors, w->name, run->threads, run->seed);
            status = WRONG;
        }
    }
    printf("]}\n");
    return status;
}

int main(int argc, char **argv) {
    arguments a = {.keys = 1000000,
                   .operations = 500000,
                   .seed = 1,
                   .threads = 1,
                   .workloads = "load_random,get_uniform,get_zipf,get_many,scan,read_update,"
                                "insert_read,remove"};
    bool selected[MOST_WORKLOADS] = {false};
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list_all();
        return 0;
    }
    if (!parse(argc, argv, &a) || !select_workloads(a.workloads, selected))
        return CANNOT;
    const bench_adapter *adapter = find_adapter(a.adapter);
    if (adapter == NULL)
        return CANNOT;
    uint64_t loaded = a.keys - a.keys % a.threads; /* each thread loads as many */
    if (a.operations + a.operations / 10 > loaded) {
        fprintf(stderr,
                "--operations must be at most ten elevenths of --keys (%" PRIu64 "), got %" PRIu64
                ": each key can be removed only once\n",
                loaded, a.operations);
        return CANNOT;
    }
    int status = check_apart(adapter, a.seed);
    if (status != 0 || a.check)
        return status;
    bench_run run = {.adapter = adapter,
                     .threads = (unsigned)a.threads,
                     .loaded = loaded,
                     .operations = a.operations,
                     .seed = a.seed};
    if (!open_run(&run))
        return CANNOT;
    printf("{\"adapter\":\"%s\",\"description\":\"%s\",\"threads\":%u,\"keys\":%" PRIu64
           ",\"seed\":%" PRIu64 ",",
           adapter->name, adapter->description, run.threads, run.loaded, a.seed);
    status = measure(&run, selected);
    if (fflush(stdout) != 0 && status == 0) {
        fprintf(stderr, "cannot write the results: %s\n", strerror(errno));
        status = CANNOT;
    }
    crew_run(run.crew, job_close, &run);
    crew_stop(run.crew);
    adapter->close(run.index);
    return status;
}
