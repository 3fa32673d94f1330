/* SPDX-License-Identifier: MIT */
/* What effctl says of the results of a verb, a line a unit. */
#include <stdio.h>

#include <check.h>

#include "effctl/command.h"
#include "fake/served.h"
#include "leak.h"

START_TEST(stop_names_the_dependants_and_who_asked)
{
	served_play((struct served_step[]){
		{"\"now\":true",
			{SERVED_REPLY(
				"{\"units\":[{\"name\":\"web\",\"outcome\":\"done\",\"state\":\"waiting\",\"cause\":"
				"{\"kind\":\"dependency\",\"text\":\"db\",\"because\":{\"kind\":\"stop_requested\",\"by\":"
				"{\"pid\":9,\"uid\":0,\"command\":\"effctl\"}}}},"
				"{\"name\":\"db\",\"outcome\":\"done\",\"state\":\"down\",\"cause\":{\"kind\":\"stop_requested\"}}]}")}},
		{0}});

	ck_assert_int_eq(served_effctl("stop --now db"), CODE_DONE);

	ck_assert_str_eq(served_out,
		"web: waiting: dependency: db; because of stop requested by effctl (pid 9, uid 0)\n"
		"db: down\n");
}
END_TEST

START_TEST(a_stop_that_had_to_kill_says_so)
{
	served_play((struct served_step[]){
		{"Stop",
			{SERVED_REPLY("{\"units\":[{\"name\":\"web\",\"outcome\":\"done\",\"state\":\"down\",\"cause\":"
				      "{\"kind\":\"stop_requested\",\"signal\":\"SIGKILL\"}},"
				      "{\"name\":\"db\",\"outcome\":\"done\",\"state\":\"down\",\"cause\":"
				      "{\"kind\":\"stop_requested\",\"signal\":\"SIGTERM\"}}]}")}},
		{0}});

	ck_assert_int_eq(served_effctl("stop db"), CODE_DONE);

	ck_assert_str_eq(served_out,
		"web: down (SIGKILL)\n"
		"db: down\n");
}
END_TEST

START_TEST(what_nobody_waits_for_is_asked_for_and_not_in_its_old_state)
{
	served_play((struct served_step[]){
		{"\"wait\":false",
			{SERVED_REPLY(
				"{\"units\":[{\"name\":\"a\",\"outcome\":\"done\",\"state\":\"down\",\"pid\":null},"
				"{\"name\":\"b\",\"outcome\":\"unchanged\",\"state\":\"up\",\"pid\":3}]}")}},
		{0}});

	ck_assert_int_eq(served_effctl("start a b --no-wait"), CODE_DONE);

	ck_assert_str_eq(served_out, "a: asked to start\nb: unchanged, up (pid 3)\n");
}
END_TEST

START_TEST(what_is_refused_or_failed_is_said_once)
{
	served_play((struct served_step[]){
		{"Start",
			{SERVED_REPLY(
				"{\"units\":[{\"name\":\"a\",\"outcome\":\"failed\",\"state\":\"failed\","
				"\"cause\":{\"kind\":\"exit\",\"code\":3}},"
				"{\"name\":\"b\",\"outcome\":\"failed\",\"state\":\"backoff\","
				"\"cause\":{\"kind\":\"exit\",\"code\":3}},"
				"{\"name\":\"c\",\"outcome\":\"refused\",\"state\":\"down\","
				"\"cause\":{\"kind\":\"dependency\",\"text\":\"c is not enabled\"}}]}")}},
		{0}});

	ck_assert_int_eq(served_effctl("start a b c"), CODE_FAILED);

	ck_assert_str_eq(served_out,
		"a: failed: exit 3\nb: failed, backoff: exit 3\nc: refused, down: c is not enabled\n");
}
END_TEST

#define MAKES_WAY \
	SERVED_REPLY("{\"units\":[{\"name\":\"old\",\"verb\":\"stop\",\"outcome\":\"done\",\"state\":\"down\"," \
		     "\"cause\":{\"kind\":\"stop_requested\",\"text\":\"conflicts with new\"}}," \
		     "{\"name\":\"new\",\"outcome\":\"done\",\"state\":\"up\",\"pid\":3}]}")

START_TEST(what_makes_way_for_a_start_is_told_with_its_reason)
{
	served_play((struct served_step[]){{"Start", {MAKES_WAY}}, {0}});
	ck_assert_int_eq(served_effctl("start new"), CODE_DONE);
	ck_assert_str_eq(
		served_out, "old: down: stop requested: conflicts with new\nnew: up (pid 3)\n");

	served_play((struct served_step[]){{"\"wait\":false", {MAKES_WAY}}, {0}});
	ck_assert_int_eq(served_effctl("start new --no-wait"), CODE_DONE);
	ck_assert_str_eq(served_out, "old: asked to stop\nnew: asked to start (pid 3)\n");
}
END_TEST

START_TEST(the_results_of_a_verb_add_up_to_its_exit_code)
{
	static const struct {
		const char *first, *second;
		int code;
	} rows[] = {
		{"done", "unchanged", 0},
		{"done", "failed", 1},
		{"refused", "done", 1},
		{"done", "superseded", 1},
		{"done", "timeout", 7},
		{"timeout", "failed", 1},
		{"failed", "timeout", 1},
	};
	char reply[512];

	(void)snprintf(reply, sizeof(reply),
		SERVED_REPLY("{\"units\":[{\"name\":\"a\",\"outcome\":\"%s\",\"state\":\"down\"},"
			     "{\"name\":\"b\",\"outcome\":\"%s\",\"state\":\"down\"}]}"),
		rows[_i].first, rows[_i].second);
	served_play((struct served_step[]){{"\"wait\":false", {reply}}, {0}});

	ck_assert_int_eq(served_effctl("restart a b --no-wait"), rows[_i].code);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("effctl_results");
	TCase *tcase = tcase_create("results");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, served_open, served_close);
	tcase_add_test(tcase, stop_names_the_dependants_and_who_asked);
	tcase_add_test(tcase, a_stop_that_had_to_kill_says_so);
	tcase_add_test(tcase, what_is_refused_or_failed_is_said_once);
	tcase_add_test(tcase, what_nobody_waits_for_is_asked_for_and_not_in_its_old_state);
	tcase_add_loop_test(tcase, the_results_of_a_verb_add_up_to_its_exit_code, 0, 7);
	tcase_add_test(tcase, what_makes_way_for_a_start_is_told_with_its_reason);
	suite_add_tcase(suite, tcase);
	return suite;
}
