# From multiboot's 32-bit protected mode, and from a start-up IPI's real mode, to main(cpu) in 64-bit mode. The first
# GiB and the last one below 4 GiB are mapped to themselves; virtual addresses from 1 GiB on are the tests' (pages_1g).

        .set    CODE64, 8
        .set    CODE32, 16
        .set    DATA, 24
        .set    STACK_SHIFT, 14
        .set    MAX_CPUS, 64

        .section .head, "ax"
        .code32
header: .long   0x1BADB002, 0x10000, -(0x1BADB002 + 0x10000)
        .long   header, header, loaded, end, start

        .globl  start
start:  cli
        mov     %ebx, multiboot_info
        lgdtl   gdt_pointer
        ljmpl   $CODE32, $enter32

        # The memory type range and the cache bits are left alone: nobody here can tell.
        .globl  enter32
enter32:
        mov     $DATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $pml4, %eax
        mov     %eax, %cr3
        mov     $0x6A0, %eax            # PAE, PGE, OSFXSR, OSXMMEXCPT
        mov     %eax, %cr4
        mov     $0xC0000080, %ecx
        mov     $0x900, %eax            # LME, NXE
        xor     %edx, %edx
        wrmsr
        mov     $0x80010033, %eax       # PG, WP, NE, ET, MP, PE
        mov     %eax, %cr0
        ljmpl   $CODE64, $enter64

        .code64
enter64:
        xor     %eax, %eax
        mov     %eax, %fs
        mov     %eax, %gs
        mov     $1, %eax
        cpuid
        shr     $24, %ebx
        mov     %ebx, %edi              # the initial APIC id numbers the processors
        lea     1(%rbx), %rsp
        shl     $STACK_SHIFT, %rsp
        add     $stacks, %rsp
        lidt    idt_pointer
        fninit
        call    main
1:      cli
        hlt
        jmp     1b

        # Copied to a page below 1 MiB; the start-up IPI says which.
        .code16
        .globl  trampoline, trampoline_end
trampoline:
        cli
        lgdtl   %cs:(trampoline_gdt - trampoline)
        mov     $0x11, %eax
        mov     %eax, %cr0
        ljmpl   $CODE32, $enter32
trampoline_gdt:
        .word   gdt_end - gdt - 1
        .long   gdt
trampoline_end:

        # One for each vector: interrupt(vector, frame) with the error code, or 0, behind the registers.
        .code64
        .macro  stub vector
        .balign 16
        .if \vector > 31
        push    $0
        .elseif !((0x27D00 >> \vector) & 1)
        push    $0
        .endif
        push    $\vector
        jmp     common
        .endm
        .balign 16
        .globl  stubs
stubs:
        .set    v, 0
        .rept   256
        stub    v
        .set    v, v + 1
        .endr

        .macro  all operation, registers:vararg
        .irp    register, \registers
        \operation %\register
        .endr
        .endm
common: all     push, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
        cld
        mov     15*8(%rsp), %rdi
        lea     16*8(%rsp), %rsi
        mov     %rsp, %rbp
        and     $-16, %rsp
        call    interrupt
        mov     %rbp, %rsp
        all     pop, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax
        add     $16, %rsp
        iretq

        .data
        .balign 8
gdt:    .quad   0, 0x00AF9B000000FFFF, 0x00CF9B000000FFFF, 0x00CF93000000FFFF
gdt_end:
gdt_pointer:
        .word   gdt_end - gdt - 1
        .long   gdt
        .globl  idt_pointer
idt_pointer:
        .word   4095
        .quad   idt
        .globl  multiboot_info
multiboot_info:
        .long   0

        .balign 4096
        .globl  pml4, pages_1g
pml4:   .quad   pdpt + 3
        .fill   511, 8, 0
pdpt:   .quad   pd_0 + 3, pages_1g + 3, 0, pd_3 + 3
        .fill   508, 8, 0
pd_0:   .set    page, 0x83
        .rept   512
        .quad   page
        .set    page, page + 0x200000
        .endr
pd_3:   .set    page, 0xC0000093        # uncached
        .rept   512
        .quad   page
        .set    page, page + 0x200000
        .endr

        .bss
        .balign 4096
pages_1g:
        .skip   4096
        .globl  idt, stacks
idt:    .skip   4096
stacks: .skip   MAX_CPUS << STACK_SHIFT

        .section .note.GNU-stack, "", @progbits
