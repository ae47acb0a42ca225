bits 32
org 0x100020
jmp $
; = ebfe
