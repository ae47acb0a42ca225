; an invalid opcode without an IDT: a triple fault
bits 32
org 0x100020
ud2
; = 0f0b
