/* SPDX-License-Identifier: MIT */
/* Texts of a shape, and what reading them costs. That takes long where each step is counted, so only some of them have a MiB: a seed
 * chooses them, EFFD_SEED repeats it, EFFD_SHAPES=all has it done with each. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <check.h>

#include "base/hash.h"
#include "scale/cost.h"
#include "scale/shape.h"

enum {
	MIB = 1 << 20,
	LARGE = MIB / 8,
	BYTES_A_BYTE = 3000,
	BYTES_BESIDE = 8 * MIB,
	BYTES_MULTIPLIED = 2000 * MIB,
	ONE_IN = 8
};
#define ALL UINT64_MAX

static void repeat(struct text *text, const char *again, size_t size)
{
	for (unsigned i = 0; text->len < size && !text->failed; i++)
		for (const char *s = again; *s; s++) {
			if (*s == '#')
				text_printf(text, "%u", i);
			else
				text_add_bytes(text, s, 1);
		}
}

static struct text text_of(const struct shape *shape, size_t size)
{
	struct text text = {0};

	text_add(&text, shape->before);
	repeat(&text, shape->again, shape->then ? size / 2 : size);
	text_add(&text, shape->after);
	if (shape->then) {
		repeat(&text, shape->then, size);
		text_add(&text, shape->end);
	}
	ck_assert(!text.failed && text.bytes);
	return text;
}

/* Whatever it is made of, that many bytes of memory are enough; all that were ever asked for, not those at a time. */
static uint64_t memory_most(const struct shape *shape, size_t size)
{
	return shape->multiplies ? BYTES_MULTIPLIED : BYTES_A_BYTE * (uint64_t)size + BYTES_BESIDE;
}

static void take_once(struct costs *costs, const struct shape *shape, shape_fn *take, size_t size)
{
	struct text text = text_of(shape, size);
	const uint64_t *counts = costs->acts[0].at[costs->size].counts;

	costs_begin(costs);
	take(&text);
	costs_count(costs, shape->name);
	/* In a small one what is done once counts for more. */
	ck_assert_msg(size < LARGE || counts[COST_STEPS] <= shape->steps_a_byte * (uint64_t)text.len,
		"%llu steps for %zu bytes of %s", (unsigned long long)counts[COST_STEPS],
		text.len, shape->name);
	ck_assert_msg(counts[COST_BYTES] <= memory_most(shape, text.len),
		"%llu bytes of memory for %zu bytes of %s",
		(unsigned long long)counts[COST_BYTES], text.len, shape->name);
	text_done(&text);
}

static uint64_t seed;

static bool is_chosen(const struct shape *shape)
{
	uint64_t hash = hash_text(HASH_EMPTY ^ seed, shape->name);

	return seed == ALL || (hash ^ hash >> 32) % ONE_IN == 0;
}

static void take_each_size(struct costs *costs, const struct shape *shape, shape_fn *take)
{
	for (; costs->size < SIZES; costs->size++)
		take_once(costs, shape, take, (size_t)LARGE >> (SIZES - 1 - costs->size));
	costs_check(costs);
}

void shape_takes(const struct shape *shape, shape_fn *take)
{
	struct costs costs = {0}, whole = {0};

	ck_assert_int_eq(eff_rt_new(&(struct eff_rt_opts){.seed = 1}, &costs.rt), 0);
	whole.rt = costs.rt;
	/* Where a few bytes come to the most that may be made of them, more of them come to the same. */
	if (!shape->multiplies)
		take_each_size(&costs, shape, take);
	if (shape->multiplies || is_chosen(shape))
		take_once(&whole, shape, take, is_chosen(shape) ? MIB : LARGE);
	eff_rt_free(costs.rt);
}

static void seed_choose(void)
{
	const char *given = getenv("EFFD_SEED");

	if (seed)
		return;
	seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	if (getenv("EFFD_SHAPES"))
		seed = ALL;
	(void)printf("seed %llu: one shape in %d has a MiB; EFFD_SHAPES=all: each\n",
		(unsigned long long)seed, seed == ALL ? 1 : ONE_IN);
}

void shapes_add(Suite *suite, const char *name, const TTest *test, int n)
{
	TCase *t = tcase_create(name);

	seed_choose();
	tcase_set_timeout(t, 280);
	tcase_add_loop_test(t, test, 0, n);
	suite_add_tcase(suite, t);
}
