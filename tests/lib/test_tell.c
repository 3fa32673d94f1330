/* SPDX-License-Identifier: MIT */
/* What is told though nobody asked: deadlocks, late ends, failures that nobody saw; to a hook, or on stderr. */
#include <errno.h>
#include <unistd.h>

#include <eff.h>

#include "internal.h"
#include "leak.h"
#include "run.h"

Suite *test_suite(void);

static struct eff_event never;

static eff_exit wait_for_ever(void *arg)
{
	(void)arg;
	return eff_exit_of(eff_event_await(&never));
}

static void on_late(void *context, const struct eff_fiber_info *info)
{
	ck_assert_ptr_eq(context, run_trace);
	say("%s %s for %s", info->name, info->state, info->waits_for);
}

static eff_exit end_slowly(void *arg)
{
	eff_masked masked = eff_mask();

	(void)eff_sleep(EFF_S(3));
	eff_unmask(masked);
	return eff_ok(arg);
}

START_TEST(who_outlives_a_shutdown_is_told_with_what_it_waits_for)
{
	run_rt->hooks.on_late = on_late;
	run_rt->hooks.context = run_trace;
	ck_assert_int_eq(eff_rt_attach(run_rt, EFF_NAMED("slow", end_slowly, NULL)), 0);
	(void)eff_rt_turn(run_rt);
	ck_assert_int_eq(eff_rt_shutdown(run_rt, EFF_S(2)), -ETIMEDOUT);
	ck_assert_str_eq(run_trace, "slow waiting for sleep@2 ");
	ck_assert_int_eq(eff_rt_shutdown(run_rt, EFF_S(2)), 0);
	ck_assert_str_eq(run_trace, "slow waiting for sleep@2 ");
}
END_TEST

/* What `fn` says on stderr, less the stacks. */
static const char *said(void (*fn)(void))
{
	static char text[4096];
	size_t len = 0;
	int before = dup(STDERR_FILENO);
	int ends[2];
	ssize_t n;
	char *at;

	ck_assert_int_eq(pipe(ends), 0);
	(void)dup2(ends[1], STDERR_FILENO);
	fn();
	(void)dup2(before, STDERR_FILENO);
	close(before);
	close(ends[1]);
	while ((n = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(ends[0]);
	while ((at = strstr(text, ", stack "))) {
		const char *rest = strchr(at, '\n');

		memmove(at, rest, strlen(rest) + 1);
	}
	return text;
}

static void run_into_a_deadlock(void)
{
	eff_exit exit = eff_rt_run(run_rt, EFF_NAMED("root", wait_for_ever, NULL));

	ck_assert_int_eq(exit.tag, EFF_DIE);
	eff_exit_drop(exit);
}

START_TEST(without_a_hook_a_deadlock_is_a_tree_on_stderr)
{
	eff_event_init(&never);
	ck_assert_str_eq(said(run_into_a_deadlock),
		"libeff: deadlock: all fibers wait and nothing can wake any\n"
		"1 fibers\n"
		"#1 root: waiting for event, 0.000 s old\n");
}
END_TEST

static void shut_down_too_early(void)
{
	ck_assert_int_eq(eff_rt_shutdown(run_rt, EFF_S(1)), -ETIMEDOUT);
}

START_TEST(without_a_hook_a_late_end_is_a_tree_on_stderr)
{
	ck_assert_int_eq(eff_rt_attach(run_rt, EFF_NAMED("slow", end_slowly, NULL)), 0);
	(void)eff_rt_turn(run_rt);
	ck_assert_str_eq(said(shut_down_too_early),
		"libeff: the grace of a shutdown is over, and some still live\n"
		"1 fibers\n"
		"#1 slow: waiting for sleep, wakes in 2.000 s, 1.000 s old\n");
	ck_assert_int_eq(eff_rt_shutdown(run_rt, EFF_S(5)), 0);
}
END_TEST

static eff_exit fail_with_words(void *arg)
{
	return eff_failf(3, "%s", (const char *)arg);
}

static eff_exit fork_a_failure(void *arg)
{
	ck_assert_int_eq(eff_fork(EFF_NAMED("lonely", fail_with_words, arg), NULL), 0);
	return eff_exit_of(eff_yield());
}

static void fail_unseen(void)
{
	run_ok(fork_a_failure, TEXT("no luck"));
}

START_TEST(without_a_hook_a_failure_that_nobody_saw_is_told_on_stderr)
{
	ck_assert_str_eq(said(fail_unseen),
		"libeff: nobody has seen how fiber \"lonely\" ended: fail 3: no luck\n");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("tell");
	TCase *tcase = tcase_create("tell");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, who_outlives_a_shutdown_is_told_with_what_it_waits_for);
	tcase_add_test(tcase, without_a_hook_a_deadlock_is_a_tree_on_stderr);
	tcase_add_test(tcase, without_a_hook_a_late_end_is_a_tree_on_stderr);
	tcase_add_test(tcase, without_a_hook_a_failure_that_nobody_saw_is_told_on_stderr);
	suite_add_tcase(suite, tcase);
	return suite;
}
