// All at once: interprocessor interrupts with counts, a level-triggered line and an edge of the I/O APIC, timers, closed
// windows, moving destinations. None may be lost or come twice. Words: cpus, seed, ms, run (storm, pic).
#include "smp.h"

#define FROM 0x50     // + sender
#define SERIAL 0x62   // COM1's line, level-triggered
#define PIT 0x73
#define TIMER 0x84
#define SPURIOUS 0xEF
#define PATIENCE 40000 // ms

#define COM1 0x3F8
#define SERIAL_PIN 4
#define PIT_PIN 2

static u64 milliseconds;
static u64 random_states[MAX_CPUS];
static volatile int stop;
static volatile u64 ended;

static u32 draw(int cpu) { return random_of(&random_states[cpu]); }

// A lock that is never held with interrupts open, so that handlers can take it.
static u64 take(volatile u8 *lock) {
	u64 flags;
	u8 held = 1;
	__asm__ volatile("pushfq; popq %0" : "=r"(flags) :: "memory");
	while (1) {
		cli();
		__asm__ volatile("xchgb %0, %1" : "+r"(held), "+m"(*lock) :: "memory");
		if (!held)
			return flags;
		if (flags & 0x200)
			sti();
		pause();
	}
}

static void release(volatile u8 *lock, u64 flags) {
	compiler();
	*lock = 0;
	if (flags & 0x200)
		sti();
}

// Waits with interrupts open.
#define AWAIT(condition, ...) do { \
	sti(); \
	for (struct budget await = budget(PATIENCE); !(condition);) { \
		pause(); \
		if (over(await)) \
			fatal(__VA_ARGS__); \
	} } while (0)

// Interprocessor interrupts ------------------------------------------------------------------------

static struct { volatile u64 sent, received; } LINE links[MAX_CPUS][MAX_CPUS];

static void link_handler(int vector, struct frame *frame) {
	int from = vector - FROM, to = cpu_number();
	// What was written before the interrupt was sent is seen by whom it reaches.
	if (links[from][to].sent != links[from][to].received + 1)
		bad("cpu %d, interrupt of %d: %u sent, %u received", to, from, links[from][to].sent, links[from][to].received);
	links[from][to].received++;
	eoi();
}

static void send(int cpu, int to, u32 mode) {
	if (links[cpu][to].received != links[cpu][to].sent)
		return; // under way; if it is lost the end will show it
	cli();
	links[cpu][to].sent++;
	ipi(mode & LOGICAL ? 1u << to : (u32)to, (FROM + cpu) | ASSERT | mode);
	sti();
}

// The level-triggered line: COM1's transmitter is empty, so its interrupt enable bit is the line ------------------------------

static volatile u8 serial_lock, io_lock;
static volatile u64 raised, handled;
static u32 serial_low;
static u8 serial_closed;

static void serial_handler(int vector, struct frame *frame) {
	u64 flags = take(&serial_lock);
	if (handled + 1 != raised)
		bad("cpu %d, serial line: %u raised, %u handled", cpu_number(), raised, handled);
	outb(COM1 + 1, 0); // down, before the end of the interrupt
	release(&serial_lock, flags);
	eoi();
	compiler();
	handled++;
}

static void raise_line(int cpu) {
	u64 flags = take(&serial_lock);
	if (raised == handled) {
		raised++;
		outb(COM1 + 1, 2);
	}
	release(&serial_lock, flags);
}

static void await_line(int cpu) {
	u64 mine = raised;
	if (!serial_closed)
		AWAIT(handled >= mine || serial_closed || stop, "the serial line's interrupt %u is lost, entry %x", raised,
			(u64)io_read(0x10 + 2 * SERIAL_PIN));
}

// Masks, unmasks, moves: with the interrupt under way or not.
static void change_entry(int cpu) {
	u64 flags = take(&io_lock);
	switch (draw(cpu) % 4) {
	case 0:
		io_write(0x10 + 2 * SERIAL_PIN, serial_low | 1 << 16);
		serial_closed = 1;
		break;
	case 1: { // a number, or a set of one
		u32 to = draw(cpu) % cpus;
		io_write(0x11 + 2 * SERIAL_PIN, (serial_low & LOGICAL ? 1u << to : to) << 24);
		break;
	}
	case 2: // physical and fixed, logical and lowest priority
		io_write(0x10 + 2 * SERIAL_PIN, serial_low | 1 << 16);
		if (draw(cpu) & 1) {
			serial_low = SERIAL | LEVEL | LOGICAL | LOWEST;
			io_write(0x11 + 2 * SERIAL_PIN, ((1u << cpus) - 1) << 24);
		} else {
			serial_low = SERIAL | LEVEL;
			io_write(0x11 + 2 * SERIAL_PIN, (draw(cpu) % cpus) << 24);
		}
		// fall through
	default:
		io_write(0x10 + 2 * SERIAL_PIN, serial_low);
		serial_closed = 0;
	}
	release(&io_lock, flags);
}

// The edge: the PIT's output rises once, at the end of a count in mode 0 --------------------------------------------------------

static volatile u8 pit_lock;
static volatile u64 armed, fired;

static void pit_handler(int vector, struct frame *frame) {
	if (fired + 1 != armed)
		bad("cpu %d, PIT: %u armed, %u fired", cpu_number(), armed, fired);
	eoi();
	compiler();
	fired++;
}

static void arm_pit(int cpu) {
	u64 flags = take(&pit_lock);
	if (fired == armed) {
		armed++;
		outb(0x43, 0x30);
		outb(0x40, 20 + draw(cpu) % 100);
		outb(0x40, 0);
	}
	release(&pit_lock, flags);
	flags = take(&io_lock);
	io_write(0x11 + 2 * PIT_PIN, (draw(cpu) % cpus) << 24);
	release(&io_lock, flags);
}

// The local timer, with a halt that it ends --------------------------------------------------------------------------------------

static struct { volatile u64 count; } LINE timers[MAX_CPUS];

static void timer_handler(int vector, struct frame *frame) {
	timers[cpu_number()].count++;
	eoi();
}

static void nap(int cpu) {
	u64 before = timers[cpu].count;
	apic_write(INITIAL, 1 + draw(cpu) % 20000);
	struct budget await = budget(PATIENCE);
	while (1) {
		cli();
		if (timers[cpu].count != before)
			break;
		if (over(await))
			fatal("cpu %d: its timer does not end its halt", cpu);
		sti_hlt();
	}
	sti();
	if (timers[cpu].count != before + 1)
		bad("cpu %d: timer came %u times", cpu, timers[cpu].count - before);
}

static void spurious(int vector, struct frame *frame) {
	// Lawful only when the task priority has risen after the interrupt was on its way (11.9).
}

static void storm(int cpu) {
	random_states[cpu] = seed * 77 + cpu + 1;
	apic_write(SVR, 0x100 | SPURIOUS);
	apic_write(DFR, -1);
	apic_write(LDR, 1u << (24 + cpu));
	apic_write(DIVIDE, 0xB);
	apic_write(LVT_TIMER, TIMER);
	if (!cpu) {
		outb(COM1 + 1, 0);
		outb(COM1 + 4, 0xB); // OUT2 lets the line through
		serial_low = SERIAL | LEVEL;
		io_write(0x11 + 2 * SERIAL_PIN, 0);
		io_write(0x10 + 2 * SERIAL_PIN, serial_low);
		// What firmware had it do ends with a count of this mode.
		outb(0x43, 0x30);
		outb(0x40, 1);
		outb(0x40, 0);
		for (struct budget b = budget(10); !over(b);)
			pause();
		io_write(0x11 + 2 * PIT_PIN, 0);
		io_write(0x10 + 2 * PIT_PIN, PIT);
	}
	barrier(cpus);
	sti();
	struct budget b = budget(milliseconds);
	u64 steps = 0;
	for (; !stop; steps++) {
		switch (draw(cpu) % 16) {
		case 0: case 1: case 2: case 3:
			send(cpu, draw(cpu) % cpus, FIXED);
			break;
		case 4:
			send(cpu, draw(cpu) % cpus, LOGICAL);
			break;
		case 5:
			send(cpu, draw(cpu) % cpus, LOGICAL | LOWEST);
			break;
		case 6: case 7:
			raise_line(cpu);
			break;
		case 8:
			await_line(cpu);
			break;
		case 9:
			change_entry(cpu);
			break;
		case 10:
			arm_pit(cpu);
			break;
		case 11:
			nap(cpu);
			break;
		case 12:
			cli();
			delay(draw(cpu) & 255);
			sti();
			break;
		case 13: // by turns those of others, the line, all are held back
			apic_write(TPR, draw(cpu) & 0xF0);
			delay(draw(cpu) & 255);
			apic_write(TPR, 0);
			break;
		case 14:
			__asm__ volatile("movq %0, %%cr8" :: "r"((u64)(draw(cpu) & 15)) : "memory");
			cli();
			delay(draw(cpu) & 63);
			__asm__ volatile("movq %0, %%cr8" :: "r"(0ul) : "memory");
			sti();
			break;
		default:
			delay(draw(cpu) & 255);
		}
		if (!cpu && over(b))
			stop = 1;
	}
	// To the end of what is under way.
	for (int to = 0; to < cpus; to++)
		AWAIT(links[cpu][to].received == links[cpu][to].sent, "cpu %d has not received the last interrupt of %d", to, cpu);
	atomic_add(&ended, 1);
	if (!cpu) {
		u64 flags = take(&io_lock);
		serial_low = SERIAL | LEVEL;
		io_write(0x10 + 2 * SERIAL_PIN, serial_low | 1 << 16);
		io_write(0x11 + 2 * SERIAL_PIN, (cpus - 1) << 24);
		io_write(0x10 + 2 * SERIAL_PIN, serial_low);
		release(&io_lock, flags);
		AWAIT(raised == handled, "the serial line's last interrupt %u is lost, entry %x", raised, (u64)io_read(0x10 + 2 * SERIAL_PIN));
		AWAIT(armed == fired, "the PIT's last interrupt %u is lost", armed);
		raise_line(cpu);
		AWAIT(raised == handled, "the serial line's interrupt after all is lost, entry %x", (u64)io_read(0x10 + 2 * SERIAL_PIN));
	}
	AWAIT(ended == (u64)cpus && raised == handled, "cpu %d waits for the others", cpu);
	for (struct budget quiet = budget(2); !over(quiet);)
		pause();
	barrier(cpus);
	cli();
	for (int v = 16; v < 256; v++)
		if (in_set(IRR, v) || in_set(ISR, v))
			bad("cpu %d: vector %x is left in IRR or ISR", cpu, (u64)v);
	static volatile u64 all_steps;
	atomic_add(&all_steps, steps);
	barrier(cpus);
	if (!cpu) {
		for (int pin = 0; pin < 24; pin++)
			if (io_read(0x10 + 2 * pin) & (PENDING | 1 << 14))
				bad("pin %d: entry %x at the end", pin, (u64)io_read(0x10 + 2 * pin));
		u64 sent = 0;
		for (int from = 0; from < cpus; from++)
			for (int to = 0; to < cpus; to++)
				sent += links[from][to].sent;
		if (!sent || !raised || !armed)
			bad("nothing has happened: %u, %u, %u", sent, raised, armed);
		io_write(0x10 + 2 * SERIAL_PIN, 1 << 16);
		io_write(0x10 + 2 * PIT_PIN, 1 << 16);
		ok("storm: %u steps, %u sent, %u raised, %u armed", all_steps, sent, raised, armed);
	}
}

// The 8259s by LINT0, and a line that falls between request and acknowledge: IRQ 7 and 15 then ------------------------------------

static volatile u64 real[2], false_ones[2];
static volatile int pic_stop;

static u8 in_service(u16 port) {
	outb(port, 0x0B);
	return inb(port);
}

static void pic_handler(int vector, struct frame *frame) {
	switch (vector) {
	case 0x24:
		real[0]++;
		outb(COM1 + 1, 0);
		if (!(in_service(0x20) & 0x10))
			bad("IRQ 4 is not in service");
		outb(0x20, 0x20);
		break;
	case 0x28:
		real[1]++;
		outb(0x70, 0x0C);
		inb(0x71);
		outb(0xA0, 0x20);
		outb(0x20, 0x20);
		break;
	case 0x27:
		false_ones[0]++;
		if (in_service(0x20) & 0x80)
			bad("IRQ 7 is in service and nobody asks for it");
		break;
	default:
		false_ones[1]++;
		if (in_service(0xA0) & 0x80)
			bad("IRQ 15 is in service and nobody asks for it");
		outb(0x20, 0x20); // the cascade was real
	}
}

static void pic(int cpu) {
	barrier(cpus);
	if (!cpu) {
		// Edge-triggered but COM1's, which is level-triggered: its request falls with its line.
		outb(0x20, 0x11), outb(0x21, 0x20), outb(0x21, 4), outb(0x21, 1);
		outb(0xA0, 0x11), outb(0xA1, 0x28), outb(0xA1, 2), outb(0xA1, 1);
		outb(0x4D0, 0x10), outb(0x4D1, 0);
		outb(0x21, 0xEB), outb(0xA1, 0xFE);
		apic_write(LVT_LINT0, 0x700);
		// RTC: 8192 interrupts a second, if somebody reads register C.
		outb(0x70, 0x0A), outb(0x71, 0x23);
		outb(0x70, 0x0B), outb(0x71, 0x42);
		outb(0x70, 0x0C), inb(0x71);
		sti();
	}
	barrier(cpus);
	struct budget b = budget(milliseconds);
	while (!pic_stop) {
		if (!cpu) {
			if (over(b) && real[0] && real[1])
				pic_stop = 1;
			if (over(b) && over((struct budget){ b.end + PATIENCE * ticks_per_ms() }))
				fatal("8259: %u of IRQ 4, %u of IRQ 8", real[0], real[1]);
			pause();
		} else if (cpu == 1) {
			outb(COM1 + 1, 2);
			delay(draw(cpu) & 31);
			outb(COM1 + 1, 0);
			delay(draw(cpu) & 127);
			// Whoever reads register C takes the line down.
			if (!(draw(cpu) & 7)) {
				u64 flags = take(&io_lock);
				inb(0x71); // register C is selected all the time
				release(&io_lock, flags);
			}
		} else {
			pause();
		}
	}
	barrier(cpus);
	if (!cpu) {
		cli();
		outb(0x21, 0xFF), outb(0xA1, 0xFF);
		if (in_service(0x20) | in_service(0xA0))
			bad("8259s at the end: %x, %x in service", (u64)in_service(0x20), (u64)in_service(0xA0));
		ok("8259: IRQ 4 %u times, IRQ 8 %u, spurious %u and %u", real[0], real[1], false_ones[0], false_ones[1]);
	}
}

void setup(void) {
	milliseconds = word("ms", 500);
	for (int c = 0; c < cpus && c < 16; c++)
		on(FROM + c, link_handler);
	on(SERIAL, serial_handler);
	on(PIT, pit_handler);
	on(TIMER, timer_handler);
	on(SPURIOUS, spurious);
	on(0x24, pic_handler);
	on(0x27, pic_handler);
	on(0x28, pic_handler);
	on(0x2F, pic_handler);
	// Until the processors have their own LVTs
	io_write(0x10 + 2 * SERIAL_PIN, 1 << 16);
	io_write(0x10 + 2 * PIT_PIN, 1 << 16);
}

void test(int cpu) {
	random_states[cpu] = seed * 99 + cpu + 1;
	if (chosen("storm"))
		storm(cpu);
	if (chosen("pic"))
		pic(cpu);
	barrier(cpus);
}
