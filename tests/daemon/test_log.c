/* SPDX-License-Identifier: MIT */
/* effd's log, with a pipe for stderr. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "base/log.h"
#include "leak.h"

Suite *test_suite(void);

static int reads, real_stderr;

static void stderr_to_pipe(void)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	/* Blocking, as a stderr is: it must be the log that does not wait. */
	ck_assert_int_eq(fcntl(fds[1], F_SETFL, 0), 0);
	ck_assert_int_ge(dup2(fds[1], STDERR_FILENO), 0);
	(void)close(fds[1]);
	reads = fds[0];
}

static void stderr_back(void)
{
	(void)dup2(real_stderr, STDERR_FILENO);
	(void)close(real_stderr);
	(void)close(reads);
}

static const char *written(void)
{
	static char buf[8192];
	ssize_t n = read(reads, buf, sizeof(buf) - 1);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

START_TEST(a_call_is_a_line)
{
	log_info("web is up (pid %d)", 42);
	log_error("cannot listen");
	log_debug("not shown");

	ck_assert_str_eq(written(), "effd: web is up (pid 42)\neffd: error: cannot listen\n");
}
END_TEST

START_TEST(the_journal_gets_levels_as_numbers)
{
	log_set_journal(1);
	log_set_level(LOG_LEVEL_DEBUG);
	log_error("a");
	log_warn("b");
	log_info("c");
	log_debug("d");

	ck_assert_str_eq(written(), "<3>a\n<4>b\n<6>c\n<7>d\n");
}
END_TEST

START_TEST(nothing_forges_a_second_line)
{
	log_info("a\neffd: forged\x1b[31m");

	ck_assert_str_eq(written(), "effd: a effd: forged [31m\n");
}
END_TEST

START_TEST(a_long_line_is_cut)
{
	static char name[5000];
	const char *line;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	log_info("%s", name);

	line = written();
	ck_assert_uint_eq(strlen(line), 1024 - 1);
	ck_assert_int_eq(line[strlen(line) - 1], '\n');
}
END_TEST

START_TEST(a_full_pipe_costs_lines_and_no_time)
{
	static char drained[65536];
	int n = 0;

	while (log_lost() == 0 && n++ < 100000)
		log_info("filling");
	log_info("lost too");
	ck_assert_uint_eq(log_lost(), 2);

	while (read(reads, drained, sizeof(drained)) > 0)
		;
	log_info("heard again");
	ck_assert_str_eq(
		written(), "effd: warn: 2 lines of this log were lost\neffd: heard again\n");
}
END_TEST

START_TEST(gathered_lines_are_written_together)
{
	log_gather();
	log_info("a");
	log_warn("b");
	ck_assert_str_eq(written(), "");
	log_write_gathered();
	ck_assert_str_eq(written(), "effd: a\neffd: warn: b\n");
	log_write_gathered();
	log_info("c");
	ck_assert_str_eq(written(), "effd: c\n");
}
END_TEST

START_TEST(no_write_is_longer_than_what_a_pipe_takes_at_once)
{
	char line[1000];
	size_t n = 0;

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	log_gather();
	for (int i = 0; i < 9; i++)
		log_info("%s", line);
	/* Two pieces of four lines are out, one is kept. */
	for (const char *at = written(); (at = strchr(at, '\n')); at++)
		n++;
	ck_assert_uint_eq(n, 8);
	log_write_gathered();
	ck_assert_ptr_nonnull(strchr(written(), '\n'));
}
END_TEST

START_TEST(gathered_lines_that_are_lost_are_counted_each)
{
	static char drained[65536];

	while (log_lost() == 0)
		log_info("filling");
	log_gather();
	log_info("lost");
	log_info("lost");
	log_write_gathered();
	ck_assert_uint_eq(log_lost(), 3);

	while (read(reads, drained, sizeof(drained)) > 0)
		;
	log_gather();
	log_info("heard again");
	log_write_gathered();
	ck_assert_str_eq(
		written(), "effd: warn: 3 lines of this log were lost\neffd: heard again\n");
}
END_TEST

static void say_first(void *arg)
{
	int *n = arg;

	log_gather();
	while (*n > 0)
		log_info("first %d", (*n)--);
	log_write_gathered();
}

START_TEST(who_has_lines_of_its_own_says_them_first)
{
	int n = 2;

	log_before(say_first, &n);
	log_debug("not shown");
	ck_assert_int_eq(n, 2);
	log_info("second");
	log_info("third");
	log_before(NULL, NULL);

	ck_assert_str_eq(written(), "effd: first 2\neffd: first 1\neffd: second\neffd: third\n");
}
END_TEST

START_TEST(levels_have_names)
{
	for (int i = 0; log_level_names()[i]; i++)
		ck_assert_int_eq(log_level_parse(log_level_names()[i]), i);
	ck_assert_int_eq(log_level_parse("loud"), -EINVAL);
}
END_TEST

START_TEST(errno_survives_a_line)
{
	errno = ENOENT;
	log_info("x");

	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = tcase_create("log");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, stderr_to_pipe, stderr_back);
	tcase_add_test(tcase, a_call_is_a_line);
	tcase_add_test(tcase, the_journal_gets_levels_as_numbers);
	tcase_add_test(tcase, nothing_forges_a_second_line);
	tcase_add_test(tcase, a_long_line_is_cut);
	tcase_add_test(tcase, a_full_pipe_costs_lines_and_no_time);
	tcase_add_test(tcase, gathered_lines_are_written_together);
	tcase_add_test(tcase, no_write_is_longer_than_what_a_pipe_takes_at_once);
	tcase_add_test(tcase, gathered_lines_that_are_lost_are_counted_each);
	tcase_add_test(tcase, who_has_lines_of_its_own_says_them_first);
	tcase_add_test(tcase, levels_have_names);
	tcase_add_test(tcase, errno_survives_a_line);
	suite_add_tcase(suite, tcase);
	return suite;
}
