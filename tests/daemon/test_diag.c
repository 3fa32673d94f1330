/* SPDX-License-Identifier: MIT */
/* Diagnostics: their order, their bounds, and how they are printed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/alloc.h"
#include "plan_world.h"

Suite *test_suite(void);

static char printed[65536];

static const char *print(const struct diags *diags)
{
	FILE *to = fmemopen(printed, sizeof(printed), "w");

	diags_print(diags, to);
	(void)fclose(to);
	return printed;
}

START_TEST(they_come_in_file_order)
{
	struct diags *diags = diags_new();

	(void)diags_add(diags, "E201", (struct plan_place){"b", 1, 1}, "fourth");
	(void)diags_add(diags, "E201", (struct plan_place){"a", 10, 1}, "third");
	(void)diags_add(diags, "W404", (struct plan_place){"a", 9, 7}, "second");
	(void)diags_add(diags, "E201", (struct plan_place){"a", 9, 5}, "first");
	diags_sort(diags);

	ck_assert_uint_eq(diags_count(diags), 4);
	ck_assert_uint_eq(diags_errors(diags), 3);
	ck_assert_str_eq(diags_at(diags, 0)->message, "first");
	ck_assert_str_eq(diags_at(diags, 1)->message, "second");
	ck_assert_str_eq(diags_at(diags, 3)->message, "fourth");
	diags_free(diags);
}
END_TEST

START_TEST(people_see_the_line_a_caret_help_and_notes)
{
	struct diags *diags = diags_new();
	struct diag *diag = diags_add(diags, "E205", (struct plan_place){"shop.yaml", 41, 23},
		"a duration needs a unit");

	diag->width = 2;
	diag_show(diags, diag, "      stop: {timeout: 30, signal: SIGTERM}", 42, 22);
	diag_help(diags, diag, "write %ds", 30);
	for (uint32_t i = 1; i <= 3; i++)
		diag_note(diags, diag, (struct plan_place){"other.yaml", i, 9}, "note %u", i);

	ck_assert_str_eq(print(diags),
		"shop.yaml:41:23: error[E205]: a duration needs a unit\n"
		"   41 |       stop: {timeout: 30, signal: SIGTERM}\n"
		"      |                       ^^\n"
		"   note: other.yaml:1:9: note 1\n"
		"   note: other.yaml:2:9: note 2\n"
		"   note: other.yaml:3:9: note 3\n"
		"   help: write 30s\n");
	diags_free(diags);
}
END_TEST

/* Or who checks a tree that came from elsewhere lets it speak to the terminal. */
START_TEST(controls_are_no_words_to_the_terminal)
{
	static const char line[] = "\t\"\x1b[31m\xc2\x9b\": \xc2\xa3x";
	struct diags *diags = diags_new();
	struct diag *diag = diags_add(diags, "E201", (struct plan_place){"a\n", 1, 11}, "%s", line);

	diag_show(diags, diag, line, sizeof(line) - 1, 10);
	diag_help(diags, diag, "\x7f");
	diag_note(diags, diag, (struct plan_place){"\r\x9b\xc3\xa9\xc2", 0, 0}, "\x1b");

	ck_assert_str_eq(print(diags),
		"a?:1:11: error[E201]: \t\"?[31m?\": \xc2\xa3x\n"
		"    1 | \t\"?[31m?\": \xc2\xa3x\n      | \t         ^\n"
		"   note: ??\xc3\xa9?: ?\n   help: ?\n");
	diags_free(diags);
}
END_TEST

START_TEST(a_file_without_a_line_is_named_alone)
{
	struct diags *diags = diags_new();

	(void)diags_add(diags, "E107", (struct plan_place){"/etc/effd", 0, 0},
		"the folder has no *.yaml file");

	ck_assert_str_eq(print(diags), "/etc/effd: error[E107]: the folder has no *.yaml file\n");
	diags_free(diags);
}
END_TEST

START_TEST(a_long_line_is_shown_around_its_caret)
{
	struct diags *diags = diags_new();
	char line[2001];
	struct diag *diag = diags_add(diags, "E201", (struct plan_place){"f", 1, 1001}, "x");
	const char *caret, *shown;

	memset(line, '.', sizeof(line));
	line[1000] = 'X';
	diag->width = 5000;
	diag_show(diags, diag, line, 2000, 1000);
	shown = strstr(print(diags), "| ") + 2;
	caret = strstr(shown, "| ") + 2;

	ck_assert_int_eq(shown[strcspn(caret, "^")], 'X');
	ck_assert_uint_eq(strcspn(shown, "\n"), 160);
	ck_assert_uint_eq(strcspn(caret, "\n"), 160);
	diags_free(diags);
}
END_TEST

/* Of a line in which each unit is wrong each caret stands below what it is about, and no more is kept than is shown. */
START_TEST(many_errors_of_a_long_line_are_each_shown_in_their_place)
{
	struct plan_world world;
	struct text text = {0};

	text_add(&text, "version: 1\nunits: {");
	for (int i = 0; i < 600; i++)
		text_printf(&text, "ü%03d: {command: x}, ", i);
	text_add(&text, "}\n");
	(void)plan_world_text(&world, text.bytes);
	text_done(&text);

	ck_assert_uint_eq(diags_count(world.diags), 600);
	for (uint32_t i = 0; i < 600; i++) {
		const struct diag *diag = diags_at(world.diags, i);
		const char *at = diag->source +
			diag_bytes(diag->source, strlen(diag->source), diag->before);

		ck_assert_int_eq(strncmp(at, "ü", 2), 0);
		ck_assert_int_eq(atoi(at + 2), (int)i);
		ck_assert_uint_eq(diag->before, i < 4 ? diag->at.column - 1 : 80);
		ck_assert_uint_le(strlen(diag->source), 2 * 160);
	}
	plan_world_done(&world);
}
END_TEST

/* `n` times a character of two bytes. */
static char *name_of(size_t n)
{
	char *name = malloc(2 * n + 1);

	ck_assert_ptr_nonnull(name);
	for (size_t i = 0; i < n; i++)
		memcpy(name + 2 * i, "é", 2);
	name[2 * n] = '\0';
	return name;
}

static const char *kept_of(struct diags *diags, const char *before, size_t n, const char *after)
{
	char *name = name_of(n);
	struct diag *diag = diags_add(diags, "E201", (struct plan_place){"f", 1, 1}, "x");

	diag_help(diags, diag, "%s%s%s", before, name, after);
	free(name);
	return diag->help;
}

START_TEST(what_is_quoted_is_cut_and_what_is_said_of_it_is_not)
{
	struct diags *diags = diags_new();
	char *whole = name_of(DIAG_QUOTED), *text = name_of(DIAG_TEXT);
	char expected[8192];

	(void)snprintf(expected, sizeof(expected), "`%s` is a \"key\"", whole);
	ck_assert_str_eq(kept_of(diags, "`", DIAG_QUOTED, "` is a \"key\""), expected);
	(void)snprintf(expected, sizeof(expected), "`%s…` is a \"key\"", whole);
	ck_assert_str_eq(kept_of(diags, "`", 4000000, "` is a \"key\""), expected);
	(void)snprintf(expected, sizeof(expected), "`a` and \"%s…\"", whole);
	ck_assert_str_eq(kept_of(diags, "`a` and \"", DIAG_QUOTED + 2, "\""), expected);
	/* What has no end, or no marks, is bounded too. */
	(void)snprintf(expected, sizeof(expected), "\"%.*s…", 2 * (DIAG_TEXT - 1), text);
	ck_assert_str_eq(kept_of(diags, "\"", 4000000, ""), expected);
	(void)snprintf(expected, sizeof(expected), "%s…", text);
	ck_assert_str_eq(kept_of(diags, "", 4000000, ""), expected);
	free(text);
	free(whole);
	diags_free(diags);
}
END_TEST

START_TEST(fifty_are_shown_and_the_rest_counted)
{
	struct plan_world world;
	struct text text = {0};
	const char *all;
	int n = 0;

	text_add(&text, "version: 1\nunits:\n  a:\n    command: x\n");
	for (int i = 0; i < 5000; i++)
		text_printf(&text, "    unknown%d: 1\n", i);
	(void)plan_world_text(&world, text.bytes);
	text_done(&text);

	ck_assert_uint_eq(diags_errors(world.diags), 5000);
	ck_assert_uint_eq(diags_count(world.diags), DIAGS_KEPT);
	all = print(world.diags);
	for (const char *at = all; (at = strstr(at, "error[E201]")); at++)
		n++;
	ck_assert_int_eq(n, 50);
	ck_assert_ptr_nonnull(strstr(all, "\nand 4950 more\n"));
	plan_world_done(&world);
}
END_TEST

START_TEST(without_memory_it_is_known_that_some_are_missing)
{
	for (uint64_t n = 1; n < 8; n++) {
		struct diags *diags = diags_new();
		struct diag *diag;

		(void)alloc_fail_after(n);
		diag = diags_add(diags, "E201", (struct plan_place){"f", 1, 1}, "x");
		diag_help(diags, diag, "y");
		diag_note(diags, diag, (struct plan_place){"f", 1, 1}, "z");
		(void)alloc_fail_after(0);
		ck_assert(diags_failed(diags));
		ck_assert_uint_eq(diags_errors(diags), 1);
		diags_free(diags);
	}
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("diag");
	TCase *tcase = tcase_create("diag");

	tcase_add_test(tcase, they_come_in_file_order);
	tcase_add_test(tcase, people_see_the_line_a_caret_help_and_notes);
	tcase_add_test(tcase, controls_are_no_words_to_the_terminal);
	tcase_add_test(tcase, a_file_without_a_line_is_named_alone);
	tcase_add_test(tcase, a_long_line_is_shown_around_its_caret);
	tcase_add_test(tcase, many_errors_of_a_long_line_are_each_shown_in_their_place);
	tcase_add_test(tcase, what_is_quoted_is_cut_and_what_is_said_of_it_is_not);
	tcase_add_test(tcase, fifty_are_shown_and_the_rest_counted);
	tcase_add_test(tcase, without_memory_it_is_known_that_some_are_missing);
	suite_add_tcase(suite, tcase);
	return suite;
}
