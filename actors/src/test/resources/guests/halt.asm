; like timer, but waits in HLT
bits 32
org 0x100020
mov esp,0x200000
lgdt [gdtr]
jmp 8:c
c: mov ax,16
mov ds,ax
mov es,ax
mov ss,ax
mov eax,handler
mov [idt+0x100],ax
mov word [idt+0x102],8
mov word [idt+0x104],0x8e00
shr eax,16
mov [idt+0x106],ax
lidt [idtr]
mov al,0x11
out 0x20,al
mov al,0x20
out 0x21,al
mov al,4
out 0x21,al
mov al,1
out 0x21,al
mov al,0xfe
out 0x21,al
; channel 0 mode 2, 11932 ticks (10 ms), 20 interrupts
mov al,0x34
out 0x43,al
mov al,0x9c
out 0x40,al
mov al,0x2e
out 0x40,al
mov ebx,20
w: sti
hlt
cli
test ebx,ebx
jnz w
mov al,3
out 0xf4,al
handler: dec ebx
mov al,0x20
out 0x20,al
iret
align 8
gdt: dq 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtr: dw 23
dd gdt
idtr: dw 0x7ff
dd idt
align 8
idt: 
; = bc000020000f0115b8001000ea33001000080066b810008ed88ec08ed0b89a00100066a3c801100066c705ca011000080066c705cc011000008ec1e81066a3ce0110000f011dbe001000b011e620b020e621b004e621b001e621b0fee621b034e643b09ce640b02ee640bb14000000fbf4fa85db75f9b003e6f44bb020e620cf0000000000000000ffff0000009acf00ffff00000092cf001700a0001000ff07c800100090909090
