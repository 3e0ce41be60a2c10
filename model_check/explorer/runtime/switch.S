/* switch.S: from one fiber to another, and calls that show the caller's registers.
 *
 * bwx_switch(void **save, void *load): saves what the calling convention says that a call keeps on this
 * stack, its address in *save, and takes the same from `load`.
 *
 * bwx_begin: where a fresh fiber begins; the function to run lies in a kept register.
 *
 * The atomic operations of the program come in here: each hands on, as its last argument, the address
 * of the kept registers, which lie right below the caller's stack. So the runtime can tell that a
 * thread is in the very state in which it has been before (spin.c).
 */
#if defined(BWX_UCONTEXT)
/* Nothing: fiber.c and entry.c do without. */
#elif defined(__x86_64__)
    .text
    .globl bwx_switch
    .type bwx_switch, @function
bwx_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size bwx_switch, .-bwx_switch

    .globl bwx_begin
    .type bwx_begin, @function
bwx_begin:
    callq *%rbx
    ud2
    .size bwx_begin, .-bwx_begin

/* name: the compiler's; target: ours; reg: of the argument after the last one */
.macro ENTRY name, target, reg
    .globl \name
    .type \name, @function
\name:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, \reg
    subq $8, %rsp
    callq \target
    addq $8, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size \name, .-\name
.endm
#define LOAD(bits)     ENTRY __tsan_atomic##bits##_load, bwx_load##bits, %rdx
#define RMW(bits, op)  ENTRY __tsan_atomic##bits##_##op, bwx_##op##bits, %rcx
#define CAS(bits, op)  ENTRY __tsan_atomic##bits##_compare_exchange_##op, bwx_cas_##op##bits, %r9

#elif defined(__aarch64__)
    .text
    .globl bwx_switch
    .type bwx_switch, %function
bwx_switch:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
    .size bwx_switch, .-bwx_switch

    .globl bwx_begin
    .type bwx_begin, %function
bwx_begin:
    blr x19
    brk #1
    .size bwx_begin, .-bwx_begin

.macro ENTRY name, target, reg
    .globl \name
    .type \name, %function
\name:
    sub sp, sp, #96
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    mov \reg, sp
    bl \target
    ldp x29, x30, [sp, #80]
    add sp, sp, #96
    ret
    .size \name, .-\name
.endm
#define LOAD(bits)     ENTRY __tsan_atomic##bits##_load, bwx_load##bits, x2
#define RMW(bits, op)  ENTRY __tsan_atomic##bits##_##op, bwx_##op##bits, x3
#define CAS(bits, op)  ENTRY __tsan_atomic##bits##_compare_exchange_##op, bwx_cas_##op##bits, x5
#endif

#if !defined(BWX_UCONTEXT) && (defined(__x86_64__) || defined(__aarch64__))
#define WIDTH(bits) \
    LOAD(bits); \
    RMW(bits, exchange); \
    RMW(bits, fetch_add); \
    RMW(bits, fetch_sub); \
    RMW(bits, fetch_and); \
    RMW(bits, fetch_or); \
    RMW(bits, fetch_xor); \
    RMW(bits, fetch_nand); \
    CAS(bits, strong); \
    CAS(bits, weak); \
    CAS(bits, val)

    WIDTH(8)
    WIDTH(16)
    WIDTH(32)
    WIDTH(64)
#endif
    .section .note.GNU-stack, "", %progbits
