/* SPDX-License-Identifier: MIT */
/* What signals to effd do, by the tree. */
#include <signal.h>

#include <check.h>

#include "leak.h"
#include "plan/changes.h"
#include "plan_world.h"

Suite *test_suite(void);

static struct plan_world world;

static const struct plan_signal *signal_of(int sig)
{
	return &plan_daemon(world.plan)->signals[sig];
}

static unsigned signals_that(enum plan_signal_act act)
{
	unsigned n = 0;

	for (int sig = 0; sig < PLAN_N_SIGNALS; sig++)
		n += signal_of(sig)->act == act;
	return n;
}

START_TEST(three_have_a_meaning_by_themselves)
{
	(void)plan_world_good(&world, "version: 1\nunits: {a: {command: x}}\n");

	ck_assert_int_eq(signal_of(SIGHUP)->act, PLAN_SIGNAL_RELOAD);
	ck_assert_int_eq(signal_of(SIGINT)->act, PLAN_SIGNAL_STOP);
	ck_assert_int_eq(signal_of(SIGTERM)->act, PLAN_SIGNAL_STOP);
	ck_assert_uint_eq(signals_that(PLAN_SIGNAL_DEFAULT), PLAN_N_SIGNALS - 3);
	plan_world_done(&world);
}
END_TEST

START_TEST(what_is_given_is_laid_over_them)
{
	(void)plan_world_good(&world,
		"version: 1\ndaemon: {signals: {SIGHUP: 'forward:${NOBODY:-g/w}', RTMIN+3: stop, 10: ignore, "
		"USR2: forward:g, QUIT: forward:b@2, WINCH: forward:b, x-why: [this]}}\n"
		"units: {g: {units: {w: {command: x}}}, b: {command: x, replicas: 2}}\n");

	ck_assert_int_eq(signal_of(SIGHUP)->act, PLAN_SIGNAL_FORWARD);
	ck_assert_str_eq(signal_of(SIGHUP)->unit, "g/w");
	ck_assert_str_eq(signal_of(SIGUSR2)->unit, "g");
	ck_assert_str_eq(signal_of(SIGQUIT)->unit, "b@2");
	ck_assert_str_eq(signal_of(SIGWINCH)->unit, "b");
	ck_assert_int_eq(signal_of(SIGUSR1)->act, PLAN_SIGNAL_IGNORE);
	ck_assert_uint_eq(signals_that(PLAN_SIGNAL_STOP), 3);
	ck_assert_int_eq(signal_of(SIGRTMIN + 3)->act, PLAN_SIGNAL_STOP);
	plan_world_done(&world);
}
END_TEST

START_TEST(a_command_is_passed_on_what_a_container_is_sent)
{
	static const char *const argv[] = {"/bin/web", NULL};
	static const int passed_on[] = {SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

	plan_world_init(&world);
	ck_assert_int_eq(plan_of_command(argv, &world.source, &world.plan, world.diags), 0);

	ck_assert_uint_eq(signals_that(PLAN_SIGNAL_FORWARD), 5);
	for (int i = 0; i < 5; i++)
		ck_assert_str_eq(signal_of(passed_on[i])->unit, "web");
	ck_assert_uint_eq(signals_that(PLAN_SIGNAL_STOP), 2);
	plan_world_done(&world);
}
END_TEST

/* What a reload from the one mapping to the other does to effd's settings. */
static unsigned live_changes(const char *old_signals, const char *new_signals)
{
	struct plan_world worlds[2];
	struct plan_change *changes;
	char text[256];
	uint32_t n;

	for (int i = 0; i < 2; i++) {
		(void)snprintf(text, sizeof(text), "version: 1\n%s\nunits: {a: {command: x}}\n",
			i ? new_signals : old_signals);
		(void)plan_world_good(&worlds[i], text);
	}
	ck_assert_int_eq(plan_diff(worlds[0].plan, NULL, worlds[1].plan, &changes, &n), 0);
	ck_assert_uint_le(n, 1);
	if (n)
		ck_assert(strcmp(changes->unit, "/") == 0 && changes->action == PLAN_DO_LIVE &&
			strcmp(plan_field(changes->fields[0])->name, "daemon.signals") == 0);
	plan_changes_free(changes, n);
	plan_world_done(&worlds[0]);
	plan_world_done(&worlds[1]);
	return n;
}

START_TEST(a_change_of_them_is_live)
{
	ck_assert_uint_eq(live_changes("", "daemon: {signals: {USR1: reload}}"), 1);
	ck_assert_uint_eq(live_changes("daemon: {signals: {USR1: reload}}", ""), 1);
	ck_assert_uint_eq(live_changes("daemon: {signals: {USR1: reload, QUIT: stop}}",
				  "daemon: {signals: {SIGQUIT: stop, 10: reload}}"),
		0);
	ck_assert_uint_eq(live_changes("", "daemon: {signals: {TERM: stop}}"), 0);
	ck_assert_uint_eq(live_changes("", "daemon: {signals: {}}"), 0);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("signals");
	TCase *tcase = tcase_create("signals");

	test_leak_guard(tcase);
	tcase_add_test(tcase, three_have_a_meaning_by_themselves);
	tcase_add_test(tcase, what_is_given_is_laid_over_them);
	tcase_add_test(tcase, a_command_is_passed_on_what_a_container_is_sent);
	tcase_add_test(tcase, a_change_of_them_is_live);
	suite_add_tcase(suite, tcase);
	return suite;
}
