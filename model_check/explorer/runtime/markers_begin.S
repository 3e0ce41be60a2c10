/* markers_begin.S: linked in front of the program's objects; see memory.c. */
    .data
    .balign 16
    .globl bwx_data_begin
bwx_data_begin:
    .quad 0
    .bss
    .balign 16
    .globl bwx_bss_begin
bwx_bss_begin:
    .skip 8
    .section .note.GNU-stack, "", %progbits
