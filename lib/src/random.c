/* SPDX-License-Identifier: MIT */
/* The runtime's random numbers: xoshiro256**, its state spread from the seed by splitmix64 (Blackman and Vigna). Without
 * a runtime there are none. */
#include "internal.h"

static uint64_t splitmix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

void eff__random_seed(struct eff_rt *rt, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		rt->random[i] = splitmix(&seed);
}

uint64_t eff_random(void)
{
	uint64_t *s = eff__in_runtime("eff_random")->random;
	uint64_t result = rotate(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

double eff_random_unit(void)
{
	/* 53 bits: as many as a double holds. */
	return (double)(eff_random() >> 11) * 0x1p-53;
}
