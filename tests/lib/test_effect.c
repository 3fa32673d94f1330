/* SPDX-License-Identifier: MIT */
/* Effects run here, and within a time. */
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

static eff_exit nap(void *arg)
{
	return eff_exit_of(eff_sleep(*(int64_t *)arg));
}

static eff_exit give(void *arg)
{
	return *(eff_exit *)arg;
}

static eff_exit call(void *arg)
{
	eff_exit given = eff_ok_number(42);

	(void)arg;
	ck_assert_int_eq(eff_call(EFF(give, &given)).value.number, 42);
	return eff_ok(NULL);
}

START_TEST(calling_runs_an_effect_here)
{
	run_ok(call, NULL);
}
END_TEST

static eff_exit tried(void *arg)
{
	int r = eff_sleep(*(int64_t *)arg);
	EFF_TRY(first, eff_exit_of(r));
	EFF_TRY(second, eff_exit_of(-EIO));

	(void)first;
	return second;
}

START_TEST(a_try_returns_the_first_exit_that_is_not_ok)
{
	ck_text(eff_rt_run(run_rt, EFF(tried, NUMBER(1))), "fail 5");
}
END_TEST

static eff_exit stubborn(void *arg)
{
	(void)eff_sleep(EFF_S(9));
	return *(eff_exit *)arg;
}

static eff_exit timeouts(void *arg)
{
	eff_exit good = eff_ok(NULL);
	eff_exit bad = eff_die("defect");

	(void)arg;
	ck_text(eff_timeout(EFF_S(2), EFF(nap, NUMBER(EFF_S(1)))), "ok");
	ck_assert_int_eq(eff_now(), EFF_S(1));
	ck_text(eff_timeout(EFF_S(2), EFF(nap, NUMBER(EFF_S(5)))), "fail 110");
	ck_assert_int_eq(eff_now(), EFF_S(3));
	/* It succeeded all the same. */
	ck_text(eff_timeout(EFF_S(2), EFF(stubborn, &good)), "ok");
	ck_text(eff_timeout(EFF_S(2), EFF(stubborn, &bad)), "fail 110; and die: defect");
	bad = eff_failf(3, "in time");
	ck_text(eff_timeout(EFF_S(2), EFF(give, &bad)), "fail 3: in time");
	ck_text(eff_timeout(EFF_FOREVER, EFF(nap, NUMBER(EFF_S(1)))), "ok");
	ck_text(eff_timeout(0, EFF(nap, NUMBER(EFF_S(1)))), "fail 110");
	ck_assert_int_eq(eff_check(), 0);
	return eff_ok(NULL);
}

START_TEST(a_timeout_ends_what_takes_too_long)
{
	ck_assert_int_eq(ETIMEDOUT, 110);
	run_ok(timeouts, NULL);
}
END_TEST

static eff_exit nap_masked(void *arg)
{
	eff_masked masked = eff_mask();
	int r = eff_sleep(*(int64_t *)arg);

	eff_unmask(masked);
	return eff_exit_of(r < 0 ? r : eff_check());
}

static eff_exit timeouts_and_masks(void *arg)
{
	eff_masked masked;

	(void)arg;
	ck_text(eff_timeout(EFF_S(2), EFF(nap_masked, NUMBER(EFF_S(5)))), "fail 110");
	ck_assert_int_eq(eff_now(), EFF_S(5));
	masked = eff_mask();
	ck_text(eff_timeout(EFF_S(2), EFF(nap, NUMBER(EFF_S(5)))), "fail 110");
	ck_assert_int_eq(eff_now(), EFF_S(7));
	eff_unmask(masked);
	return eff_ok(NULL);
}

START_TEST(a_mask_inside_a_timeout_delays_it_and_one_around_does_not)
{
	run_ok(timeouts_and_masks, NULL);
}
END_TEST

static eff_exit fail_to_clean_up(void *arg, eff_exit exit)
{
	char text[64];

	(void)arg;
	say("shown %s", eff_exit_text(exit, text, sizeof(text)));
	return eff_failf(5, "not clean");
}

static struct eff_finalizer deferred;

static eff_exit deferring(void *arg)
{
	static int64_t three = EFF_S(3);

	eff_defer_exit(eff_scope_current(), &deferred, fail_to_clean_up, NULL);
	eff_fiber_unref(forked(nap_masked, &three));
	return nap(arg);
}

static eff_exit timeout_of_a_scope(void *arg)
{
	(void)arg;
	ck_text(eff_timeout(EFF_S(2), EFF(deferring, NUMBER(EFF_S(5)))),
		"fail 110; and fail 5: not clean");
	say("timed out");
	return eff_ok(NULL);
}

START_TEST(what_a_timeout_ended_has_cleaned_up_and_its_failures_are_kept)
{
	run_ok(timeout_of_a_scope, NULL);
	ck_assert_str_eq(run_trace, "shown fail 110@3 timed out@3 ");
}
END_TEST

static eff_exit timeout_when_interrupted(void *arg)
{
	return eff_timeout(EFF_S(2), EFF(nap_masked, arg));
}

static eff_exit interrupt_a_timeout(void *arg)
{
	struct eff_fiber *child = forked(timeout_when_interrupted, NUMBER(EFF_S(5)));

	(void)arg;
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	eff_interrupt_async(child);
	ck_assert_str_eq(end_of(child), "interrupt");
	ck_assert_int_eq(eff_now(), EFF_S(5));
	return eff_ok(NULL);
}

START_TEST(a_timeout_that_was_interrupted_from_outside_too_says_that)
{
	run_ok(interrupt_a_timeout, NULL);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("effect");
	TCase *tcase = tcase_create("effect");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, calling_runs_an_effect_here);
	tcase_add_test(tcase, a_try_returns_the_first_exit_that_is_not_ok);
	tcase_add_test(tcase, a_timeout_ends_what_takes_too_long);
	tcase_add_test(tcase, a_mask_inside_a_timeout_delays_it_and_one_around_does_not);
	tcase_add_test(tcase, what_a_timeout_ended_has_cleaned_up_and_its_failures_are_kept);
	tcase_add_test(tcase, a_timeout_that_was_interrupted_from_outside_too_says_that);
	suite_add_tcase(suite, tcase);
	return suite;
}
