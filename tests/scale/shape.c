/* SPDX-License-Identifier: MIT */
/* Texts of a shape, and what reading them costs. */
#include <check.h>

#include "scale/cost.h"
#include "scale/shape.h"

enum {
	MIB = 1 << 20,
	BYTES_A_BYTE = 3000,
	BYTES_BESIDE = 8 * MIB,
	BYTES_MULTIPLIED = 2000 * MIB
};

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

void shape_takes(const struct shape *shape, shape_fn *take)
{
	struct costs costs = {0};

	ck_assert_int_eq(eff_rt_new(&(struct eff_rt_opts){.seed = 1}, &costs.rt), 0);
	for (; costs.size < SIZES; costs.size++) {
		struct text text = text_of(shape, (size_t)MIB >> (SIZES - 1 - costs.size));
		const uint64_t *counts = costs.acts[0].at[costs.size].counts;

		costs_begin(&costs);
		take(&text);
		costs_count(&costs, shape->name);
		ck_assert_msg(counts[COST_STEPS] <= shape->steps_a_byte * (uint64_t)text.len,
			"%llu steps for %zu bytes of %s",
			(unsigned long long)counts[COST_STEPS], text.len, shape->name);
		ck_assert_msg(counts[COST_BYTES] <= memory_most(shape, text.len),
			"%llu bytes of memory for %zu bytes of %s",
			(unsigned long long)counts[COST_BYTES], text.len, shape->name);
		text_done(&text);
	}
	costs_check(&costs);
	eff_rt_free(costs.rt);
}

void shapes_add(Suite *suite, const char *name, const TTest *test, int n)
{
	TCase *t = tcase_create(name);

	tcase_set_timeout(t, 280);
	tcase_add_loop_test(t, test, 0, n);
	suite_add_tcase(suite, t);
}
