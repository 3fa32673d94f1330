/* SPDX-License-Identifier: MIT */
/* effctl against a server that plays a script: what streams, logs and events. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "effctl/call.h"
#include "effctl/command.h"
#include "fake/served.h"
#include "leak.h"

Suite *test_suite(void);

START_TEST(logs_of_one_unit_have_no_prefix)
{
	served_play((struct served_step[]){
		{"Status", {SERVED_REPLY("{\"units\":[" SERVED_WEB "]}")}},
		{"\"follow\":false,\"lines\":5",
			{SERVED_MORE("{\"unit\":\"web\",\"text\":\"hello\"}"), SERVED_REPLY("{}")}},
		{0}});

	ck_assert_int_eq(served_effctl("logs -n5 web"), CODE_DONE);

	ck_assert_str_eq(served_out, "hello\n");
}
END_TEST

START_TEST(logs_of_units_without_replicas_say_so_beside_the_output)
{
	served_play((struct served_step[]){{"Status", {SERVED_REPLY("{\"units\":[]}")}},
		{"Logs", {SERVED_REPLY("{}")}}, {0}});

	ck_assert_int_eq(served_effctl("logs web"), CODE_DONE);

	ck_assert_str_eq(served_out, "");
	ck_assert_str_eq(served_err, "web has no replicas\n");
}
END_TEST

START_TEST(logs_that_are_followed_end_with_effd)
{
	served_play((struct served_step[]){
		{"Status", {SERVED_REPLY("{\"units\":[" SERVED_WEB "," SERVED_WEB "]}")}},
		{"\"follow\":true",
			{SERVED_MORE("{\"at\":\"T1\",\"unit\":\"web\",\"text\":\"a\"}"),
				SERVED_MORE("{\"at\":\"T2\",\"unit\":\"db\",\"text\":\"b\",\"partial\":true}")}},
		{0}});

	ck_assert_int_eq(served_effctl("logs -f web db"), CODE_NO_DAEMON);

	ck_assert_str_eq(served_out, "web | a\ndb | b\n");
}
END_TEST

START_TEST(a_line_in_pieces_is_put_together)
{
	served_play((struct served_step[]){
		{"Status",
			{SERVED_REPLY("{\"units\":[{\"name\":\"/\",\"kind\":\"supervisor\"}," SERVED_WEB
				      "," SERVED_WEB "]}")}},
		{"\"follow\":false",
			{SERVED_MORE("{\"at\":\"T1\",\"unit\":\"web\",\"text\":\"a\",\"partial\":true}"),
				SERVED_MORE("{\"at\":\"T2\",\"unit\":\"web\",\"text\":\"b\",\"partial\":true}"),
				SERVED_MORE("{\"at\":\"T3\",\"unit\":\"db\",\"text\":\"x\\\\x0D\"}"),
				SERVED_REPLY("{\"at\":\"T4\",\"unit\":\"web\",\"text\":\"c\"}")}},
		{0}});

	ck_assert_int_eq(served_effctl("logs -t"), CODE_DONE);

	ck_assert_str_eq(served_out, "T1 web | ab\nT3 db | x\nT4 web | c\n");
}
END_TEST

START_TEST(a_tab_of_output_is_one_for_people)
{
	served_play((struct served_step[]){
		{"Status", {SERVED_REPLY("{\"units\":[" SERVED_WEB "]}")}},
		{"Logs",
			{SERVED_MORE("{\"unit\":\"web\",\"text\":\"\\\\x09a\",\"partial\":true}"),
				SERVED_REPLY("{\"unit\":\"web\",\"text\":\"\\\\x09b\\\\x0Bc\\\\x09\"}")}},
		{0}});

	ck_assert_int_eq(served_effctl("logs web"), CODE_DONE);

	ck_assert_str_eq(served_out, "\ta\tb\\x0Bc\t\n");
}
END_TEST

START_TEST(output_that_is_missing_is_told_beside_the_output)
{
	served_play((struct served_step[]){
		{"Status", {SERVED_REPLY("{\"units\":[" SERVED_WEB "]}")}},
		{"\"follow\":false",
			{SERVED_MORE("{\"at\":\"T1\",\"unit\":\"web\",\"text\":\"a\",\"partial\":true}"),
				SERVED_MORE("{\"at\":\"T2\",\"unit\":\"web\",\"stream\":null,"
					    "\"text\":null,\"lost_bytes\":4096}"),
				SERVED_REPLY("{\"at\":\"T2\",\"unit\":\"web\",\"text\":\"z\"}")}},
		{0}});

	ck_assert_int_eq(served_effctl("logs"), CODE_DONE);

	ck_assert_str_eq(served_out, "a\nz\n");
	ck_assert_str_eq(served_err,
		"web: 4096 bytes of output are missing here, which came too fast\n");
}
END_TEST

static eff_ns monotonic_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return EFF_S(ts.tv_sec) + ts.tv_nsec;
}

/* effd is told of a limit only where it ends by it: there it has the first word, else nobody is waited for. */
START_TEST(a_stream_whose_limit_effd_does_not_know_is_cut_when_it_is_over)
{
	struct effctl e = {.err = stderr, .timeout_s = 2};
	struct json *told = json_object();
	eff_ns before = monotonic_now();
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	link_init(&e.link);
	e.link.fd = fds[0];
	ck_assert_int_eq(call_send_more(&e, METHOD_EVENTS, json_object()), CODE_DONE);
	ck_assert_int_le(e.link.limit_at, monotonic_now() + EFF_S(2));
	call_add_timeout(&e, told);
	ck_assert_int_eq(call_send_more(&e, METHOD_WAIT, told), CODE_DONE);
	ck_assert_int_gt(e.link.limit_at, before + EFF_S(3));
	link_close(&e.link);
	(void)close(fds[1]);
}
END_TEST

START_TEST(events_are_one_a_line)
{
	served_play((struct served_step[]){
		{"\"units\":[\"w*\"],\"follow\":false",
			{SERVED_MORE("{\"seq\":1,\"at\":\"T1\",\"unit\":\"web\",\"event\":\"state\",\"from\":\"starting\",\"to\":\"up\","
				     "\"pid\":4,\"cause\":null}"),
				SERVED_MORE("{\"seq\":2,\"at\":\"T2\",\"unit\":\"web\",\"event\":\"state\",\"from\":\"up\",\"to\":\"backoff\","
					    "\"pid\":null,\"cause\":{\"kind\":\"oom\",\"signal\":\"SIGKILL\"}}"),
				SERVED_MORE("{\"seq\":3,\"at\":\"T3\",\"unit\":\"web\",\"event\":\"left_behind\",\"text\":\"pids 7 8\"}"),
				SERVED_REPLY("{}")}},
		{0}});

	ck_assert_int_eq(served_effctl("events w*"), CODE_DONE);

	ck_assert_str_eq(served_out,
		"T1 web starting -> up (pid 4)\n"
		"T2 web up -> backoff: oom (SIGKILL)\n"
		"T3 web left_behind: pids 7 8\n");
}
END_TEST

START_TEST(a_stream_with_json_is_a_document_a_line)
{
	served_play((struct served_step[]){
		{"Events", {SERVED_MORE("{\"seq\":1}"), SERVED_MORE("{\"seq\":2}"), SERVED_REPLY("{}")}},
		{0}});

	ck_assert_int_eq(served_effctl("events --json"), CODE_DONE);

	ck_assert_str_eq(served_out, "{\"seq\":1}\n{\"seq\":2}\n");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("effctl_stream");
	TCase *tcase = tcase_create("effctl_stream");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, served_open, served_close);
	tcase_add_test(tcase, logs_of_one_unit_have_no_prefix);
	tcase_add_test(tcase, logs_of_units_without_replicas_say_so_beside_the_output);
	tcase_add_test(tcase, logs_that_are_followed_end_with_effd);
	tcase_add_test(tcase, a_line_in_pieces_is_put_together);
	tcase_add_test(tcase, a_tab_of_output_is_one_for_people);
	tcase_add_test(tcase, output_that_is_missing_is_told_beside_the_output);
	tcase_add_test(tcase, a_stream_whose_limit_effd_does_not_know_is_cut_when_it_is_over);
	tcase_add_test(tcase, events_are_one_a_line);
	tcase_add_test(tcase, a_stream_with_json_is_a_document_a_line);
	suite_add_tcase(suite, tcase);
	return suite;
}
