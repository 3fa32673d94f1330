/* SPDX-License-Identifier: MIT */
/* Readers of output: what they cost while nothing comes, how they gather what comes fast, and that no end waits for them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "fake/world.h"
#include "unit/ring.h"

static size_t fibers_of(const char *units)
{
	struct world *w = world_new(units);
	struct eff_rt_stats stats;

	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .prints = "hello\n"});
	world_run_for(w, EFF_S(1));
	eff_rt_stats(w->rt, &stats);
	world_free(w);
	return stats.fibers_live;
}

START_TEST(a_unit_that_is_silent_has_one_fiber)
{
	size_t with_one = fibers_of("a: {command: web}");
	size_t with_three = fibers_of("a: {command: web}\nb: {command: web}\n"
				      "c: {command: web, log: {stderr: ring}}");

	/* The other is the fake process. */
	ck_assert_uint_eq(with_three - with_one, 2 * 2);
}
END_TEST

START_TEST(a_line_after_silence_is_taken_at_once)
{
	struct world *w = world_new("web: {command: web}");

	world_run_for(w, EFF_S(1));
	os_fake_print(w->fake, "web", OS_STDOUT, "hello\n");
	world_run_for(w, 0);

	ck_assert_str_eq(os_fake_stdout(w->fake), "web | hello\n");
	world_free(w);
}
END_TEST

START_TEST(what_need_not_wait_costs_no_fiber)
{
	struct world *w = world_new("web: {command: web}");
	struct eff_rt_stats before, after;

	world_run_for(w, EFF_S(1));
	eff_rt_stats(w->rt, &before);
	os_fake_print(w->fake, "web", OS_STDOUT, "hello\n");
	eff_rt_stats(w->rt, &after);

	ck_assert_uint_eq(after.fibers_live, before.fibers_live);
	ck_assert_str_eq(os_fake_stdout(w->fake), "web | hello\n");
	/* So soon after it more may gather: that is waited for. */
	os_fake_print(w->fake, "web", OS_STDOUT, "again\n");
	eff_rt_stats(w->rt, &after);
	ck_assert_uint_eq(after.fibers_live, before.fibers_live + 1);
	world_free(w);
}
END_TEST

START_TEST(lines_that_come_fast_are_taken_together)
{
	struct world *w = world_new("web: {command: web}");
	unsigned before;
	char line[32];

	world_run_for(w, EFF_S(1));
	before = os_fake_reads(w->fake);
	for (int i = 0; i < 100; i++) {
		(void)snprintf(line, sizeof(line), "%02d\n", i);
		os_fake_print(w->fake, "web", OS_STDOUT, line);
		world_run_for(w, EFF_US(100));
	}
	world_run_for(w, EFF_MS(2));

	/* At once, and then each 2 ms. */
	ck_assert_uint_eq(os_fake_reads(w->fake) - before, 6);
	ck_assert_uint_eq(ring_count(world_unit(w, "web")->ring), 100);
	ck_assert_uint_eq(strlen(os_fake_stdout(w->fake)), 100 * strlen("web | 00\n"));
	world_free(w);
}
END_TEST

/* To wait would be to make its writer wait: a pipe holds less than comes in 2 ms. */
START_TEST(what_comes_in_floods_is_not_waited_for)
{
	struct world *w = world_new("web: {command: web, log: {stdout: ring, ring: 1MiB}}");
	static char flood[(128 << 10) + 1];
	unsigned before;

	memset(flood, 'x', sizeof(flood) - 1);
	flood[sizeof(flood) - 2] = '\n';
	world_run_for(w, EFF_S(1));
	os_fake_print(w->fake, "web", OS_STDOUT, flood);
	world_run_for(w, EFF_US(100));
	before = os_fake_reads(w->fake);
	os_fake_print(w->fake, "web", OS_STDOUT, "after it\n");
	world_run_for(w, 0);
	ck_assert_uint_eq(os_fake_reads(w->fake) - before, 1);
	/* That was no flood any more. */
	os_fake_print(w->fake, "web", OS_STDOUT, "and again\n");
	world_run_for(w, EFF_MS(1));
	ck_assert_uint_eq(os_fake_reads(w->fake) - before, 1);
	world_run_for(w, EFF_MS(1));
	ck_assert_uint_eq(os_fake_reads(w->fake) - before, 2);
	world_free(w);
}
END_TEST

/* What waits for more to gather goes before what is said on the other stream meanwhile. */
START_TEST(a_word_on_stderr_overtakes_nothing)
{
	struct world *w = world_new("web: {command: web, log: {stdout: ring, stderr: ring}}");
	struct ring_line line;
	char said[16] = "";
	uint64_t number = 0;

	world_run_for(w, EFF_S(1));
	os_fake_print(w->fake, "web", OS_STDOUT, "a\n");
	world_run_for(w, EFF_US(100));
	os_fake_print(w->fake, "web", OS_STDOUT, "b\n");
	world_run_for(w, EFF_US(100));
	os_fake_print(w->fake, "web", OS_STDERR, "c\n");
	world_run_for(w, EFF_S(1));
	/* Both in one moment: in the order in which they are heard of. */
	os_fake_print(w->fake, "web", OS_STDERR, "d\n");
	os_fake_print(w->fake, "web", OS_STDOUT, "e\n");
	world_run_for(w, EFF_S(1));

	for (; ring_next(world_unit(w, "web")->ring, number, &line); number = line.number + 1)
		(void)strncat(said, line.text, line.len);
	ck_assert_str_eq(said, "abcde");
	world_free(w);
}
END_TEST

START_TEST(an_end_does_not_wait_until_enough_has_gathered)
{
	struct world *w = world_new("web: {command: web, restart: {backoff: {jitter: 0}}}");

	WORLD_SCRIPTS(w, "web", {.lives = EFF_MS(1), .exits = 1, .prints = "one\n"},
		{.lives = EFF_FOREVER});
	world_run_for(w, EFF_US(500));
	os_fake_print(w->fake, "web", OS_STDOUT, "two\nthree");
	world_run_for(w, EFF_S(1));

	EXPECT_STATES(w, "web", "0 up, 1 backoff, 501 up");
	ck_assert_str_eq(os_fake_stdout(w->fake), "web | one\nweb | two\nweb | three\n");
	world_free(w);
}
END_TEST

enum { FLOOD_LINES = 20000, LINE = 100 };

static char *flood(void)
{
	char *text = malloc(FLOOD_LINES * LINE + 1);
	char line[LINE + 1];

	for (int i = 0; i < FLOOD_LINES; i++) {
		(void)snprintf(line, sizeof(line), "%0*d\n", LINE - 1, i);
		memcpy(text + (size_t)i * LINE, line, LINE);
	}
	text[FLOOD_LINES * LINE] = '\0';
	return text;
}

START_TEST(of_a_flood_the_file_has_all_and_the_ring_its_end)
{
	struct world *w = world_new("web: {command: web, log: {stdout: {file: /log}, ring: 4KiB}}");
	char *text = flood();
	struct ring_line line;
	uint64_t number;
	int i;

	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .prints = "begin"});
	world_run_for(w, EFF_S(1));
	os_fake_print(w->fake, "web", OS_STDOUT, text);
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(os_fake_file(w->fake, "/log") + strlen("begin"), text);
	number = ring_tail(world_unit(w, "web")->ring, 10);
	for (i = FLOOD_LINES - 10; ring_next(world_unit(w, "web")->ring, number, &line); i++) {
		ck_assert_uint_eq(line.len, LINE - 1);
		ck_assert_int_eq(strtol(line.text, NULL, 10), i);
		number = line.number + 1;
	}
	ck_assert_int_eq(i, FLOOD_LINES);
	/* What the ring would have dropped was not cut into lines at all. */
	ck_assert_uint_lt(number, FLOOD_LINES / 10);
	free(text);
	world_free(w);
}
END_TEST

START_TEST(of_a_flood_effds_stdout_has_all)
{
	struct world *w = world_new("web: {command: web, log: {ring: 4KiB}}");
	char *text = flood();

	world_run_for(w, EFF_S(1));
	os_fake_print(w->fake, "web", OS_STDOUT, text);
	world_run_for(w, EFF_S(1));

	ck_assert_uint_eq(strlen(os_fake_stdout(w->fake)), FLOOD_LINES * (LINE + strlen("web | ")));
	free(text);
	world_free(w);
}
END_TEST

START_TEST(a_line_that_a_probe_waits_for_is_seen_in_a_flood)
{
	struct world *w = world_new("web: {command: web, log: {stdout: \"null\", ring: 4KiB},"
				    "      readiness_probe: {log: {match: '00007'}, period: 1s}}");
	char *text = flood();

	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "starting");
	os_fake_print(w->fake, "web", OS_STDOUT, text);
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "web", "up");
	free(text);
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/pump");
	TCase *tcase = tcase_create("pump");

	tcase_add_test(tcase, a_unit_that_is_silent_has_one_fiber);
	tcase_add_test(tcase, a_line_after_silence_is_taken_at_once);
	tcase_add_test(tcase, what_need_not_wait_costs_no_fiber);
	tcase_add_test(tcase, lines_that_come_fast_are_taken_together);
	tcase_add_test(tcase, what_comes_in_floods_is_not_waited_for);
	tcase_add_test(tcase, a_word_on_stderr_overtakes_nothing);
	tcase_add_test(tcase, an_end_does_not_wait_until_enough_has_gathered);
	tcase_add_test(tcase, of_a_flood_the_file_has_all_and_the_ring_its_end);
	tcase_add_test(tcase, of_a_flood_effds_stdout_has_all);
	tcase_add_test(tcase, a_line_that_a_probe_waits_for_is_seen_in_a_flood);
	suite_add_tcase(suite, tcase);
	return suite;
}
