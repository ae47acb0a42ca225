// A bug that shows rarely: all processors add to one counter without a lock, in a few instructions of some ten thousand. Words: cpus
// (2), seed, rounds (20).
#include "smp.h"

#define WORK 2000 // loops between two updates

static volatile u64 counter;
static u64 rounds;

void setup(void) { rounds = word("rounds", 20); }

void test(int cpu) {
	barrier(cpus);
	for (u64 i = 0; i < rounds; i++) {
		delay(WORK);
		u64 seen = counter;
		compiler(); // whoever comes in here has its update undone
		counter = seen + 1;
	}
	barrier(cpus);
	if (!cpu && counter == rounds * cpus)
		ok("updates");
	else if (!cpu)
		bad("lost update: %u of %u", rounds * cpus - counter, rounds * cpus);
	barrier(cpus);
}
