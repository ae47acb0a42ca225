; every vCPU mixes a lock-free counter, unlocked updates that get lost, its time-stamp counter and the timer's count into memory; the
; boot processor echoes what is typed with a letter between, and switches off when it is a dot
bits 32
org 0x100020
mov esp,0x200000
mov esi,others
mov edi,0x8000
mov ecx,others_end-others
rep movsb
mov dword [0xfee000f0],0x1ff
mov dword [0xfee00300],0xc4500
mov dword [0xfee00300],0xc4608
w: call mix
mov dx,0x3fd
in al,dx
test al,1
jz w
mov dx,0x3f8
in al,dx
cmp al,'.'
je e
add [0x7040],al
out dx,al
mov eax,[0x7010]
and al,15
add al,'a'
out dx,al
jmp w
e: mov al,8
out 0xf4,al
d: hlt
jmp d
mix: mov ecx,300
m: lock inc dword [0x7000]
mov eax,[0x7010]
imul eax,eax,1103515245
add eax,[0x7000]
mov [0x7010],eax
loop m
rdtsc
add [0x7020],eax
in al,0x40
add [0x7030],al
pause
ret
bits 16
others: lock inc word [0x7004]
o: mov ecx,200
n: lock inc dword [0x7000]
mov eax,[0x7010]
imul eax,eax,1103515245
xor eax,ecx
mov [0x7010],eax
loop n
rdtsc
xor [0x7024],eax
jmp o
others_end:
; = bc00002000bebc001000bf00800000b92e000000f3a4c705f000e0feff010000c7050003e0fe00450c00c7050003e0fe08460c00e82c00000066bafd03eca80174f266baf803ec3c2e7413000540700000eea110700000240f0461eeebd6b008e6f4f4ebfdb92c010000f0ff0500700000a11070000069c06d4ec641030500700000a310700000e2e10f31010520700000e440000530700000f390c3f0ff06047066b9c8000000f066ff06007066a110706669c06d4ec6416631c866a31070e2e60f316631062470ebd7
