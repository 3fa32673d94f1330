/* SPDX-License-Identifier: MIT */
/* How long the end of a tree may take in all, whatever is in it: to the nanosecond, in virtual time. What the kernel does
 * not let go ends effd itself, so each of these is played by a process of its own. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "effd/effd.h"
#include "fake/world.h"

Suite *test_suite(void);

enum { STILL_THERE = 99 };

/* It takes longer than anybody will wait, and no signal is of use. */
static const struct script unkillable = {
	.lives = EFF_FOREVER, .ignores_term = true, .unkillable_for = EFF_H(10)};

static struct effd e;
static struct eff_fiber *watch;

static struct world *world_watched(const char *fields, const char *units)
{
	char text[600];
	struct world *w;

	(void)snprintf(text, sizeof(text), "version: 1\nname: test\ndaemon: {%s}\nunits:\n%s",
		fields, units);
	w = world_new(text);
	e = (struct effd){.tree = w->tree, .notify = {.fd = -1}};
	eff_event_init(&e.cut_short);
	ck_assert_int_eq(eff_fork_daemon(EFF(shutdown_watch, &e), &watch), 0);
	world_script(w, "unkillable", unkillable);
	world_script(w, "deaf", (struct script){.lives = EFF_FOREVER, .ignores_term = true});
	world_run_for(w, EFF_S(1));
	return w;
}

static void world_done(struct world *w)
{
	eff_interrupt_async(watch);
	eff_fiber_unref(watch);
	world_free(w);
}

START_TEST(all_get_their_final_signal_when_the_time_is_up)
{
	struct world *w = world_watched("shutdown_timeout: 20s",
		"  a: {command: deaf, stop: {timeout: 1h}}\n  b: {command: deaf, stop: {timeout: 19s}}\n"
		"  g: {units: {c: {command: deaf, stop: {timeout: 1h}}}}\n");

	world_shutdown(w, false);
	world_run_for(w, EFF_S(20) - 1);
	ck_assert(!w->ended);
	world_run_for(w, 1);

	ck_assert(w->ended);
	EXPECT_TRACE(w, "a", "0 spawn, 1000 TERM, 21000 KILL, 21000 SIGKILL");
	EXPECT_TRACE(w, "b", "0 spawn, 1000 TERM, 20000 KILL, 20000 SIGKILL");
	EXPECT_TRACE(w, "g/c", "0 spawn, 1000 TERM, 21000 KILL, 21000 SIGKILL");
	world_done(w);
}
END_TEST

/* In a process of its own: told to stop, and cut short by a person 3 s later or not. It is there a nanosecond before `last`,
 * from then on; and ends in that moment with the code that this returns, or goes on: STILL_THERE. */
static int ends_at(const char *fields, const char *units, bool cut, eff_ns last)
{
	int told[2], status = 0;
	char word = 0;
	pid_t pid;

	ck_assert_int_eq(pipe(told), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct world *w = world_watched(fields, units);

		world_shutdown(w, false);
		if (cut) {
			world_run_for(w, EFF_S(3));
			eff_event_set(&e.cut_short);
			world_shutdown(w, true);
		}
		world_run_for(w, last - 1);
		(void)!write(told[1], "t", 1);
		world_run_for(w, 1);
		_exit(STILL_THERE);
	}
	(void)close(told[1]);
	ck_assert_msg(read(told[0], &word, 1) == 1, "it has ended too early");
	(void)close(told[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(what_the_kernel_does_not_let_go_is_left_five_seconds_later)
{
	static const char unit[] = "  a: {command: unkillable}\n  b: {command: b}\n";
	static const char deep[] =
		"  g: {units: {h: {start_order: sequential, units: {b: {command: b}, a: {command: unkillable}}}}}\n";

	ck_assert_int_eq(ends_at("", unit, false, EFF_S(95)), 1);
	ck_assert_int_eq(ends_at("shutdown_timeout: 20s", unit, false, EFF_S(25)), 1);
	ck_assert_int_eq(ends_at("shutdown_timeout: 0", unit, false, EFF_S(5)), 1);
	ck_assert_int_eq(ends_at("shutdown_timeout: 20s", deep, false, EFF_S(25)), 1);
}
END_TEST

START_TEST(a_person_who_will_not_wait_cuts_all_of_it_short)
{
	ck_assert_int_eq(ends_at("", "  a: {command: unkillable}\n", true, EFF_S(5)), 1);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/effd/shutdown");
	TCase *tcase = tcase_create("shutdown");

	tcase_add_test(tcase, all_get_their_final_signal_when_the_time_is_up);
	tcase_add_test(tcase, what_the_kernel_does_not_let_go_is_left_five_seconds_later);
	tcase_add_test(tcase, a_person_who_will_not_wait_cuts_all_of_it_short);
	suite_add_tcase(suite, tcase);
	return suite;
}
