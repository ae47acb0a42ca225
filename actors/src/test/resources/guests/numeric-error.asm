; x87 errors with CR0.NE clear: FERR# -> IRQ 13 -> vector 0x2D, before the next waiting instruction. Ends with
; the number of interrupts, which is 1
bits 32
org 0x100020
start:
 mov esp,0x200000
 lgdt [gdtr]
 jmp 8:enter
enter:
 mov eax,0x10
 mov ds,eax
 mov es,eax
 mov ss,eax
 lidt [idtr]
 mov esi,ports
next:
 xor eax,eax
 lodsb
 test eax,eax
 jz ready
 mov edx,eax
 lodsb
 out dx,al
 jmp next
ready:
 fninit
 xor ebx,ebx
 fldcw [unmasked]
 fld1
 fldz
 fdivp
 sti
 fwait
 mov al,bl
 out 0xf4,al
error:
 inc ebx
 out 0xf0,al
 fnclex
 mov al,0x20
 out 0xa0,al
 out 0x20,al
 iretd
gdt:  dq 0,0x00CF9B000000FFFF,0x00CF93000000FFFF
gdtr:  dw 23
 dd gdt
idtr:  dw 0x2d*8+7
 dd idt-0x2d*8
idt:  dw error - 0x100000, 8, 0x8e00, 0x10
unmasked:  dw 0x037b
ports:  db 0x20,0x11, 0x21,0x20, 0x21,4, 0x21,1, 0xa0,0x11, 0xa1,0x28, 0xa1,2, 0xa1,1, 0x21,0xfb, 0xa1,0xdf, 0
; = bc000020000f011591001000ea330010000800b8100000008ed88ec08ed00f011d97001000bea700100031c0ac85c0740689c2aceeebf3dbe331dbd92da5001000d9e8d9eedef9fb9b88d8e6f443e6f0dbe2b020e6a0e620cf0000000000000000ffff0000009bcf00ffff00000093cf001700790010006f0135ff0f006d000800008e10007b032011212021042101a011a128a102a10121fba1df00
