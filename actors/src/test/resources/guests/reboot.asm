; counts its starts in memory and resets by the keyboard controller; the third start ends with 5
bits 32
org 0x100020
inc byte [0x180000]
cmp byte [0x180000],3
je e
mov al,0xfe
out 0x64,al
mov al,9
out 0xf4,al
e: mov al,5
out 0xf4,al
; = fe0500001800803d00001800037408b0fee664b009e6f4b005e6f4
