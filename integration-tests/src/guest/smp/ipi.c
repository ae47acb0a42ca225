// Interprocessor interrupts in all modes (Intel SDM vol. 3A, 11.6 and 11.12), to processors that halt. Words: cpus (4), seed,
// quirks (0: what QEMU does otherwise is left out).
#include "smp.h"

#define VECTOR 0x40
#define KICK 0xF0
#define PATIENCE 10000 // ms

static volatile u32 counts[MAX_CPUS][256];
static void (*volatile orders[MAX_CPUS])(int cpu);
static volatile u64 arrived; // a bit for each processor that is in its loop
static volatile int flag;
static volatile u32 entries[MAX_CPUS];
static int quirks;

static void count(int vector, struct frame *frame) {
	int cpu = cpu_number();
	counts[cpu][vector]++;
	if (vector != 2)
		eoi();
}

static u64 all(void) { return (1ul << cpus) - 1; }

static void short_while(void) {
	for (struct budget b = budget(2); !over(b);)
		delay(1000); // without PAUSE: there a turn of the deterministic schedule ends
}

// Waits until what() is as it should be.
#define AWAIT(condition, ...) do { \
	for (struct budget b = budget(PATIENCE); !(condition);) { \
		pause(); \
		if (over(b)) { \
			bad(__VA_ARGS__); \
			break; \
		} \
	} } while (0)

// Between these a vector is to reach each of these processors once, and nobody else.
static u32 before[MAX_CPUS][256];

static void snapshot(void) {
	for (int c = 0; c < cpus; c++)
		for (int v = 0; v < 256; v++)
			before[c][v] = counts[c][v];
}

static void reached(const char *what, u32 detail, int vector, u64 who) {
	for (int c = 0; c < cpus; c++)
		if (who >> c & 1)
			AWAIT(counts[c][vector] != before[c][vector], "%s %x: cpu %d not reached", what, (u64)detail, c);
	short_while();
	for (int c = 0; c < cpus; c++)
		for (int v = 0; v < 256; v++) {
			u32 wanted = before[c][v] + (v == vector && who >> c & 1);
			if (counts[c][v] != wanted)
				bad("%s %x: cpu %d vector %x came %d times", what, (u64)detail, c, (u64)v, (int)(counts[c][v] - before[c][v]));
		}
}

static void check(const char *what, u32 destination, u32 low, u64 who) {
	snapshot();
	ipi(destination, low);
	reached(what, destination, (low & 0x700) == NMI ? 2 : low & 0xFF, who);
}

// Has every other processor do something; returns when all have.
static void order(void (*step)(int)) {
	for (int c = 1; c < cpus; c++) {
		orders[c] = step;
		ipi(c, KICK);
	}
	for (int c = 1; c < cpus; c++)
		AWAIT(!orders[c], "cpu %d does not what it was told", c);
}

static void loop(int cpu) {
	while (1) {
		cli();
		void (*step)(int) = orders[cpu];
		if (step) {
			step(cpu);
			orders[cpu] = 0;
		} else {
			sti_hlt();
		}
	}
}

// What all do at the same time.
static void together(void (*step)(int)) {
	cli();
	order(step);
	step(0);
	sti();
}

static void flat(int cpu) {
	apic_write(DFR, -1);
	apic_write(LDR, 1u << (24 + cpu));
}

static void cluster(int cpu) {
	apic_write(DFR, 0x0FFFFFFF);
	apic_write(LDR, (cpu >> 1) << 28 | 1u << (24 + (cpu & 1)));
}

static void soft_off(int cpu) {
	if (cpu == 1)
		apic_write(SVR, 0xFF);
}

static void to_x2apic(int cpu) { wrmsr(0x1B, rdmsr(0x1B) | 1 << 10); }

static int sum(u64 who, int vector) {
	int n = 0;
	for (int c = 0; c < cpus; c++)
		if (who >> c & 1)
			n += counts[c][vector] - before[c][vector];
	return n;
}

// One of these, and nobody else.
static void one_of(const char *what, u32 destination, u32 low, u64 who) {
	snapshot();
	ipi(destination, low);
	AWAIT(sum(who, low & 0xFF), "%s %x: nobody reached", what, (u64)destination);
	short_while();
	if (sum(who, low & 0xFF) != 1 || sum(all(), low & 0xFF) != 1)
		bad("%s %x: %d of those named, %d of all", what, (u64)destination, sum(who, low & 0xFF), sum(all(), low & 0xFF));
}

static void physical(void) {
	for (int c = 0; c < cpus; c++) {
		check("physical", c, VECTOR | FIXED | ASSERT, 1ul << c);
		check("nmi", c, NMI | ASSERT, 1ul << c);
	}
	check("absent", 0x33, VECTOR | ASSERT, 0);
	check("absent nmi", 0x33, NMI | ASSERT, 0);
	check("self", 0, VECTOR | ASSERT | SELF, 1);
	check("all", 0, VECTOR | ASSERT | ALL, all());
	check("others", 0, VECTOR | ASSERT | OTHERS, all() & ~1ul);
	check("nmi to others", 0, NMI | ASSERT | OTHERS, all() & ~1ul);
	check("nmi to all", 0, NMI | ASSERT | ALL, all());
	ok("physical%s", x2apic ? ", x2APIC" : "");
}

static void logical(void) {
	together(flat);
	for (u32 set = 1; set < 1u << cpus; set++)
		check("flat", set, VECTOR | LOGICAL | ASSERT, set);
	check("flat, absent", 0x80, VECTOR | LOGICAL | ASSERT, 0);
	check("flat, all", 0xFF, VECTOR | LOGICAL | ASSERT, all());
	check("flat, nmi", 0x3, NMI | LOGICAL | ASSERT, 3);
	for (u32 set = 1; set < 1u << cpus; set++)
		one_of("lowest priority", set, VECTOR | LOWEST | LOGICAL | ASSERT, set);
	one_of("lowest priority, physical", 1, VECTOR | LOWEST | ASSERT, 2);
	together(cluster);
	for (u32 set = 1; set < 4; set++) {
		u64 both = set | set << 2;
		check("cluster 0", set, VECTOR | LOGICAL | ASSERT, set & all());
		check("cluster 1", 0x10 | set, VECTOR | LOGICAL | ASSERT, set << 2 & all());
		check("cluster 2", 0x20 | set, VECTOR | LOGICAL | ASSERT, 0);
		if (quirks)
			check("all clusters", 0xF0 | set, VECTOR | LOGICAL | ASSERT, both & all());
	}
	together(flat);
	ok("logical");
}

// A processor whose local APIC is software-disabled takes NMI and INIT only (11.4.7.2), and is none of those that lowest
// priority chooses from.
static void disabled(void) {
	together(soft_off);
	check("disabled", 1, VECTOR | ASSERT, 0);
	check("disabled, flat", 0x3, VECTOR | LOGICAL | ASSERT, 1);
	check("disabled, nmi", 1, NMI | ASSERT, 2);
	if (quirks)
		one_of("disabled, lowest priority", 0x6, VECTOR | LOWEST | LOGICAL | ASSERT, 4);
	ok("software-disabled");
}

// A processor whose local APIC is disabled as a whole is not there (11.4.3).
static void hard_off(int cpu) {
	if (cpu != 1)
		return;
	u64 base = rdmsr(0x1B);
	wrmsr(0x1B, base & ~(1ul << 11));
	flag = 1;
	while (flag == 1)
		pause();
	wrmsr(0x1B, base);
	apic_write(SVR, 0x1FF);
	flat(cpu);
	flag = 3;
}

static void absent(void) {
	flag = 0;
	orders[1] = hard_off;
	ipi(1, KICK);
	AWAIT(flag == 1, "cpu 1 does not disable its local APIC");
	check("APIC off", 1, VECTOR | ASSERT, 0);
	check("APIC off, flat", 0x3, VECTOR | LOGICAL | ASSERT, 1);
	check("APIC off, nmi", 1, NMI | ASSERT, 0);
	check("APIC off, all", 0, VECTOR | ASSERT | ALL, all() & ~2ul);
	one_of("APIC off, lowest priority", 0x6, VECTOR | LOWEST | LOGICAL | ASSERT, 4);
	flag = 2;
	AWAIT(flag == 3, "cpu 1 does not come back");
	check("APIC on again", 1, VECTOR | ASSERT, 2);
	ok("APIC off");
}

// INIT and start-up. Processor 1 comes out of it in test() again, with its APIC in the state that INIT leaves.
static void restart(void) {
	u32 was = entries[1];
	// While it waits for its start-up it takes nothing, and what came is gone.
	ipi(1, INIT | LEVEL | ASSERT);
	if (!x2apic)
		ipi(1, INIT | LEVEL); // de-assert: nothing
	snapshot();
	short_while();
	ipi(1, VECTOR | ASSERT);
	reached("after INIT", 0, VECTOR, 0);
	ipi(1, STARTUP | ASSERT | 8);
	AWAIT(entries[1] != was, "INIT and start-up: cpu 1 does not start");
	// These are for processors that wait: page 9 has code that says so.
	ipi(1, STARTUP | ASSERT | 9);
	ipi(0, STARTUP | ASSERT | 9);
	ipi(0, STARTUP | ASSERT | 9 | OTHERS);
	short_while();
	if (*(volatile u8 *)0x9FF0)
		bad("a start-up IPI without INIT before it was taken");
	check("after start-up", 1, VECTOR | ASSERT, 2);
	// Both at once: the first of two start-ups is the one.
	was = entries[1];
	if (quirks) {
		cli();
		ipi(1, INIT | ASSERT);
		ipi(1, STARTUP | ASSERT | 8);
		ipi(1, STARTUP | ASSERT | 9);
		sti();
		AWAIT(entries[1] != was, "INIT and two start-ups: cpu 1 does not start by the first");
		// A start-up before the INIT is none after it.
		ipi(1, STARTUP | ASSERT | 9);
		ipi(1, INIT | ASSERT);
		short_while();
		was = entries[1];
		ipi(1, STARTUP | ASSERT | 8);
		AWAIT(entries[1] != was, "start-up, INIT, start-up: cpu 1 does not start by the last");
		if (*(volatile u8 *)0x9FF0)
			bad("a start-up IPI before INIT, or the second after it, was taken");
	}
	if (!x2apic)
		together(flat);
	ok("INIT and start-up%s", x2apic ? ", x2APIC" : "");
}

// CLI and HLT: only NMI and INIT wake.
static void halt_closed(int cpu) {
	if (cpu != 1)
		return;
	flag = 1;
	__asm__ volatile("cli; hlt" ::: "memory");
	flag = 2;
}

static void closed(void) {
	flag = 0;
	orders[1] = halt_closed;
	ipi(1, KICK);
	AWAIT(flag == 1, "cpu 1 does not halt");
	snapshot();
	ipi(1, VECTOR | ASSERT);
	short_while();
	if (flag != 1)
		bad("an interrupt has woken a processor that halts with IF clear");
	ipi(1, NMI | ASSERT);
	AWAIT(flag == 2, "an NMI does not wake a processor that halts with IF clear");
	AWAIT(counts[1][VECTOR] != before[1][VECTOR], "an interrupt that waited is lost");
	ok("halt with IF clear");
}

// To itself, with the window closed by IF and by the task priority; two of one vector become two, three become two (11.8.4).
static void windows(void) {
	cli();
	snapshot();
	ipi(0, VECTOR | ASSERT);
	ipi(0, VECTOR | ASSERT | SELF);
	ipi(0, (VECTOR + 0x10) | ASSERT | SELF);
	if (!in_set(IRR, VECTOR) || !in_set(IRR, VECTOR + 0x10) || in_set(ISR, VECTOR))
		bad("IRR or ISR is wrong while IF is clear");
	if (counts[0][VECTOR] != before[0][VECTOR])
		bad("taken with IF clear");
	apic_write(TPR, (VECTOR & 0xF0) | 0xF);
	sti();
	AWAIT(counts[0][VECTOR + 0x10] != before[0][VECTOR + 0x10], "above the task priority, and not taken");
	short_while();
	if (counts[0][VECTOR] != before[0][VECTOR])
		bad("taken below the task priority");
	apic_write(TPR, 0);
	AWAIT(counts[0][VECTOR] != before[0][VECTOR], "not taken when the task priority is down");
	short_while();
	if (counts[0][VECTOR] != before[0][VECTOR] + 1 || in_set(IRR, VECTOR) || in_set(ISR, VECTOR))
		bad("one vector, twice before it was taken, came %d times", (int)(counts[0][VECTOR] - before[0][VECTOR]));
	if (quirks) {
		apic_write(ESR, 0);
		ipi(1, 5 | ASSERT);
		apic_write(ESR, 0);
		if (apic_read(ESR) != 1 << 5)
			bad("ESR is %x after a vector below 16 was sent", (u64)apic_read(ESR));
	}
	ok("windows%s", x2apic ? ", x2APIC" : "");
}

static void x2(void) {
	u32 r[4];
	cpuid(1, 0, r);
	if (!(r[2] >> 21 & 1)) {
		print("no x2APIC");
		return;
	}
	// All switch while nobody sends.
	cli();
	for (int c = 1; c < cpus; c++)
		orders[c] = to_x2apic, ipi(c, KICK);
	for (int c = 1; c < cpus; c++)
		AWAIT(!orders[c], "cpu %d does not switch to x2APIC", c);
	to_x2apic(0);
	x2apic = 1;
	sti();
	physical();
	windows();
	snapshot();
	wrmsr(0x83F, VECTOR);
	reached("self IPI register", 0, VECTOR, 1);
	check("all, 32 bits", -1, VECTOR | ASSERT, all());
	check("all, logical", -1, VECTOR | LOGICAL | ASSERT, all());
	check("255 is a processor", 0xFF, VECTOR | ASSERT, 0);
	check("a far one", 0x100, VECTOR | ASSERT, 0);
	for (u32 set = 1; set < 1u << cpus; set++) {
		check("x2APIC logical", set, VECTOR | LOGICAL | ASSERT, set);
		one_of("x2APIC lowest priority", set, VECTOR | LOWEST | LOGICAL | ASSERT, set);
	}
	check("another cluster", 0x10000 | 0xF, VECTOR | LOGICAL | ASSERT, 0);
	restart();
	closed();
	ok("x2APIC");
}

void setup(void) {
	quirks = word("quirks", 1);
	for (int v = VECTOR; v <= KICK; v++)
		on(v, count);
	on(2, count);
	// mov byte [0x9FF0],1 ; cli ; hlt, in real mode
	static const u8 code[] = { 0x31, 0xC0, 0x8E, 0xD8, 0xC6, 0x06, 0xF0, 0x9F, 0x01, 0xFA, 0xF4 };
	for (u32 i = 0; i < sizeof code; i++)
		((volatile u8 *)0x9000ul)[i] = code[i];
	*(volatile u8 *)0x9FF0 = 0;
}

void test(int cpu) {
	entries[cpu]++;
	if (cpu) {
		__asm__ volatile("lock btsq %1, %0" : "+m"(arrived) : "r"((u64)cpu) : "memory");
		loop(cpu);
	}
	AWAIT(arrived == (all() & ~1ul), "not all are there: %x", arrived);
	sti();
	physical();
	check("physical, all", 0xFF, VECTOR | ASSERT, all());
	logical();
	windows();
	closed();
	disabled();
	restart();
	if (quirks)
		absent();
	logical();
	if (chosen("x2apic"))
		x2();
	cli();
}
