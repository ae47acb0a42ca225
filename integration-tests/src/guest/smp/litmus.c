// Litmus tests of the memory order that processors promise (Intel SDM vol. 3A, 8.2; Owens, Sarkar, Sewell: "A Better x86
// Memory Model: x86-TSO", 2009), by several kinds of stores and loads. Words: cpus, seed, ms (for each test), relaxed (0:
// what may be seen need not be), serializing (0: of the fences only MFENCE and locked instructions), run (names).
#include "smp.h"

#define INSTANCES 512

// One instance of a test: its places are a line apart, or in one line; an access may be of up to three words.
struct instance { u64 word[16]; } LINE;

static struct instance instances[INSTANCES];
static u64 results[4][INSTANCES][4];

// A processor's part: x and y are places, r gets what was read, s is scratch of its own.
typedef void part(volatile u64 *x, volatile u64 *y, u64 *r, u64 *s);

// Kinds of stores of 1 or 2, and of loads; each kind is an access of its own in the interpreter. Not MOVNTI, whose order is
// weaker (8.2.2), as the translator shows.
#define STORES(F) F(mov8) F(mov16) F(mov32) F(mov64) F(imm32) F(stos) F(movs) F(push) F(movq) F(movups) F(add) F(cmpxchg) F(fistp)
#define INLINE static inline __attribute__((always_inline)) void
#define ST(name) INLINE st_##name(volatile u64 *at, u64 value, u64 *s)
#define LD(name) INLINE ld_##name(volatile u64 *at, u64 *value, u64 *s)

ST(mov8) { __asm__ volatile("movb %b1, (%0)" :: "r"(at), "q"(value) : "memory"); }
ST(mov16) { __asm__ volatile("movw %w1, (%0)" :: "r"(at), "r"(value) : "memory"); }
ST(mov32) { __asm__ volatile("movl %k1, (%0)" :: "r"(at), "r"(value) : "memory"); }
ST(mov64) { __asm__ volatile("movq %1, (%0)" :: "r"(at), "r"(value) : "memory"); }
ST(imm32) {
	if (value == 1)
		__asm__ volatile("movl $1, (%0)" :: "r"(at) : "memory");
	else
		__asm__ volatile("movl $2, (%0)" :: "r"(at) : "memory");
}
ST(stos) { __asm__ volatile("stosq" : "+D"(at) : "a"(value) : "memory"); }
ST(movs) {
	*s = value;
	__asm__ volatile("movsq" : "+D"(at), "+S"(s) :: "memory");
}
ST(push) { __asm__ volatile("movq %%rsp, %%rdx; leaq 8(%0), %%rsp; pushq %1; movq %%rdx, %%rsp" :: "r"(at), "r"(value) : "memory", "rdx"); }
ST(movq) { __asm__ volatile("movq %1, %%xmm0; movq %%xmm0, (%0)" :: "r"(at), "r"(value) : "memory"); }
ST(movups) { __asm__ volatile("movq %1, %%xmm0; movups %%xmm0, (%0)" :: "r"(at), "r"(value) : "memory"); }
ST(add) { __asm__ volatile("addq %1, (%0)" :: "r"(at), "r"(value) : "memory"); }
ST(cmpxchg) { __asm__ volatile("xorl %%eax, %%eax; cmpxchgq %1, (%0)" :: "r"(at), "r"(value) : "memory", "rax", "cc"); }
ST(fistp) {
	*s = value;
	__asm__ volatile("fildq (%1); fistpq (%0)" :: "r"(at), "r"(s) : "memory");
}
ST(xchg) { __asm__ volatile("xchgq %1, (%0)" : "+r"(at), "+r"(value) :: "memory"); }
LD(mov8) { __asm__ volatile("movzbl (%1), %k0" : "=r"(*value) : "r"(at) : "memory"); }
LD(mov16) { __asm__ volatile("movzwl (%1), %k0" : "=r"(*value) : "r"(at) : "memory"); }
LD(mov32) { __asm__ volatile("movl (%1), %k0" : "=r"(*value) : "r"(at) : "memory"); }
LD(mov64) { __asm__ volatile("movq (%1), %0" : "=r"(*value) : "r"(at) : "memory"); }
LD(lods) { __asm__ volatile("lodsq" : "=a"(*value), "+S"(at) :: "memory"); }
LD(movs) { __asm__ volatile("movsq" : "+S"(at), "+D"(s) :: "memory"); *value = s[-1]; }
LD(pop) { __asm__ volatile("movq %%rsp, %%rdx; movq %1, %%rsp; popq %0; movq %%rdx, %%rsp" : "=&r"(*value) : "r"(at) : "memory", "rdx"); }
LD(movq) { __asm__ volatile("movq (%1), %%xmm1; movq %%xmm1, %0" : "=r"(*value) : "r"(at) : "memory"); }
LD(movups) { __asm__ volatile("movups (%1), %%xmm1; movq %%xmm1, %0" : "=r"(*value) : "r"(at) : "memory"); }
LD(add) { u64 v = 0; __asm__ volatile("addq (%1), %0" : "+r"(v) : "r"(at) : "memory"); *value = v; }
LD(cmov) { u64 v = 9; __asm__ volatile("cmpl %%eax, %%eax; cmoveq (%1), %0" : "+r"(v) : "r"(at) : "memory", "cc"); *value = v; }
LD(fild) { __asm__ volatile("fildq (%0); fistpq (%1)" :: "r"(at), "r"(s) : "memory"); *value = *s; }

// What orders a store before a later load, and what does not.
#define FENCE(name, code, ...) INLINE f_##name(u64 *s) { __asm__ volatile(code :: "r"(s) : "memory", "rax", "rbx", "rcx", "rdx", "cc", ##__VA_ARGS__); }
FENCE(none, "")
FENCE(mfence, "mfence")
FENCE(lockadd, "lock addl $0, (%0)")
FENCE(xchg, "xchgq %%rax, (%0)")
FENCE(xchg8, "xchgb %%al, (%0)")
FENCE(bts, "lock btsl $0, (%0)")
FENCE(cmpxchg, "movl $77, %%eax; lock cmpxchgq %%rbx, (%0)")
FENCE(cmpxchg8, "movl $77, %%eax; lock cmpxchgb %%bl, (%0)")
FENCE(cmpxchg16, "movl $77, %%eax; lock cmpxchgw %%bx, 6(%0)")
FENCE(split, "lock addq $0, 61(%0)")
FENCE(cmpxchg16b, "movl $77, %%eax; lock cmpxchg16b (%0)")
FENCE(cpuid, "xorl %%eax, %%eax; cpuid")
FENCE(iret, "movl %%ss, %%eax; movq %%rsp, %%rdx; pushq %%rax; pushq %%rdx; pushfq; movl %%cs, %%eax; pushq %%rax; leaq 1f(%%rip), %%rax; pushq %%rax; iretq; 1:")
FENCE(cr3, "movq %%cr3, %%rax; movq %%rax, %%cr3")
FENCE(cr0, "movq %%cr0, %%rax; movq %%rax, %%cr0")
FENCE(dr7, "movq %%dr7, %%rax; movq %%rax, %%dr7")
FENCE(invlpg, "invlpg (%0)")
FENCE(wrmsr, "movl $0xC0000082, %%ecx; xorl %%eax, %%eax; xorl %%edx, %%edx; wrmsr")
FENCE(lidt, "lidt idt_pointer")
FENCE(lldt, "xorl %%eax, %%eax; lldt %%ax")
FENCE(wbinvd, "wbinvd")
FENCE(out, "outb %%al, $0x80")
FENCE(in, "inb $0x80, %%al")
FENCE(serialize, ".byte 0x0f, 0x01, 0xe8")

#define PART(name) static void name(volatile u64 *x, volatile u64 *y, u64 *r, u64 *s)
#define FLIP(name, of) PART(name) { of(y, x, r, s); }

PART(store1) { st_mov64(x, 1, s); }
PART(store1y) { st_mov64(y, 1, s); }
PART(lock1) { st_xchg(x, 1, s); }
PART(lock1y) { st_xchg(y, 1, s); }
PART(read_xy) { ld_mov64(x, &r[0], s); ld_mov64(y, &r[1], s); }
FLIP(read_yx, read_xy)

// SB
#define SB(name) PART(sb_##name) { st_mov64(x, 1, s); f_##name(s); ld_mov64(y, &r[0], s); } FLIP(sb_##name##2, sb_##name)
#define FENCES(F) F(store) FENCE_CODES(F)
#define FENCE_CODES(F) LOCKED_CODES(F) SERIALIZING_CODES(F)
#define LOCKED_CODES(F) F(mfence) F(lockadd) F(xchg) F(xchg8) F(bts) F(cmpxchg) F(cmpxchg8) F(cmpxchg16) F(cmpxchg16b)
#define SERIALIZING_CODES(F) F(cpuid) F(iret) F(cr3) F(cr0) F(dr7) F(invlpg) F(wrmsr) F(lidt) F(lldt) F(wbinvd) F(out) F(in) F(serialize)
SB(none)
FENCE_CODES(SB)
SB(split)
PART(sb_store) { st_xchg(x, 1, s); ld_mov64(y, &r[0], s); }
FLIP(sb_store2, sb_store)
static int both_zero(u64 r[4][4], volatile u64 *x, volatile u64 *y) { return !r[0][0] && !r[1][0]; }

// MP and LB by each kind of store and load
#define MP_ST(k) PART(mps_##k) { st_##k(x, 1, s); st_##k(y, 1, s); }
#define MP_LD(k) PART(mpl_##k) { ld_##k(y, &r[0], s); ld_##k(x, &r[1], s); }
#define LB_ST(k) PART(lbs_##k) { ld_mov64(x, &r[0], s); st_##k(y, 1, s); }
#define LB_LD(k) PART(lbl_##k) { ld_##k(y, &r[0], s); st_mov64(x, 1, s); }
#define LOADS(F) F(mov8) F(mov16) F(mov32) F(mov64) F(lods) F(movs) F(pop) F(movq) F(movups) F(add) F(cmov) F(fild)
STORES(MP_ST) LOADS(MP_LD) STORES(LB_ST) LOADS(LB_LD)
static int mp(u64 r[4][4], volatile u64 *x, volatile u64 *y) { return r[1][0] && !r[1][1]; }
static int lb(u64 r[4][4], volatile u64 *x, volatile u64 *y) { return r[0][0] && r[1][0]; }

// Two runs of a repeated string instruction, one after the other: their stores are in this order (8.2.4.2, example 8-13).
PART(mps_repstos) {
	u64 n = 3;
	volatile u64 *at = x;
	__asm__ volatile("rep stosq" : "+D"(at), "+c"(n) : "a"(1ul) : "memory");
	n = 3, at = y;
	__asm__ volatile("rep stosq" : "+D"(at), "+c"(n) : "a"(1ul) : "memory");
}
PART(mps_repmovs) {
	u64 n = 3, *from = s;
	volatile u64 *at = x;
	s[0] = s[1] = s[2] = 1;
	__asm__ volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(n) :: "memory");
	n = 3, at = y, from = s;
	__asm__ volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(n) :: "memory");
}
PART(mpl_rep) {
	u64 n = 3;
	volatile u64 *at = y;
	u64 *to = s;
	__asm__ volatile("rep movsq" : "+D"(to), "+S"(at), "+c"(n) :: "memory");
	n = 3, at = x;
	__asm__ volatile("rep movsq" : "+D"(to), "+S"(at), "+c"(n) :: "memory");
	r[0] = s[0], r[1] = s[3];
}

// 2+2W, S, R, n6, coherence
PART(w2) { st_mov64(x, 1, s); st_mov64(y, 2, s); }
FLIP(w2y, w2)
static int w2bad(u64 r[4][4], volatile u64 *x, volatile u64 *y) { return *x == 1 && *y == 1; }
PART(s0) { st_mov64(x, 2, s); st_mov64(y, 1, s); }
PART(s1) { ld_mov64(y, &r[0], s); st_mov64(x, 1, s); }
static int sbad(u64 r[4][4], volatile u64 *x, volatile u64 *y) { return r[1][0] == 1 && *x == 2; }
PART(r0) { st_mov64(x, 1, s); st_mov64(y, 1, s); }
PART(r1) { st_mov64(y, 2, s); ld_mov64(x, &r[0], s); }
PART(r1f) { st_mov64(y, 2, s); mfence(); ld_mov64(x, &r[0], s); }
static int rbad(u64 r[4][4], volatile u64 *x, volatile u64 *y) { return *y == 2 && !r[1][0]; }
PART(n6) { st_mov64(x, 1, s); ld_mov64(x, &r[0], s); ld_mov64(y, &r[1], s); }
PART(n6b) { st_mov64(y, 2, s); st_mov64(x, 2, s); }
static int n6seen(u64 r[4][4], volatile u64 *x, volatile u64 *y) { return r[0][0] == 1 && !r[0][1] && *x == 1; }
static int n6bad(u64 r[4][4], volatile u64 *x, volatile u64 *y) {
	// Own stores are seen at once; and what x ends with has come after what the other processor did first.
	return !r[0][0] || (r[0][0] == 2 && *x != 2) || (r[0][0] == 2 && r[0][1] != 2);
}
PART(rfi) { st_mov64(x, 1, s); ld_mov64(x, &r[0], s); ld_mov64(y, &r[1], s); }
FLIP(rfiy, rfi)
static int rfiseen(u64 r[4][4], volatile u64 *x, volatile u64 *y) { return !r[0][1] && !r[1][1]; }
static int rfibad(u64 r[4][4], volatile u64 *x, volatile u64 *y) { return !r[0][0] || !r[1][0]; }
// A store of 8 bytes read back in parts and the other way round: the buffer must not give half of it.
PART(parts) {
	st_mov32(x, 1, s);
	ld_mov64(x, &r[0], s);
	ld_mov8(x, &r[1], s);
	st_mov8((volatile u64 *)((volatile u8 *)x + 1), 1, s);
	ld_mov16(x, &r[2], s);
}
static int partsbad(u64 r[4][4], volatile u64 *x, volatile u64 *y) {
	return r[0][0] != 1 || r[0][1] != 1 || r[0][2] != 0x101 || *y != 0x101;
}
FLIP(partsy, parts)
PART(twice) { st_mov64(x, 1, s); st_mov64(x, 2, s); }
PART(read3) { ld_mov64(x, &r[0], s); ld_mov32(x, &r[1], s); ld_lods(x, &r[2], s); }
static int corr(u64 r[4][4], volatile u64 *x, volatile u64 *y) { return r[1][0] > r[1][1] || r[1][1] > r[1][2] || *x != 2; }
PART(cowr0) { st_mov64(x, 1, s); ld_mov64(x, &r[0], s); }
PART(cowr1) { st_mov64(x, 2, s); ld_mov64(x, &r[0], s); }
static int cowr(u64 r[4][4], volatile u64 *x, volatile u64 *y) {
	return !r[0][0] || !r[1][0] || (r[0][0] == 2 && *x != 2) || (r[1][0] == 1 && *x != 1);
}

// WRC, RWC, IRIW
PART(wrc1) { ld_mov64(x, &r[0], s); st_mov64(y, 1, s); }
PART(wrc2) { ld_mov64(y, &r[0], s); ld_mov64(x, &r[1], s); }
static int wrc(u64 r[4][4], volatile u64 *x, volatile u64 *y) { return r[1][0] && r[2][0] && !r[2][1]; }
PART(rwc2) { st_mov64(y, 1, s); mfence(); ld_mov64(x, &r[0], s); }
static int rwc(u64 r[4][4], volatile u64 *x, volatile u64 *y) { return r[1][0] && !r[1][1] && !r[2][0]; }
static int iriw(u64 r[4][4], volatile u64 *x, volatile u64 *y) { return r[2][0] && !r[2][1] && r[3][0] && !r[3][1]; }

// The ways in which a processor may do its part; each instance draws one of them.
struct way { const char *name; part *run; };
struct role { int ways; struct way way[24]; };
#define ONE(p) &(const struct role){ 1, { { #p, p } } }
#define WAY(p) { #p, p },
#define WAY_SB(f) WAY(sb_##f)
#define WAY_SB2(f) WAY(sb_##f##2)
#define WAY_MPS(k) WAY(mps_##k)
#define WAY_MPL(k) WAY(mpl_##k)
#define WAY_LBS(k) WAY(lbs_##k)
#define WAY_LBL(k) WAY(lbl_##k)
#define COUNT(k) + 1
// "serialize" comes last: not all have it.
static struct role fenced = { FENCES(COUNT), { FENCES(WAY_SB) } };
static struct role fenced2 = { FENCES(COUNT), { FENCES(WAY_SB2) } };
static const struct role mp_stores = { STORES(COUNT) + 2, { STORES(WAY_MPS) WAY(mps_repstos) WAY(mps_repmovs) } };
static const struct role mp_loads = { LOADS(COUNT) + 1, { LOADS(WAY_MPL) WAY(mpl_rep) } };
static const struct role lb_stores = { STORES(COUNT), { STORES(WAY_LBS) } };
static const struct role lb_loads = { LOADS(COUNT), { LOADS(WAY_LBL) } };

typedef int outcome(u64 r[4][4], volatile u64 *x, volatile u64 *y);
struct litmus {
	const char *name;
	int processors;
	const struct role *roles[4];
	outcome *forbidden, *relaxed; // what must not be seen, what may
	int must;                     // what may be seen has to be
};

static const struct litmus all[] = {
	{ "SB", 2, { ONE(sb_none), ONE(sb_none2) }, 0, both_zero, 1 },
	{ "SB+fence", 2, { &fenced, &fenced2 }, both_zero },
	{ "SB+split", 2, { ONE(sb_split), ONE(sb_split2) }, both_zero },
	{ "MP", 2, { &mp_stores, &mp_loads }, mp },
	{ "LB", 2, { &lb_stores, &lb_loads }, lb },
	{ "2+2W", 2, { ONE(w2), ONE(w2y) }, w2bad },
	{ "S", 2, { ONE(s0), ONE(s1) }, sbad },
	{ "R", 2, { ONE(r0), ONE(r1) }, 0, rbad },
	{ "R+mfence", 2, { ONE(r0), ONE(r1f) }, rbad },
	{ "n6", 2, { ONE(n6), ONE(n6b) }, n6bad, n6seen },
	{ "SB+rfi", 2, { ONE(rfi), ONE(rfiy) }, rfibad, rfiseen },
	{ "parts", 2, { ONE(parts), ONE(partsy) }, partsbad },
	{ "CoRR", 2, { ONE(twice), ONE(read3) }, corr },
	{ "CoWR", 2, { ONE(cowr0), ONE(cowr1) }, cowr },
	{ "WRC", 3, { ONE(store1), ONE(wrc1), ONE(wrc2) }, wrc },
	{ "RWC+mfence", 3, { ONE(store1), ONE(read_xy), ONE(rwc2) }, rwc },
	{ "IRIW", 4, { ONE(store1), ONE(store1y), ONE(read_xy), ONE(read_yx) }, iriw },
	{ "IRIW+lock", 4, { ONE(lock1), ONE(lock1y), ONE(read_xy), ONE(read_yx) }, iriw },
};
#define TESTS ((int)(sizeof all / sizeof all[0]))

static const struct way *way(const struct litmus *t, int cpu, u32 batch, int instance) {
	const struct role *r = t->roles[cpu];
	u64 state = seed * 0x9E3779B97F4A7C15 + ((u64)batch << 16) + instance * 4 + cpu + 1;
	random_of(&state);
	return &r->way[random_of(&state) % r->ways];
}

static u64 milliseconds;
static int relaxed_wanted;

// Of the test that runs; whose turn it is to look owns them.
static u64 instances_run, relaxed_seen, forbidden_seen;
static volatile int more;

static void look(const struct litmus *t, u32 batch, int first, int second) {
	for (int i = 0; i < INSTANCES; i++) {
		u64 r[4][4];
		for (int c = 0; c < 4; c++)
			for (int k = 0; k < 4; k++)
				r[c][k] = results[c][i][k];
		volatile u64 *x = &instances[i].word[first], *y = &instances[i].word[second];
		instances_run++;
		relaxed_seen += t->relaxed && t->relaxed(r, x, y);
		if (t->forbidden && t->forbidden(r, x, y) && !forbidden_seen++)
			print("%s forbidden, %s %s, batch %d instance %d: x=%u y=%u, read %u %u, %u %u, %u %u, %u %u", t->name,
				way(t, 0, batch - 1, i)->name, way(t, 1, batch - 1, i)->name, (int)batch - 1, i, *x, *y, r[0][0], r[0][1], r[1][0], r[1][1], r[2][0], r[2][1], r[3][0], r[3][1]);
	}
}

// How far each processor is, in instances since the start.
static struct { volatile u64 instance; } LINE progress[4];

// Waits for the others at an instance, so that the processors' accesses meet; not for long, since the host may not be
// running all of them: who is ahead loses time at each instance until the last has caught up.
static inline void meet(int of, int cpu, u64 instance) {
	progress[cpu].instance = instance;
	for (int c = 0; c < of; c++)
		for (int i = 0; progress[c].instance < instance && i < 300; i++)
			compiler();
}

// All processors of a test meet, run the same instances side by side, meet again; one of them, by turns, looks what became
// of them and prepares the next: the lines are then its own.
static void run(const struct litmus *t, int cpu) {
	static PAGE u64 scratch[4][512];
	u64 state = seed * 0x9E3779B97F4A7C15 + cpu * 77 + 1;
	struct budget b = budget(milliseconds), last = budget(100 * milliseconds);
	int first = 0, second = 0;
	u64 base = (u64)(t - all + 1) << 32;
	for (u32 batch = 0;; batch++) {
		if (cpu == (int)(batch % t->processors)) {
			if (!batch)
				instances_run = relaxed_seen = forbidden_seen = 0;
			else
				look(t, batch, first, second);
			int owed = t->must && relaxed_wanted && !relaxed_seen;
			more = !batch || (!forbidden_seen && !(owed ? over(last) : over(b)));
			for (int i = 0; i < INSTANCES; i++)
				for (int k = 0; k < 12; k++)
					instances[i].word[k] = 0;
		}
		barrier(t->processors);
		if (!more)
			break;
		u64 at = base + INSTANCES * batch;
		// Places a line apart and in one line; each of them is the first one by turns.
		second = batch & 1 ? 8 : 4;
		first = batch & 2 ? second : 0;
		second -= first;
		for (int i = 0; i < INSTANCES; i++) {
			u32 steps = random_of(&state) & (batch & 4 ? 7 : 1);
			part *run = way(t, cpu, batch, i)->run;
			meet(t->processors, cpu, at + i);
			delay(steps);
			run(&instances[i].word[first], &instances[i].word[second], results[cpu][i], scratch[cpu]);
		}
		barrier(t->processors);
	}
	if (cpu)
		return;
	if (forbidden_seen)
		bad("%s: %u of %u forbidden", t->name, forbidden_seen, instances_run);
	else if (t->must && relaxed_wanted && !relaxed_seen)
		bad("%s: not seen in %u", t->name, instances_run);
	else if (t->relaxed)
		ok("%s: %u, relaxed %u", t->name, instances_run, relaxed_seen);
	else
		ok("%s: %u", t->name, instances_run);
}

void setup(void) {
	milliseconds = word("ms", 50);
	relaxed_wanted = word("relaxed", 1);
	u32 r[4];
	cpuid(7, 0, r);
	if (!word("serializing", 1))
		fenced.ways = fenced2.ways = 1 LOCKED_CODES(COUNT); // the store by XCHG, and these
	else if (!(r[3] >> 14 & 1))
		fenced.ways--, fenced2.ways--;
}

void test(int cpu) {
	for (int i = 0; i < TESTS; i++) {
		const struct litmus *t = &all[i];
		if (!chosen(t->name) || t->processors > cpus)
			continue;
		if (cpu < t->processors)
			run(t, cpu);
		barrier(cpus);
	}
}
