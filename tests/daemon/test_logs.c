/* SPDX-License-Identifier: MIT */
/* A disk that does not answer: who is held up by it, what is lost, and what is in the files when it answers again. */
#include <errno.h>

#include "daemon/log_world.h"
#include "unit/ring.h"

enum { LINE = 100 };

/* `n` lines of 100 bytes that are numbered from `first`. */
static void print_numbered(struct world *w, int first, int n)
{
	char line[LINE + 1];
	char *all = calloc((size_t)n * LINE + 1, 1);

	for (int i = 0; i < n; i++) {
		(void)snprintf(line, sizeof(line), "%099d\n", first + i);
		memcpy(all + (size_t)i * LINE, line, LINE);
	}
	log_print(w, all);
	free(all);
}

/* How many numbered lines are in it; -1: one is not the next after the one before. */
static int lines_in_a_row(struct world *w, const char *path, int first)
{
	const char *at = log_file(w, path);
	int n = 0;

	for (; strlen(at) >= LINE; at += LINE, n++)
		if (atoi(at) != first + n)
			return -1;
	return *at ? -1 : n;
}

START_TEST(a_disk_that_does_not_answer_holds_up_nobody_else)
{
	struct world *w = log_world("rotate: {size: 0}}}\nother: {command: other, log: {ring: 1KiB");

	os_fake_disk_hangs(w->fake, true);
	log_print(w, "one\n");
	world_run_for(w, EFF_M(10));
	world_restart(w, "other");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "other", "up");
	ck_assert_uint_eq(world_spawns(w, "other"), 2);
	ck_assert_uint_eq(ring_count(world_unit(w, "web")->ring), 1);
	ck_assert_str_eq(log_file(w, "/log/web"), "(none)");

	log_print(w, "two\n");
	os_fake_disk_hangs(w->fake, false);
	world_run_for(w, 0);
	ck_assert_str_eq(log_file(w, "/log/web"), "one\ntwo\n");
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 0);
	world_free(w);
}
END_TEST

START_TEST(its_unit_waits_when_enough_does_and_loses_nothing)
{
	struct world *w = log_world("rotate: {size: 0}");
	unsigned reads;

	os_fake_disk_hangs(w->fake, true);
	print_numbered(w, 0, 3000);
	print_numbered(w, 3000, 3000);
	reads = os_fake_reads(w->fake);
	print_numbered(w, 6000, 3000);
	world_run_for(w, EFF_M(1));
	/* What it has written since is in its pipe. */
	ck_assert_uint_eq(os_fake_reads(w->fake), reads);

	os_fake_disk_hangs(w->fake, false);
	world_run_for(w, EFF_MS(10));
	ck_assert_int_eq(lines_in_a_row(w, "/log/web", 0), 9000);
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 0);
	world_free(w);
}
END_TEST

START_TEST(one_that_may_lose_lines_does_not_wait)
{
	struct world *w = log_world("rotate: {size: 0}, on_block: drop-new");
	unsigned reads;

	os_fake_disk_hangs(w->fake, true);
	for (int i = 0; i < 8; i++)
		print_numbered(w, i * 2000, 2000);
	reads = os_fake_reads(w->fake);
	print_numbered(w, 16000, 10);
	ck_assert_uint_gt(os_fake_reads(w->fake), reads);
	ck_assert_ptr_nonnull(world_said(w, "web", "log_lost"));

	os_fake_disk_hangs(w->fake, false);
	world_run_for(w, EFF_MS(20));
	/* What the disk was given, more than waits at most, and then the oldest 256 KiB of the rest. */
	ck_assert_int_eq(lines_in_a_row(w, "/log/web", 0), 2000 + 4000 + 2621);
	ck_assert_uint_eq(
		strlen(log_file(w, "/log/web")) + world_unit(w, "web")->log_lost_bytes, 1601000);
	world_free(w);
}
END_TEST

START_TEST(one_that_ends_meanwhile_waits_a_second_and_is_written_later)
{
	struct world *w = log_world("rotate: {size: 0}");

	os_fake_disk_hangs(w->fake, true);
	log_print(w, "one\n");
	world_mark(w);
	world_stop(w, "web");
	world_run_for(w, EFF_S(2));
	EXPECT_STATES(w, "web", "0 stopping, 1000 down");
	world_start(w, "web");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "up");
	log_print(w, "two\n");

	os_fake_disk_hangs(w->fake, false);
	world_run_for(w, EFF_MS(10));
	ck_assert_str_eq(log_file(w, "/log/web"), "one\ntwo\n");
	ck_assert_uint_eq(os_fake_open_files(w->fake), 1);
	world_stop(w, "web");
	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(os_fake_open_files(w->fake), 0);
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 0);
	world_free(w);
}
END_TEST

START_TEST(a_unit_is_down_when_its_log_is_whole)
{
	struct world *w = log_world("rotate: {size: 0}");

	os_fake_disk_hangs(w->fake, true);
	log_print(w, "one\n");
	world_mark(w);
	world_stop(w, "web");
	world_run_for(w, EFF_MS(300));
	EXPECT_STATE(w, "web", "stopping");
	os_fake_disk_hangs(w->fake, false);
	world_run_for(w, EFF_S(1));
	EXPECT_STATES(w, "web", "0 stopping, 300 down");
	ck_assert_str_eq(log_file(w, "/log/web"), "one\n");
	world_free(w);
}
END_TEST

START_TEST(what_one_that_is_gone_has_lost_is_told_by_its_group)
{
	struct world *w = world_new(
		"g: {units: {web: {command: web, log: {stdout: {file: /log/web}}}}}");

	world_run_for(w, EFF_S(1));
	os_fake_disk_hangs(w->fake, true);
	os_fake_print(w->fake, "g/web", OS_STDOUT, "one\n");
	world_run_for(w, EFF_MS(10));
	world_reload(w, "g: {units: {other: {command: other}}}");
	world_run_for(w, EFF_S(5));
	os_fake_disk_full(w->fake, true);
	os_fake_disk_hangs(w->fake, false);
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(world_said(w, "g", "log_lost"),
		"4 bytes lost: cannot write /log/web: No space left on device");
	world_free(w);
}
END_TEST

START_TEST(the_end_of_all_waits_a_second_and_says_what_is_lost)
{
	struct world *w = log_world("rotate: {size: 0}");

	os_fake_disk_hangs(w->fake, true);
	log_print(w, "one\n");
	log_print(w, "two\n");
	world_shutdown(w, false);
	/* One for the unit, one for all. */
	ck_assert(world_run_to_end(w, EFF_S(3)));
	ck_assert_str_eq(world_said(w, "web", "log_lost"),
		"4 bytes lost: cannot write /log/web: the disk does not answer");
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 8);
	world_free(w);
}
END_TEST

START_TEST(all_that_has_come_is_written_in_one_go)
{
	struct world *w = world_new(
		"a: {command: a, log: {stdout: {file: /log/a}, stderr: {file: /log/b}}}\n"
		"b: {command: b, log: {stdout: {file: /log/b}}}\n");
	unsigned before;

	world_run_for(w, EFF_S(1));
	before = os_fake_visits(w->fake);
	os_fake_print(w->fake, "a", OS_STDOUT, "one\n");
	os_fake_print(w->fake, "b", OS_STDOUT, "two\n");
	os_fake_print(w->fake, "a", OS_STDERR, "three\n");
	world_run_for(w, EFF_MS(10));
	ck_assert_uint_eq(os_fake_visits(w->fake) - before, 1);
	ck_assert_str_eq(log_file(w, "/log/a"), "one\n");
	ck_assert_uint_eq(strlen(log_file(w, "/log/b")), strlen("two\nthree\n"));
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/logs");
	TCase *tcase = tcase_create("logs");

	tcase_add_test(tcase, a_disk_that_does_not_answer_holds_up_nobody_else);
	tcase_add_test(tcase, its_unit_waits_when_enough_does_and_loses_nothing);
	tcase_add_test(tcase, one_that_may_lose_lines_does_not_wait);
	tcase_add_test(tcase, one_that_ends_meanwhile_waits_a_second_and_is_written_later);
	tcase_add_test(tcase, a_unit_is_down_when_its_log_is_whole);
	tcase_add_test(tcase, what_one_that_is_gone_has_lost_is_told_by_its_group);
	tcase_add_test(tcase, the_end_of_all_waits_a_second_and_says_what_is_lost);
	tcase_add_test(tcase, all_that_has_come_is_written_in_one_go);
	suite_add_tcase(suite, tcase);
	return suite;
}
