; PIT channel 0 -> IRQ 0 -> vector 0x20. Ends with 1 if the interrupt comes before its
; channel has been high for 1000 reads of a port; else 2
bits 32
org 0x100020
mov esp,0x200000
lgdt [gdtr]
jmp 8:c
c: mov ax,16
mov ds,ax
mov es,ax
mov ss,ax
; IDT entry 0x20
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
; channel 0 mode 0, 1193 ticks (1 ms)
mov al,0x30
out 0x43,al
mov al,0xa9
out 0x40,al
mov al,4
out 0x40,al
sti
; wait until channel 0's output is high (read-back status bit 7), then a while
w: mov al,0xe2
out 0x43,al
in al,0x40
test al,0x80
jz w
mov ecx,1000
v: in al,0x61
loop v
mov al,2
out 0xf4,al
handler: mov al,1
out 0xf4,al
hlt
align 8
gdt: dq 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtr: dw 23
dd gdt
idtr: dw 0x7ff
dd idt
align 8
idt: 
; = bc000020000f0115c0001000ea33001000080066b810008ed88ec08ed0b8a200100066a3d001100066c705d2011000080066c705d4011000008ec1e81066a3d60110000f011dc6001000b011e620b020e621b004e621b001e621b0fee621b030e643b0a9e640b004e640fbb0e2e643e440a88074f6b9e8030000e461e2fcb002e6f4b001e6f4f4900000000000000000ffff0000009acf00ffff00000092cf001700a8001000ff07d000100090909090
