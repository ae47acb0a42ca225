// The machine is reset again and again while all processors are at something; after each reset they start as after power-on.
// Words: cpus, seed, resets.
#include "smp.h"

// Neither the image nor firmware writes here: it survives a reset, as memory does.
#define ROUND (*(volatile u64 *)0x2000000ul)
#define MAGIC (*(volatile u64 *)0x2000008ul)
#define MAGIC_VALUE 0x5E5E7ul

static u64 resets;
static PAGE u8 area[8192];

static void count(int vector, struct frame *frame) { eoi(); }

void setup(void) {
	resets = word("resets", 10);
	if (MAGIC != MAGIC_VALUE) {
		MAGIC = MAGIC_VALUE;
		ROUND = 0;
	}
	on(0x40, count);
	on(0x41, count);
}

void test(int cpu) {
	u64 state = seed + 100 * ROUND + cpu + 1;
	if (apic_read(LVT_TIMER) != 1 << 16 || in_set(IRR, 0x41))
		bad("cpu %d: its local APIC is not as after a reset: %x", cpu, (u64)apic_read(LVT_TIMER));
	barrier(cpus);
	if (!cpu && (failures || ROUND == resets)) {
		ok("%u resets of %d processors", ROUND, cpus);
		finish();
	}
	if (!cpu) {
		delay(random_of(&state) % 20000);
		ROUND++;
		outb(0xCF9, 6);
	}
	apic_write(DIVIDE, 0xB);
	apic_write(LVT_TIMER, 0x41 | 1 << 17);
	apic_write(INITIAL, 5000 + random_of(&state) % 5000);
	while (1) {
		u32 r[4];
		switch (random_of(&state) % 8) {
		case 0: sti(); pause(); break;
		case 1: sti_hlt(); break;
		case 2: inb(0x61); break;
		case 3: io_read(1); break;
		case 4: ipi(0, 0x40 | ASSERT | OTHERS); break;
		case 5: __asm__ volatile("lock addq $1, (%0)" :: "r"(&area[4093]) : "memory", "cc"); break;
		case 6: cpuid(1, 0, r); break;
		default: // to the end, now and then
			if (!(random_of(&state) & 255))
				__asm__ volatile("cli; hlt");
		}
	}
}
