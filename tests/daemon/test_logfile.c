/* SPDX-License-Identifier: MIT */
/* Log files put aside: when, what is in each of them to the byte, and what happens when it cannot be done. */
#include <errno.h>

#include "daemon/log_world.h"

START_TEST(a_file_is_put_aside_before_it_becomes_too_large)
{
	struct world *w = log_world("rotate: {size: 1KiB, keep: 3}");

	for (int c = 'a'; c <= 'i'; c++)
		log_line(w, c, 512);

	ck_assert_str_eq(log_shape(w, "/log/web"), "i512");
	ck_assert_str_eq(log_shape(w, "/log/web.1"), "g512 h512");
	ck_assert_str_eq(log_shape(w, "/log/web.2"), "e512 f512");
	ck_assert_str_eq(log_shape(w, "/log/web.3"), "c512 d512");
	ck_assert_str_eq(log_shape(w, "/log/web.4"), "(none)");
	world_free(w);
}
END_TEST

START_TEST(what_comes_at_once_is_parted_between_lines)
{
	struct world *w = log_world("rotate: {size: 1KiB, keep: 9}");
	char all[3001] = "", *at = all;

	for (int c = 'a'; c <= 'j'; c++) {
		memset(at, c, 299);
		at[299] = '\n';
		at += 300;
	}
	log_print(w, all);

	ck_assert_str_eq(log_shape(w, "/log/web"), "j300");
	ck_assert_str_eq(log_shape(w, "/log/web.1"), "g300 h300 i300");
	ck_assert_str_eq(log_shape(w, "/log/web.2"), "d300 e300 f300");
	ck_assert_str_eq(log_shape(w, "/log/web.3"), "a300 b300 c300");
	ck_assert_str_eq(log_shape(w, "/log/web.4"), "(none)");
	world_free(w);
}
END_TEST

START_TEST(a_line_that_was_begun_is_ended_where_it_began)
{
	struct world *w = log_world("rotate: {size: 1KiB, keep: 2}");

	log_line(w, 'a', 1000);
	log_print(w, "bbbb");
	log_line(w, 'b', 100);
	log_line(w, 'c', 100);

	ck_assert_str_eq(log_shape(w, "/log/web.1"), "a1000 b104");
	ck_assert_str_eq(log_shape(w, "/log/web"), "c100");
	world_free(w);
}
END_TEST

START_TEST(a_line_larger_than_a_file_may_be_is_whole)
{
	struct world *w = log_world("rotate: {size: 1KiB, keep: 2}");

	log_line(w, 'a', 10);
	log_line(w, 'b', 5000);
	log_line(w, 'c', 10);

	ck_assert_str_eq(log_shape(w, "/log/web.2"), "a10");
	ck_assert_str_eq(log_shape(w, "/log/web.1"), "b5000");
	ck_assert_str_eq(log_shape(w, "/log/web"), "c10");
	world_free(w);
}
END_TEST

START_TEST(a_line_without_end_is_cut_at_max_line)
{
	struct world *w = log_world("rotate: {size: 1KiB, keep: 9}, max_line: 3KiB");
	char part[1001] = "";

	memset(part, 'a', 1000);
	for (int i = 0; i < 8; i++)
		log_print(w, part);

	ck_assert_str_eq(log_shape(w, "/log/web.2"), "a3072…");
	ck_assert_str_eq(log_shape(w, "/log/web.1"), "a3072…");
	ck_assert_str_eq(log_shape(w, "/log/web"), "a1856…");
	world_free(w);
}
END_TEST

START_TEST(of_a_line_that_is_cut_a_file_takes_what_it_may)
{
	struct world *w = log_world("rotate: {size: 1KiB, keep: 9}, max_line: 200B");

	log_line(w, 'a', 3000);
	log_line(w, 'b', 100);

	ck_assert_str_eq(log_shape(w, "/log/web.3"), "a1000…");
	ck_assert_str_eq(log_shape(w, "/log/web.2"), "a1000…");
	ck_assert_str_eq(log_shape(w, "/log/web.1"), "a1000");
	ck_assert_str_eq(log_shape(w, "/log/web"), "b100");
	world_free(w);
}
END_TEST

START_TEST(with_size_0_and_no_period_nothing_is_put_aside)
{
	struct world *w = log_world("rotate: {size: 0}");

	for (int i = 0; i < 6; i++)
		log_line(w, 'a', 60000);

	ck_assert_uint_eq(strlen(log_file(w, "/log/web")), 360000);
	ck_assert_str_eq(log_file(w, "/log/web.1"), "(none)");
	world_free(w);
}
END_TEST

START_TEST(keep_0_removes_what_is_put_aside)
{
	struct world *w = log_world("rotate: {size: 1KiB, keep: 0}");

	log_line(w, 'a', 1000);
	log_line(w, 'b', 1000);

	ck_assert_str_eq(log_shape(w, "/log/web"), "b1000");
	ck_assert_str_eq(log_file(w, "/log/web.1"), "(none)");
	world_free(w);
}
END_TEST

/* Until so long after 2020-01-01 00:00 UTC, a Wednesday; the world begins at 00:16:40. */
static void run_until(struct world *w, eff_ns calendar)
{
	world_run_for(w, calendar - EFF_S(1000) - world_now(w));
}

START_TEST(a_new_period_begins_a_new_file)
{
	struct world *w = log_world("rotate: {every: 1h}");

	log_print(w, "one\n");
	run_until(w, EFF_M(60) - EFF_MS(11));
	log_print(w, "two\n");
	run_until(w, EFF_M(60));
	log_print(w, "three\n");
	run_until(w, EFF_H(6));
	log_print(w, "four\n");

	ck_assert_str_eq(log_file(w, "/log/web.2"), "one\ntwo\n");
	ck_assert_str_eq(log_file(w, "/log/web.1"), "three\n");
	ck_assert_str_eq(log_file(w, "/log/web"), "four\n");
	/* Hours without a line make no file. */
	ck_assert_str_eq(log_file(w, "/log/web.3"), "(none)");
	world_free(w);
}
END_TEST

START_TEST(what_is_written_at_the_turn_of_a_period_begins_one_file)
{
	struct world *w = log_world("rotate: {every: 1h}");

	os_fake_files_late(w->fake, EFF_MS(4));
	log_print(w, "one\n");
	run_until(w, EFF_M(60) + EFF_MS(1));
	for (int i = 0; i < 3; i++) {
		os_fake_print(w->fake, "web", OS_STDOUT, "two\n");
		world_run_for(w, EFF_MS(3));
	}
	log_print(w, "three\n");

	ck_assert_str_eq(log_file(w, "/log/web.2"), "(none)");
	ck_assert_str_eq(log_file(w, "/log/web.1"), "one\n");
	ck_assert_str_eq(log_file(w, "/log/web"), "two\ntwo\ntwo\nthree\n");
	world_free(w);
}
END_TEST

START_TEST(what_takes_until_the_turn_of_a_period_to_be_written_begins_none)
{
	struct world *w = log_world("rotate: {every: 1h}");

	os_fake_files_late(w->fake, -EFF_MS(100));
	run_until(w, EFF_M(60) - EFF_MS(20));
	log_print(w, "one\n");
	run_until(w, EFF_M(60) + EFF_S(1));
	log_print(w, "two\n");

	ck_assert_str_eq(log_file(w, "/log/web.1"), "one\n");
	ck_assert_str_eq(log_file(w, "/log/web"), "two\n");
	world_free(w);
}
END_TEST

START_TEST(a_line_that_began_in_the_old_period_ends_in_the_old_file)
{
	struct world *w = log_world("rotate: {every: 1h}");

	log_print(w, "one\ntw");
	run_until(w, EFF_M(60));
	log_print(w, "o\nthree\n");
	log_print(w, "four\n");

	ck_assert_str_eq(log_file(w, "/log/web.1"), "one\ntwo\n");
	ck_assert_str_eq(log_file(w, "/log/web"), "three\nfour\n");
	world_free(w);
}
END_TEST

START_TEST(weeks_begin_on_mondays)
{
	struct world *w = log_world("rotate: {every: 1w}");

	log_print(w, "wednesday\n");
	run_until(w, EFF_H(5 * 24) - EFF_S(1));
	log_print(w, "sunday\n");
	run_until(w, EFF_H(5 * 24));
	log_print(w, "monday\n");

	ck_assert_str_eq(log_file(w, "/log/web.1"), "wednesday\nsunday\n");
	ck_assert_str_eq(log_file(w, "/log/web"), "monday\n");
	world_free(w);
}
END_TEST

START_TEST(a_file_that_cannot_be_put_aside_is_written_on_and_it_is_said_once_a_minute)
{
	struct world *w = log_world("rotate: {size: 1KiB, keep: 2}");
	unsigned told = 0;

	os_fake_renames_fail(w->fake, EACCES);
	for (int i = 0; i < 90; i++) {
		log_line(w, 'a', 100);
		world_run_for(w, EFF_MS(990));
	}
	for (uint64_t seq = 1; seq <= w->tree->last_seq; seq++)
		told += !strcmp(tree_event(w->tree, seq)->kind, "log_not_rotated");

	ck_assert_uint_eq(told, 2);
	ck_assert_str_eq(world_said(w, "web", "log_not_rotated"),
		"cannot put /log/web aside: Permission denied");
	ck_assert_uint_eq(strlen(log_file(w, "/log/web")), 9000);
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 0);

	os_fake_renames_fail(w->fake, 0);
	world_run_for(w, EFF_M(1));
	log_line(w, 'b', 100);
	ck_assert_uint_eq(strlen(log_file(w, "/log/web.1")), 9000);
	ck_assert_str_eq(log_shape(w, "/log/web"), "b100");
	world_free(w);
}
END_TEST

START_TEST(a_disk_that_fills_up_amid_loses_what_did_not_fit_alone)
{
	struct world *w = log_world("rotate: {size: 1KiB, keep: 2}");

	log_line(w, 'a', 1000);
	os_fake_disk_full(w->fake, true);
	log_line(w, 'b', 1000);
	os_fake_disk_full(w->fake, false);
	log_line(w, 'c', 1000);

	ck_assert_str_eq(log_shape(w, "/log/web.1"), "a1000");
	ck_assert_str_eq(log_shape(w, "/log/web"), "c1000");
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 1000);
	world_free(w);
}
END_TEST

/* Half of a line would be gone on with by the next one. */
START_TEST(a_line_that_the_disk_does_not_let_end_is_lost_as_a_whole)
{
	struct world *w = log_world("rotate: {size: 1MiB}");

	log_print(w, "one\nhal");
	os_fake_disk_full(w->fake, true);
	log_print(w, "f of");
	ck_assert_str_eq(log_file(w, "/log/web"), "one\n");
	os_fake_disk_full(w->fake, false);
	log_print(w, " two");
	log_print(w, "\nthree\nfo");
	log_print(w, "ur\n");

	ck_assert_str_eq(log_file(w, "/log/web"), "one\nthree\nfour\n");
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, strlen("half of two\n"));
	world_free(w);
}
END_TEST

/* One without an end is cut somewhere, and what comes then is written. */
START_TEST(of_a_line_without_an_end_no_more_than_max_line_is_lost)
{
	struct world *w = log_world("max_line: 1KiB");

	os_fake_disk_full(w->fake, true);
	log_print(w, "begun");
	os_fake_disk_full(w->fake, false);
	for (int i = 0; i < 1024; i++)
		log_print(w, "x");
	log_print(w, "and so on");

	ck_assert_str_eq(log_file(w, "/log/web"), "and so on");
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 5 + 1024);
	world_free(w);
}
END_TEST

/* What somebody else has written behind it is theirs. */
START_TEST(a_half_of_a_line_stays_where_others_have_written_since)
{
	struct world *w = log_world("rotate: {size: 1MiB}");

	log_print(w, "half");
	os_fake_append(w->fake, "/log/web", "theirs\n");
	os_fake_disk_full(w->fake, true);
	log_print(w, " of\n");
	os_fake_disk_full(w->fake, false);
	log_print(w, "next\n");

	ck_assert_str_eq(log_file(w, "/log/web"), "halftheirs\nnext\n");
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 4);
	world_free(w);
}
END_TEST

START_TEST(two_streams_of_one_path_share_one_file)
{
	struct world *w = log_world("stderr: {file: /log/web}, rotate: {size: 1KiB, keep: 9}");

	for (int c = 'a'; c <= 'f'; c++) {
		log_line(w, c, 400);
		os_fake_print(w->fake, "web", OS_STDERR, "stderr\n");
		world_run_for(w, EFF_MS(10));
	}
	ck_assert_uint_eq(os_fake_open_files(w->fake), 1);
	ck_assert_str_eq(log_shape(w, "/log/web.2"), "a400 s7 b400 s7");
	ck_assert_str_eq(log_shape(w, "/log/web.1"), "c400 s7 d400 s7");
	ck_assert_str_eq(log_shape(w, "/log/web"), "e400 s7 f400 s7");
	world_free(w);
}
END_TEST

START_TEST(a_path_that_is_spelt_in_two_ways_is_one_file)
{
	struct world *w = log_world("stderr: {file: //log/.//web}, rotate: {size: 1KiB, keep: 9}");

	for (int c = 'a'; c <= 'd'; c++) {
		log_line(w, c, 400);
		os_fake_print(w->fake, "web", OS_STDERR, "stderr\n");
		world_run_for(w, EFF_MS(10));
	}
	ck_assert_uint_eq(os_fake_open_files(w->fake), 1);
	ck_assert_str_eq(log_shape(w, "/log/web.1"), "a400 s7 b400 s7");
	ck_assert_str_eq(log_shape(w, "/log/web"), "c400 s7 d400 s7");
	world_free(w);
}
END_TEST

START_TEST(a_reload_changes_it_without_a_restart)
{
	struct world *w = log_world("rotate: {size: 1KiB, keep: 9}");

	log_line(w, 'a', 1000);
	world_reload(w,
		"web: {command: web, log: {stdout: {file: /log/web}, rotate: {size: 10KiB, keep: 9}}}");
	world_run_for(w, EFF_S(1));
	log_line(w, 'b', 1000);

	ck_assert_str_eq(world_changes(w), "web live");
	ck_assert_str_eq(log_shape(w, "/log/web"), "a1000 b1000");
	EXPECT_TRACE(w, "web", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_restart_goes_on_with_the_file_that_is_there)
{
	struct world *w = log_world("rotate: {size: 1KiB, keep: 9}");

	log_line(w, 'a', 1000);
	world_restart(w, "web");
	world_run_for(w, EFF_S(1));
	log_line(w, 'b', 1000);

	ck_assert_str_eq(log_shape(w, "/log/web.1"), "a1000");
	ck_assert_str_eq(log_shape(w, "/log/web"), "b1000");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/logfile");
	TCase *tcase = tcase_create("logfile");

	tcase_add_test(tcase, a_file_is_put_aside_before_it_becomes_too_large);
	tcase_add_test(tcase, what_comes_at_once_is_parted_between_lines);
	tcase_add_test(tcase, a_line_that_was_begun_is_ended_where_it_began);
	tcase_add_test(tcase, a_line_larger_than_a_file_may_be_is_whole);
	tcase_add_test(tcase, a_line_without_end_is_cut_at_max_line);
	tcase_add_test(tcase, of_a_line_that_is_cut_a_file_takes_what_it_may);
	tcase_add_test(tcase, with_size_0_and_no_period_nothing_is_put_aside);
	tcase_add_test(tcase, keep_0_removes_what_is_put_aside);
	tcase_add_test(tcase, a_new_period_begins_a_new_file);
	tcase_add_test(tcase, what_is_written_at_the_turn_of_a_period_begins_one_file);
	tcase_add_test(tcase, what_takes_until_the_turn_of_a_period_to_be_written_begins_none);
	tcase_add_test(tcase, a_line_that_began_in_the_old_period_ends_in_the_old_file);
	tcase_add_test(tcase, weeks_begin_on_mondays);
	tcase_add_test(tcase,
		a_file_that_cannot_be_put_aside_is_written_on_and_it_is_said_once_a_minute);
	tcase_add_test(tcase, a_disk_that_fills_up_amid_loses_what_did_not_fit_alone);
	tcase_add_test(tcase, a_line_that_the_disk_does_not_let_end_is_lost_as_a_whole);
	tcase_add_test(tcase, of_a_line_without_an_end_no_more_than_max_line_is_lost);
	tcase_add_test(tcase, a_half_of_a_line_stays_where_others_have_written_since);
	tcase_add_test(tcase, two_streams_of_one_path_share_one_file);
	tcase_add_test(tcase, a_path_that_is_spelt_in_two_ways_is_one_file);
	tcase_add_test(tcase, a_reload_changes_it_without_a_restart);
	tcase_add_test(tcase, a_restart_goes_on_with_the_file_that_is_there);
	suite_add_tcase(suite, tcase);
	return suite;
}
