/* markers_end.S: linked behind the program's objects; see memory.c. */
    .data
    .balign 16
    .globl bwx_data_end
bwx_data_end:
    .quad 0
    .bss
    .balign 16
    .globl bwx_bss_end
bwx_bss_end:
    .skip 8
    .section .note.GNU-stack, "", %progbits
