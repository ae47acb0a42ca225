#include "smp.h"
#include <stdarg.h>

int cpus;
u64 seed;
volatile int failures;
volatile int x2apic;

static const char *words;
static void (*handlers[256])(int, struct frame *);
static volatile u64 started;
static volatile u8 present[MAX_CPUS];
static volatile int go;

// Words --------------------------------------------------------------------------------------------

// What follows "name=" in the command line, or null.
static const char *find(const char *name) {
	for (const char *at = words; *at; at++) {
		const char *n = name, *a = at;
		while (*n && *n == *a)
			n++, a++;
		if (!*n && *a == '=' && (at == words || at[-1] == ' '))
			return a + 1;
	}
	return 0;
}

u64 word(const char *name, u64 otherwise) {
	const char *at = find(name);
	if (!at)
		return otherwise;
	u64 value = 0;
	while (*at >= '0' && *at <= '9')
		value = value * 10 + *at++ - '0';
	return value;
}

int chosen(const char *name) {
	const char *at = find("run");
	if (!at)
		return 1;
	while (*at && *at != ' ') {
		const char *n = name;
		while (*n && *n == *at)
			n++, at++;
		if (!*n && (!*at || *at == ',' || *at == ' '))
			return 1;
		while (*at && *at != ' ' && *at++ != ',')
			;
	}
	return 0;
}

// Report -------------------------------------------------------------------------------------------

static volatile u8 printing;

static void put(char c) {
	while (!(inb(0x3FD) & 0x20))
		;
	outb(0x3F8, c);
}

static void number(u64 value, u32 base) {
	char digits[20];
	int n = 0;
	do
		digits[n++] = "0123456789abcdef"[value % base];
	while ((value /= base));
	while (n)
		put(digits[--n]);
}

static void format(const char *start, const char *f, va_list list) {
	u64 flags;
	u8 held = 1;
	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) :: "memory");
	while (1) {
		__asm__ volatile("xchgb %0, %1" : "+r"(held), "+m"(printing) :: "memory");
		if (!held)
			break;
		pause();
	}
	while (*start)
		put(*start++);
	for (; *f; f++) {
		if (*f != '%') {
			put(*f);
			continue;
		}
		switch (*++f) {
		case 's':
			for (const char *s = va_arg(list, const char *); *s; s++)
				put(*s);
			break;
		case 'd': {
			int value = va_arg(list, int);
			if (value < 0)
				put('-');
			number(value < 0 ? -(int64_t)value : value, 10);
			break;
		}
		case 'u': number(va_arg(list, u64), 10); break;
		case 'x': number(va_arg(list, u64), 16); break;
		}
	}
	put('\n');
	compiler();
	printing = 0;
	if (flags & 0x200)
		sti();
}

#define FORMAT(start) do { va_list list; va_start(list, f); format(start, f, list); va_end(list); } while (0)

void print(const char *f, ...) { FORMAT(""); }

void ok(const char *f, ...) { FORMAT("ok   "); }

void bad(const char *f, ...) {
	__asm__ volatile("lock incl %0" : "+m"(failures) :: "memory");
	FORMAT("BAD  ");
}

void finish(void) {
	print(failures ? "FAILED %d" : "PASSED", failures);
	// isa-debug-exit: 1 if all was well, else 3
	__asm__ volatile("outl %0, %1" :: "a"(failures ? 1 : 0), "Nd"((u16)0xF4));
	while (1)
		__asm__ volatile("cli; hlt");
}

void fatal(const char *f, ...) {
	failures++;
	FORMAT("BAD  ");
	finish();
}

// Interrupts ---------------------------------------------------------------------------------------

void interrupt(int vector, struct frame *frame) {
	if (!handlers[vector])
		fatal("cpu %d: vector %d error %x at %x, rsp %x", cpu_number(), vector, frame->error, frame->rip, frame->rsp);
	handlers[vector](vector, frame);
}

void on(int vector, void (*handler)(int, struct frame *)) { handlers[vector] = handler; }

static void gates(void) {
	for (int v = 0; v < 256; v++) {
		u64 at = (u64)stubs + 16 * v;
		idt[2 * v] = (at & 0xFFFF) | 8ul << 16 | 0x8E00ul << 32 | (at >> 16 & 0xFFFF) << 48;
		idt[2 * v + 1] = at >> 32;
	}
}

// Processors ---------------------------------------------------------------------------------------

int cpu_number(void) {
	u64 rsp;
	__asm__ volatile("movq %%rsp, %0" : "=r"(rsp));
	extern char stacks[];
	return (rsp - (u64)stacks) >> 14;
}

u64 ticks_per_ms(void) {
	static u64 ticks;
	if (!ticks) {
		u32 r[4];
		cpuid(0, 0, r);
		if (r[0] >= 0x15)
			cpuid(0x15, 0, r);
		else
			r[0] = 0;
		// Where CPUID does not say, as in QEMU: a guess that only lengthens or shortens a run.
		ticks = r[0] && r[2] ? (u64)r[2] * r[1] / r[0] / 1000 : 2000000;
	}
	return ticks;
}

void barrier(int of) {
	// One for each number, so that some may meet while the others wait for all.
	static struct { LINE volatile u64 arrived; LINE volatile u64 round; } barriers[MAX_CPUS + 1];
	volatile u64 *arrived = &barriers[of].arrived, *round = &barriers[of].round;
	u64 mine = *round;
	if (atomic_add(arrived, 1) == (u64)of - 1) {
		*arrived = 0;
		compiler();
		*round = mine + 1;
	} else {
		while (*round == mine)
			pause();
	}
	mfence();
}

void ipi(u32 destination, u32 low) {
	if (x2apic) {
		mfence(); // WRMSR to these registers is not serializing (11.12.3)
		wrmsr(0x830, (u64)destination << 32 | low);
		return;
	}
	apic_write(ICR_HIGH, destination << 24);
	apic_write(ICR, low);
	while (apic_read(ICR) & PENDING)
		pause();
}

int in_set(u32 first, int vector) { return apic_read(first + (vector >> 5) * 16) >> (vector & 31) & 1; }

void start_others(void) {
	for (char *at = trampoline; at < trampoline_end; at++)
		*(volatile char *)(0x8000ul + (at - trampoline)) = *at;
	started = 1;
	// QEMU forgets a start-up IPI that comes while its thread of that processor has not seen the INIT: try again.
	for (int attempt = 0; started < (u64)cpus; attempt++) {
		if (attempt == 20)
			fatal("only %u of %d processors have started", started, cpus);
		for (int cpu = 1; cpu < cpus; cpu++)
			if (!present[cpu])
				ipi(cpu, INIT | ASSERT);
		for (struct budget b = budget(10); !over(b);)
			delay(100);
		for (int cpu = 1; cpu < cpus; cpu++)
			if (!present[cpu])
				ipi(cpu, STARTUP | ASSERT | 8);
		for (struct budget b = budget(3000); started < (u64)cpus && !over(b);)
			pause();
	}
	go = 1;
}

void main(int cpu) {
	apic_write(SVR, 0x1FF);
	if (cpu) {
		present[cpu] = 1;
		atomic_add(&started, 1);
		while (!go)
			pause();
		test(cpu);
		while (1)
			__asm__ volatile("cli; hlt");
	}
	words = (*(u32 *)(u64)multiboot_info & 4) ? (char *)(u64)((u32 *)(u64)multiboot_info)[4] : "";
	cpus = word("cpus", 1);
	seed = word("seed", 1);
	gates();
	outb(0x21, 0xFF); // the 8259s are masked
	outb(0xA1, 0xFF);
	ticks_per_ms();
	setup();
	start_others();
	test(0);
	finish();
}
