/* SPDX-License-Identifier: MIT */
/* Scopes: limits, cancellation and masks. */
#include <errno.h>

#include <eff/event.h>
#include <eff/scope.h>

#include "leak.h"
#include "run.h"

Suite *test_suite(void);

static const char *name_of(int r)
{
	return !r ? "ok" : r == -ECANCELED ? "canceled" : r == -ETIMEDOUT ? "timedout" : "odd";
}

static void say_result(const char *what, int r)
{
	say("%s %s", what, name_of(r));
}

/* ── limits ── */

static eff_exit limited(void *arg)
{
	struct eff_scope within;

	(void)arg;
	eff_scope_open(&within);
	eff_scope_limit(&within, EFF_S(2));
	say_result("a", eff_sleep(EFF_S(1)));
	say_result("b", eff_sleep(EFF_S(5)));
	say_result("c", eff_sleep(EFF_S(5)));
	ck_assert_int_eq(eff_scope_reason(&within), -ETIMEDOUT);
	ck_assert_int_eq(eff_scope_close(&within), -ETIMEDOUT);
	say_result("d", eff_sleep(EFF_S(1)));
	return eff_ok(NULL);
}

START_TEST(over_its_limit_every_wait_in_a_scope_times_out_until_it_is_left)
{
	run_ok(limited, NULL);
	ck_assert_str_eq(run_trace, "a ok@1 b timedout@2 c timedout@2 d ok@3 ");
}
END_TEST

static eff_exit relimited(void *arg)
{
	struct eff_scope within;
	struct eff_rt_stats stats;

	(void)arg;
	eff_scope_open(&within);
	eff_scope_limit(&within, EFF_S(2));
	eff_scope_limit(&within, EFF_S(5));
	say_result("a", eff_sleep(EFF_S(4)));
	eff_scope_limit(&within, EFF_FOREVER);
	say_result("b", eff_sleep(EFF_S(4)));
	eff_scope_limit(&within, EFF_S(3));
	say_result("c", eff_yield());
	/* What has passed has passed. */
	eff_scope_limit(&within, EFF_FOREVER);
	say_result("d", eff_yield());
	(void)eff_scope_close(&within);
	eff_scope_open(&within);
	eff_scope_limit(&within, EFF_H(1));
	ck_assert_int_eq(eff_scope_close(&within), 0);
	eff_rt_stats(run_rt, &stats);
	ck_assert_uint_eq(stats.timers_armed, 0);
	return eff_ok(NULL);
}

START_TEST(a_limit_can_be_moved_and_lifted_until_it_has_passed)
{
	run_ok(relimited, NULL);
	ck_assert_str_eq(run_trace, "a ok@4 b ok@8 c timedout@8 d timedout@8 ");
}
END_TEST

static eff_exit outermost(void *arg)
{
	struct eff_scope outer;
	struct eff_scope inner;

	(void)arg;
	eff_scope_open(&outer);
	eff_scope_open(&inner);
	eff_scope_cancel(&inner);
	say_result("inner", eff_check());
	eff_scope_limit(&outer, 0);
	say_result("both", eff_check());
	ck_assert_int_eq(eff_scope_close(&inner), -ECANCELED);
	say_result("outer", eff_check());
	eff_scope_cancel(&outer);
	ck_assert_int_eq(eff_scope_close(&outer), -ETIMEDOUT);
	say_result("none", eff_check());
	return eff_ok(NULL);
}

START_TEST(the_outermost_scope_decides_between_cancelled_and_timed_out)
{
	run_ok(outermost, NULL);
	ck_assert_str_eq(run_trace, "inner canceled@0 both timedout@0 outer timedout@0 none ok@0 ");
}
END_TEST

static eff_exit cancel_soon(void *arg)
{
	(void)eff_sleep(EFF_S(1));
	eff_scope_cancel(arg);
	return eff_ok(NULL);
}

static eff_exit cancelled_by_another(void *arg)
{
	struct eff_scope outer;
	struct eff_scope inner;
	struct eff_event never;

	(void)arg;
	eff_event_init(&never);
	eff_scope_open(&outer);
	ck_assert_int_eq(eff_fork(EFF(cancel_soon, &outer), NULL), 0);
	eff_scope_open(&inner);
	say_result("wait", eff_event_await(&never));
	ck_assert_int_eq(eff_scope_close(&inner), 0);
	ck_assert_int_eq(eff_scope_close(&outer), -ECANCELED);
	ck_assert(eff_list_empty(&never.waiters));
	return eff_ok(NULL);
}

START_TEST(another_fiber_can_cancel_a_scope_and_cut_a_wait_deep_inside)
{
	run_ok(cancelled_by_another, NULL);
	ck_assert_str_eq(run_trace, "wait canceled@1 ");
}
END_TEST

/* ── masks ── */

static eff_exit grace(void *arg)
{
	struct eff_scope within;
	eff_masked masked;

	(void)arg;
	say_result("run", eff_sleep(EFF_H(1)));
	masked = eff_mask();
	say_result("term", eff_sleep(EFF_S(1)));
	eff_scope_open(&within);
	eff_scope_limit(&within, EFF_S(5));
	say_result("grace", eff_sleep(EFF_H(1)));
	ck_assert_int_eq(eff_scope_close(&within), -ETIMEDOUT);
	say_result("kill", eff_sleep(EFF_S(1)));
	eff_unmask(masked);
	say_result("after", eff_sleep(EFF_S(1)));
	return eff_ok(NULL);
}

static eff_exit stop_one_with_grace(void *arg)
{
	struct eff_fiber *child = forked(grace, NULL);

	(void)arg;
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	eff_interrupt_async(child);
	ck_assert_str_eq(end_of(child), "ok");
	return eff_ok(NULL);
}

START_TEST(a_mask_hides_what_is_outside_and_limits_inside_act)
{
	run_ok(stop_one_with_grace, NULL);
	ck_assert_str_eq(run_trace,
		"run canceled@1 term ok@2 grace timedout@5 kill ok@6 after canceled@6 ");
}
END_TEST

static eff_exit masked_when_cancelled(void *arg)
{
	eff_masked outer = eff_mask();
	eff_masked inner;

	(void)arg;
	say_result("masked", eff_sleep(EFF_S(3)));
	inner = eff_mask();
	say_result("twice", eff_check());
	eff_unmask(outer);
	/* The outer state, in the middle of a mask. */
	say_result("restored", eff_check());
	(void)eff_mask();
	say_result("masked", eff_check());
	eff_unmask(inner);
	say_result("inner", eff_check());
	eff_unmask(outer);
	say_result("open", eff_check());
	return eff_ok(NULL);
}

static eff_exit interrupt_masked(void *arg)
{
	struct eff_fiber *child = forked(masked_when_cancelled, NULL);

	(void)arg;
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	eff_interrupt_async(child);
	ck_assert_str_eq(end_of(child), "ok");
	return eff_ok(NULL);
}

START_TEST(masks_nest_and_the_first_wait_after_them_sees_what_they_hid)
{
	run_ok(interrupt_masked, NULL);
	ck_assert_str_eq(run_trace,
		"masked ok@3 twice ok@3 restored canceled@3 masked ok@3 inner ok@3 open canceled@3 ");
}
END_TEST

static eff_exit cancel_inside_mask(void *arg)
{
	struct eff_scope inner;
	struct eff_scope innermost;
	eff_masked masked = eff_mask();

	(void)arg;
	eff_scope_open(&inner);
	eff_scope_cancel(&inner);
	say_result("inner", eff_check());
	eff_scope_open(&innermost);
	say_result("innermost", eff_check());
	(void)eff_scope_close(&innermost);
	(void)eff_scope_close(&inner);
	say_result("left", eff_check());
	eff_unmask(masked);
	return eff_ok(NULL);
}

START_TEST(a_scope_opened_inside_a_mask_acts_as_always)
{
	run_ok(cancel_inside_mask, NULL);
	ck_assert_str_eq(run_trace, "inner canceled@0 innermost canceled@0 left ok@0 ");
}
END_TEST

static eff_exit mask_left_behind(void *arg)
{
	struct eff_scope scope;

	(void)arg;
	eff_scope_open(&scope);
	(void)eff_mask();
	(void)eff_scope_close(&scope);
	eff_scope_open(&scope);
	eff_scope_cancel(&scope);
	say_result("next", eff_check());
	(void)eff_scope_close(&scope);
	return eff_ok(NULL);
}

START_TEST(a_mask_that_outlived_its_scope_hides_nothing_opened_later)
{
	run_ok(mask_left_behind, NULL);
	ck_assert_str_eq(run_trace, "next canceled@0 ");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("scope");
	TCase *tcase = tcase_create("scope");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, over_its_limit_every_wait_in_a_scope_times_out_until_it_is_left);
	tcase_add_test(tcase, a_limit_can_be_moved_and_lifted_until_it_has_passed);
	tcase_add_test(tcase, the_outermost_scope_decides_between_cancelled_and_timed_out);
	tcase_add_test(tcase, another_fiber_can_cancel_a_scope_and_cut_a_wait_deep_inside);
	tcase_add_test(tcase, a_mask_hides_what_is_outside_and_limits_inside_act);
	tcase_add_test(tcase, masks_nest_and_the_first_wait_after_them_sees_what_they_hid);
	tcase_add_test(tcase, a_scope_opened_inside_a_mask_acts_as_always);
	tcase_add_test(tcase, a_mask_that_outlived_its_scope_hides_nothing_opened_later);
	suite_add_tcase(suite, tcase);
	return suite;
}
