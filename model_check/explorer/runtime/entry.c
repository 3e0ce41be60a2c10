/* entry.c: the calls that gcc and clang put in with -fsanitize=thread.
 *
 * Loads and read-modify-writes come by way of switch.S, which adds the address of the caller's
 * registers as the last argument; where there is no assembly for the processor, PLAIN_ENTRIES have them
 * saved by setjmp, at the lower end of their own frame. Outside of an execution (a model function that the
 * explorer calls) nothing is watched.
 */
#include "runtime.h"

#if defined(BWX_UCONTEXT) || !(defined(__x86_64__) || defined(__aarch64__))
#define PLAIN_ENTRIES 1
#define ENTRY         static inline __attribute__((always_inline))
#include <alloca.h>
#include <setjmp.h>
#else
#define PLAIN_ENTRIES 0
#define ENTRY
#endif

void __tsan_init(void) {
}

void __tsan_func_entry(void *caller) {
    bwx_thread *self = bwx.current;
    if (BWX_UNLIKELY(!bwx.running))
        return;
    if (self->depth < BWX_FRAMES)
        self->frames[self->depth] = bwx_pc(caller);
    self->depth++;
}

void __tsan_func_exit(void) {
    if (BWX_LIKELY(bwx.running))
        bwx.current->depth--;
}

/* ---- plain accesses ---- */

static inline void plain(const void *address, size_t size, unsigned flags, uint32_t pc) {
    if (BWX_LIKELY(bwx.running))
        bwx_plain((uintptr_t)address, size, flags, pc);
}

#define PLAIN(size)                                    \
    void __tsan_read##size(void *address) {            \
        plain(address, size, BWX_READS, BWX_PC);       \
    }                                                  \
    void __tsan_write##size(void *address) {           \
        plain(address, size, BWX_WRITES, BWX_PC);      \
    }                                                  \
    void __tsan_unaligned_read##size(void *address) {  \
        plain(address, size, BWX_READS, BWX_PC);       \
    }                                                  \
    void __tsan_unaligned_write##size(void *address) { \
        plain(address, size, BWX_WRITES, BWX_PC);      \
    }                                                  \
    void __tsan_volatile_read##size(void *address) {   \
        plain(address, size, BWX_READS, BWX_PC);       \
    }                                                  \
    void __tsan_volatile_write##size(void *address) {  \
        plain(address, size, BWX_WRITES, BWX_PC);      \
    }                                                  \
    void __tsan_read_write##size(void *address) {      \
        plain(address, size, BWX_READS, BWX_PC);       \
        plain(address, size, BWX_WRITES, BWX_PC);      \
    }
PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

void __tsan_read_range(void *address, size_t size) {
    plain(address, size, BWX_READS | BWX_QUIET, BWX_PC);
}

void __tsan_write_range(void *address, size_t size) {
    plain(address, size, BWX_WRITES, BWX_PC);
}

void __tsan_vptr_update(void **pointer, void *value) {
    (void)value;
    plain(pointer, sizeof *pointer, BWX_WRITES, BWX_PC);
}

void __tsan_vptr_read(void **pointer) {
    plain(pointer, sizeof *pointer, BWX_READS, BWX_PC);
}

/* ---- atomic accesses ---- */

/* gcc hands on the bits of __ATOMIC_*; what lies above the order itself is for hardware elision. */
static inline uint8_t order_of(int order) {
    return (uint8_t)(order & 7);
}

static uint64_t unwatched(const bwx_op *op) {
    uint64_t seen = 0;
    memcpy(&seen, (const void *)op->address, op->size);
    bool exchange = op->kind == BWX_STORE || op->kind == BWX_RMW;
    uint64_t value = op->kind == BWX_RMW && op->rmw == BWX_ADD ? seen + op->operand : op->operand;
    if (exchange)
        memcpy((void *)op->address, &value, op->size);
    return seen;
}

static inline uint64_t run(bwx_op *op, const uint64_t *registers, bool *exchanged) {
    return BWX_LIKELY(bwx.running) ? bwx_atomic(op, registers, exchanged) : unwatched(op);
}

static inline uint32_t caller(const uint64_t *registers, uint32_t own) {
#if PLAIN_ENTRIES
    (void)registers;
    return own;
#elif defined(__x86_64__)
    return registers != NULL ? (uint32_t)registers[6] : own;
#else
    return registers != NULL ? (uint32_t)registers[11] : own;
#endif
}

/* A compare-exchange that has failed writes what it has seen: a plain write of the program. */
static void give_back(const void *expected, size_t size, bool same, uint32_t pc) {
    if (!bwx.running)
        return;
    bwx_thread *self = bwx.current;
    uintptr_t address = (uintptr_t)expected;
    bwx_dirty(address, size);
    bwx_access(address, size, BWX_WRITES, pc);
    if (!same && address - bwx_stack_base(self->id) >= BWX_STACK_BYTES)
        bwx_side_effect(self);
}

#define OP(what, bits, pointer, value, memory_order) \
    bwx_op op = {.kind = (what),                     \
                 .size = (bits) / 8,                 \
                 .order = order_of(memory_order),    \
                 .pc = pc,                           \
                 .object = BWX_NONE,                 \
                 .address = (uintptr_t)(pointer),    \
                 .operand = (uint64_t)(value)}

#define LOAD_AND_STORE(bits)                                                               \
    ENTRY uint##bits##_t bwx_load##bits(const volatile void *at, int order,                \
                                        const uint64_t *registers) {                       \
        uint32_t pc = caller(registers, BWX_PC);                                           \
        OP(BWX_LOAD, bits, at, 0, order);                                                  \
        return (uint##bits##_t)run(&op, registers, NULL);                                  \
    }                                                                                      \
    void __tsan_atomic##bits##_store(volatile void *at, uint##bits##_t value, int order) { \
        uint32_t pc = BWX_PC;                                                              \
        OP(BWX_STORE, bits, at, value, order);                                             \
        run(&op, NULL, NULL);                                                              \
    }
#define READ_MODIFY_WRITE(bits, name, which)                                                  \
    ENTRY uint##bits##_t bwx_##name##bits(volatile void *at, uint##bits##_t value, int order, \
                                          const uint64_t *registers) {                        \
        uint32_t pc = caller(registers, BWX_PC);                                              \
        OP(BWX_RMW, bits, at, value, order);                                                  \
        op.rmw = (which);                                                                     \
        return (uint##bits##_t)run(&op, registers, NULL);                                     \
    }
#define COMPARE_EXCHANGE(bits, name, may_fail)                                            \
    ENTRY int bwx_cas_##name##bits(volatile void *at, uint##bits##_t *expected,           \
                                   uint##bits##_t value, int order, int failure,          \
                                   const uint64_t *registers) {                           \
        uint32_t pc = caller(registers, BWX_PC);                                          \
        OP(BWX_CAS, bits, at, value, order);                                              \
        op.failure_order = order_of(failure);                                             \
        op.expected = *expected;                                                          \
        op.weak = (may_fail);                                                             \
        bool exchanged = false;                                                           \
        uint64_t seen = run(&op, registers, &exchanged);                                  \
        if (!exchanged)                                                                   \
            give_back(expected, sizeof *expected, (uint##bits##_t)seen == *expected, pc); \
        if (!exchanged)                                                                   \
            *expected = (uint##bits##_t)seen;                                             \
        return exchanged;                                                                 \
    }
/* clang's, for weak and strong ones: exchanged if what it gives is what was expected. */
#define COMPARE_EXCHANGE_VALUE(bits)                                                     \
    ENTRY uint##bits##_t bwx_cas_val##bits(volatile void *at, uint##bits##_t expected,   \
                                           uint##bits##_t value, int order, int failure, \
                                           const uint64_t *registers) {                  \
        uint32_t pc = caller(registers, BWX_PC);                                         \
        OP(BWX_CAS, bits, at, value, order);                                             \
        op.failure_order = order_of(failure);                                            \
        op.expected = expected;                                                          \
        bool exchanged = false;                                                          \
        return (uint##bits##_t)run(&op, registers, &exchanged);                          \
    }
#define WIDTH(bits)                                 \
    LOAD_AND_STORE(bits)                            \
    READ_MODIFY_WRITE(bits, exchange, BWX_EXCHANGE) \
    READ_MODIFY_WRITE(bits, fetch_add, BWX_ADD)     \
    READ_MODIFY_WRITE(bits, fetch_sub, BWX_SUB)     \
    READ_MODIFY_WRITE(bits, fetch_and, BWX_AND)     \
    READ_MODIFY_WRITE(bits, fetch_or, BWX_OR)       \
    READ_MODIFY_WRITE(bits, fetch_xor, BWX_XOR)     \
    READ_MODIFY_WRITE(bits, fetch_nand, BWX_NAND)   \
    COMPARE_EXCHANGE(bits, strong, false)           \
    COMPARE_EXCHANGE(bits, weak, true)              \
    COMPARE_EXCHANGE_VALUE(bits)
WIDTH(8)
WIDTH(16)
WIDTH(32)
WIDTH(64)

#if PLAIN_ENTRIES
/* The caller's registers, and all that lies above them on the stack. */
#define REGISTERS(name)                       \
    uint64_t *name = alloca(sizeof(jmp_buf)); \
    memset(name, 0, sizeof(jmp_buf));         \
    (void)_setjmp(*(jmp_buf *)(void *)name)

#define PLAIN_RMW(bits, name)                                                            \
    uint##bits##_t __tsan_atomic##bits##_##name(volatile void *at, uint##bits##_t value, \
                                                int order) {                             \
        REGISTERS(registers);                                                            \
        return bwx_##name##bits(at, value, order, registers);                            \
    }
#define PLAIN_CAS(bits, name)                                                                      \
    int __tsan_atomic##bits##_compare_exchange_##name(volatile void *at, uint##bits##_t *expected, \
                                                      uint##bits##_t value, int order,             \
                                                      int failure) {                               \
        REGISTERS(registers);                                                                      \
        return bwx_cas_##name##bits(at, expected, value, order, failure, registers);               \
    }
#define PLAIN_WIDTH(bits)                                                            \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile void *at, int order) {  \
        REGISTERS(registers);                                                        \
        return bwx_load##bits(at, order, registers);                                 \
    }                                                                                \
    PLAIN_RMW(bits, exchange)                                                        \
    PLAIN_RMW(bits, fetch_add)                                                       \
    PLAIN_RMW(bits, fetch_sub)                                                       \
    PLAIN_RMW(bits, fetch_and)                                                       \
    PLAIN_RMW(bits, fetch_or)                                                        \
    PLAIN_RMW(bits, fetch_xor)                                                       \
    PLAIN_RMW(bits, fetch_nand)                                                      \
    PLAIN_CAS(bits, strong)                                                          \
    PLAIN_CAS(bits, weak)                                                            \
    uint##bits##_t __tsan_atomic##bits##_compare_exchange_val(                       \
        volatile void *at, uint##bits##_t expected, uint##bits##_t value, int order, \
        int failure) {                                                               \
        REGISTERS(registers);                                                        \
        return bwx_cas_val##bits(at, expected, value, order, failure, registers);    \
    }
PLAIN_WIDTH(8)
PLAIN_WIDTH(16)
PLAIN_WIDTH(32)
PLAIN_WIDTH(64)
#endif

void __tsan_atomic_thread_fence(int order) {
    if (BWX_LIKELY(bwx.running))
        bwx_fence(order_of(order), BWX_PC);
}

/* Orders a thread with its own signal handlers only; there are none. */
void __tsan_atomic_signal_fence(int order) {
    (void)order;
}
