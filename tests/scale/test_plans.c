/* SPDX-License-Identifier: MIT */
/* What a tree costs before anything of it runs: to load and check it, to compare two, to add to one. All of it costs in
 * proportion to the size of the tree, and what was taken for it is given back; and a MiB of whatever one writes into a tree costs
 * no more steps than a bound for each of its bytes. */
#include <malloc.h>
#include <stdlib.h>

#include "daemon/plan_world.h"
#include "plan/changes.h"
#include "scale/cost.h"
#include "scale/steps.h"

enum { MANY = 10000, MIB = 1 << 20 };

static void text_is_whole(const struct text *text)
{
	ck_assert(!text->failed && text->bytes);
}

/* ── trees ── */

/* Groups of ten groups of ten, each unit with something to say, and a pool beside them. */
static char *tree_of(unsigned n, const char *names, unsigned argument)
{
	struct text text = {0};

	text_add(&text,
		"version: 1\nname: test\ndefaults: {environment: {A: b}, stop: {timeout: 3s}}\nunits:\n"
		"  pool: {strategy: simple_one_for_one, template: {command: [/bin/serve]}}\n");
	for (unsigned i = 0; i < n; i++) {
		if (i % 100 == 0)
			text_printf(&text, "  g%u:\n    units:\n", i / 100);
		if (i % 10 == 0)
			text_printf(&text, "      h%u:\n        units:\n", i / 10);
		text_printf(&text, "          %s%u: {command: [/bin/serve, '%u'], labels: {n: '%u'}",
			names, i, argument, i);
		text_printf(&text, i % 10 ? ", depends_on: [%s%u]}\n" : "}\n", names, i - 1);
	}
	text_is_whole(&text);
	return text.bytes;
}

static void tree_load(struct plan_world *world, const char *text)
{
	(void)plan_world_text(world, text);
	if (world->result < 0)
		diags_print(world->diags, stderr);
	ck_assert_int_eq(world->result, 0);
}

static void compares(struct costs *costs, const char *act, const struct plan_world *old,
	const struct plan_world *new, uint32_t expected)
{
	struct plan_change *changes;
	uint32_t n;

	costs_begin(costs);
	ck_assert_int_eq(plan_diff(old->plan, NULL, new->plan, &changes, &n), 0);
	costs_count(costs, act);
	ck_assert_uint_eq(n, expected);
	plan_changes_free(changes, n);
}

static void adds(struct costs *costs, struct plan_world *present, unsigned n)
{
	struct text text = {0};
	struct plan_addition addition = {.supervisor = "pool", .file = "/tree/more.yaml"};
	struct plan *plan;

	text_add(&text, "units:\n");
	for (unsigned i = 0; i < n; i++)
		text_printf(&text, "  w%u: {environment: {N: '%u'}}\n", i, i);
	text_is_whole(&text);
	addition.text = text.bytes;
	addition.size = text.len;
	costs_begin(costs);
	ck_assert_int_eq(
		plan_add(present->plan, &addition, &present->source, &plan, present->diags), 0);
	costs_count(costs, "add");
	plan_unref(plan);
	text_done(&text);
}

/* One tree, the same again, one of other programs, one of other names, one in which all have moved. */
static void trees_are_compared(struct costs *costs, unsigned n)
{
	char *texts[] = {
		tree_of(n, "u", 1), tree_of(n, "u", 1), tree_of(n, "u", 2), tree_of(n, "v", 1)};
	struct plan_world worlds[4];

	costs_begin(costs);
	tree_load(&worlds[0], texts[0]);
	costs_count(costs, "load");
	for (int i = 1; i < 4; i++)
		tree_load(&worlds[i], texts[i]);
	compares(costs, "compare with the same", &worlds[0], &worlds[1], 0);
	compares(costs, "compare with other programs", &worlds[0], &worlds[2], n);
	compares(costs, "compare with other names", &worlds[0], &worlds[3], 2 * n);
	adds(costs, &worlds[0], n);
	costs_begin(costs);
	for (int i = 0; i < 4; i++) {
		plan_world_done(&worlds[i]);
		free(texts[i]);
	}
	costs_count(costs, "give back");
}

static struct eff_rt *runtime(void)
{
	struct eff_rt *rt;

	ck_assert_int_eq(eff_rt_new(&(struct eff_rt_opts){.seed = 1}, &rt), 0);
	return rt;
}

START_TEST(ten_thousand_units_load_check_and_compare_in_proportion)
{
	struct costs costs = {.rt = runtime()};

	for (; costs.size < SIZES; costs.size++)
		trees_are_compared(&costs, MANY >> (SIZES - 1 - costs.size));
	costs_check(&costs);
	eff_rt_free(costs.rt);
}
END_TEST

/* What the allocator says is in use; what it keeps at hand for the next one of that size counts as that. */
static size_t held(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

START_TEST(what_a_plan_takes_is_given_back)
{
	enum { ROUNDS = 16, UNITS = 1000, KEPT_MOST = 64 << 10 };
	struct costs costs = {.rt = runtime()};
	size_t before = 0;

	for (int i = 0; i < ROUNDS; i++) {
		trees_are_compared(&costs, UNITS);
		/* What the first round has brought is kept once, for all. */
		before = i == 0 ? held() : before;
	}
	/* A byte for each unit of the plans would be more. */
	ck_assert_msg(held() < before + KEPT_MOST,
		"%zu bytes are held, and after the first round %zu", held(), before);
	eff_rt_free(costs.rt);
}
END_TEST

/* ── a MiB of anything ── */

typedef void shape_fn(struct text *text, size_t size);

static void fill(struct text *text, size_t size, const char *piece)
{
	while (text->len < size && !text->failed)
		text_add(text, piece);
}

static void a_comment(struct text *text, size_t size)
{
	text_add(text, "units: {a: {command: x}}\n# ");
	fill(text, size, "comment ");
}

static void empty_lines(struct text *text, size_t size)
{
	text_add(text, "units: {a: {command: x}}\n");
	fill(text, size, "\n");
}

static void one_word(struct text *text, size_t size)
{
	text_add(text, "units: {a: {command: x, description: \"");
	fill(text, size, "wordword");
	text_add(text, "\"}}\n");
}

static void escapes(struct text *text, size_t size)
{
	text_add(text, "units: {a: {command: x, description: \"");
	fill(text, size, "\\u00e4");
	text_add(text, "\"}}\n");
}

static void a_block(struct text *text, size_t size)
{
	text_add(text, "units:\n  a:\n    shell: |\n");
	fill(text, size, "      echo one line\n");
}

static void words_of_a_list(struct text *text, size_t size)
{
	text_add(text, "units: {a: {command: [x");
	fill(text, size, ", word");
	text_add(text, "]}}\n");
}

static void words_of_a_shell(struct text *text, size_t size)
{
	text_add(text, "units: {a: {command: x");
	fill(text, size, " 'one word'");
	text_add(text, "}}\n");
}

static void variables(struct text *text, size_t size)
{
	text_add(text, "units: {a: {command: x, description: \"");
	fill(text, size, "${EMPTY}");
	text_add(text, "\"}}\n");
}

static void numbered(struct text *text, size_t size, const char *before, const char *after)
{
	for (unsigned i = 0; text->len < size && !text->failed; i++)
		text_printf(text, "%s%u%s", before, i, after);
}

static void an_environment(struct text *text, size_t size)
{
	text_add(text, "units:\n  a:\n    command: x\n    environment:\n");
	numbered(text, size, "      N", ": value\n");
}

static void units(struct text *text, size_t size)
{
	text_add(text, "units:\n");
	numbered(text, size, "  u", ": {command: x}\n");
}

static void unknown_keys(struct text *text, size_t size)
{
	text_add(text, "units:\n");
	numbered(text, size, "  u", ": {comand: x}\n");
}

static void unknown_units(struct text *text, size_t size)
{
	text_add(text, "units:\n");
	numbered(text, size, "  u", ": {command: x, depends_on: [nobody]}\n");
}

static void one_key_again(struct text *text, size_t size)
{
	text_add(text, "units:\n");
	fill(text, size, "  a: {command: x}\n");
}

static void anchors(struct text *text, size_t size)
{
	text_add(text, "x-list:\n");
	numbered(text, size, "  - &a", " x\n");
	text_add(text, "units: {a: {command: x}}\n");
}

static void aliases(struct text *text, size_t size)
{
	text_add(text, "x-word: &w [a, b]\nx-list:\n");
	fill(text, size, "  - *w\n");
	text_add(text, "units: {a: {command: x}}\n");
}

static void brackets(struct text *text, size_t size)
{
	text_add(text, "units: ");
	fill(text, size, "[");
}

static const struct shape {
	const char *name;
	shape_fn *fn;
	unsigned steps_a_byte; /* at most */
	bool is_wrong;         /* it is refused */
} shapes[] = {
	{"a comment", a_comment, 25, false},
	{"empty lines", empty_lines, 20, false},
	{"one word", one_word, 30, false},
	{"escapes", escapes, 25, false},
	{"a block", a_block, 30, false},
	{"words of a list", words_of_a_list, 60, false},
	{"words of a shell", words_of_a_shell, 90, false},
	{"variables", variables, 45, false},
	{"an environment", an_environment, 60, false},
	{"units", units, 280, false},
	{"unknown keys", unknown_keys, 250, true},
	{"unknown units", unknown_units, 950, true},
	{"one key again", one_key_again, 60, true},
	{"anchors", anchors, 35, false},
	{"aliases", aliases, 60, true},
	{"brackets", brackets, 35, true},
};

/* The same of half and of a quarter of it: what is bounded grows no faster either. */
START_TEST(a_mib_of_anything_is_read_in_so_many_steps)
{
	const struct shape *shape = &shapes[_i];
	struct costs costs = {.rt = runtime()};

	for (; costs.size < SIZES; costs.size++) {
		size_t size = (size_t)MIB >> (SIZES - 1 - costs.size);
		struct text text = {0};
		struct plan_world world;
		uint64_t steps;

		text_add(&text, "version: 1\n");
		shape->fn(&text, size);
		text_is_whole(&text);
		costs_begin(&costs);
		steps = *steps_taken;
		(void)plan_world_text(&world, text.bytes);
		steps = *steps_taken - steps;
		costs_count(&costs, shape->name);
		if ((world.result < 0) != shape->is_wrong)
			diags_print(world.diags, stderr);
		ck_assert_int_eq(world.result < 0, shape->is_wrong);
		ck_assert_msg(steps <= shape->steps_a_byte * (uint64_t)text.len,
			"%llu steps for %zu bytes of %s", (unsigned long long)steps, text.len,
			shape->name);
		plan_world_done(&world);
		text_done(&text);
	}
	costs_check(&costs);
	eff_rt_free(costs.rt);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("plans");
	TCase *t = tcase_create("plans");

	tcase_set_timeout(t, 280);
	tcase_add_test(t, ten_thousand_units_load_check_and_compare_in_proportion);
	tcase_add_test(t, what_a_plan_takes_is_given_back);
	tcase_add_loop_test(t, a_mib_of_anything_is_read_in_so_many_steps, 0,
		(int)(sizeof(shapes) / sizeof(shapes[0])));
	suite_add_tcase(suite, t);
	return suite;
}
