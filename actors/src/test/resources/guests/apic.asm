; waits in HLT for the local APIC's one-shot timer, vector 0x40: the vCPU's own deadline
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
mov [idt+0x200],ax
mov word [idt+0x202],8
mov word [idt+0x204],0x8e00
shr eax,16
mov [idt+0x206],ax
lidt [idtr]
mov dword [0xfee000f0],0x1ff
mov dword [0xfee003e0],0xb
mov dword [0xfee00320],0x40
mov dword [0xfee00380],1000000
w: sti
hlt
jmp w
handler: mov al,4
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
; = bc000020000f0115b8001000ea33001000080066b810008ed88ec08ed0b89600100066a3c802100066c705ca021000080066c705cc021000008ec1e81066a3ce0210000f011dbe001000c705f000e0feff010000c705e003e0fe0b000000c7052003e0fe40000000c7058003e0fe40420f00fbf4ebfcb004e6f4f490909090900000000000000000ffff0000009acf00ffff00000092cf001700a0001000ff07c800100090909090
