/* fiber.c: modelled threads as fibers in one OS thread.
 *
 * Each modelled thread has a stack at a fixed address and thread-local variables of its own. These
 * lie where the C library has put them: for each modelled thread there is one real thread, which only
 * sleeps; a fiber runs with that thread's thread pointer, so that _Thread_local variables, errno and
 * what else the C library keeps for a thread are private to the fiber without any help of the compiler.
 * The sleeping threads get their stacks from us, hence thread-local variables have fixed addresses, too.
 *
 * switch.S switches on x86-64 and aarch64. Elsewhere (or with BWX_UCONTEXT) ucontext does; all fibers then
 * have the thread-local variables of the one OS thread, whose contents are exchanged at each switch. So
 * they are private, too, but have one address in all threads: accesses to them are not watched.
 */
#define _GNU_SOURCE
#include "runtime.h"

#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <asm/prctl.h>
#endif

#if defined(BWX_UCONTEXT) || !(defined(__x86_64__) || defined(__aarch64__))
#define PORTABLE 1
#include <ucontext.h>
#else
#define PORTABLE 0
#endif

static size_t locals_size, locals_filled; /* the program's thread-local variables */
static const void *locals_image;          /* … as each thread finds them */
static char *locals;                      /* … of this OS thread */

static int find_locals(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size;
    (void)unused;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_TLS)
            continue;
        locals_image = (const void *)(info->dlpi_addr + header->p_vaddr);
        locals_filled = header->p_filesz;
        locals_size = header->p_memsz;
        locals = info->dlpi_tls_data;
    }
    return 1; /* the program itself comes first */
}

static void fill(char *fresh) {
    if (locals_size == 0)
        return;
    memcpy(fresh, locals_image, locals_filled);
    memset(fresh + locals_filled, 0, locals_size - locals_filled);
}

#if !PORTABLE

static uintptr_t thread_pointers[BWX_THREADS + 1]; /* the last one: of the explorer itself */
static volatile unsigned thread_pointers_known;
static uintptr_t
    locals_offset; /* from the thread pointer to the program's thread-local variables */
static bool fast_thread_pointer;

static uintptr_t read_thread_pointer(void) {
#if defined(__x86_64__)
    uintptr_t value;
    __asm__("movq %%fs:0, %0" : "=r"(value));
    return value;
#elif defined(__aarch64__)
    uintptr_t value;
    __asm__("mrs %0, tpidr_el0" : "=r"(value));
    return value;
#endif
}

static inline void write_thread_pointer(uintptr_t value) {
#if defined(__x86_64__)
    if (BWX_LIKELY(fast_thread_pointer))
        __asm__ volatile("wrfsbase %0" : : "r"(value) : "memory");
    else
        syscall(SYS_arch_prctl, ARCH_SET_FS, value);
#elif defined(__aarch64__)
    __asm__ volatile("msr tpidr_el0, %0" : : "r"(value) : "memory");
#endif
}

/* What a sleeping thread does. */
static void *sleep_for_ever(void *number) {
    thread_pointers[(uintptr_t)number] = read_thread_pointer();
    __atomic_fetch_add(&thread_pointers_known, 1, __ATOMIC_RELEASE);
    for (;;)
        pause();
    return NULL;
}

void bwx_fibers_open(void) {
    dl_iterate_phdr(find_locals, NULL);
    locals_offset = (uintptr_t)locals - read_thread_pointer();
#if defined(__x86_64__)
    fast_thread_pointer = (getauxval(AT_HWCAP2) & 2) != 0;
#endif
    thread_pointers[BWX_THREADS] = read_thread_pointer();
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    for (uintptr_t i = 0; i < BWX_THREADS; i++) {
        pthread_t sleeper;
        pthread_attr_setstack(&attributes, (void *)bwx_locals_base((unsigned)i), BWX_LOCALS_BYTES);
        if (pthread_create(&sleeper, &attributes, sleep_for_ever, (void *)i) != 0)
            bwx_fatal("cannot start the %u threads that lend their thread-local variables",
                      BWX_THREADS);
    }
    pthread_attr_destroy(&attributes);
    while (__atomic_load_n(&thread_pointers_known, __ATOMIC_ACQUIRE) < BWX_THREADS)
        usleep(50);
}

void bwx_fiber_fresh_locals(bwx_thread *thread) {
    fill((char *)(thread_pointers[thread->id] + locals_offset));
}

void bwx_switch(void **save, void *load);
void bwx_begin(void);

void bwx_fiber_prepare(bwx_thread *thread, void (*run)(void)) {
    uintptr_t top = bwx_stack_base(thread->id) + BWX_STACK_BYTES - 64;
    thread->stack_top = (const void *)top;
#if defined(__x86_64__)
    uint64_t *stack = (uint64_t *)top;
    *--stack = (uint64_t)(uintptr_t)bwx_begin;
    *--stack = 0;                        /* rbp */
    *--stack = (uint64_t)(uintptr_t)run; /* rbx */
    for (int i = 0; i < 4; i++)
        *--stack = 0; /* r12 … r15 */
    thread->stack_pointer = stack;
#else
    uint64_t *stack = (uint64_t *)top - 20;
    memset(stack, 0, 160);
    stack[0] = (uint64_t)(uintptr_t)run;        /* x19 */
    stack[11] = (uint64_t)(uintptr_t)bwx_begin; /* x30 */
    thread->stack_pointer = stack;
#endif
}

void bwx_fiber_switch(bwx_thread *from, bwx_thread *to) {
    bwx.current = to;
    write_thread_pointer(thread_pointers[to->id]);
    bwx_switch(&from->stack_pointer, to->stack_pointer);
}

void bwx_fiber_enter(bwx_thread *to) {
    bwx.current = to;
    write_thread_pointer(thread_pointers[to->id]);
    bwx_switch(&bwx.explorer_stack, to->stack_pointer);
}

void bwx_fiber_leave(void) {
    void *unused;
    write_thread_pointer(thread_pointers[BWX_THREADS]);
    bwx_switch(&unused, bwx.explorer_stack);
    __builtin_unreachable();
}

#else

static ucontext_t contexts[BWX_THREADS], explorer;
static int errors[BWX_THREADS]; /* errno of each */

void bwx_fibers_open(void) {
    dl_iterate_phdr(find_locals, NULL);
    if (locals_size > BWX_LOCALS_BYTES)
        bwx_fatal("the program has %zu bytes of thread-local variables; %d are possible",
                  locals_size, BWX_LOCALS_BYTES);
}

/* Where the thread's variables lie while it does not run. */
static char *kept(unsigned thread) {
    return (char *)bwx_locals_base(thread);
}

void bwx_fiber_fresh_locals(bwx_thread *thread) {
    fill(kept(thread->id));
    errors[thread->id] = 0;
}

static void keep_locals(unsigned thread) {
    if (locals_size > 0)
        memcpy(kept(thread), locals, locals_size);
    errors[thread] = errno;
}

static void give_locals(unsigned thread) {
    if (locals_size > 0)
        memcpy(locals, kept(thread), locals_size);
    errno = errors[thread];
}

void bwx_fiber_prepare(bwx_thread *thread, void (*run)(void)) {
    ucontext_t *context = &contexts[thread->id];
    getcontext(context);
    context->uc_stack.ss_sp = (void *)bwx_stack_base(thread->id);
    context->uc_stack.ss_size = BWX_STACK_BYTES - 64;
    context->uc_link = NULL;
    thread->stack_top = (const void *)(bwx_stack_base(thread->id) + BWX_STACK_BYTES - 64);
    makecontext(context, run, 0);
}

void bwx_fiber_switch(bwx_thread *from, bwx_thread *to) {
    bwx.current = to;
    keep_locals(from->id);
    give_locals(to->id);
    swapcontext(&contexts[from->id], &contexts[to->id]);
}

void bwx_fiber_enter(bwx_thread *to) {
    bwx.current = to;
    give_locals(to->id);
    swapcontext(&explorer, &contexts[to->id]);
}

void bwx_fiber_leave(void) {
    keep_locals(bwx.current->id);
    setcontext(&explorer);
    __builtin_unreachable();
}

#endif
