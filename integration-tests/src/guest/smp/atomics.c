// What processors do to the same memory at once: locked instructions of all sizes and alignments, locks built of them, and
// plain accesses that are atomic when aligned (Intel SDM vol. 3A, 8.1). Words: cpus, seed, ms (for each test), run (names).
#include "smp.h"

// The last line of one page and the first of the next.
static PAGE u8 area[8192];
#define AT(offset) ((volatile u64 *)&area[4096 + (offset)])

// For each processor, what it has done: never more than another processor reads.
static struct { volatile u64 count; volatile u64 wrong; } LINE own[MAX_CPUS];
static u64 milliseconds;
static u64 split;          // the test's accesses cross 8 bytes: slow, so that fewer do
static volatile int stop;

static u64 total(void) {
	u64 sum = 0;
	for (int c = 0; c < cpus; c++)
		sum += own[c].count;
	return sum;
}

// Runs step() until the time is up.
#define REPEAT(body) do { \
	for (u64 i = 0; !stop; i++) { \
		body; \
		own[cpu].count++; \
		if (!cpu && !(i & 15) && over(b)) \
			stop = 1; \
		if (split) \
			pause(); \
	} } while (0)

static void begin(int cpu) {
	barrier(cpus);
	own[cpu].count = own[cpu].wrong = 0;
	if (!cpu) {
		stop = 0;
		for (int i = 0; i < 8192; i++)
			area[i] = 0;
	}
	barrier(cpus);
}

// Counters -----------------------------------------------------------------------------------------

static const struct { const char *name; int offset; } places[] = {
	{ "aligned", 64 }, { "misaligned", 65 }, { "across-8", 6 }, { "across-line", 62 }, { "across-page", -1 },
};

// Each way counts by 1 with one locked instruction, or as many as it takes.
#define WAYS(F) F(inc) F(add) F(sub) F(xadd) F(cmpxchg) F(adc)
enum { inc, add, sub, xadd, cmpxchg, adc };
static const char *const way_names[] = { "inc", "add", "sub", "xadd", "cmpxchg", "adc" };

#define COUNT_BY(suffix, r, type) \
static inline __attribute__((always_inline)) void count_##suffix(int way, volatile u64 *at) { \
	switch (way) { \
	case inc: __asm__ volatile("lock inc" #suffix " (%0)" :: "r"(at) : "memory", "cc"); break; \
	case add: __asm__ volatile("lock add" #suffix " $1, (%0)" :: "r"(at) : "memory", "cc"); break; \
	case sub: __asm__ volatile("lock sub" #suffix " $-1, (%0)" :: "r"(at) : "memory", "cc"); break; \
	case adc: __asm__ volatile("stc; lock adc" #suffix " $0, (%0)" :: "r"(at) : "memory", "cc"); break; \
	case xadd: { \
		type one = 1; \
		__asm__ volatile("lock xadd" #suffix " %" r "1, (%0)" : "+r"(at), "+r"(one) :: "memory", "cc"); \
		break; \
	} \
	case cmpxchg: { \
		type old = *(volatile type *)at; \
		u8 done; \
		do { \
			type next = old + 1; \
			__asm__ volatile("lock cmpxchg" #suffix " %" r "3, (%2); sete %1" \
				: "+a"(old), "=q"(done) : "r"(at), "r"(next) : "memory", "cc"); \
		} while (!done); \
	} } }
COUNT_BY(b, "b", u8)
COUNT_BY(w, "w", u16)
COUNT_BY(l, "k", u32)
COUNT_BY(q, "", u64)

static void counters(int cpu) {
	for (int p = 0; p < (int)(sizeof places / sizeof places[0]); p++)
		for (int size = 1; size <= 8; size *= 2)
			for (int w = inc; w <= adc; w++) {
				volatile u64 *at = AT(places[p].offset);
				u64 from = (u64)at & 7;
				// What straddles nothing at that place would be the same again.
				if ((p && size == 1) || (p > 1 && from + size <= 8))
					continue;
				begin(cpu);
				split = from + size > 8;
				struct budget b = budget(split ? milliseconds / 4 : milliseconds / 8);
				switch (size) {
				case 1: REPEAT(count_b(w, at)); break;
				case 2: REPEAT(count_w(w, at)); break;
				case 4: REPEAT(count_l(w, at)); break;
				default: REPEAT(count_q(w, at)); break;
				}
				barrier(cpus);
				if (cpu)
					continue;
				u64 mask = size == 8 ? -1ul : (1ul << 8 * size) - 1;
				u64 counted = *at & mask, wanted = total() & mask;
				for (int i = 0; i < 8192; i++)
					if (area[i] && ((u64)&area[i] < (u64)at || (u64)&area[i] >= (u64)at + size))
						bad("%s %s, %d bytes: beside it %d is written", places[p].name, way_names[w], size, i - 4096);
				if (counted != wanted)
					bad("%s %s, %d bytes: counted %u of %u", places[p].name, way_names[w], size, counted, wanted);
			}
	if (!cpu)
		ok("counters");
}

// The same bits of their own by all: SETcc of what was there before must be what this processor left.
static void bits(int cpu) {
	begin(cpu);
	split = 0;
	struct budget b = budget(milliseconds);
	volatile u64 *at = AT(64);
	u8 had = 0;
	u64 bit = cpu;
	REPEAT({
		u8 was;
		switch (i % 3) {
		case 0: __asm__ volatile("lock btsq %2, (%1); setc %0" : "=q"(was) : "r"(at), "r"(bit) : "memory", "cc"); break;
		case 1: __asm__ volatile("lock btcl %k2, (%1); setc %0" : "=q"(was) : "r"(at), "r"(bit) : "memory", "cc"); break;
		default: __asm__ volatile("lock btrq %2, (%1); setc %0" : "=q"(was) : "r"(at), "r"(bit) : "memory", "cc"); break;
		}
		own[cpu].wrong += was != had;
		had = i % 3 == 0;
	});
	if (own[cpu].wrong)
		bad("bits: cpu %d, %u times", cpu, own[cpu].wrong);
	barrier(cpus);
	// AND, OR and XOR on bytes of one word, and plain stores beside them.
	begin(cpu);
	b = budget(milliseconds);
	volatile u8 *mine = (volatile u8 *)AT(64) + (cpu & 7);
	u8 value = 0;
	REPEAT({
		switch (i % 4) {
		case 0: __asm__ volatile("lock orb $0x5A, (%0)" :: "r"(mine) : "memory", "cc"); value |= 0x5A; break;
		case 1: __asm__ volatile("lock xorb $0xFF, (%0)" :: "r"(mine) : "memory", "cc"); value ^= 0xFF; break;
		case 2: __asm__ volatile("lock andb $0x3C, (%0)" :: "r"(mine) : "memory", "cc"); value &= 0x3C; break;
		default: *mine = value = i; break;
		}
		own[cpu].wrong += cpus <= 8 && *mine != value;
	});
	if (own[cpu].wrong)
		bad("neighbours: cpu %d, %u times", cpu, own[cpu].wrong);
	barrier(cpus);
	if (!cpu)
		ok("bits: %u", total());
}

// XCHG: what is put in comes out once. NOT and NEG: an even number of each.
static void exchanges(int cpu) {
	for (int p = 0; p < (int)(sizeof places / sizeof places[0]); p++) {
		begin(cpu);
		volatile u64 *at = AT(places[p].offset);
		split = ((u64)at & 7) != 0;
		struct budget b = budget(milliseconds);
		// A token is a processor's number and its count: sums tell whether one is lost or doubled.
		u64 in = 0, out = 0;
		REPEAT({
			u64 token = (i + 1) << 6 | cpu;
			in += token;
			__asm__ volatile("xchgq %0, (%1)" : "+r"(token) : "r"(at) : "memory");
			out += token;
			// None is made of two.
			own[cpu].wrong += (token & 63) >= (u64)cpus || (!split && token >> 6 > own[token & 63].count + 1);
			if (!split) {
				__asm__ volatile("lock notq (%0); lock notq (%0)" :: "r"(AT(128)) : "memory");
				__asm__ volatile("lock negq (%0); lock negq (%0)" :: "r"(AT(192)) : "memory", "cc");
			}
		});
		static LINE volatile u64 all_in, all_out;
		if (!cpu)
			all_in = all_out = 0;
		barrier(cpus);
		atomic_add(&all_in, in);
		atomic_add(&all_out, out);
		if (own[cpu].wrong)
			bad("xchg %s: cpu %d got what nobody put, %u times", places[p].name, cpu, own[cpu].wrong);
		barrier(cpus);
		if (!cpu) {
			if (all_in != all_out + *at)
				bad("xchg %s: put %u, got %u, left %u", places[p].name, all_in, all_out, *at);
			if (*AT(128) || *AT(192))
				bad("not, neg: %x, %x", *AT(128), *AT(192));
			ok("xchg %s: %u", places[p].name, total());
		}
	}
}

// CMPXCHG8B and CMPXCHG16B count two halves together.
static void pairs(int cpu) {
	static const int offsets[] = { 64, 68, 60, -4 };
	for (int p = 0; p < 4; p++) {
		begin(cpu);
		volatile u64 *at = AT(offsets[p]);
		split = p != 0;
		struct budget b = budget(milliseconds);
		REPEAT({
			u32 low = ((volatile u32 *)at)[0];
			u32 high = ((volatile u32 *)at)[1];
			u8 done;
			do {
				u32 next = low + 1;
				u32 above = high + 3;
				__asm__ volatile("lock cmpxchg8b (%5); sete %2"
					: "+a"(low), "+d"(high), "=q"(done) : "b"(next), "c"(above), "r"(at) : "memory", "cc");
				own[cpu].wrong += !done && high != low * 3;
			} while (!done);
		});
		barrier(cpus);
		u32 n = total();
		if (own[cpu].wrong)
			bad("cmpxchg8b at %d: cpu %d read halves, %u times", offsets[p], cpu, own[cpu].wrong);
		if (!cpu && *at != ((u64)(n * 3) << 32 | n))
			bad("cmpxchg8b at %d: %x after %u", offsets[p], *at, total());
	}
	begin(cpu);
	split = 0;
	struct budget b = budget(milliseconds);
	volatile u64 *at = AT(64);
	REPEAT({
		u64 low = at[0];
		u64 high = at[1];
		u8 done;
		do {
			u64 next = low + 1;
			u64 above = high + 5;
			__asm__ volatile("lock cmpxchg16b (%5); sete %2"
				: "+a"(low), "+d"(high), "=q"(done) : "b"(next), "c"(above), "r"(at) : "memory", "cc");
			own[cpu].wrong += !done && high != low * 5;
		} while (!done);
	});
	barrier(cpus);
	if (own[cpu].wrong)
		bad("cmpxchg16b: cpu %d read halves, %u times", cpu, own[cpu].wrong);
	if (!cpu) {
		if (at[0] != total() || at[1] != 5 * at[0])
			bad("cmpxchg16b: %u and %u after %u", at[0], at[1], total());
		ok("pairs: %u", total());
	}
}

// Locks --------------------------------------------------------------------------------------------

static struct { LINE volatile u64 value; } plain;
static LINE volatile u32 lock_word, next_ticket, serving;

static void locks(int cpu) {
	static const char *const names[] = { "xchg", "bts", "cmpxchg", "ticket" };
	for (int kind = 0; kind < 4; kind++) {
		begin(cpu);
		split = 0;
		if (!cpu)
			plain.value = lock_word = next_ticket = serving = 0;
		barrier(cpus);
		struct budget b = budget(milliseconds);
		REPEAT({
			u32 one = 1;
			u8 taken;
			switch (kind) {
			case 0:
				while (1) {
					one = 1;
					__asm__ volatile("xchgl %0, %1" : "+r"(one), "+m"(lock_word) :: "memory");
					if (!one)
						break;
					pause();
				}
				break;
			case 1:
				while (1) {
					__asm__ volatile("lock btsl $0, %1; setc %0" : "=q"(taken), "+m"(lock_word) :: "memory", "cc");
					if (!taken)
						break;
					pause();
				}
				break;
			case 2:
				while (1) {
					u32 zero = 0;
					__asm__ volatile("lock cmpxchgl %2, %1" : "+a"(zero), "+m"(lock_word) : "r"(one) : "memory", "cc");
					if (!zero)
						break;
					pause();
				}
				break;
			default:
				__asm__ volatile("lock xaddl %0, %1" : "+r"(one), "+m"(next_ticket) :: "memory", "cc");
				while (serving != one)
					pause();
			}
			u64 seen = plain.value;
			delay(3);
			plain.value = seen + 1;
			compiler();
			if (kind == 3)
				serving++;
			else
				lock_word = 0;
		});
		barrier(cpus);
		if (!cpu) {
			if (plain.value != total())
				bad("lock %s: %u of %u", names[kind], plain.value, total());
			else
				ok("lock %s: %u", names[kind], total());
		}
	}
}

// Whole values -------------------------------------------------------------------------------------

// Processor 0 writes all zeroes, all ones, and what is half of each the wrong way round; the others read one or the other.
static int whole(u64 value, int size) {
	u64 mask = size == 8 ? -1ul : (1ul << 8 * size) - 1;
	value &= mask;
	return value == 0 || value == mask || value == (0x00FF00FF00FF00FFul & mask);
}

static void tearing(int cpu) {
	for (int size = 2; size <= 8; size *= 2)
		for (int kind = 0; kind < 6; kind++) {
			begin(cpu);
			split = 0;
			struct budget b = budget(milliseconds / 4);
			// Two places, so that a read that is two may meet the end of a line and of a page.
			volatile u64 *at = kind & 1 ? AT(-size) : AT(64 - size);
			static PAGE u64 scratch[MAX_CPUS][8];
			u64 *mine = scratch[cpu];
			REPEAT({
				u64 value = i % 3 == 0 ? 0 : i % 3 == 1 ? -1ul : 0x00FF00FF00FF00FFul;
				volatile u64 *to = at;
				u64 *from = mine;
				u64 n = 1;
				if (!cpu) {
					switch (kind) {
					case 0: case 1:
						if (size == 2) *(volatile u16 *)at = value;
						else if (size == 4) *(volatile u32 *)at = value;
						else *at = value;
						break;
					case 2:
						*from = value;
						if (size == 2) __asm__ volatile("rep movsw" : "+D"(to), "+S"(from), "+c"(n) :: "memory");
						else if (size == 4) __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(n) :: "memory");
						else __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n) :: "memory");
						break;
					case 3: {
						// Three elements from a source that is not aligned: each store is of an aligned element.
						volatile u8 *source = (volatile u8 *)mine + (size == 8 ? 4 : 1);
						to = (volatile u64 *)((volatile u8 *)at - 2 * size);
						n = 3;
						for (int k = 0; k < 3 * size; k++)
							source[k] = value >> 8 * (k % size);
						if (size == 2) __asm__ volatile("rep movsw" : "+D"(to), "+S"(source), "+c"(n) :: "memory");
						else if (size == 4) __asm__ volatile("rep movsl" : "+D"(to), "+S"(source), "+c"(n) :: "memory");
						else __asm__ volatile("rep movsq" : "+D"(to), "+S"(source), "+c"(n) :: "memory");
						break;
					}
					case 4:
						to = (volatile u64 *)((volatile u8 *)at - 2 * size);
						n = 3;
						if (size == 2) __asm__ volatile("rep stosw" : "+D"(to), "+c"(n) : "a"(value) : "memory");
						else if (size == 4) __asm__ volatile("rep stosl" : "+D"(to), "+c"(n) : "a"(value) : "memory");
						else __asm__ volatile("rep stosq" : "+D"(to), "+c"(n) : "a"(value) : "memory");
						break;
					default:
						if (size == 8)
							__asm__ volatile("movq %0, %%xmm0; movhlps %%xmm0, %%xmm1; movlhps %%xmm0, %%xmm1; movhps %%xmm1, (%1)"
								:: "r"(value), "r"(at) : "memory");
						else if (size == 4)
							__asm__ volatile("movd %k0, %%xmm0; movss %%xmm0, (%1)" :: "r"(value), "r"(at) : "memory");
						else
							__asm__ volatile("movd %k0, %%xmm0; pextrw $0, %%xmm0, %%eax; movw %%ax, (%1)"
								:: "r"(value), "r"(at) : "memory", "rax");
					}
				} else {
					u64 seen = 0;
					switch (i & 3) {
					case 0:
						seen = size == 2 ? *(volatile u16 *)at : size == 4 ? *(volatile u32 *)at : *at;
						break;
					case 1:
						if (size == 8) __asm__ volatile("movups -8(%1), %%xmm0; movhlps %%xmm0, %%xmm0; movq %%xmm0, %0" : "=r"(seen) : "r"(at) : "memory");
						else if (size == 4) __asm__ volatile("movss (%1), %%xmm0; movd %%xmm0, %k0" : "=r"(seen) : "r"(at) : "memory");
						else __asm__ volatile("pinsrw $0, (%1), %%xmm0; movd %%xmm0, %k0; movzwl %w0, %k0" : "=r"(seen) : "r"(at) : "memory");
						break;
					case 2:
						to = (volatile u64 *)((volatile u8 *)at - 2 * size);
						n = 3;
						if (size == 2) __asm__ volatile("rep movsw" : "+S"(to), "+D"(from), "+c"(n) :: "memory");
						else if (size == 4) __asm__ volatile("rep movsl" : "+S"(to), "+D"(from), "+c"(n) :: "memory");
						else __asm__ volatile("rep movsq" : "+S"(to), "+D"(from), "+c"(n) :: "memory");
						__builtin_memcpy(&seen, (u8 *)mine + 2 * size, size);
						break;
					default:
						if (size == 8) __asm__ volatile("fildq (%1); fistpq (%2); movq (%2), %0" : "=r"(seen) : "r"(at), "r"(mine) : "memory");
						else if (size == 4) __asm__ volatile("addl (%1), %k0" : "+r"(seen) : "r"(at) : "memory");
						else __asm__ volatile("orw (%1), %w0" : "+r"(seen) : "r"(at) : "memory");
					}
					if (!whole(seen, size) && !own[cpu].wrong++)
						print("torn: %d bytes, write %d, read %d: %x", size, kind, (int)(i & 3), seen);
				}
			});
			barrier(cpus);
			if (own[cpu].wrong)
				bad("%d bytes written by %d: cpu %d read parts, %u times", size, kind, cpu, own[cpu].wrong);
		}
	barrier(cpus);
	if (!cpu)
		ok("tearing");
}

void setup(void) { milliseconds = word("ms", 50); }

void test(int cpu) {
	if (chosen("counters"))
		counters(cpu);
	if (chosen("bits"))
		bits(cpu);
	if (chosen("exchanges"))
		exchanges(cpu);
	if (chosen("pairs"))
		pairs(cpu);
	if (chosen("locks"))
		locks(cpu);
	if (chosen("tearing"))
		tearing(cpu);
	barrier(cpus);
}
