/* SPDX-License-Identifier: MIT */
/* What lines look like in files and on effd's stdout, to the byte; the world begins at 2020-01-01 00:16:40 UTC. */
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "fake/world.h"

#define STEADY ((struct script){.lives = EFF_FOREVER})

static struct world *world_of(const char *log)
{
	char tree[512];
	struct world *w;

	(void)snprintf(tree, sizeof(tree), "web: {command: web, restart: no, log: {%s}}", log);
	w = world_new(tree);
	world_script(w, "web", STEADY);
	world_run_for(w, EFF_S(1));
	return w;
}

static void print(struct world *w, enum os_stream stream, const char *text)
{
	os_fake_print(w->fake, "web", stream, text);
	world_run_for(w, EFF_MS(100));
}

#define FILE_IS(w, expected) ck_assert_str_eq(os_fake_file((w)->fake, "/log/web"), expected)
#define STDOUT_IS(w, expected) ck_assert_str_eq(os_fake_stdout((w)->fake), expected)

START_TEST(a_file_has_the_time_before_each_line)
{
	struct world *w = world_of("stdout: {file: /log/web}, timestamps: true");

	print(w, OS_STDOUT, "one\ntwo\n\nth");
	print(w, OS_STDOUT, "ree\n");

	FILE_IS(w,
		"2020-01-01T00:16:41.000Z one\n2020-01-01T00:16:41.000Z two\n"
		"2020-01-01T00:16:41.000Z \n2020-01-01T00:16:41.100Z three\n");
	world_free(w);
}
END_TEST

START_TEST(effds_stdout_has_it_behind_the_name)
{
	struct world *w = world_of("timestamps: true");

	print(w, OS_STDOUT, "one\n");
	print(w, OS_STDERR, "two\n");

	STDOUT_IS(w, "web | 2020-01-01T00:16:41.000Z one\nweb | 2020-01-01T00:16:41.100Z two\n");
	world_free(w);
}
END_TEST

START_TEST(a_last_line_without_its_end_gets_one)
{
	struct world *w = world_of("stdout: {file: /log/web}, timestamps: true");

	print(w, OS_STDOUT, "one\ntwo");
	world_stop(w, "web");
	world_run_for(w, EFF_S(1));

	FILE_IS(w, "2020-01-01T00:16:41.000Z one\n2020-01-01T00:16:41.100Z two\n");
	world_free(w);
}
END_TEST

START_TEST(a_long_line_is_one_line_in_a_file)
{
	struct world *w = world_of("stdout: {file: /log/web}, timestamps: true, max_line: 128B");
	char prints[400], expected[400];

	(void)snprintf(prints, sizeof(prints), "%0300d\nx\n", 1);
	(void)snprintf(expected, sizeof(expected),
		"2020-01-01T00:16:41.000Z %0300d\n2020-01-01T00:16:41.000Z x\n", 1);
	print(w, OS_STDOUT, prints);

	FILE_IS(w, expected);
	world_free(w);
}
END_TEST

START_TEST(json_says_when_who_and_where)
{
	struct world *w = world_of(
		"stdout: {file: /log/web}, stderr: {file: /log/web}, format: json");

	print(w, OS_STDOUT, "one \"two\" \\ \t\xff\n");
	print(w, OS_STDERR, "oops\n");

	FILE_IS(w,
		"{\"at\":\"2020-01-01T00:16:41.000Z\",\"unit\":\"web\",\"stream\":\"stdout\","
		"\"text\":\"one \\\"two\\\" \\\\ \\\\x09\\\\xFF\"}\n"
		"{\"at\":\"2020-01-01T00:16:41.100Z\",\"unit\":\"web\",\"stream\":\"stderr\","
		"\"text\":\"oops\"}\n");
	world_free(w);
}
END_TEST

START_TEST(json_on_stdout_has_no_prefix_and_pieces_say_that_they_are)
{
	struct world *w = world_of("format: json, timestamps: true, max_line: 128B");
	char prints[400], expected[800];

	(void)snprintf(prints, sizeof(prints), "%0130d\n", 1);
	(void)snprintf(expected, sizeof(expected),
		"{\"at\":\"2020-01-01T00:16:41.000Z\",\"unit\":\"web\",\"stream\":\"stdout\","
		"\"text\":\"%0128d\",\"partial\":true}\n"
		"{\"at\":\"2020-01-01T00:16:41.000Z\",\"unit\":\"web\",\"stream\":\"stdout\","
		"\"text\":\"01\"}\n",
		0);
	print(w, OS_STDOUT, prints);

	STDOUT_IS(w, expected);
	world_free(w);
}
END_TEST

START_TEST(a_reload_changes_it_between_two_lines)
{
	struct world *w = world_of("stdout: {file: /log/web}");

	print(w, OS_STDOUT, "one\ntw");
	world_reload(w,
		"web: {command: web, restart: no, log: {stdout: {file: /log/web}, timestamps: true}}");
	world_run_for(w, EFF_MS(100));
	print(w, OS_STDOUT, "o\nthree\nfo");
	world_reload(w, "web: {command: web, restart: no, log: {stdout: {file: /log/web}}}");
	world_run_for(w, EFF_MS(100));
	print(w, OS_STDOUT, "ur\nfive\nsi");

	ck_assert_str_eq(world_changes(w), "web live");
	FILE_IS(w, "one\ntwo\n2020-01-01T00:16:41.200Z three\nfour\nfive\nsi");
	EXPECT_TRACE(w, "web", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(lines_with_the_time_are_put_aside_whole)
{
	struct world *w = world_of(
		"stdout: {file: /log/web}, timestamps: true, rotate: {size: 1KiB, keep: 9}");
	char prints[2048] = "", *at = prints;

	/* 60 bytes each with their time, so that 17 fit. */
	for (int i = 0; i < 40; i++)
		at += snprintf(at, 64, "%034d\n", i);
	print(w, OS_STDOUT, prints);

	ck_assert_uint_eq(strlen(os_fake_file(w->fake, "/log/web.2")), 1020);
	ck_assert_uint_eq(strlen(os_fake_file(w->fake, "/log/web.1")), 1020);
	ck_assert_uint_eq(strlen(os_fake_file(w->fake, "/log/web")), 360);
	world_free(w);
}
END_TEST

START_TEST(a_fiber_speaks_like_a_process)
{
	struct world *w = world_new(
		"beat: {fiber: heartbeat, with: {every: 1s, text: tick}, log: {format: json}}\n"
		"file: {fiber: heartbeat, with: {every: 1s, text: tock},\n"
		"       log: {stdout: {file: /log/web}, timestamps: true}}");

	world_run_for(w, EFF_MS(1500));

	STDOUT_IS(w,
		"{\"at\":\"2020-01-01T00:16:41.000Z\",\"unit\":\"beat\",\"stream\":\"stdout\","
		"\"text\":\"tick\"}\n");
	FILE_IS(w, "2020-01-01T00:16:41.000Z tock\n");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/line");
	TCase *tcase = tcase_create("line");

	tcase_add_test(tcase, a_file_has_the_time_before_each_line);
	tcase_add_test(tcase, effds_stdout_has_it_behind_the_name);
	tcase_add_test(tcase, a_last_line_without_its_end_gets_one);
	tcase_add_test(tcase, a_long_line_is_one_line_in_a_file);
	tcase_add_test(tcase, json_says_when_who_and_where);
	tcase_add_test(tcase, json_on_stdout_has_no_prefix_and_pieces_say_that_they_are);
	tcase_add_test(tcase, a_reload_changes_it_between_two_lines);
	tcase_add_test(tcase, lines_with_the_time_are_put_aside_whole);
	tcase_add_test(tcase, a_fiber_speaks_like_a_process);
	suite_add_tcase(suite, tcase);
	return suite;
}
