// Translations and code that another processor changes: TLB shootdown (Intel SDM vol. 3A, 4.10.5) and cross-modifying code
// (8.1.3). Words: cpus, seed, ms (for each test), run (names).
#include "smp.h"

#define SHOOT 0x60
#define WINDOW 0x40000000ul // the test's virtual addresses; its page tables start empty

static u64 milliseconds;
static volatile int stop;
static struct { volatile u64 count, wrong; } LINE own[MAX_CPUS];

// Page tables of the window: 4 KiB pages, and one of 2 MiB.
static PAGE u64 tables[512];
static PAGE u64 frames[8][512];
static volatile u64 generation; // what every mapped page is to hold, by the processor that maps
static volatile u64 acknowledged[MAX_CPUS];
static volatile u64 asked;
static volatile u64 asked_address;

static void shoot(int vector, struct frame *frame) {
	invlpg(asked_address);
	acknowledged[cpu_number()] = asked;
	eoi();
}

// Has every other processor drop the translation, by an IPI; returns when all have said so.
static void shoot_down(int cpu, u64 address) {
	invlpg(address);
	asked_address = address;
	asked++;
	compiler();
	ipi(0, SHOOT | ASSERT | OTHERS);
	struct budget b = budget(40000);
	for (int c = 0; c < cpus; c++)
		while (c != cpu && acknowledged[c] != asked) {
			pause();
			if (over(b))
				fatal("cpu %d does not acknowledge shoot-down %u", c, asked);
		}
}

static void begin(int cpu) {
	barrier(cpus);
	own[cpu].count = own[cpu].wrong = 0;
	stop = 0;
	barrier(cpus);
}

// A faulting read goes on behind itself: the instruction is three bytes, mov (%rsi), %rax.
static struct { volatile u64 count; } LINE faults[MAX_CPUS];

static void page_fault(int vector, struct frame *frame) {
	u64 address;
	__asm__ volatile("movq %%cr2, %0" : "=r"(address));
	if (address >> 30 != WINDOW >> 30)
		fatal("cpu %d: page fault %x at %x, address %x", cpu_number(), frame->error, frame->rip, address);
	faults[cpu_number()].count++;
	frame->rip += 3;
}

static inline u64 probe(u64 address) {
	u64 value = -1;
	__asm__ volatile("movq (%1), %0" : "+a"(value) : "S"(address) : "memory");
	return value;
}

// The page at the window's start is moved from frame to frame. Each frame is poisoned once nobody may use it any more: who
// reads poison has used a translation that it had said was gone. Reads go by all ways that have a TLB entry of their own kind.
#define POISON 0xDEADDEADDEADul // more than there are generations

static void moving(int cpu) {
	begin(cpu);
	if (!cpu) {
		struct budget b = budget(milliseconds);
		for (u64 n = 0; !over(b); n++) {
			u64 next = (u64)frames[n % 8];
			for (int i = 0; i < 512; i++)
				((volatile u64 *)next)[i] = n + 1;
			u64 before = tables[0] & ~0xFFFul & ~(1ul << 63);
			if (n & 1) { // by way of no page at all
				*(volatile u64 *)&tables[0] = 0;
				shoot_down(cpu, WINDOW);
			}
			*(volatile u64 *)&tables[0] = next | 3 | (n & 2 ? 0x100 : 0);
			shoot_down(cpu, WINDOW);
			if (before)
				for (int i = 0; i < 512; i++)
					((volatile u64 *)before)[i] = POISON;
			own[cpu].count++;
			for (int i = 0; i < 3; i++)
				pause();
		}
		stop = 1;
	} else {
		static PAGE u64 copies[MAX_CPUS][64];
		u64 last = 0;
		while (!stop) {
			u64 value = probe(WINDOW + (own[cpu].count * 8 & 0xFF8));
			if (own[cpu].count % 4 == 1) {
				// With the translation in a string instruction's run; the window may be gone, so only after a good read.
				cli();
				if (probe(WINDOW) != -1ul) {
					u64 *to = copies[cpu];
					volatile u64 *from = (volatile u64 *)WINDOW;
					u64 n = 0;
					__asm__ volatile("1: movq (%%rsi), %%rax; movq %%rax, (%%rdi); addq $8, %%rsi; addq $8, %%rdi; incq %2; cmpq $32, %2; jne 1b"
						: "+S"(from), "+D"(to), "+r"(n) :: "memory", "rax", "cc");
					for (int i = 0; i < 32; i++)
						if (copies[cpu][i] == POISON)
							value = POISON;
				}
				sti();
			}
			if (value == POISON || (value != -1ul && value < last)) {
				if (!own[cpu].wrong++)
					print("moving: cpu %d has read %x after %u", cpu, value, last);
			} else if (value != -1ul) {
				last = value;
			}
			own[cpu].count++;
		}
	}
	barrier(cpus);
	if (own[cpu].wrong)
		bad("moving: cpu %d used a translation that was gone, %u times", cpu, own[cpu].wrong);
	barrier(cpus);
	if (!cpu)
		ok("moving: %u", own[0].count);
}

// Write permission is taken away: once all have said so nobody writes, and dirty bits of the others are not lost.

static void protect(int cpu) {
	begin(cpu);
	u64 page = WINDOW + 0x1000;
	if (!cpu) {
		for (int i = 0; i < 512; i++)
			frames[0][i] = 0;
		struct budget b = budget(milliseconds);
		for (u64 n = 0; !over(b); n++) {
			volatile u64 *entry = &tables[1];
			*entry = (u64)frames[0] | 3;
			shoot_down(cpu, page);
			delay(500);
			// D and A may be set by another processor at any time: an exchange loses none.
			u64 old = (u64)frames[0] | 1;
			__asm__ volatile("xchgq %0, %1" : "+r"(old), "+m"(*entry) :: "memory");
			shoot_down(cpu, page);
			u64 sums[2];
			for (int round = 0; round < 2; round++) {
				sums[round] = 0;
				for (int c = 0; c < cpus; c++)
					sums[round] += ((volatile u64 *)frames[0])[c];
				delay(200);
			}
			if (sums[0] != sums[1])
				own[0].wrong++;
			static u64 last;
			if (sums[0] != last && !(old & 0x40))
				bad("protect: written, and the dirty bit is not set: %x", old);
			if (n && !(old & 0x40) && (*entry & 0x40))
				bad("protect: the dirty bit was set after write permission was gone");
			last = sums[0];
			own[0].count++;
		}
		stop = 1;
	} else {
		u64 mine = page + 8 * cpu;
		while (!stop) {
			// incq (%rsi): three bytes, too
			__asm__ volatile("incq (%0)" :: "S"(mine) : "memory", "cc");
			own[cpu].count++;
		}
	}
	barrier(cpus);
	if (own[cpu].wrong)
		bad("protect: %u times a page was written that nobody might write", own[cpu].wrong);
	barrier(cpus);
	if (!cpu)
		ok("protect: %u", own[0].count);
}

// Code -------------------------------------------------------------------------------------------------------------------------

// mov $n, %eax; ret, written by processor 0 while the others are told by a flag, serialize, and call it (8.1.3). "place" is
// where it is written, by one mapping; "call" is where it runs, perhaps by another.
static LINE volatile u64 told, done_by[MAX_CPUS];

static void change(u64 place, u32 value) {
	volatile u8 *code = (volatile u8 *)place;
	code[0] = 0xB8;
	if ((place & 3) == 3)
		*(volatile u32 *)(code + 1) = value;
	else
		for (int i = 0; i < 4; i++)
			code[1 + i] = value >> 8 * i;
	code[5] = 0xC3;
}

static u32 call(u64 address) {
	u32 value;
	__asm__ volatile("call *%1" : "=a"(value) : "r"(address) : "memory", "cc");
	return value;
}

static void synchronize(int how) {
	u32 r[4];
	switch (how % 3) {
	case 0:
		cpuid(0, 0, r);
		break;
	case 1:
		__asm__ volatile("movl %%ss, %%eax; movq %%rsp, %%rdx; pushq %%rax; pushq %%rdx; pushfq; movl %%cs, %%eax; pushq %%rax; "
			"leaq 1f(%%rip), %%rax; pushq %%rax; iretq; 1:" ::: "memory", "rax", "rdx");
		break;
	default:
		__asm__ volatile("movq %%cr3, %%rax; movq %%rax, %%cr3" ::: "memory", "rax");
	}
}

static void modifying(int cpu, const char *name, u64 write, u64 run) {
	begin(cpu);
	if (!cpu) {
		told = 0;
		for (int c = 0; c < cpus; c++)
			done_by[c] = 0;
		change(write, 0);
	}
	barrier(cpus);
	if (!cpu) {
		struct budget b = budget(milliseconds);
		for (u32 n = 1; !over(b); n++) {
			change(write, n);
			told = n;
			for (int c = 1; c < cpus; c++)
				while (done_by[c] != n)
					pause();
			own[0].count++;
		}
		stop = 1;
	} else {
		for (u64 n = 1; !stop;) {
			if (told < n) {
				pause();
				continue;
			}
			synchronize(n + cpu);
			u32 got = call(run);
			if (got != n && !own[cpu].wrong++)
				print("%s: cpu %d ran %d, told of %u", name, cpu, (int)got, n);
			own[cpu].count++;
			done_by[cpu] = n++;
		}
	}
	barrier(cpus);
	if (own[cpu].wrong)
		bad("%s: cpu %d ran old code, %u times", name, cpu, own[cpu].wrong);
	barrier(cpus);
	if (!cpu)
		ok("%s: %u", name, own[0].count);
}

// Without telling: an aligned store of the whole instruction's operand, seen sooner or later and never in parts; the code runs
// all the time.
static void racing(int cpu) {
	begin(cpu);
	volatile u8 *code = (volatile u8 *)frames[6];
	if (!cpu) {
		code[3] = 0xB8;
		*(volatile u32 *)(code + 4) = 0;
		code[8] = 0xC3;
		told = 0;
	}
	barrier(cpus);
	if (!cpu) {
		struct budget b = budget(milliseconds);
		for (u32 n = 1; !over(b); n++) {
			*(volatile u32 *)(code + 4) = (n & 0xFF) * 0x01010101;
			told = n;
			own[0].count++;
			delay(50);
		}
		stop = 1;
	} else {
		while (!stop) {
			u32 got = call((u64)code + 3);
			if (got != (got & 0xFF) * 0x01010101 && !own[cpu].wrong++)
				print("racing: cpu %d ran %x", cpu, (u64)got);
			own[cpu].count++;
		}
		u32 want = told & 0xFF;
		synchronize(0);
		if (call((u64)code + 3) != want * 0x01010101)
			own[cpu].wrong++;
	}
	barrier(cpus);
	if (own[cpu].wrong)
		bad("racing: cpu %d ran what was never there, %u times", cpu, own[cpu].wrong);
	barrier(cpus);
	if (!cpu)
		ok("racing: %u", own[0].count);
}

void setup(void) {
	milliseconds = word("ms", 300);
	on(SHOOT, shoot);
	on(14, page_fault);
	pages_1g[0] = (u64)tables | 3;
	// Two mappings of frames 2 and 3, whose neighbours in memory are not theirs in the window: what crosses a page there is
	// in frames 3 and 2.
	tables[16] = (u64)frames[2] | 3;
	tables[17] = (u64)frames[3] | 3;
	tables[18] = (u64)frames[3] | 3;
	tables[19] = (u64)frames[2] | 3;
}

void test(int cpu) {
	sti();
	if (chosen("moving"))
		moving(cpu);
	if (chosen("protect"))
		protect(cpu);
	if (chosen("code")) {
		modifying(cpu, "code", (u64)frames[4] + 64, (u64)frames[4] + 64);
		modifying(cpu, "code, one store", (u64)frames[4] + 67, (u64)frames[4] + 67);
		modifying(cpu, "code, another mapping", (u64)frames[2] + 128, WINDOW + 0x13000 + 128);
		modifying(cpu, "code across pages", (u64)frames[4] + 4093, (u64)frames[4] + 4093);
		modifying(cpu, "code across pages, another mapping", WINDOW + 0x11000 - 3, (u64)frames[2] + 4093);
		modifying(cpu, "code across pages, only there", WINDOW + 0x13000 - 2, WINDOW + 0x13000 - 2);
	}
	if (chosen("racing"))
		racing(cpu);
	barrier(cpus);
	cli();
}
