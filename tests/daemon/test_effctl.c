/* SPDX-License-Identifier: MIT */
/* effctl against a server that plays a script: what it asks, what it prints to the letter, how it ends. Here what looks,
 * and what goes wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "effctl/command.h"
#include "fake/served.h"
#include "folder.h"
#include "leak.h"
#include "wire/varlink.h"

Suite *test_suite(void);

#define N(a) (sizeof(a) / sizeof(*(a)))

START_TEST(status_is_an_aligned_table)
{
	served_play((struct served_step[]){
		{"\"method\":\"org.effd.Control.Status\"",
			{SERVED_REPLY(
				"{\"units\":["
				"{\"name\":\"/\",\"kind\":\"supervisor\",\"state\":\"up\",\"pid\":null,\"uptime_s\":null,"
				"\"restarts\":0,\"health\":\"failing\"}," SERVED_WEB
				",{\"name\":\"workers/index\",\"kind\":\"process\",\"state\":\"backoff\",\"restarts\":12,"
				"\"next_start_s\":3.21,\"cause\":{\"kind\":\"exit\",\"code\":1}}]}")}},
		{0}});

	ck_assert_int_eq(served_effctl("status"), CODE_DONE);

	ck_assert_str_eq(served_out,
		"UNIT           STATE         PID  UPTIME  RESTARTS  CAUSE\n"
		"/              up (failing)  -    -       0         -\n"
		"web            up            42   5m12s   0         -\n"
		"workers/index  backoff       -    -       12        next try in 3.2s; exit 1\n");
	ck_assert_str_eq(served_err, "");
}
END_TEST

START_TEST(status_of_one_unit_tells_all_and_its_last_output)
{
	served_play((struct served_step[]){
		{"{\"units\":[\"db\"]}",
			{SERVED_REPLY(
				"{\"units\":[{\"name\":\"db\",\"description\":\"the data\",\"kind\":\"process\",\"state\":\"failed\",\"wanted\":true,"
				"\"pid\":null,\"since\":\"2026-01-02T03:04:05.678Z\",\"uptime_s\":null,\"starts\":3,"
				"\"restarts\":2,\"failures\":1,\"last_exit\":null,\"cause\":{\"kind\":\"max_restarts\","
				"\"because\":{\"kind\":\"signal\",\"signal\":\"SIGSEGV\",\"core\":true}},"
				"\"health\":null,\"depends_on\":[\"a\",\"b\"],\"memory_bytes\":1572864}]}")}},
		{"\"units\":[\"db\"],\"lines\":10",
			{SERVED_MORE("{\"unit\":\"db\",\"text\":\"bad \\u001b[31mluck\"}"),
				SERVED_REPLY("{}")}},
		{0}});

	ck_assert_int_eq(served_effctl("status db"), CODE_NOT_UP);

	ck_assert_str_eq(served_out,
		"db (process): the data\n"
		"  state       failed since 2026-01-02T03:04:05.678Z\n"
		"  cause       max restarts; because of SIGSEGV (core dumped)\n"
		"  memory      1.5MiB\n"
		"  depends on  a, b\n"
		"  starts      3, of these 2 restarts; 1 failure in a row\n"
		"  | bad \\x1B[31mluck\n");
}
END_TEST

/* A name that stands for nobody is no mistake, so it is well; but a table of nobody says nothing. */
START_TEST(status_of_units_without_replicas_says_so)
{
	static const struct served_step steps[] = {
		{"{\"units\":[\"web\",\"db\"]}", {SERVED_REPLY("{\"units\":[]}")}}, {0}};

	served_play(steps);
	ck_assert_int_eq(served_effctl("status web db"), CODE_DONE);
	ck_assert_str_eq(served_out, "web has no replicas\ndb has no replicas\n");
	served_play(steps);
	ck_assert_int_eq(served_effctl("--json status web db"), CODE_DONE);
	ck_assert_str_eq(served_out, "{\"units\":[]}\n");
}
END_TEST

START_TEST(status_of_named_units_ends_with_3_unless_all_are_well)
{
	static const struct {
		const char *entry;
		int code;
	} rows[] = {
		{"\"up\"", 0},
		{"\"done\"", 0},
		{"\"down\"", 3},
		{"\"failed\"", 3},
		{"\"backoff\",\"next_start_s\":1", 3},
		{"\"waiting\"", 3},
		{"\"waiting\",\"next_start_s\":60", 0},
	};
	char reply[512];

	(void)snprintf(reply, sizeof(reply),
		SERVED_REPLY("{\"units\":[" SERVED_WEB ",{\"name\":\"x\",\"state\":%s}]}"),
		rows[_i].entry);
	served_play((struct served_step[]){{"\"w*\"", {reply}}, {0}});

	ck_assert_int_eq(served_effctl("--json status w*"), rows[_i].code);

	served_play((struct served_step[]){{"\"w*\"", {reply}}, {0}});

	ck_assert_int_eq(served_effctl("status w*"), rows[_i].code);
}
END_TEST

/* By its own name, whatever it was asked for by: of a pattern, or of a group, it is not known before what it means. */
START_TEST(the_output_of_one_is_asked_for_when_it_is_known_that_it_is_one)
{
	static const char *const asked[] = {"web", "w*"};
	char wanted[64], command[64];

	(void)snprintf(wanted, sizeof(wanted),
		"Control.Status\",\"parameters\":{\"units\":[\"%s\"]}", asked[_i]);
	(void)snprintf(command, sizeof(command), "status %s --timeout 2s", asked[_i]);
	served_play((struct served_step[]){{wanted, {SERVED_REPLY("{\"units\":[" SERVED_WEB "]}")}},
		{"Control.Logs\",\"more\":true,\"parameters\":{\"units\":[\"web\"],\"lines\":10}",
			{SERVED_MORE("{\"unit\":\"web\",\"text\":\"one\"}"),
				SERVED_REPLY("{\"unit\":\"web\",\"text\":\"two\\\\x0D\"}")}},
		{0}});

	ck_assert_int_eq(served_effctl(command), CODE_DONE);

	ck_assert_ptr_nonnull(strstr(served_out, "  | one\n  | two\n"));
}
END_TEST

/* The output of all in it would be made, and not shown. */
START_TEST(the_output_of_a_group_is_not_asked_for)
{
	served_play((struct served_step[]){
		{"\"units\":[\"g\"]",
			{SERVED_REPLY("{\"units\":[{\"name\":\"g\",\"state\":\"up\"}," SERVED_WEB
				      "]}")}},
		{"no more questions", {NULL}}, {0}});

	ck_assert_int_eq(served_effctl("status g"), CODE_DONE);

	ck_assert_ptr_nonnull(strstr(served_out, "web   up"));
}
END_TEST

START_TEST(json_is_what_effd_said)
{
	served_play((struct served_step[]){
		{"Status", {SERVED_REPLY("{\"units\":[" SERVED_WEB "]}")}}, {0}});

	ck_assert_int_eq(served_effctl("status --json"), CODE_DONE);

	ck_assert_str_eq(served_out, "{\"units\":[" SERVED_WEB "]}\n");
}
END_TEST

START_TEST(ten_thousand_units_are_shown)
{
	struct json *array = json_array();
	struct json *reply = json_object();
	size_t n = 0;
	char *text;

	for (int i = 0; i < 10000; i++) {
		struct json *unit = json_object();

		(void)json_set(unit, "name", json_text("unit"));
		(void)json_set(unit, "state", json_text("up"));
		(void)json_add(array, unit);
	}
	(void)json_set(reply, "units", array);
	reply = varlink_reply(reply, false);
	text = json_print(reply);
	served_play((struct served_step[]){{"Status", {text}}, {0}});

	ck_assert_int_eq(served_effctl("status"), CODE_DONE);

	for (const char *at = served_out; (at = strchr(at, '\n')); at++)
		n++;
	ck_assert_uint_eq(n, 10001);
	free(text);
	json_free(reply);
}
END_TEST

static const struct served_step tree_script[] = {
	{"Status",
		{SERVED_REPLY("{\"units\":[{\"name\":\"/\",\"state\":\"up\"}," SERVED_WEB
			      ",{\"name\":\"workers\",\"state\":\"up\"},"
			      "{\"name\":\"workers/fetch@1\",\"state\":\"up\",\"pid\":7,\"last_exit\":{\"kind\":\"exit\",\"code\":1}},"
			      "{\"name\":\"workers/deep\",\"state\":\"up\"},{\"name\":\"workers/deep/x\",\"state\":\"down\"},"
			      "{\"name\":\"workers/index\",\"state\":\"waiting\",\"cause\":{\"kind\":\"dependency\",\"text\":\"db\"}},"
			      "{\"name\":\"z\",\"state\":\"done\"}]}")}},
	{0}};

START_TEST(the_tree_is_drawn)
{
	served_play(tree_script);

	ck_assert_int_eq(served_effctl("tree"), CODE_DONE);

	ck_assert_str_eq(served_out,
		"/  up\n"
		"|- web  up  42\n"
		"|- workers  up\n"
		"|  |- fetch@1  up  7\n"
		"|  |- deep  up\n"
		"|  |  `- x  down\n"
		"|  `- index  waiting  dependency: db\n"
		"`- z  done\n");
}
END_TEST

START_TEST(the_tree_has_lines_where_the_locale_has_them)
{
	ck_assert_int_eq(setenv("LC_ALL", "C.UTF-8", 1), 0);
	served_play(tree_script);

	ck_assert_int_eq(served_effctl("tree"), CODE_DONE);

	ck_assert_ptr_nonnull(strstr(served_out,
		"\u2502  \u251c\u2500 deep  up\n\u2502  \u2502  \u2514\u2500 x  down\n"));
}
END_TEST

static const struct {
	const char *reply, *said;
	int code;
} refusals[] = {
	{"{\"error\":\"org.effd.Control.NoSuchUnit\",\"parameters\":{\"unit\":\"wbe\",\"nearest\":\"web\"}}",
		"effctl: no such unit: wbe (did you mean web?)\n", 4},
	{"{\"error\":\"org.effd.Control.PermissionDenied\",\"parameters\":{}}",
		"effctl: not permitted\n", 6},
	{"{\"error\":\"org.effd.Control.TimedOut\",\"parameters\":{}}", "effctl: timed out\n", 7},
	{"{\"error\":\"org.effd.Control.ShuttingDown\"}", "effctl: effd is shutting down\n", 1},
	{"{\"error\":\"org.effd.Control.Busy\",\"parameters\":{}}", "effctl: too many clients\n", 1},
	{"{\"error\":\"org.effd.Control.PlanChanged\",\"parameters\":{\"id\":\"x\"}}",
		"effctl: something changed since that plan was made; nothing was changed\n", 1},
	{"{\"error\":\"org.effd.Control.Failed\",\"parameters\":{\"text\":\"cannot \\u001b do\"}}",
		"effctl: cannot \\x1B do\n", 1},
	{"{\"error\":\"org.effd.Control.AtRest\",\"parameters\":{\"unit\":\"a\",\"state\":\"failed\",\"cause\":{\"kind\":\"exit\","
	 "\"code\":3}}}",
		"effctl: at rest in another state: a: failed: exit 3\n", 1},
	{"{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"a.B\"}}",
		"effctl: org.varlink.service.MethodNotFound: a.B\n", 1},
	{"{\"error\":\"org.varlink.service.PermissionDenied\",\"parameters\":{}}",
		"effctl: org.varlink.service.PermissionDenied\n", 6},
	{"{\"error\":\"org.effd.Control.InvalidTree\",\"parameters\":{\"diagnostics\":[{\"code\":\"E204\",\"severity\":\"error\","
	 "\"file\":\"/e.yaml\",\"line\":3,\"column\":5,\"message\":\"unknown field\",\"help\":\"write command\",\"related\":"
	 "[{\"file\":\"/e.yaml\",\"line\":1,\"column\":1,\"message\":\"here\"}]}]}}",
		"/e.yaml:3:5: error[E204]: unknown field\n   note: /e.yaml:1:1: here\n   help: write command\n"
		"effctl: the tree has errors; nothing was changed\n",
		1},
};

START_TEST(every_refusal_has_its_words_and_its_exit_code)
{
	served_play((struct served_step[]){{"Start", {refusals[_i].reply}}, {0}});

	ck_assert_int_eq(served_effctl("start web"), refusals[_i].code);

	ck_assert_str_eq(served_err, refusals[_i].said);
	ck_assert_str_eq(served_out, "");
}
END_TEST

#define WRONG(line) \
	"{\"code\":\"E201\",\"severity\":\"error\",\"file\":\"%1$s\",\"line\":" line \
	",\"column\":4,\"message\":\"unknown key\"}"

START_TEST(a_line_that_can_be_read_is_shown_with_what_is_wrong_in_it)
{
	char path[32], reply[1024], said[1024];
	int fd = test_file(path, sizeof(path));

	ck_assert_int_eq(dprintf(fd, "units:\n  a: {comand: x}\n  b: {%0500d}\n", 0), 532);
	(void)close(fd);
	(void)snprintf(reply, sizeof(reply),
		"{\"error\":\"org.effd.Control.InvalidTree\",\"parameters\":{\"diagnostics\":[" WRONG(
			"2") "," WRONG("3") "," WRONG("9") "," WRONG("1") "]}}",
		path);
	(void)snprintf(said, sizeof(said),
		"%1$s:2:4: error[E201]: unknown key\n    2 |   a: {comand: x}\n      |    ^\n"
		"%1$s:3:4: error[E201]: unknown key\n    3 |   b: {%2$0154d\n      |    ^\n"
		"%1$s:9:4: error[E201]: unknown key\n"
		"%1$s:1:4: error[E201]: unknown key\n    1 | units:\n      |    ^\n"
		"effctl: the tree has errors; nothing was changed\n",
		path, 0);
	served_play((struct served_step[]){{"Reload", {reply}}, {0}});

	ck_assert_int_eq(served_effctl("reload"), CODE_FAILED);

	ck_assert_str_eq(served_err, said);
	/* No more than what is a file: nobody may wait for the other end of this. */
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	(void)snprintf(said, sizeof(said), "%1$s:2:4: error[E201]: unknown key\n%1$s:3:4:", path);
	served_play((struct served_step[]){{"Reload", {reply}}, {0}});
	ck_assert_int_eq(served_effctl("reload"), CODE_FAILED);
	ck_assert_int_eq(strncmp(served_err, said, strlen(said)), 0);
	(void)unlink(path);
}
END_TEST

START_TEST(a_refusal_is_a_document_with_json)
{
	served_play((struct served_step[]){{"Start", {refusals[0].reply}}, {0}});

	ck_assert_int_eq(served_effctl("start web --json"), CODE_NO_UNIT);

	ck_assert_str_eq(served_out,
		"{\"error\":\"org.effd.Control.NoSuchUnit\",\"parameters\":{\"unit\":\"wbe\",\"nearest\":\"web\"},"
		"\"text\":\"no such unit: wbe (did you mean web?)\"}\n");
}
END_TEST

START_TEST(without_effd_it_says_how_to_start_one)
{
	char expected[512];

	ck_assert_int_eq(setenv("EFFD_SOCKET", "/nonexistent/socket", 1), 0);

	ck_assert_int_eq(served_effctl("status"), CODE_NO_DAEMON);

	(void)snprintf(expected, sizeof(expected),
		"effctl: cannot reach effd at /nonexistent/socket: %s; "
		"is it running? (start it with: effd -c FILE)\n",
		"No such file or directory");
	ck_assert_str_eq(served_err, expected);
}
END_TEST

START_TEST(a_socket_that_may_not_be_used_is_not_permitted)
{
	ck_assert_int_eq(setenv("EFFD_SOCKET", served_path, 1), 0);
	ck_assert_int_eq(chmod(served_path, 0), 0);
	/* In this test's own process: root may use any socket. */
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);

	ck_assert_int_eq(served_effctl("ping"), CODE_NOT_PERMITTED);

	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(what_is_not_effd_is_found_out)
{
	served_play((struct served_step[]){{"Ping", {"HTTP/1.1 400 Bad Request"}}, {0}});
	ck_assert_int_eq(served_effctl("ping"), CODE_NO_DAEMON);
	ck_assert_ptr_nonnull(strstr(served_err, "is not effd\n"));
	served_play((struct served_step[]){{"Ping", {0}}, {0}});
	ck_assert_int_eq(served_effctl("ping"), CODE_NO_DAEMON);
	ck_assert_ptr_nonnull(strstr(served_err, "has gone\n"));
}
END_TEST

START_TEST(a_timeout_of_its_own_ends_with_7)
{
	served_holds = true;
	served_play((struct served_step[]){{"Ping", {0}}, {0}});

	ck_assert_int_eq(served_effctl("ping --timeout 20ms"), CODE_TIMED_OUT);
}
END_TEST

START_TEST(shutdown_ends_with_0_when_effd_has_gone)
{
	served_play((struct served_step[]){{"Shutdown", {SERVED_REPLY("{}")}}, {0}});
	ck_assert_int_eq(served_effctl("shutdown"), CODE_DONE);
	ck_assert_str_eq(served_err, "");
	/* Also when it went before it could answer. */
	served_play((struct served_step[]){{"Shutdown", {0}}, {0}});
	served_goes = true;
	ck_assert_int_eq(served_effctl("shutdown"), CODE_DONE);
	ck_assert_str_eq(served_err, "");
}
END_TEST

START_TEST(a_shutdown_that_effd_has_not_heard_of_has_failed)
{
	served_play((struct served_step[]){
		{"Shutdown", {0}}, {SERVED_ANOTHER, {0}}, {"Ping", {SERVED_REPLY("{}")}}, {0}});

	ck_assert_int_eq(served_effctl("shutdown"), CODE_FAILED);
	ck_assert_ptr_nonnull(strstr(served_err, "has not answered, and goes on; try again"));
}
END_TEST

START_TEST(shutdown_waits_no_longer_than_asked)
{
	served_holds = true;
	served_play((struct served_step[]){{"Shutdown", {SERVED_REPLY("{}")}}, {0}});

	ck_assert_int_eq(served_effctl("shutdown --timeout 20ms"), CODE_TIMED_OUT);
}
END_TEST

START_TEST(version_tells_both)
{
	served_play((struct served_step[]){
		{"Version", {SERVED_REPLY("{\"version\":\"9.9\",\"pid\":1}")}}, {0}});

	ck_assert_int_eq(served_effctl("version"), CODE_DONE);

	ck_assert_str_eq(served_out, "effctl " EFFD_VERSION "\neffd 9.9 (pid 1)\n");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("effctl");
	TCase *tcase = tcase_create("effctl");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, served_open, served_close);
	tcase_add_test(tcase, status_is_an_aligned_table);
	tcase_add_test(tcase, status_of_one_unit_tells_all_and_its_last_output);
	tcase_add_test(tcase, status_of_units_without_replicas_says_so);
	tcase_add_loop_test(tcase, status_of_named_units_ends_with_3_unless_all_are_well, 0, 7);
	tcase_add_loop_test(
		tcase, the_output_of_one_is_asked_for_when_it_is_known_that_it_is_one, 0, 2);
	tcase_add_test(tcase, the_output_of_a_group_is_not_asked_for);
	tcase_add_test(tcase, json_is_what_effd_said);
	tcase_add_test(tcase, ten_thousand_units_are_shown);
	tcase_add_test(tcase, the_tree_is_drawn);
	tcase_add_test(tcase, the_tree_has_lines_where_the_locale_has_them);
	tcase_add_loop_test(tcase, every_refusal_has_its_words_and_its_exit_code, 0, N(refusals));
	tcase_add_test(tcase, a_line_that_can_be_read_is_shown_with_what_is_wrong_in_it);
	tcase_add_test(tcase, a_refusal_is_a_document_with_json);
	tcase_add_test(tcase, without_effd_it_says_how_to_start_one);
	tcase_add_test(tcase, a_socket_that_may_not_be_used_is_not_permitted);
	tcase_add_test(tcase, what_is_not_effd_is_found_out);
	tcase_add_test(tcase, a_timeout_of_its_own_ends_with_7);
	tcase_add_test(tcase, shutdown_ends_with_0_when_effd_has_gone);
	tcase_add_test(tcase, a_shutdown_that_effd_has_not_heard_of_has_failed);
	tcase_add_test(tcase, shutdown_waits_no_longer_than_asked);
	tcase_add_test(tcase, version_tells_both);
	suite_add_tcase(suite, tcase);
	return suite;
}
