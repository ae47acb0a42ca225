; boot processor: changes its own code while the others wait, puts code for them at 0x8000, starts them by INIT and start-up IPI
; and waits for three; each counts itself
bits 32
org 0x100020
mov esp,0x200000
call p
mov byte [p],0x90
call p
mov esi,others
mov edi,0x8000
mov ecx,others_end-others
rep movsb
mov dword [0xfee000f0],0x1ff
mov dword [0xfee00300],0xc4500
mov dword [0xfee00300],0xc4608
w: pause
cmp word [0x7000],3
jne w
mov al,9
out 0xf4,al
d: hlt
jmp d
p: inc eax
ret
bits 16
others: lock inc word [0x7000]
h: hlt
jmp h
others_end:
; = bc00002000e84e000000c6057800100090e842000000be7a001000bf00800000b908000000f3a4c705f000e0feff010000c7050003e0fe00450c00c7050003e0fe08460c00f39066833d007000000375f4b009e6f4f4ebfd40c3f0ff060070f4ebfd
