; Numeric errors with CR0.NE clear, as the slave interrupt controller sees them. All its inputs are masked: what wakes the vCPU,
; which has to wait before the FWAIT here and does not in QEMU, is the timer, and its handler then looks. QEMU 7.2 ends with a
; failed assertion where request 13 reaches the vCPU itself. Each look records {slave's IRR, al, status word}: a line of eight
; hexadecimal digits on COM1. Multiboot, flat. ebx: bit 0, the handler writes port 0xF0; bit 1, it clears the exception.
bits 32
org 0x100000
 dd 0x1BADB002,0x10000,-(0x1BADB002+0x10000),0x100000,0x100000,0,0,0x100020
start:
 mov esp,0x300000
 mov edi,0x200000
 lgdt [gdtr]
 jmp 8:enter
enter:
 mov eax,0x10
 mov ds,eax
 mov es,eax
 mov ss,eax
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
 fninit
 mov ebx,3
 call scene
 mov ebx,1
 call scene
 fnclex
 fldenv [clean]
 mov ebx,2
 call scene
 mov ebx,3
 call scene
 call scene
 jmp print
scene:
 call slave
 fldcw [unmasked]
 fld1
 fldz
 fdivp
 call look
 mov al,0x30
 out 0x43,al
 mov al,0
 out 0x40,al
 mov al,0x40
 out 0x40,al
 xor ebp,ebp
 sti
 fwait
await:
 test ebp,ebp
 jz await
 cli
 fwait
 jmp look
handler:
 call look
 call slave
 test bl,1
 jz told
 out 0xf0,al
 fwait
 fld1
 in al,0xf0
 call look
told:
 test bl,2
 jz kept
 fnclex
 fldenv [clean]
kept:
 inc ebp
 mov al,0x20
 out 0x20,al
 iretd
slave:
 mov al,0x11
 out 0xa0,al
 mov al,0x28
 out 0xa1,al
 mov al,2
 out 0xa1,al
 mov al,1
 out 0xa1,al
 mov al,0xff
 out 0xa1,al
 ret
look:
 movzx ecx,al
 shl ecx,16
 fnstsw ax
 and eax,0x80ff
 or ecx,eax
 in al,0xa0
 shl eax,24
 or eax,ecx
 stosd
 ret
print:
 mov esi,0x200000
row:
 cmp esi,edi
 je exit
 lodsd
 mov ebx,eax
 mov ecx,8
digit:
 rol ebx,4
 mov al,bl
 and al,15
 cmp al,10
 jb low
 add al,39
low:
 add al,48
 call put
 loop digit
 mov al,10
 call put
 jmp row
put:
 mov ah,al
 mov dx,0x3fd
full:
 in al,dx
 test al,0x20
 jz full
 mov dx,0x3f8
 mov al,ah
 out dx,al
 ret
exit:
 xor eax,eax
 out 0xf4,eax
 hlt
align 8
gdt:  dq 0,0x00CF9B000000FFFF,0x00CF93000000FFFF
gdtr:  dw 23
 dd gdt
idtr:  dw 0x20*8+7
 dd idt-0x20*8
idt:  dw handler - 0x100000, 8, 0x8e00, 0x10
unmasked:  dw 0x037b
clean: dd 0xffff037b,0xffff0000,0xffffffff,0,0,0,0
; = 02b0ad1b00000100fe4f51e40000100000001000000000000000000020001000bc00003000bf000020000f011588011000ea380010000800b8100000008ed88ec08ed00f011d8e011000b011e620b020e621b004e621b001e621b0fee621dbe3bb03000000e830000000bb01000000e826000000dbe2d9259e011000bb02000000e814000000bb03000000e80a000000e805000000e989000000e857000000d92d9c011000d9e8d9eedef9e85b000000b030e643b000e640b040e64031edfb9b85ed74fcfa9beb43e83e000000e824000000f6c301740ce6f09bd9e8e4f0e828000000f6c3027408dbe2d9259e01100045b020e620cfb011e6a0b028e6a1b002e6a1b001e6a1b0ffe6a1c30fb6c8c1e110dfe025ff80000009c1e4a0c1e01809c8abc3be0000200039fe743aad89c3b908000000c1c30488d8240f3c0a720204270430e80b000000e2eab00ae802000000ebd588c466bafd03eca82074fb66baf80388e0eec331c0e7f4f490909090900000000000000000ffff0000009bcf00ffff00000093cf00170070011000070194001000c8000800008e10007b037b03ffff0000ffffffffffff00000000000000000000000000000000
