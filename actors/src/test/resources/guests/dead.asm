; halts for good: interrupts are off
bits 32
org 0x100020
h: hlt
jmp h
; = f4ebfd
