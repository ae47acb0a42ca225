; polls for input and sends it back; 4 ends
bits 32
org 0x100020
mov dx,0x3fb
mov al,3
out dx,al
mov dx,0x3fa
mov al,7
out dx,al
w: mov dx,0x3fd
in al,dx
test al,1
jz w
mov dx,0x3f8
in al,dx
cmp al,4
je e
out dx,al
jmp w
e: mov al,1
out 0xf4,al
; = 66bafb03b003ee66bafa03b007ee66bafd03eca80174f766baf803ec3c047403eeebebb001e6f4
