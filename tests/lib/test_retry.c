/* SPDX-License-Identifier: MIT */
/* Effects run again and again, by a schedule. */
#include <errno.h>

#include <eff/effect.h>
#include <eff/scope.h>

#include "leak.h"
#include "run.h"

Suite *test_suite(void);

/* Takes the exit. */
static void ck_text(eff_exit e, const char *want)
{
	char buf[128];

	ck_assert_str_eq(eff_exit_text(e, buf, sizeof(buf)), want);
	eff_exit_drop(e);
}

static eff_exit nap_masked(void *arg)
{
	eff_masked masked = eff_mask();
	int r = eff_sleep(*(int64_t *)arg);

	eff_unmask(masked);
	return eff_exit_of(r < 0 ? r : eff_check());
}

static struct eff_finalizer deferred;
static int countdown;

static eff_exit fail_until_zero(void *arg)
{
	say("try");
	if (countdown-- > 0)
		return eff_failf(countdown + 1, "%s", (const char *)arg);
	return eff_ok(NULL);
}

static eff_exit succeed_until_zero(void *arg)
{
	say("run");
	return countdown-- > 0 ? eff_ok_number(countdown) : eff_die("%s", (const char *)arg);
}

static eff_exit retries(void *arg)
{
	struct eff_sched s = eff_exponential(EFF_S(1), 2);

	(void)arg;
	countdown = 3;
	ck_text(eff_retry(EFF(fail_until_zero, TEXT("x")), &s), "ok");
	ck_assert_str_eq(run_trace, "try@0 try@1 try@3 try@7 ");
	s = eff_sched_times(eff_spaced(EFF_S(1)), 2);
	countdown = 10;
	ck_text(eff_retry(EFF(fail_until_zero, TEXT("x")), &s), "fail 8: x");
	ck_assert_int_eq(eff_now(), EFF_S(9));
	return eff_ok(NULL);
}

static void forget(void *arg)
{
	(void)arg;
	say("clean");
}

static eff_exit deferring_try(void *arg)
{
	static int64_t one = EFF_S(1);

	eff_defer(eff_scope_current(), &deferred, forget, NULL);
	eff_fiber_unref(forked(nap_masked, &one));
	ck_assert_int_eq(eff_yield(), 0);
	return fail_until_zero(arg);
}

static eff_exit say_other(void *arg)
{
	say("other");
	return eff_ok(arg);
}

static eff_exit retry_at_once(void *arg)
{
	struct eff_sched s = eff_spaced(0);

	(void)arg;
	countdown = 1;
	ck_text(eff_retry(EFF(deferring_try, TEXT("x")), &s), "ok");
	countdown = 2;
	ck_assert_int_eq(eff_fork(EFF(say_other, NULL), NULL), 0);
	ck_text(eff_retry(EFF(fail_until_zero, TEXT("x")), &s), "ok");
	return eff_ok(NULL);
}

START_TEST(each_try_is_a_scope_of_its_own_and_between_two_others_have_their_turn)
{
	run_ok(retry_at_once, NULL);
	ck_assert_str_eq(run_trace, "try@0 clean@1 try@1 clean@2 try@2 other@2 try@2 try@2 ");
}
END_TEST

static eff_exit die_once(void *arg)
{
	countdown++;
	return *(eff_exit *)arg;
}

static eff_exit retry_what_is_no_failure(void *arg)
{
	struct eff_sched s = eff_spaced(EFF_S(1));
	eff_exit given = eff_die("defect");

	(void)arg;
	countdown = 0;
	ck_text(eff_retry(EFF(die_once, &given), &s), "die: defect");
	given = eff_interrupted();
	ck_text(eff_retry(EFF(die_once, &given), &s), "interrupt");
	ck_assert_int_eq(countdown, 2);
	return eff_ok(NULL);
}

START_TEST(only_a_failure_is_retried)
{
	run_ok(retry_what_is_no_failure, NULL);
}
END_TEST

START_TEST(a_retry_goes_on_by_its_schedule_until_something_else_than_a_failure)
{
	run_ok(retries, NULL);
}
END_TEST

static eff_exit repeats(void *arg)
{
	struct eff_sched s = eff_spaced(EFF_S(2));

	(void)arg;
	countdown = 2;
	ck_text(eff_repeat(EFF(succeed_until_zero, TEXT("done")), &s), "die: done");
	ck_assert_str_eq(run_trace, "run@0 run@2 run@4 ");
	s = eff_sched_times(s, 1);
	countdown = 9;
	ck_text(eff_repeat(EFF(succeed_until_zero, TEXT("never")), &s), "ok");
	ck_assert_int_eq(countdown, 7);
	return eff_ok(NULL);
}

START_TEST(a_repeat_goes_on_by_its_schedule_until_something_else_than_ok)
{
	run_ok(repeats, NULL);
}
END_TEST

static eff_exit retry_within(void *arg)
{
	struct eff_sched s = eff_spaced(EFF_S(2));
	struct eff_scope within;
	eff_exit exit;

	(void)arg;
	countdown = 100;
	eff_scope_open(&within);
	eff_scope_limit(&within, EFF_S(3));
	exit = eff_retry(EFF(fail_until_zero, TEXT("x")), &s);
	ck_assert_int_eq(eff_scope_close(&within), -ETIMEDOUT);
	ck_assert_int_eq(eff_now(), EFF_S(3));
	ck_text(exit, "fail 110; and fail 99: x");
	return eff_ok(NULL);
}

START_TEST(a_retry_whose_delay_is_cut_short_says_so_and_keeps_the_last_failure)
{
	run_ok(retry_within, NULL);
}
END_TEST

static bool is_worth_another_try(const struct eff_exit *last)
{
	return last->code > 8;
}

static eff_exit schedules(void *arg)
{
	struct eff_sched s = eff_sched_while(eff_spaced(EFF_S(1)), is_worth_another_try);
	struct eff_sched few = eff_recurs(2);
	struct eff_sched slow = eff_spaced(EFF_S(10));

	(void)arg;
	countdown = 10;
	ck_text(eff_retry(EFF(fail_until_zero, TEXT("x")), &s), "fail 8: x");
	ck_assert_str_eq(run_trace, "try@0 try@1 try@2 ");
	run_trace[0] = '\0';
	s = eff_sched_upto(eff_spaced(EFF_S(2)), EFF_S(5));
	countdown = 10;
	ck_text(eff_retry(EFF(fail_until_zero, TEXT("x")), &s), "fail 7: x");
	ck_assert_str_eq(run_trace, "try@2 try@4 try@6 try@8 ");
	run_trace[0] = '\0';
	s = eff_sched_then(&few, &slow);
	countdown = 4;
	ck_text(eff_retry(EFF(fail_until_zero, TEXT("x")), &s), "ok");
	ck_assert_str_eq(run_trace, "try@8 try@8 try@8 try@18 try@28 ");
	return eff_ok(NULL);
}

START_TEST(a_schedule_may_look_at_the_failure_at_the_time_and_change_its_pace)
{
	run_ok(schedules, NULL);
}
END_TEST

static eff_exit work_for_long_once(void *arg)
{
	say("run");
	(void)eff_sleep(countdown == 2 ? EFF_S(25) : EFF_S(3));
	return countdown-- > 0 ? eff_ok(arg) : eff_fail(1);
}

static eff_exit on_a_grid(void *arg)
{
	struct eff_sched s = eff_fixed(EFF_S(10));

	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	countdown = 4;
	ck_text(eff_repeat(EFF(work_for_long_once, arg), &s), "fail 1");
	return eff_ok(NULL);
}

START_TEST(a_repeat_keeps_to_the_grid_that_its_first_run_began)
{
	run_ok(on_a_grid, NULL);
	ck_assert_str_eq(run_trace, "run@1 run@11 run@21 run@46 run@51 ");
}
END_TEST

static eff_exit spread(void *arg)
{
	struct eff_sched s = eff_sched_jitter(eff_spaced(EFF_S(10)), 0.8, 1.2);

	(void)arg;
	countdown = 4;
	ck_text(eff_retry(EFF(fail_until_zero, TEXT("x")), &s), "ok");
	return eff_ok(NULL);
}

START_TEST(jitter_comes_from_the_seed)
{
	char first[sizeof(run_trace)];

	run_ok(spread, NULL);
	memcpy(first, run_trace, sizeof(first));
	run_teardown();
	run_setup();
	run_ok(spread, NULL);
	ck_assert_str_eq(run_trace, first);
	ck_assert_str_ne(run_trace, "try@0 try@10 try@20 try@30 try@40 ");
}
END_TEST

static eff_exit count_one(void *arg)
{
	++*(int *)arg;
	return eff_ok(NULL);
}

static eff_exit yield_between(void *arg)
{
	struct eff_sched s = eff_recurs(3);
	int n = 0;

	(void)arg;
	countdown = 2;
	(void)eff_fork(EFF(count_one, &n), NULL);
	ck_text(eff_retry(EFF(fail_until_zero, TEXT("x")), &s), "ok");
	ck_assert_int_eq(n, 1);
	return eff_ok(NULL);
}

START_TEST(a_retry_at_once_lets_the_others_run)
{
	run_ok(yield_between, NULL);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("retry");
	TCase *tcase = tcase_create("retry");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, each_try_is_a_scope_of_its_own_and_between_two_others_have_their_turn);
	tcase_add_test(tcase, only_a_failure_is_retried);
	tcase_add_test(tcase, a_retry_goes_on_by_its_schedule_until_something_else_than_a_failure);
	tcase_add_test(tcase, a_repeat_goes_on_by_its_schedule_until_something_else_than_ok);
	tcase_add_test(tcase, a_retry_whose_delay_is_cut_short_says_so_and_keeps_the_last_failure);
	tcase_add_test(tcase, a_schedule_may_look_at_the_failure_at_the_time_and_change_its_pace);
	tcase_add_test(tcase, a_repeat_keeps_to_the_grid_that_its_first_run_began);
	tcase_add_test(tcase, jitter_comes_from_the_seed);
	tcase_add_test(tcase, a_retry_at_once_lets_the_others_run);
	suite_add_tcase(suite, tcase);
	return suite;
}
