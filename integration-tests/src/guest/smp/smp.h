// What all guests of this folder have: processors, barriers, random numbers, the local APIC, a report on COM1.
#pragma once
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define MAX_CPUS 64
#define LINE __attribute__((aligned(64)))
#define PAGE __attribute__((aligned(4096)))

struct frame { u64 error, rip, cs, rflags, rsp, ss; };

// start.S
extern char trampoline[], trampoline_end[], stubs[];
extern u32 multiboot_info;
extern u64 pml4[512], pages_1g[512];
extern u64 idt[512];

// common.c
extern int cpus;                      // as the word cpus= says
extern u64 seed;                      // of everything random
extern volatile int failures;
u64 word(const char *name, u64 otherwise);
int chosen(const char *name);         // whether the word run= is missing or names this
void print(const char *format, ...);  // %s, %d (int), %u (u64), %x (u64); whole lines only
void ok(const char *format, ...);
void bad(const char *format, ...);
void fatal(const char *format, ...) __attribute__((noreturn));
void on(int vector, void (*handler)(int vector, struct frame *frame));
void start_others(void);              // INIT, start-up; returns when all have called test()
void barrier(int of);                 // of so many processors
int cpu_number(void);
void finish(void) __attribute__((noreturn));

// The guest: setup() by the boot processor alone, then test() by all, which ends with the boot processor's return.
void setup(void);
void test(int cpu);

static inline void pause(void) { __asm__ volatile("pause" ::: "memory"); }
static inline void compiler(void) { __asm__ volatile("" ::: "memory"); }
static inline void mfence(void) { __asm__ volatile("mfence" ::: "memory"); }
static inline void cli(void) { __asm__ volatile("cli" ::: "memory"); }
static inline void sti(void) { __asm__ volatile("sti" ::: "memory"); }
static inline void sti_hlt(void) { __asm__ volatile("sti; hlt" ::: "memory"); }
static inline void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" :: "a"(value), "Nd"(port) : "memory"); }
static inline u8 inb(u16 port) {
	u8 value;
	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}
static inline u64 rdtsc(void) {
	u32 low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) :: "memory");
	return (u64)high << 32 | low;
}
static inline u64 rdmsr(u32 msr) {
	u32 low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return (u64)high << 32 | low;
}
static inline void wrmsr(u32 msr, u64 value) {
	__asm__ volatile("wrmsr" :: "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}
static inline void cpuid(u32 leaf, u32 sub, u32 r[4]) {
	__asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(sub) : "memory");
}
static inline void invlpg(u64 address) { __asm__ volatile("invlpg (%0)" :: "r"(address) : "memory"); }

static inline u64 atomic_add(volatile u64 *at, u64 value) {
	__asm__ volatile("lock xaddq %0, %1" : "+r"(value), "+m"(*at) :: "memory");
	return value;
}
// xorshift64*
static inline u32 random_of(u64 *state) {
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545F4914F6CDD1D >> 32;
}
static inline void delay(u32 steps) {
	for (u32 i = 0; i < steps; i++)
		compiler();
}

// Milliseconds of work, measured with the TSC: 1 GHz here, several in QEMU.
struct budget { u64 end; };
u64 ticks_per_ms(void);
static inline struct budget budget(u64 ms) { return (struct budget){ rdtsc() + ms * ticks_per_ms() }; }
static inline int over(struct budget b) { return (int64_t)(rdtsc() - b.end) > 0; }

// The local APIC, by its page or, where all have switched to x2APIC mode, by its MSRs.
enum { ID = 0x20, VERSION = 0x30, TPR = 0x80, EOI = 0xB0, LDR = 0xD0, DFR = 0xE0, SVR = 0xF0, ISR = 0x100, TMR = 0x180,
	IRR = 0x200, ESR = 0x280, ICR = 0x300, ICR_HIGH = 0x310, LVT_TIMER = 0x320, LVT_LINT0 = 0x350, LVT_LINT1 = 0x360,
	INITIAL = 0x380, CURRENT = 0x390, DIVIDE = 0x3E0 };
enum { FIXED = 0, LOWEST = 1 << 8, NMI = 4 << 8, INIT = 5 << 8, STARTUP = 6 << 8, LOGICAL = 1 << 11, PENDING = 1 << 12,
	ASSERT = 1 << 14, LEVEL = 1 << 15, SELF = 1 << 18, ALL = 2 << 18, OTHERS = 3 << 18 };
extern volatile int x2apic;
static inline u32 apic_read(u32 r) { return x2apic ? rdmsr(0x800 + (r >> 4)) : *(volatile u32 *)(0xFEE00000ul + r); }
static inline void apic_write(u32 r, u32 value) {
	if (x2apic)
		wrmsr(0x800 + (r >> 4), value);
	else
		*(volatile u32 *)(0xFEE00000ul + r) = value;
	compiler();
}
static inline void eoi(void) { apic_write(EOI, 0); }
void ipi(u32 destination, u32 low);   // 8-bit destination by the page; waits for the delivery status
int in_set(u32 first, int vector);    // a bit of ISR, TMR or IRR

// The I/O APIC.
static inline u32 io_read(u32 r) {
	*(volatile u32 *)0xFEC00000ul = r;
	return *(volatile u32 *)0xFEC00010ul;
}
static inline void io_write(u32 r, u32 value) {
	*(volatile u32 *)0xFEC00000ul = r;
	*(volatile u32 *)0xFEC00010ul = value;
}
