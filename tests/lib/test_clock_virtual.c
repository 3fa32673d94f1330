/* SPDX-License-Identifier: MIT */
/* Moving virtual time: from outside, from a fiber, and by itself. */
#include <errno.h>

#include <eff/scope.h>

#include "leak.h"
#include "run.h"

Suite *test_suite(void);

static void setup(void)
{
	run_setup();
	eff_testclock_autojump(run_clock, false);
}

static eff_exit tick(void *arg)
{
	for (int i = 0; i < 3; i++) {
		int r = eff_sleep(EFF_S(1));

		if (r < 0)
			return eff_exit_of(r);
		say("%s", (const char *)arg);
	}
	return eff_ok(NULL);
}

static eff_exit two_tickers(void *arg)
{
	(void)arg;
	(void)eff_fork(EFF(tick, TEXT("a")), NULL);
	(void)eff_fork(EFF(tick, TEXT("b")), NULL);
	return eff_exit_of(eff_sleep(EFF_S(10)));
}

START_TEST(time_stands_still_until_it_is_advanced_and_stops_where_it_was_sent)
{
	eff_ns next;

	ck_assert(!eff_testclock_next(run_clock, &next));
	ck_assert_int_eq(eff_rt_attach(run_rt, EFF(two_tickers, NULL)), 0);
	for (int i = 0; i < 10; i++)
		ck_assert(eff_rt_turn(run_rt));
	ck_assert_str_eq(run_trace, "");
	ck_assert(eff_testclock_next(run_clock, &next));
	ck_assert_int_eq(next, EFF_S(1));
	ck_assert_int_eq(eff_testclock_advance(run_clock, EFF_MS(999)), 0);
	ck_assert_str_eq(run_trace, "");
	ck_assert_int_eq(eff_testclock_advance(run_clock, EFF_MS(1)), 0);
	ck_assert_str_eq(run_trace, "a@1 b@1 ");
	ck_assert_int_eq(eff_testclock_set(run_clock, EFF_MS(2500)), 0);
	ck_assert_str_eq(run_trace, "a@1 b@1 a@2 b@2 ");
	ck_assert_int_eq(eff_now(), EFF_MS(2500));
	ck_assert_int_eq(eff_testclock_set(run_clock, EFF_MS(2499)), -EINVAL);
	ck_assert_int_eq(eff_testclock_advance(run_clock, -1), -EINVAL);
	ck_assert_int_eq(eff_testclock_advance(run_clock, 0), 0);
	ck_assert_int_eq(eff_now(), EFF_MS(2500));
	ck_assert(eff_rt_turn(run_rt));
	ck_assert_int_eq(eff_testclock_advance(run_clock, EFF_H(1)), 0);
	ck_assert(!eff_rt_turn(run_rt));
	ck_assert_int_eq(eff_now(), EFF_H(1) + EFF_MS(2500));
}
END_TEST

static eff_exit first_steps(void *arg)
{
	say("%s", (const char *)arg);
	return eff_ok(NULL);
}

START_TEST(advancing_first_lets_everything_run_that_can)
{
	ck_assert_int_eq(eff_rt_attach(run_rt, EFF(first_steps, TEXT("ran"))), 0);
	ck_assert_int_eq(eff_testclock_advance(run_clock, EFF_S(1)), 0);
	ck_assert_str_eq(run_trace, "ran@0 ");
	ck_assert(!eff_rt_turn(run_rt));
}
END_TEST

static eff_exit advance_inside(void *arg)
{
	struct eff_fiber *a = forked(tick, TEXT("a"));
	struct eff_fiber *b = forked(tick, TEXT("b"));

	(void)arg;
	ck_assert_int_eq(eff_testclock_advance(run_clock, EFF_MS(500)), 0);
	say("now");
	ck_assert_int_eq(eff_testclock_advance(run_clock, EFF_MS(500)), 0);
	say("now");
	ck_assert_int_eq(eff_testclock_advance(run_clock, -1), -EINVAL);
	ck_assert_int_eq(eff_testclock_set(run_clock, EFF_S(9)), 0);
	say("now");
	ck_assert_str_eq(end_of(a), "ok");
	ck_assert_str_eq(end_of(b), "ok");
	return eff_ok(NULL);
}

START_TEST(a_fiber_that_advances_returns_when_all_others_wait_and_the_time_is_there)
{
	run_ok(advance_inside, NULL);
	ck_assert_str_eq(run_trace, "now@500ms a@1 b@1 now@1 a@2 b@2 a@3 b@3 now@9 ");
}
END_TEST

static eff_exit advance_and_say(void *arg)
{
	int r = eff_testclock_advance(run_clock, EFF_S(*(int64_t *)arg));

	say("%d%s", (int)*(int64_t *)arg, r == -ECANCELED ? " canceled" : "");
	return eff_ok(NULL);
}

static eff_exit advance_at_once(void *arg)
{
	struct eff_fiber *six = forked(advance_and_say, NUMBER(6));

	(void)arg;
	(void)eff_fork(EFF(advance_and_say, NUMBER(3)), NULL);
	(void)eff_fork(EFF(advance_and_say, NUMBER(1)), NULL);
	(void)eff_fork(EFF(advance_and_say, NUMBER(3)), NULL);
	ck_assert_int_eq(eff_testclock_advance(run_clock, EFF_S(4)), 0);
	say("4");
	ck_assert_int_eq(eff_interrupt(six, NULL), 0);
	eff_fiber_unref(six);
	return eff_ok(NULL);
}

START_TEST(fibers_that_advance_at_once_each_return_at_their_time)
{
	run_ok(advance_at_once, NULL);
	ck_assert_str_eq(run_trace, "1@1 3@3 3@3 4@4 6 canceled@4 ");
}
END_TEST

START_TEST(autojump_moves_on_whenever_all_wait)
{
	eff_testclock_autojump(run_clock, true);
	run_ok(two_tickers, NULL);
	ck_assert_str_eq(run_trace, "a@1 b@1 a@2 b@2 a@3 b@3 ");
	ck_assert_int_eq(eff_now(), EFF_S(10));
}
END_TEST

static eff_exit limited(void *arg)
{
	struct eff_scope within;

	(void)arg;
	eff_scope_open(&within);
	eff_scope_limit(&within, EFF_S(2));
	/* The limit was armed before, so of one instant it comes first. */
	say("%d", eff_sleep(EFF_S(2)) == -ETIMEDOUT);
	return eff_exit_of(eff_scope_close(&within));
}

START_TEST(limits_and_sleeps_share_one_order)
{
	ck_assert_int_eq(eff_rt_attach(run_rt, EFF(limited, NULL)), 0);
	ck_assert_int_eq(eff_testclock_advance(run_clock, EFF_S(5)), 0);
	ck_assert_str_eq(run_trace, "1@2 ");
	ck_assert(!eff_rt_turn(run_rt));
}
END_TEST

START_TEST(a_clock_that_nobody_uses_moves_too)
{
	struct eff_testclock *clock = eff_testclock_new(EFF_S(7));

	ck_assert_int_eq(eff_testclock_advance(clock, EFF_S(1)), 0);
	ck_assert_int_eq(eff_testclock_set(clock, EFF_S(7)), -EINVAL);
	ck_assert_int_eq(eff_testclock_set(clock, EFF_S(8)), 0);
	ck_assert_int_eq(eff_testclock_advance(clock, EFF_FOREVER), 0);
	eff_testclock_free(clock);
	eff_testclock_free(NULL);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("clock_virtual");
	TCase *tcase = tcase_create("clock_virtual");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, setup, run_teardown);
	tcase_add_test(tcase, time_stands_still_until_it_is_advanced_and_stops_where_it_was_sent);
	tcase_add_test(tcase, advancing_first_lets_everything_run_that_can);
	tcase_add_test(tcase,
		a_fiber_that_advances_returns_when_all_others_wait_and_the_time_is_there);
	tcase_add_test(tcase, fibers_that_advance_at_once_each_return_at_their_time);
	tcase_add_test(tcase, autojump_moves_on_whenever_all_wait);
	tcase_add_test(tcase, limits_and_sleeps_share_one_order);
	tcase_add_test(tcase, a_clock_that_nobody_uses_moves_too);
	suite_add_tcase(suite, tcase);
	return suite;
}
