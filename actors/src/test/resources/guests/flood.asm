; 100,000 bytes of output, 0..255 again and again, without a look at the line status
bits 32
org 0x100020
mov dx,0x3fb
mov al,3
out dx,al
mov dx,0x3f8
xor eax,eax
mov ecx,100000
l: out dx,al
inc al
loop l
mov al,2
out 0xf4,al
; = 66bafb03b003ee66baf80331c0b9a0860100eefec0e2fbb002e6f4
