bits 32
org 0x100020
mov dx,0x3fb
mov al,3
out dx,al
mov dx,0x3f8
mov esi,text
l: lodsb
test al,al
jz e
out dx,al
jmp l
e: mov al,0x10
out 0xf4,al
hlt
text: db "hello",10,0
; = 66bafb03b003ee66baf803be3d001000ac84c07403eeebf8b010e6f4f468656c6c6f0a00
