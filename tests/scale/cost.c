/* SPDX-License-Identifier: MIT */
/* Counting: steps, what is allocated, calls to the fake kernel, the runtime's own counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/text.h"
#include "scale/cost.h"
#include "scale/steps.h"

/* What is linear costs twice as much at twice the size, what is quadratic 4 times; a heap's logarithm is in between, but close
 * to 2. */
#define MOST_TIMES 2.15

/* Below it at the largest size a count is what goes on around the act. */
static const uint64_t least[COSTS] = {
	[COST_STEPS] = 200000,
	[COST_BYTES] = 100000,
	[COST_CALLS] = 1000,
	[COST_TURNS] = 1000,
	[COST_SWITCHES] = 1000,
	[COST_FORKS] = 1000,
};

static const char *const names[COSTS] = {
	[COST_STEPS] = "steps",
	[COST_BYTES] = "bytes",
	[COST_CALLS] = "calls",
	[COST_TURNS] = "turns",
	[COST_SWITCHES] = "switches",
	[COST_FORKS] = "forks",
};

/* ── what is allocated: the calls in our objects come here ── */

static uint64_t allocated_bytes;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
	allocated_bytes += size;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	allocated_bytes += n * size;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	allocated_bytes += size;
	return __real_realloc(old, size);
}

/* ── counting ── */

static struct cost cost_now(const struct costs *costs)
{
	struct eff_rt_stats stats;
	struct cost now;

	eff_rt_stats(costs->rt, &stats);
	now.counts[COST_STEPS] = *steps_taken;
	now.counts[COST_BYTES] = allocated_bytes;
	now.counts[COST_CALLS] = costs->fake ? os_fake_calls(costs->fake) : 0;
	now.counts[COST_TURNS] = stats.turns;
	now.counts[COST_SWITCHES] = stats.switches;
	now.counts[COST_FORKS] = stats.forks;
	return now;
}

void costs_begin(struct costs *costs)
{
	costs->before = cost_now(costs);
}

static struct act *act_of(struct costs *costs, const char *name)
{
	struct act *act = costs->acts;

	while (act < costs->acts + costs->n_acts && strcmp(act->name, name) != 0)
		act++;
	ck_assert(act < costs->acts + ACTS_MOST);
	if (act == costs->acts + costs->n_acts)
		costs->n_acts++;
	act->name = name;
	return act;
}

void costs_count(struct costs *costs, const char *act_name)
{
	struct cost now = cost_now(costs);
	struct act *act = act_of(costs, act_name);

	for (int i = 0; i < COSTS; i++)
		act->at[costs->size].counts[i] = now.counts[i] - costs->before.counts[i];
	if (getenv("SCALE_TELL")) {
		(void)printf("%-28s", act_name);
		for (int i = 0; i < COSTS; i++)
			(void)printf(" %12llu %s",
				(unsigned long long)act->at[costs->size].counts[i], names[i]);
		(void)printf("\n");
	}
	costs_begin(costs);
}

/* Say of what it costs more than in proportion. */
static void add_excess(struct text *text, const struct act *act, int what)
{
	const uint64_t most = act->at[SIZES - 1].counts[what];

	for (int i = 1; i < SIZES && most >= least[what]; i++) {
		uint64_t few = act->at[i - 1].counts[what], many = act->at[i].counts[what];

		if ((double)many > MOST_TIMES * (double)few)
			text_printf(text, "\n%s: %llu %s, and %llu for twice as many", act->name,
				(unsigned long long)few, names[what], (unsigned long long)many);
	}
}

void costs_check(const struct costs *costs)
{
	struct text excess = {0};

	for (size_t i = 0; i < costs->n_acts; i++)
		for (int what = 0; what < COSTS; what++)
			add_excess(&excess, &costs->acts[i], what);
	ck_assert_msg(excess.len == 0, "out of proportion:%s", excess.bytes);
}

static const struct act *act_named(const struct costs *costs, const char *name)
{
	for (size_t i = 0; i < costs->n_acts; i++)
		if (strcmp(costs->acts[i].name, name) == 0)
			return &costs->acts[i];
	ck_abort_msg("there was no %s", name);
}

void costs_bound(const struct costs *costs, size_t n_many, const struct bound *bounds, size_t n_bounds)
{
	struct text excess = {0};

	for (size_t i = 0; i < n_bounds; i++)
		for (int what = 0; what < COSTS; what++) {
			uint64_t all = act_named(costs, bounds[i].act)->at[SIZES - 1].counts[what];
			double each = (double)all / (double)n_many;

			if (each > bounds[i].most[what])
				text_printf(&excess, "\n%s: %.2f %s each, more than %.2f",
					bounds[i].act, each, names[what], bounds[i].most[what]);
		}
	ck_assert_msg(excess.len == 0, "dearer than it was:%s", excess.bytes);
}
