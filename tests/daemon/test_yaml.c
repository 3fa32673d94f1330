/* SPDX-License-Identifier: MIT */
/* YAML: what it may say, where things stand, and what bounds its reading. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "plan_world.h"

Suite *test_suite(void);

static struct plan_world world;

static void done(void)
{
	plan_world_done(&world);
}

#define HEAD "version: 1\nunits:\n"

START_TEST(an_alias_is_what_its_anchor_is)
{
	struct plan *plan = plan_world_good(
		&world, HEAD "  a: &a {command: [x, y], labels: {l: m}}\n  b: *a\n");

	ck_assert_str_eq(plan_find(plan, "b")->argv[1], "y");
	ck_assert_str_eq(plan_find(plan, "b")->labels[0].name, "l");
}
END_TEST

START_TEST(a_merge_key_gives_what_is_not_there)
{
	struct plan *plan = plan_world_good(&world,
		"x-a: &a {start_timeout: 1s, max_runtime: 1s}\n"
		"x-b: &b {start_timeout: 2s, critical: true}\n" HEAD
		"  u: {max_runtime: 9s, <<: [*a, *b], command: x}\n");
	const struct plan_unit *unit = plan_find(plan, "u");

	ck_assert_int_eq(unit->ways->max_runtime_ns, EFF_S(9));
	ck_assert_int_eq(unit->ways->start_timeout_ns, EFF_S(1));
	ck_assert(unit->critical);
}
END_TEST

START_TEST(a_quoted_merge_key_is_a_key)
{
	(void)plan_world_text(&world, HEAD "  a: {command: x, '<<': {user: y}}\n");

	ck_assert_uint_eq(diags_errors(world.diags), 1);
	ck_assert_str_eq(diags_at(world.diags, 0)->code, "E201");
}
END_TEST

START_TEST(only_true_and_false_are_booleans)
{
	struct plan *plan = plan_world_good(
		&world, HEAD "  a: {command: [echo, yes, 0010, 1_000, ~, on], restart: no}\n");
	const struct plan_unit *unit = plan_find(plan, "a");

	ck_assert_int_eq(unit->restart, PLAN_NO);
	ck_assert_str_eq(unit->argv[1], "yes");
	ck_assert_str_eq(unit->argv[2], "0010");
	ck_assert_str_eq(unit->argv[3], "1_000");
	ck_assert_str_eq(unit->argv[4], "~");
}
END_TEST

START_TEST(columns_count_characters)
{
	(void)plan_world_text(&world,
		"version: 1\nunits: {a: {description: \"\xc3\xa4\xe2\x82\xac\", command: x, nope: y}}\n");

	ck_assert_uint_eq(diags_count(world.diags), 1);
	ck_assert_uint_eq(diags_at(world.diags, 0)->at.line, 2);
	ck_assert_uint_eq(diags_at(world.diags, 0)->at.column, 44);
	ck_assert_uint_eq(diags_at(world.diags, 0)->width, 4);
}
END_TEST

START_TEST(lines_of_any_ending_count)
{
	(void)plan_world_text(&world,
		"version: 1\r\nunits:\r\n  a: {command: x}\r\n  b: {nope: 1, command: x}\r\n");

	ck_assert_uint_eq(diags_at(world.diags, 0)->at.line, 4);
	ck_assert_str_eq(diags_at(world.diags, 0)->source, "  b: {nope: 1, command: x}");
}
END_TEST

/* libyaml alone would need minutes for these. */
START_TEST(depth_costs_nothing_but_a_refusal)
{
	static const char *const deep[] = {"[", "{a: ", "- ", "? ", "{? ", "[\n", "- \n - \n"};
	size_t len = strlen(deep[_i]), n = (size_t)4194304 / len, i;
	char *text = malloc(n * len + 64);
	size_t at = (size_t)sprintf(text, "version: 1\nx-deep: %s",
		deep[_i][0] == '-' || deep[_i][0] == '?' ? "\n " : "");

	for (i = 0; i < n; i++, at += len)
		memcpy(text + at, deep[_i], len + 1);
	(void)plan_world_text(&world, text);
	free(text);

	ck_assert_int_eq(world.result, -EINVAL);
	ck_assert_uint_eq(diags_errors(world.diags), 1);
	ck_assert_str_eq(diags_at(world.diags, 0)->code, strchr(deep[_i], '?') ? "E204" : "E101");
}
END_TEST

START_TEST(wide_mappings_and_lists_are_linear)
{
	struct text text = {0};

	text_add(&text, "version: 1\nx-wide: {");
	for (int i = 0; i < 200000; i++)
		text_printf(&text, "k%d: v, ", i);
	text_add(&text, "}\nx-list: [");
	for (int i = 0; i < 200000; i++)
		text_add(&text, "v, ");
	text_add(&text, "]\nunits: {a: {command: x}}\n");
	(void)plan_world_text(&world, text.bytes);
	text_done(&text);

	ck_assert_int_eq(world.result, 0);
}
END_TEST

START_TEST(more_than_eight_mebibytes_are_refused)
{
	const size_t size = 9437184;
	char *text = malloc(size);

	memset(text, '#', size - 1);
	text[size - 1] = '\0';
	(void)plan_world_text(&world, text);
	free(text);

	ck_assert_str_eq(diags_at(world.diags, 0)->code, "E107");
	ck_assert_str_eq(diags_at(world.diags, 0)->message,
		"cannot read it: the tree has more than 8 MiB");
	ck_assert_uint_eq(diags_at(world.diags, 0)->at.line, 0);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("yaml");
	TCase *tcase = tcase_create("yaml");

	tcase_add_checked_fixture(tcase, NULL, done);
	tcase_add_test(tcase, an_alias_is_what_its_anchor_is);
	tcase_add_test(tcase, a_merge_key_gives_what_is_not_there);
	tcase_add_test(tcase, a_quoted_merge_key_is_a_key);
	tcase_add_test(tcase, only_true_and_false_are_booleans);
	tcase_add_test(tcase, columns_count_characters);
	tcase_add_test(tcase, lines_of_any_ending_count);
	tcase_add_loop_test(tcase, depth_costs_nothing_but_a_refusal, 0, 7);
	tcase_add_test(tcase, wide_mappings_and_lists_are_linear);
	tcase_add_test(tcase, more_than_eight_mebibytes_are_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
