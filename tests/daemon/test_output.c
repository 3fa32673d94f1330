/* SPDX-License-Identifier: MIT */
/* Output: where what a unit writes goes, and what it costs when that takes no more. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "base/alloc.h"
#include "fake/world.h"
#include "unit/ring.h"

#define STEADY ((struct script){.lives = EFF_FOREVER})

/* The ring of a unit as text: lines by '|', a partial one with '+', stderr's with '!'. */
static const char *ring_text(struct world *w, const char *unit)
{
	static char text[4096];
	struct ring_line line;
	uint64_t number = 0;
	size_t len = 0;

	text[0] = '\0';
	while (ring_next(world_unit(w, unit)->ring, number, &line)) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s%s|",
			line.stream == OS_STDERR ? "!" : "", (int)line.len, line.text,
			line.partial ? "+" : "");
		number = line.number + 1;
	}
	return text;
}

START_TEST(what_a_unit_prints_goes_to_effds_stdout_behind_its_name_and_to_its_ring)
{
	struct world *w = world_new("web: {command: web}");

	world_script(w, "web",
		(struct script){
			.lives = EFF_FOREVER, .prints = "hello\nworld\n", .complains = "oops\n"});
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(os_fake_stdout(w->fake), "web | hello\nweb | world\nweb | oops\n");
	ck_assert_str_eq(ring_text(w, "web"), "hello|world|oops|");
	world_free(w);
}
END_TEST

START_TEST(a_line_is_put_together_from_its_pieces)
{
	struct world *w = world_new("web: {command: web}");

	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .prints = "hel"});
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(os_fake_stdout(w->fake), "");
	os_fake_print(w->fake, "web", OS_STDOUT, "lo\nand");
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(os_fake_stdout(w->fake), "web | hello\n");
	ck_assert_str_eq(ring_text(w, "web"), "hello|");
	world_free(w);
}
END_TEST

START_TEST(a_last_line_without_its_end_is_kept_and_gets_one)
{
	struct world *w = world_new("web: {command: web, restart: no}");

	world_script(w, "web", (struct script){.lives = EFF_S(1), .prints = "one\ntwo"});
	world_run_for(w, EFF_S(2));

	ck_assert_str_eq(os_fake_stdout(w->fake), "web | one\nweb | two\n");
	ck_assert_str_eq(ring_text(w, "web"), "one|two|");
	world_free(w);
}
END_TEST

START_TEST(a_file_gets_the_bytes_as_they_are)
{
	struct world *w = world_new(
		"web: {command: web, restart: no, log: {stdout: {file: /log/own.txt}}}\n"
		"def: {command: def, restart: no, log: {stdout: file}}");

	world_script(w, "web",
		(struct script){.lives = EFF_S(1), .prints = "one\ntwo", .complains = "\nerr"});
	world_script(w, "def", (struct script){.lives = EFF_S(1), .prints = "x\n"});
	world_run_for(w, EFF_S(2));

	ck_assert_str_eq(os_fake_file(w->fake, "/log/own.txt"), "one\ntwo\nerr");
	ck_assert_str_eq(os_fake_file(w->fake, "/log/def.log"), "x\n");
	ck_assert_str_eq(os_fake_stdout(w->fake), "");
	ck_assert_str_eq(ring_text(w, "web"), "one|two|err|");
	world_free(w);
}
END_TEST

START_TEST(stderr_may_go_its_own_way)
{
	struct world *w = world_new(
		"web: {command: web, log: {stdout: ring, stderr: {file: /log/err}}}\n"
		"mute: {command: web, log: {stdout: \"null\", stderr: ring}}");

	world_script(w, "web",
		(struct script){.lives = EFF_FOREVER, .prints = "out\n", .complains = "err\n"});
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(os_fake_file(w->fake, "/log/err"), "err\n");
	ck_assert_str_eq(os_fake_stdout(w->fake), "");
	ck_assert_ptr_nonnull(strstr(ring_text(w, "web"), "out|"));
	ck_assert_ptr_nonnull(strstr(ring_text(w, "web"), "!err|"));
	/* The ring has a copy always. */
	ck_assert_ptr_nonnull(strstr(ring_text(w, "mute"), "!err|"));
	ck_assert_ptr_nonnull(strstr(ring_text(w, "mute"), "out|"));
	world_free(w);
}
END_TEST

START_TEST(a_line_over_max_line_comes_in_pieces)
{
	struct world *w = world_new("web: {command: web, log: {max_line: 128B}}");

	char prints[600];
	char expected[600];

	/* A line of 260, one of 128 to the byte, a short one. */
	(void)snprintf(prints, sizeof(prints), "%0260d\n%0128d\nx\n", 1, 2);
	(void)snprintf(expected, sizeof(expected), "%0128d+|%0128d+|%04d|%0128d|x|", 0, 0, 1, 2);
	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .prints = prints});
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(ring_text(w, "web"), expected);
	world_free(w);
}
END_TEST

START_TEST(a_full_disk_costs_lines_that_are_counted_and_told_once_a_minute_and_at_its_end)
{
	const char *said = NULL;
	struct world *w = world_new("web: {command: web, log: {stdout: {file: /log/web}}}");
	unsigned told = 0;

	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .prints = "first\n"});
	world_run_for(w, EFF_S(1));
	os_fake_disk_full(w->fake, true);
	for (int i = 0; i < 90; i++) {
		os_fake_print(w->fake, "web", OS_STDOUT, "lost line\n");
		world_run_for(w, EFF_S(1));
	}
	os_fake_disk_full(w->fake, false);
	os_fake_print(w->fake, "web", OS_STDOUT, "last\n");
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(os_fake_file(w->fake, "/log/web"), "first\nlast\n");
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 900);
	for (uint64_t seq = 1; seq <= w->tree->last_seq; seq++) {
		if (strcmp(tree_event(w->tree, seq)->kind, "log_lost") != 0)
			continue;
		told++;
		said = tree_event(w->tree, seq)->text;
	}
	ck_assert_uint_eq(told, 3);
	ck_assert_str_eq(
		said, "290 more bytes lost before /log/web could be written again; 900 in all");
	EXPECT_TRACE(w, "web", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(what_a_fiber_loses_is_told_once_a_minute_too)
{
	static const char *const targets[] = {"{file: /log/f}", "journal"};
	char tree[200];
	unsigned told = 0;
	struct world *w;

	(void)snprintf(tree, sizeof(tree),
		"f: {fiber: heartbeat, with: {every: 1s, text: hi}, log: {stdout: %s}}",
		targets[_i]);
	w = world_new(tree);
	os_fake_disk_full(w->fake, true);
	os_fake_records_fail(w->fake, ENOENT);
	world_run_for(w, EFF_MS(90500));
	for (uint64_t seq = 1; seq <= w->tree->last_seq; seq++)
		told += strcmp(tree_event(w->tree, seq)->kind, "log_lost") == 0;
	ck_assert_uint_eq(told, 2);
	ck_assert_uint_ge(world_unit(w, "f")->log_lost_bytes, 90 * strlen("hi"));
	world_free(w);
}
END_TEST

START_TEST(a_stdout_that_takes_no_more_loses_nothing_once_it_does_again)
{
	struct world *w = world_new("web: {command: web}\nother: {command: other}");

	world_run_for(w, EFF_S(1));
	os_fake_stdout_full(w->fake, true);
	os_fake_print(w->fake, "web", OS_STDOUT, "one\n");
	world_run_for(w, EFF_S(1));
	os_fake_print(w->fake, "web", OS_STDOUT, "two\n");
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(os_fake_stdout(w->fake), "");
	os_fake_stdout_full(w->fake, false);
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(os_fake_stdout(w->fake), "web | one\nweb | two\n");
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 0);
	world_free(w);
}
END_TEST

START_TEST(a_stdout_that_never_takes_more_holds_up_no_end)
{
	struct world *w = world_new("web: {command: web, restart: no}");

	os_fake_stdout_full(w->fake, true);
	world_script(w, "web", (struct script){.lives = EFF_S(1), .prints = "one\ntwo\n"});
	world_run_for(w, EFF_MS(2000));

	/* Gone is: no process left and the output drained, for 1 s at most. */
	EXPECT_STATE(w, "web", "done");
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes > 0, 1);
	ck_assert_str_eq(ring_text(w, "web"), "one|two|");
	world_free(w);
}
END_TEST

START_TEST(the_ring_survives_restarts_and_numbers_run_through_the_tree)
{
	struct world *w = world_new(
		"a: {command: a, restart: {backoff: {jitter: 0}}}\nb: {command: b}");
	struct ring_line line;
	uint64_t last;

	WORLD_SCRIPTS(w, "a", {.lives = EFF_S(1), .exits = 1, .prints = "first\n"},
		{.lives = EFF_FOREVER, .prints = "second\n"});
	world_run_for(w, EFF_S(5));
	last = ring_tail(world_unit(w, "a")->ring, 1);
	os_fake_print(w->fake, "b", OS_STDOUT, "third\n");
	world_run_for(w, 0);

	ck_assert_str_eq(ring_text(w, "a"), "first|second|");
	ck_assert(ring_next(world_unit(w, "b")->ring, 0, &line));
	ck_assert_uint_gt(line.number, last);
	world_free(w);
}
END_TEST

START_TEST(a_ring_has_the_size_that_the_unit_gives_it)
{
	struct world *w = world_new("web: {command: web, log: {ring: 1KiB, stdout: ring}}");

	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(ring_count(world_unit(w, "web")->ring), 0);
	for (int i = 0; i < 1000; i++)
		os_fake_print(w->fake, "web", OS_STDOUT, "0123456789\n");
	world_run_for(w, EFF_S(1));

	ck_assert_uint_gt(ring_count(world_unit(w, "web")->ring), 4);
	ck_assert_uint_lt(ring_count(world_unit(w, "web")->ring), 100);
	world_free(w);
}
END_TEST

/* As much of its end as the ring has room for; and that it is no whole line is to be seen. */
START_TEST(of_a_line_longer_than_the_ring_the_last_parts_are_kept)
{
	struct world *w = world_new("web: {command: web, log: {ring: 1KiB}}");
	char prints[2200], expected[1500];

	(void)snprintf(prints, sizeof(prints), "%0992d\nshort\n%01100d\n", 1, 2);
	(void)snprintf(expected, sizeof(expected), "%0232d+|%0232d+|%0172d|", 0, 0, 2);
	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .prints = prints});
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(ring_text(w, "web"), expected);
	world_free(w);
}
END_TEST

START_TEST(what_is_left_behind_and_still_prints_holds_no_end_for_longer_than_a_second)
{
	struct world *w = world_new("web: {command: web, restart: no, stop: {mode: process}}");

	world_script(w, "web",
		(struct script){.lives = EFF_S(1), .prints = "x\n", .leaves = EFF_H(1)});
	world_run_for(w, EFF_MS(1999));
	world_run_for(w, EFF_MS(1));

	EXPECT_STATE(w, "web", "done");
	ck_assert_ptr_nonnull(world_said(w, "web", "left_behind"));
	world_free(w);
}
END_TEST

/* What was kept of the line when more of it could be kept is a piece of its own. */
START_TEST(a_line_that_is_longer_than_a_new_max_line_comes_in_pieces)
{
	struct world *w = world_new("web: {command: web, log: {max_line: 256B}}");
	char line[201], expected[300];

	memset(line, 'x', 200);
	line[200] = '\0';
	world_script(w, "web", STEADY);
	world_run_for(w, EFF_S(1));
	os_fake_print(w->fake, "web", OS_STDOUT, line);
	world_run_for(w, EFF_S(1));
	world_reload(w, "web: {command: web, log: {max_line: 128B}}");
	os_fake_print(w->fake, "web", OS_STDOUT, "rest\nnext\n");
	world_run_for(w, EFF_S(1));

	(void)snprintf(expected, sizeof(expected), "%s+|rest|next|", line);
	ck_assert_str_eq(ring_text(w, "web"), expected);
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 0);
	world_free(w);
}
END_TEST

static size_t count_of(const char *text, const char *among)
{
	size_t n = 0;

	for (text = strpbrk(text ? text : "", among); text; text = strpbrk(text + 1, among))
		n++;
	return n;
}

/* Of the unit's output, with the n-th allocation on its way failing. Returns how many are still to come before that. */
static uint64_t print_failing(struct world *w, const char *text, uint64_t n)
{
	(void)alloc_fail_after(n);
	os_fake_print(w->fake, "web", OS_STDOUT, text);
	world_run_for(w, EFF_S(1));
	return alloc_fail_after(0);
}

/* Whichever allocation it is: what is not there has been counted, and what comes after it is there. */
START_TEST(what_there_is_no_memory_for_is_counted_as_lost)
{
	static const char *const targets[] = {
		"stdout: inherit", "stdout: {file: /log/web}, format: json", "stdout: syslog"};
	static char much[1500];
	char tree[200];
	uint64_t n_lost = 0, left = 0;

	(void)snprintf(tree, sizeof(tree), "web: {command: web, log: {%s}}", targets[_i]);
	/* So that what is there for the test to see needs no memory any more. */
	memset(much, 'z', sizeof(much) - 2);
	much[sizeof(much) - 2] = '\n';
	for (uint64_t n = 1; left == 0; n++) {
		struct world *w = world_new(tree);
		uint64_t lost;
		size_t there;

		world_run_for(w, EFF_S(1));
		(void)print_failing(w, much, 0);
		left = print_failing(w, "QQQ\nXX", n);
		left = print_failing(w, "X\nQQQQQ\n", left);
		(void)print_failing(w, "JJ", 0);
		(void)print_failing(w, "J\n", 0);

		lost = world_unit(w, "web")->log_lost_bytes;
		there = count_of(os_fake_stdout(w->fake), "QXJ") +
			count_of(os_fake_file(w->fake, "/log/web"), "QXJ") +
			count_of(os_fake_records(w->fake), "QXJ");
		/* What was lost may have had its head already. */
		ck_assert_msg(there + lost >= 14, "%d, %d: %zu there, %d lost", _i, (int)n,
			there, (int)lost);
		n_lost += lost;
		world_free(w);
	}
	ck_assert_uint_gt(n_lost, 0);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/output");
	TCase *tcase = tcase_create("output");

	tcase_add_test(
		tcase, what_a_unit_prints_goes_to_effds_stdout_behind_its_name_and_to_its_ring);
	tcase_add_test(tcase, a_line_is_put_together_from_its_pieces);
	tcase_add_test(tcase, a_last_line_without_its_end_is_kept_and_gets_one);
	tcase_add_test(tcase, a_file_gets_the_bytes_as_they_are);
	tcase_add_test(tcase, stderr_may_go_its_own_way);
	tcase_add_test(tcase, a_line_over_max_line_comes_in_pieces);
	tcase_add_test(tcase, a_line_that_is_longer_than_a_new_max_line_comes_in_pieces);
	tcase_add_test(tcase,
		a_full_disk_costs_lines_that_are_counted_and_told_once_a_minute_and_at_its_end);
	tcase_add_loop_test(tcase, what_a_fiber_loses_is_told_once_a_minute_too, 0, 2);
	tcase_add_test(tcase, a_stdout_that_takes_no_more_loses_nothing_once_it_does_again);
	tcase_add_test(tcase, a_stdout_that_never_takes_more_holds_up_no_end);
	tcase_add_test(tcase, the_ring_survives_restarts_and_numbers_run_through_the_tree);
	tcase_add_test(tcase, a_ring_has_the_size_that_the_unit_gives_it);
	tcase_add_test(tcase, of_a_line_longer_than_the_ring_the_last_parts_are_kept);
	tcase_add_test(tcase,
		what_is_left_behind_and_still_prints_holds_no_end_for_longer_than_a_second);
	tcase_add_loop_test(tcase, what_there_is_no_memory_for_is_counted_as_lost, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}
