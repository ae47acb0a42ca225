// What processors are told of themselves, of each other and of the time. Words: cpus, seed, ms.
#include "smp.h"

static u64 milliseconds;

#define CHECK(what, is, wanted) do { \
	u64 is_ = (is), wanted_ = (wanted); \
	if (is_ != wanted_) \
		bad("cpu %d, %s: %x, wanted %x", cpu, what, is_, wanted_); } while (0)

static int bits(u32 count) {
	int n = 0;
	while (1u << n < count)
		n++;
	return n;
}

static void identity(int cpu) {
	u32 r[4], highest, extended, intel;
	cpuid(0, 0, r);
	highest = r[0];
	intel = r[1] == 0x756E6547;
	cpuid(0x80000000, 0, r);
	extended = r[0];
	cpuid(1, 0, r);
	CHECK("leaf 1, APIC id", r[1] >> 24, cpu);
	if (cpus > 1) {
		CHECK("leaf 1, several processors", r[3] >> 28 & 1, 1);
		CHECK("leaf 1, ids of the package", 1u << bits(r[1] >> 16 & 0xFF), 1u << bits(cpus));
	}
	CHECK("APIC id register", apic_read(ID) >> 24, cpu);
	CHECK("boot processor", rdmsr(0x1B) >> 8 & 1, !cpu);
	if (intel && highest >= 4) {
		cpuid(4, 0, r);
		CHECK("leaf 4, cores of the package", 1u << bits((r[0] >> 26) + 1), 1u << bits(cpus));
	}
	for (u32 leaf = 0xB; leaf <= 0x1F; leaf += 0x14) {
		if (highest < leaf)
			continue;
		u32 shift = 0;
		for (u32 level = 0;; level++) {
			cpuid(leaf, level, r);
			CHECK("leaf 0xB or 0x1F, APIC id", r[3], cpu);
			CHECK("leaf 0xB or 0x1F, level", r[2] & 0xFF, level);
			if (!(r[2] >> 8 & 0xFF))
				break;
			shift = r[0] & 31;
		}
		if (shift < (u32)bits(cpus))
			bad("cpu %d, leaf %x: %d bits of the APIC id for %d processors", cpu, (u64)leaf, (int)shift, cpus);
	}
	if (!intel && extended >= 0x80000008) {
		cpuid(0x80000008, 0, r);
		if (cpus > 1)
			CHECK("leaf 0x80000008, processors", r[2] & 0xFF, cpus - 1);
	}
	if (!intel && extended >= 0x8000001E) {
		u32 features[4];
		cpuid(0x80000001, 0, features);
		cpuid(0x8000001E, 0, r);
		if (features[2] >> 22 & 1)
			CHECK("leaf 0x8000001E, APIC id", r[0], cpu);
	}
}

// ACPI's list of processors ---------------------------------------------------------------------------

static int same(const u8 *a, const char *text, int n) {
	for (int i = 0; i < n; i++)
		if (a[i] != (u8)text[i])
			return 0;
	return 1;
}

static u64 number(const u8 *at, int size) {
	u64 value = 0;
	for (int i = size - 1; i >= 0; i--)
		value = value << 8 | at[i];
	return value;
}

static void madt(void) {
	const u8 *root = 0;
	for (u64 at = 0x80000; at < 0x100000 && !root; at += 16)
		if (same((u8 *)at, "RSD PTR ", 8))
			root = (u8 *)at;
	if (!root) {
		bad("no RSDP");
		return;
	}
	int wide = root[15] >= 2 && number(root + 24, 8);
	const u8 *list = (u8 *)number(root + (wide ? 24 : 16), wide ? 8 : 4);
	u64 seen = 0;
	int ioapics = 0, found = 0;
	for (u64 i = 36; i + (wide ? 8 : 4) <= number(list + 4, 4); i += wide ? 8 : 4) {
		const u8 *table = (u8 *)number(list + i, wide ? 8 : 4);
		if (!same(table, "APIC", 4))
			continue;
		found++;
		for (u64 at = 44; at < number(table + 4, 4); at += table[at + 1]) {
			const u8 *entry = table + at;
			if (!entry[0] && (entry[4] & 1)) {
				if (entry[3] >= 64 || seen >> entry[3] & 1)
					bad("MADT: APIC id %d twice, or too large", entry[3]);
				seen |= 1ul << (entry[3] & 63);
			} else if (entry[0] == 9 && (entry[8] & 1)) {
				seen |= 1ul << (number(entry + 4, 4) & 63);
			}
			ioapics += entry[0] == 1;
		}
	}
	u64 wanted = cpus == 64 ? -1ul : (1ul << cpus) - 1;
	if (found != 1 || seen != wanted || ioapics != 1)
		bad("MADT: %d tables, processors %x, wanted %x, %d I/O APICs", found, seen, wanted, ioapics);
}

// Time ----------------------------------------------------------------------------------------------------

struct pv { volatile u32 version; u32 pad; volatile u64 tsc, nanos; volatile u32 multiplier; volatile signed char shift; volatile u8 flags; } LINE;
static struct pv pv[MAX_CPUS];
static LINE volatile u64 latest_tsc, latest_pv;
static LINE volatile u64 backward, readings;
static volatile int stop;
static int have_pv;

static u64 pv_now(struct pv *c) {
	u32 version;
	u64 now;
	do {
		version = c->version;
		u64 delta = rdtsc() - c->tsc;
		delta = c->shift < 0 ? delta >> -c->shift : delta << c->shift;
		now = c->nanos + (u64)((unsigned __int128)delta * c->multiplier >> 32);
	} while ((version & 1) || version != c->version);
	return now;
}

// No clock may be behind what was read of any before.
static void step(volatile u64 *latest, u64 (*now)(int), int cpu) {
	u64 before = *latest;
	u64 time = now(cpu);
	if (time < before && !atomic_add(&backward, 1))
		bad("cpu %d: time %u after %u", cpu, time, before);
	// A larger one stays: each is one that was read.
	u64 old = before;
	while (old < time) {
		u8 done;
		__asm__ volatile("lock cmpxchgq %3, %1; sete %2" : "+a"(old), "+m"(*latest), "=q"(done) : "r"(time) : "memory", "cc");
		if (done)
			break;
	}
}

static u64 by_tsc(int cpu) {
	__asm__ volatile("lfence" ::: "memory");
	return rdtsc();
}

static u64 by_pv(int cpu) { return pv_now(&pv[cpu]); }

void setup(void) {
	milliseconds = word("ms", 100);
	madt();
	u32 r[4];
	cpuid(1, 0, r);
	if (r[2] >> 31) {
		cpuid(0x40000000, 0, r);
		if (r[1] == 0x4B4D564B) {
			cpuid(0x40000001, 0, r);
			have_pv = r[0] >> 3 & 1;
		}
	}
}

void test(int cpu) {
	identity(cpu);
	if (have_pv) {
		wrmsr(0x4B564D01, (u64)&pv[cpu] | 1);
		if (!(pv[cpu].flags & 1))
			bad("cpu %d: its PV clock is not stable", cpu);
	}
	barrier(cpus);
	struct budget b = budget(milliseconds);
	u64 n = 0;
	for (; !stop; n++) {
		step(&latest_tsc, by_tsc, cpu);
		if (have_pv)
			step(&latest_pv, by_pv, cpu);
		if (!cpu && over(b))
			stop = 1;
	}
	atomic_add(&readings, n);
	barrier(cpus);
	if (!cpu)
		ok("%d processors, %u readings%s", cpus, readings, have_pv ? ", PV clock" : "");
}
