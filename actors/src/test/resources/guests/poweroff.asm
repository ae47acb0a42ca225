bits 32
org 0x100020
mov dx,0x604
mov ax,0x3400
out dx,ax
mov al,9
out 0xf4,al
; = 66ba040666b8003466efb009e6f4
