/* SPDX-License-Identifier: MIT */
/* What effctl takes for an answer on its command line, and what it says to the rest. */
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "effctl/command.h"
#include "fake/served.h"
#include "leak.h"
#include "wire/varlink.h"

Suite *test_suite(void);

static const struct {
	const char *line, *said;
} misuses[] = {
	{"stauts", "effctl: no such command: stauts; did you mean status?\n"},
	{"stat", "effctl: no such command: stat; did you mean status?\n"},
	{"stpo", "effctl: no such command: stpo; did you mean stop?\n"},
	{"nope", "effctl: no such command: nope (effctl --help lists them)\n"},
	{"why web", "effctl: no such command: why; here it is: explain UNIT\n"},
	{"ls", "effctl: no such command: ls; here it is: status\n"},
	{"frobnicate", "effctl: no such command: frobnicate (effctl --help lists them)\n"},
	{"start", "usage: effctl start [OPTION...] UNIT... (effctl start --help says more)\n"},
	{"signal HUP",
		"usage: effctl signal [OPTION...] SIGNAL UNIT... (effctl signal --help says more)\n"},
	{"signal NONE web", "effctl: no such signal: NONE\n"},
	{"signal hup web", "effctl: no such signal: hup; did you mean HUP?\n"},
	{"signal sigterm web", "effctl: no such signal: sigterm; did you mean SIGTERM?\n"},
	{"explain a b", "usage: effctl explain [OPTION...] UNIT (effctl explain --help says more)\n"},
	{"ping x", "usage: effctl ping [OPTION...] (effctl ping --help says more)\n"},
	{"start --now web", "effctl: start takes no --now\n"},
	{"stop --nwo web", "effctl: no such option: --nwo (effctl --help lists them)\n"},
	{"stop -x web", "effctl: no such option: -x (effctl --help lists them)\n"},
	{"stop --now=yes web", "effctl: --now takes no value\n"},
	{"logs -n", "effctl: --lines needs a value: --lines N\n"},
	{"--socket= ping", "effctl: --socket needs a value: --socket PATH\n"},
	{"logs -n ten", "effctl: --lines ten: a number is expected\n"},
	{"start web --timeout 30", "effctl: --timeout 30: a duration has a unit: 30s, 500ms, 1m30s\n"},
	{"status -l web", "effctl: --label web: KEY=VALUE is expected\n"},
	{"reload --plan 3-ab web",
		"effctl: a plan is of the whole tree: reload --plan takes no units\n"},
	{"reload --plan 3-ab -l tier=front",
		"effctl: a plan is of the whole tree: reload --plan takes no units\n"},
	{"wait web", "effctl: wait needs --for and one of waiting, starting, up, stopping, backoff, down, done, failed\n"},
	{"wait --for running web",
		"effctl: no such state: running; one of waiting, starting, up, stopping, backoff, down, done, failed\n"},
};

START_TEST(misuse_is_told_and_ends_with_2)
{
	ck_assert_int_eq(served_effctl(misuses[_i].line), CODE_USAGE);

	ck_assert_str_eq(served_err, misuses[_i].said);
}
END_TEST

START_TEST(what_begins_with_a_dash_can_follow_two)
{
	served_play((struct served_step[]){
		{"{\"units\":[\"-x\"]}", {SERVED_REPLY("{\"units\":[]}")}}, {0}});

	ck_assert_int_eq(served_effctl("status -- -x"), CODE_DONE);
}
END_TEST

START_TEST(help_has_every_command)
{
	ck_assert_int_eq(served_effctl("--help"), CODE_DONE);

	for (size_t i = 0; command_at(i); i++) {
		char head[32];

		(void)snprintf(head, sizeof(head), "\n  %s ", command_at(i)->name);
		ck_assert_msg(strstr(served_out, head) != NULL, "%s", head);
	}
	ck_assert_int_eq(served_effctl("help stop"), CODE_DONE);
	ck_assert_ptr_nonnull(strstr(served_out, "usage: effctl stop [OPTION...] UNIT...\n"));
	ck_assert_ptr_nonnull(strstr(served_out, "--now"));
	ck_assert_ptr_null(strstr(served_out, "--lines"));
}
END_TEST

/* Nobody is asked for it. */
START_TEST(its_version_is_told_alone_or_beside_a_command)
{
	ck_assert_int_eq(served_effctl("--version"), CODE_DONE);
	ck_assert_str_eq(served_out, "effctl " EFFD_VERSION "\n");
	ck_assert_int_eq(served_effctl("stop --version"), CODE_DONE);
	ck_assert_str_eq(served_out, "effctl " EFFD_VERSION "\n");
}
END_TEST

START_TEST(no_command_is_misuse)
{
	ck_assert_int_eq(served_effctl(""), CODE_USAGE);

	ck_assert_ptr_nonnull(strstr(served_err, "usage: effctl"));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("effctl_options");
	TCase *tcase = tcase_create("effctl_options");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, served_open, served_close);
	tcase_add_loop_test(
		tcase, misuse_is_told_and_ends_with_2, 0, sizeof(misuses) / sizeof(*misuses));
	tcase_add_test(tcase, what_begins_with_a_dash_can_follow_two);
	tcase_add_test(tcase, help_has_every_command);
	tcase_add_test(tcase, its_version_is_told_alone_or_beside_a_command);
	tcase_add_test(tcase, no_command_is_misuse);
	suite_add_tcase(suite, tcase);
	return suite;
}
