// What an engine that keeps code and translations can get wrong, on one processor: code whose bytes or whose page change, flags
// that live long, faults. Words: cpus, seed, rounds.
#include "smp.h"

#define WINDOW 0x40000000ul // the test's virtual addresses
#define CALLS 40            // enough for an engine to keep what it has made

static u64 rounds;
static PAGE u64 tables[512];
static PAGE u8 frames[4][4096];
static volatile u64 fault_address, faults;

// A faulting read goes on behind itself: the instruction is three bytes, mov (%rsi), %rax.
static void page_fault(int vector, struct frame *frame) {
	u64 address;
	__asm__ volatile("movq %%cr2, %0" : "=r"(address));
	fault_address = address;
	faults++;
	frame->rip += 3;
}

static inline void probe(u64 address) {
	u64 value;
	__asm__ volatile("movq (%1), %0" : "=a"(value) : "S"(address) : "memory");
}

// mov $n, %eax; ret
static void function(volatile u8 *code, u32 n) {
	code[0] = 0xB8;
	*(volatile u32 *)(code + 1) = n;
	code[5] = 0xC3;
}

static inline u32 call_window(void) {
	u32 value;
	__asm__ volatile("call %P1" : "=a"(value) : "i"(WINDOW) : "memory", "cc");
	return value;
}

static void remapped(void) {
	u64 sum = 0;
	function(frames[0], 1);
	function(frames[1], 2);
	for (u64 n = 0; n < rounds; n++) {
		*(volatile u64 *)&tables[0] = (u64)frames[n & 1] | 3;
		invlpg(WINDOW);
		for (int i = 0; i < CALLS; i++)
			sum += call_window();
	}
	if (sum != CALLS * (rounds / 2 * 3 + (rounds & 1)))
		bad("remapped: old code");
	ok("remapped");
}

static void modified(void) {
	u64 sum = 0;
	tables[0] = (u64)frames[2] | 3;
	invlpg(WINDOW);
	for (u64 n = 0; n < rounds; n++) {
		function(frames[2], 100 + n);
		for (int i = 0; i < CALLS; i++)
			sum += call_window() - 100;
	}
	if (sum != CALLS * (rounds * (rounds - 1) / 2))
		bad("modified: old code");
	ok("modified");
}

static void faulting(void) {
	for (u64 n = 0; n < rounds * CALLS; n++) {
		u64 address = WINDOW + 0x1000 + 16 * (n & 255);
		probe(address);
		if (faults != n + 1 || fault_address != address)
			fatal("faulting: %u faults, the last at %x, not at %x", faults, fault_address, address);
	}
	ok("faulting");
}

// The carry goes through a loop whose accesses and jumps must leave it alone.
static void carrying(void) {
	static volatile u64 a[64], b[64];
	u64 state = seed;
	for (u64 n = 0; n < rounds; n++) {
		for (int i = 0; i < 64; i++) {
			a[i] = -(u64)(random_of(&state) & 1);
			b[i] = random_of(&state) & 1;
		}
		u64 i = 0, count = 64, carry = 0;
		__asm__ volatile("clc; 1: movq (%3,%0,8), %%rax; adcq %%rax, (%4,%0,8); leaq 1(%0), %0; decq %1; jnz 1b; adcq $0, %2"
			: "+r"(i), "+r"(count), "+r"(carry) : "r"(a), "r"(b) : "memory", "rax", "cc");
	}
	ok("carrying");
}

void setup(void) {
	rounds = word("rounds", 50);
	on(14, page_fault);
	pages_1g[0] = (u64)tables | 3;
}

void test(int cpu) {
	barrier(cpus);
	if (!cpu) {
		carrying();
		remapped();
		modified();
		faulting();
	}
	barrier(cpus);
}
