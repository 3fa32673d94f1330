/* SPDX-License-Identifier: MIT */
/* What something costs at several sizes, in counts, and that it costs in proportion. */
#ifndef TESTS_SCALE_COST_H
#define TESTS_SCALE_COST_H

#include <stddef.h>
#include <stdint.h>

#include <eff.h>

#include "fake/os_fake.h"

/* Everything that costs, by name; all in counts. */
enum { COST_STEPS, COST_BYTES, COST_CALLS, COST_TURNS, COST_SWITCHES, COST_FORKS, COSTS };

struct cost {
	uint64_t counts[COSTS];
};

/* One act at three sizes, each twice the one before. */
enum { SIZES = 3, ACTS_MOST = 16 };
struct act {
	const char *name;
	struct cost at[SIZES];
};

/* Acts of one story, in the order in which they come. */
struct costs {
	struct act acts[ACTS_MOST];
	size_t n_acts, size; /* size: the one that is being measured, from 0 */
	struct cost before;
	struct eff_rt *rt;
	const struct os_fake *fake; /* NULL: none */
};

/* From here on the next act is counted. */
void costs_begin(struct costs *costs);
/* So much the act has cost: all since the one before. */
void costs_count(struct costs *costs, const char *act_name);
/* Fails the test when an act, from any size to the next, costs more than in proportion; a count that is small at the largest
 * size says nothing. */
void costs_check(const struct costs *costs);

/* What each of many may cost an act at most: what costs in proportion, and more than it need, is found by this. */
struct bound {
	const char *act;
	double most[COSTS];
};
/* Fails the test when an act costs more at the largest size, which was of so many. */
void costs_bound(
	const struct costs *costs, size_t n_many, const struct bound *bounds, size_t n_bounds);

#endif
