/* SPDX-License-Identifier: MIT */
/* Files put aside and compressed: one at a time, wherever their names move meanwhile, and never in anybody's way. */
#include <errno.h>

#include "daemon/log_world.h"

START_TEST(files_put_aside_are_compressed_one_after_the_other)
{
	struct world *w = log_world("rotate: {size: 1KiB, keep: 3, compress: gzip}");

	os_fake_gzip(w->fake, EFF_S(1), 0);
	for (int c = 'a'; c <= 'c'; c++)
		log_line(w, c, 1000);
	/* The first one is at work on what is PATH.2 by now. */
	ck_assert_str_eq(log_shape(w, "/log/web.2"), "a1000");
	world_run_for(w, EFF_MS(990));
	ck_assert_str_eq(log_shape(w, "/log/web.2"), "(none)");
	ck_assert_str_eq(log_shape(w, "/log/web.2.gz"), "g1003");
	ck_assert_str_eq(log_shape(w, "/log/web.1"), "b1000");
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(log_shape(w, "/log/web.1.gz"), "g1003");
	ck_assert_str_eq(log_shape(w, "/log/web.1"), "(none)");
	ck_assert_str_eq(log_shape(w, "/log/web"), "c1000");

	for (int c = 'd'; c <= 'f'; c++) {
		log_line(w, c, 1000);
		world_run_for(w, EFF_S(5));
	}
	ck_assert_str_eq(log_shape(w, "/log/web.3.gz"), "g1003");
	ck_assert_ptr_nonnull(strstr(log_file(w, "/log/web.3.gz"), "gz:ccc"));
	ck_assert_str_eq(log_shape(w, "/log/web.4.gz"), "(none)");
	ck_assert_uint_eq(os_fake_gzips(w->fake), 5);
	world_free(w);
}
END_TEST

START_TEST(one_that_is_too_old_when_its_archive_is_done_is_gone)
{
	struct world *w = log_world("rotate: {size: 1KiB, keep: 1, compress: gzip}");

	os_fake_gzip(w->fake, EFF_S(10), 0);
	log_line(w, 'a', 1000);
	log_line(w, 'b', 1000);
	log_line(w, 'c', 1000);
	world_run_for(w, EFF_S(30));

	ck_assert_str_eq(log_shape(w, "/log/web.1.gz"), "g1003");
	ck_assert_ptr_nonnull(strstr(log_file(w, "/log/web.1.gz"), "gz:bbb"));
	ck_assert_str_eq(log_shape(w, "/log/web.2.gz"), "(none)");
	world_free(w);
}
END_TEST

START_TEST(a_missing_gzip_is_said_once_and_holds_up_nothing)
{
	struct world *w = log_world("rotate: {size: 1KiB, keep: 9, compress: gzip}");
	unsigned told = 0;

	os_fake_gzip(w->fake, 0, ENOENT);
	for (int c = 'a'; c <= 'd'; c++)
		log_line(w, c, 1000);
	for (uint64_t seq = 1; seq <= w->tree->last_seq; seq++)
		told += !strcmp(tree_event(w->tree, seq)->kind, "log_not_compressed");
	ck_assert_uint_eq(told, 1);
	ck_assert_str_eq(world_said(w, "/", "log_not_compressed"),
		"cannot compress what was /log/web: there is no gzip");
	ck_assert_str_eq(log_shape(w, "/log/web.3"), "a1000");

	/* It was installed: what was left is made up for. */
	os_fake_gzip(w->fake, 0, 0);
	log_line(w, 'e', 1000);
	ck_assert_str_eq(log_shape(w, "/log/web.4.gz"), "g1003");
	ck_assert_str_eq(log_shape(w, "/log/web.1.gz"), "g1003");
	ck_assert_str_eq(log_shape(w, "/log/web"), "e1000");
	world_free(w);
}
END_TEST

START_TEST(an_end_of_the_tree_waits_for_no_archive)
{
	struct world *w = log_world("rotate: {size: 1KiB, keep: 9, compress: gzip}");

	os_fake_gzip(w->fake, EFF_H(1), 0);
	log_line(w, 'a', 1000);
	log_line(w, 'b', 1000);
	ck_assert_uint_eq(os_fake_gzips(w->fake), 1);
	world_shutdown(w, false);
	ck_assert(world_run_to_end(w, EFF_S(1)));
	ck_assert_str_eq(log_shape(w, "/log/web.1"), "a1000");
	world_free(w);
}
END_TEST

START_TEST(what_was_left_uncompressed_is_compressed_at_the_next_line)
{
	struct world *w = log_world("rotate: {size: 1KiB, keep: 9}");

	log_line(w, 'a', 1000);
	log_line(w, 'b', 1000);
	world_reload(w,
		"web: {command: web, log: {stdout: {file: /log/web},"
		" rotate: {size: 1KiB, keep: 9, compress: gzip}}}");
	world_restart(w, "web");
	world_run_for(w, EFF_S(1));
	log_line(w, 'c', 10);

	ck_assert_str_eq(log_shape(w, "/log/web.1.gz"), "g1003");
	ck_assert_str_eq(log_shape(w, "/log/web"), "b1000 c10");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/archive");
	TCase *tcase = tcase_create("archive");

	tcase_add_test(tcase, files_put_aside_are_compressed_one_after_the_other);
	tcase_add_test(tcase, one_that_is_too_old_when_its_archive_is_done_is_gone);
	tcase_add_test(tcase, a_missing_gzip_is_said_once_and_holds_up_nothing);
	tcase_add_test(tcase, an_end_of_the_tree_waits_for_no_archive);
	tcase_add_test(tcase, what_was_left_uncompressed_is_compressed_at_the_next_line);
	suite_add_tcase(suite, tcase);
	return suite;
}
