/* SPDX-License-Identifier: MIT */
/* Lines for syslog and the journal: which get there, with what priority, and what becomes of those that do not. */
#include <errno.h>

#include "daemon/log_world.h"

static struct world *world_to(const char *log)
{
	char tree[512];
	struct world *w;

	(void)snprintf(tree, sizeof(tree), "web: {command: web, log: {%s}}", log);
	w = world_new(tree);
	world_run_for(w, EFF_S(1));
	return w;
}

static void complain(struct world *w, const char *text)
{
	os_fake_print(w->fake, "web", OS_STDERR, text);
	world_run_for(w, EFF_MS(10));
}

#define RECORDS_ARE(w, expected) ck_assert_str_eq(os_fake_records((w)->fake), expected)

START_TEST(the_journal_gets_each_line_and_stderr_is_err)
{
	struct world *w = world_to("stdout: journal, stderr: journal");

	log_print(w, "one\n\ntw");
	complain(w, "oops\n");
	log_print(w, "o\n");

	RECORDS_ARE(w,
		"journal 6 web stdout: one\njournal 6 web stdout: \n"
		"journal 3 web stderr: oops\njournal 6 web stdout: two\n");
	ck_assert_str_eq(os_fake_stdout(w->fake), "");
	world_free(w);
}
END_TEST

START_TEST(both_streams_together_are_info)
{
	struct world *w = world_to("stdout: syslog");

	log_print(w, "one\n");
	complain(w, "two\n");

	RECORDS_ARE(w, "syslog 6 web stdout: one\nsyslog 6 web stdout: two\n");
	world_free(w);
}
END_TEST

START_TEST(a_line_may_say_its_own_priority)
{
	struct world *w = world_to("stdout: journal, stderr: syslog");

	log_print(w, "<4>careful\n<9>no\n<3\n<0>\n");
	complain(w, "<7>fine\n");

	RECORDS_ARE(w,
		"journal 4 web stdout: careful\njournal 6 web stdout: <9>no\n"
		"journal 6 web stdout: <3\njournal 0 web stdout: \nsyslog 7 web stderr: fine\n");
	world_free(w);
}
END_TEST

START_TEST(pieces_of_a_long_line_have_its_priority)
{
	struct world *w = world_to("stdout: journal, max_line: 128B");
	char prints[400], expected[600];

	(void)snprintf(prints, sizeof(prints), "<4>%0125d%0128d%05d\nx\n", 0, 0, 0);
	(void)snprintf(expected, sizeof(expected),
		"journal 4 web stdout: %0125d\njournal 4 web stdout: %0128d\n"
		"journal 4 web stdout: %05d\njournal 6 web stdout: x\n",
		0, 0, 0);
	log_print(w, prints);

	RECORDS_ARE(w, expected);
	world_free(w);
}
END_TEST

START_TEST(syslog_gets_no_more_at_once_than_it_takes)
{
	struct world *w = world_to("stdout: syslog");
	size_t len = 20000;
	char *line = calloc(1, len + 2), *expected = calloc(1, len + 200);

	memset(line, 'x', len);
	line[len] = '\n';
	log_print(w, line);

	(void)snprintf(expected, len + 200,
		"syslog 6 web stdout: %.7680s\nsyslog 6 web stdout: %.7680s\n"
		"syslog 6 web stdout: %.4640s\n",
		line, line, line);
	RECORDS_ARE(w, expected);
	free(line);
	free(expected);
	world_free(w);
}
END_TEST

START_TEST(who_is_not_there_costs_lines_and_is_found_again)
{
	struct world *w = world_to("stdout: journal");
	unsigned told = 0;

	os_fake_records_fail(w->fake, ENOENT);
	for (int i = 0; i < 90; i++) {
		log_print(w, "lost line\n");
		world_run_for(w, EFF_MS(990));
	}
	os_fake_records_fail(w->fake, 0);
	log_print(w, "last\n");

	for (uint64_t seq = 1; seq <= w->tree->last_seq; seq++)
		told += !strcmp(tree_event(w->tree, seq)->kind, "log_lost");
	ck_assert_uint_eq(told, 2);
	RECORDS_ARE(w, "journal 6 web stdout: last\n");
	/* Each with its priority, which goes in its place. */
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 990);
	EXPECT_TRACE(w, "web", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(who_takes_no_more_now_makes_the_unit_wait_and_loses_nothing)
{
	struct world *w = world_to("stdout: syslog");
	unsigned reads;

	os_fake_records_fail(w->fake, EAGAIN);
	log_print(w, "one\ntwo\n");
	world_run_for(w, EFF_S(1));
	reads = os_fake_reads(w->fake);
	log_print(w, "three\n");
	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(os_fake_reads(w->fake), reads);
	RECORDS_ARE(w, "");
	os_fake_records_fail(w->fake, 0);
	world_run_for(w, EFF_S(1));

	RECORDS_ARE(w,
		"syslog 6 web stdout: one\nsyslog 6 web stdout: two\nsyslog 6 web stdout: three\n");
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 0);
	world_free(w);
}
END_TEST

START_TEST(a_line_that_is_too_large_costs_itself_alone)
{
	struct world *w = world_to("stdout: journal");

	os_fake_records_fail(w->fake, EMSGSIZE);
	log_print(w, "large\n");
	os_fake_records_fail(w->fake, 0);
	log_print(w, "small\n");

	RECORDS_ARE(w, "journal 6 web stdout: small\n");
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 5);
	world_free(w);
}
END_TEST

START_TEST(a_fiber_speaks_there_too)
{
	struct world *w = world_new(
		"beat: {fiber: heartbeat, with: {every: 1s, text: tick}, log: {stdout: journal}}");

	world_run_for(w, EFF_MS(1500));

	RECORDS_ARE(w, "journal 6 beat stdout: tick\n");
	world_free(w);
}
END_TEST

/* 100 bytes a line as it waits. */
static void print_numbered(struct world *w, int from, int to)
{
	char line[128];

	for (int i = from; i < to; i++) {
		(void)snprintf(line, sizeof(line), "%098d\n", i);
		os_fake_print(w->fake, "web", OS_STDOUT, line);
	}
	world_run_for(w, EFF_MS(100));
}

/* Of the n-th line of the records. */
static int number_at(struct world *w, int n)
{
	const char *at = os_fake_records(w->fake);

	while (n-- > 0)
		at = strchr(at, '\n') + 1;
	return atoi(at + strlen("syslog 6 web stdout: "));
}

static int count_of(struct world *w)
{
	int n = 0;

	for (const char *at = os_fake_records(w->fake); (at = strchr(at, '\n')); at++)
		n++;
	return n;
}

START_TEST(drop_old_keeps_the_newest_lines_and_the_unit_goes_on)
{
	struct world *w = world_to("stdout: syslog, on_block: drop-old");
	unsigned reads;

	os_fake_records_fail(w->fake, EAGAIN);
	print_numbered(w, 0, 2000);
	reads = os_fake_reads(w->fake);
	print_numbered(w, 2000, 4000);
	ck_assert_uint_gt(os_fake_reads(w->fake), reads);
	os_fake_records_fail(w->fake, 0);
	world_run_for(w, EFF_MS(20));

	/* 262144 bytes are 2621 lines of 100. */
	ck_assert_int_eq(count_of(w), 2621);
	ck_assert_int_eq(number_at(w, 0), 1379);
	ck_assert_int_eq(number_at(w, 2620), 3999);
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 137900);
	ck_assert_ptr_nonnull(strstr(world_said(w, "web", "log_lost"),
		" bytes lost: cannot write to syslog: it takes less than there is"));
	EXPECT_TRACE(w, "web", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(drop_new_keeps_the_oldest_lines)
{
	struct world *w = world_to("stdout: syslog, on_block: drop-new");

	os_fake_records_fail(w->fake, EAGAIN);
	print_numbered(w, 0, 2000);
	print_numbered(w, 2000, 4000);
	os_fake_records_fail(w->fake, 0);
	world_run_for(w, EFF_MS(20));
	print_numbered(w, 4000, 4001);

	ck_assert_int_eq(count_of(w), 2622);
	ck_assert_int_eq(number_at(w, 0), 0);
	ck_assert_int_eq(number_at(w, 2620), 2620);
	ck_assert_int_eq(number_at(w, 2621), 4000);
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 137900);
	world_free(w);
}
END_TEST

START_TEST(few_lines_wait_and_none_is_lost)
{
	struct world *w = world_to("stdout: syslog, on_block: drop-old");

	os_fake_records_fail(w->fake, EAGAIN);
	print_numbered(w, 0, 10);
	world_run_for(w, EFF_S(100));
	os_fake_records_fail(w->fake, 0);
	world_run_for(w, EFF_MS(10));

	ck_assert_int_eq(count_of(w), 10);
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 0);
	world_free(w);
}
END_TEST

START_TEST(a_stdout_that_takes_no_more_holds_up_no_unit_that_may_lose_lines)
{
	struct world *w = world_to("on_block: drop-new");

	os_fake_stdout_full(w->fake, true);
	log_print(w, "one\n");
	world_run_for(w, EFF_S(10));
	log_print(w, "two\n");
	ck_assert_uint_ge(os_fake_reads(w->fake), 2);
	os_fake_stdout_full(w->fake, false);
	world_run_for(w, EFF_MS(20));

	ck_assert_str_eq(os_fake_stdout(w->fake), "web | one\nweb | two\n");
	world_free(w);
}
END_TEST

static struct world *world_of_one_that_ends(void)
{
	struct world *w = world_new(
		"web: {command: web, restart: no, log: {stdout: syslog, on_block: drop-old}}");

	world_script(w, "web", (struct script){.lives = EFF_S(1), .prints = "one\n"});
	return w;
}

START_TEST(at_the_end_what_waits_has_a_second)
{
	struct world *w = world_of_one_that_ends();

	os_fake_records_fail_for(w->fake, EAGAIN, EFF_MS(1900));
	world_run_for(w, EFF_MS(2000));

	EXPECT_STATE(w, "web", "done");
	RECORDS_ARE(w, "syslog 6 web stdout: one\n");
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 0);
	world_free(w);
}
END_TEST

START_TEST(at_the_end_what_waits_has_no_more_than_a_second)
{
	struct world *w = world_of_one_that_ends();

	os_fake_records_fail(w->fake, EAGAIN);
	world_run_for(w, EFF_MS(2000));

	EXPECT_STATE(w, "web", "done");
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 5);
	ck_assert_str_eq(world_said(w, "web", "log_lost"),
		"5 bytes lost: cannot write to syslog: it has not taken it in time");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/deliver");
	TCase *tcase = tcase_create("deliver");

	tcase_add_test(tcase, the_journal_gets_each_line_and_stderr_is_err);
	tcase_add_test(tcase, both_streams_together_are_info);
	tcase_add_test(tcase, a_line_may_say_its_own_priority);
	tcase_add_test(tcase, pieces_of_a_long_line_have_its_priority);
	tcase_add_test(tcase, syslog_gets_no_more_at_once_than_it_takes);
	tcase_add_test(tcase, who_is_not_there_costs_lines_and_is_found_again);
	tcase_add_test(tcase, who_takes_no_more_now_makes_the_unit_wait_and_loses_nothing);
	tcase_add_test(tcase, a_line_that_is_too_large_costs_itself_alone);
	tcase_add_test(tcase, a_fiber_speaks_there_too);
	tcase_add_test(tcase, drop_old_keeps_the_newest_lines_and_the_unit_goes_on);
	tcase_add_test(tcase, drop_new_keeps_the_oldest_lines);
	tcase_add_test(tcase, few_lines_wait_and_none_is_lost);
	tcase_add_test(tcase, a_stdout_that_takes_no_more_holds_up_no_unit_that_may_lose_lines);
	tcase_add_test(tcase, at_the_end_what_waits_has_a_second);
	tcase_add_test(tcase, at_the_end_what_waits_has_no_more_than_a_second);
	suite_add_tcase(suite, tcase);
	return suite;
}
