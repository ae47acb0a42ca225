; 1,000 reads of the RTC's data port, then 2 of ports that nobody claims, one of them at the end of a range, then a split one
bits 32
org 0x100020
mov ecx,1000
l: in al,0x71
loop l
mov dx,0x1234
in al,dx
in eax,dx
mov dx,0x20
in ax,dx
mov al,6
out 0xf4,al
; = b9e8030000e471e2fc66ba3412eced66ba200066edb006e6f4
