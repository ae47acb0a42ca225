; as reboot, with channel 0 of the PIT firing every 13 us, which nobody takes, and a wait before the reset
bits 32
org 0x100020
mov al,0x34
out 0x43,al
mov al,0x10
out 0x40,al
mov al,0
out 0x40,al
mov ecx,3000
w: loop w
inc byte [0x180000]
cmp byte [0x180000],3
je e
mov al,0xfe
out 0x64,al
mov al,9
out 0xf4,al
e: mov al,5
out 0xf4,al
; = b034e643b010e640b000e640b9b80b0000e2fefe0500001800803d00001800037408b0fee664b009e6f4b005e6f4
