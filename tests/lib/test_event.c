/* SPDX-License-Identifier: MIT */
/* Events and pulses. */
#include <errno.h>

#include <eff/event.h>
#include <eff/scope.h>

#include "leak.h"
#include "run.h"

Suite *test_suite(void);

static struct eff_event event;
static struct eff_pulse pulse;

static void setup(void)
{
	run_setup();
	eff_event_init(&event);
	eff_pulse_init(&pulse);
}

static eff_exit await_event(void *arg)
{
	ck_assert_int_eq(eff_event_await(&event), 0);
	say("%s", (const char *)arg);
	return eff_ok(NULL);
}

static eff_exit set_and_reset(void *arg)
{
	(void)arg;
	(void)eff_fork(EFF(await_event, TEXT("a")), NULL);
	(void)eff_fork(EFF(await_event, TEXT("b")), NULL);
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	eff_event_set(&event);
	eff_event_set(&event);
	say("set");
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	/* It stays set. */
	ck_assert_int_eq(eff_event_await(&event), 0);
	eff_event_reset(&event);
	(void)eff_fork(EFF(await_event, TEXT("c")), NULL);
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	eff_event_set(&event);
	/* Who was woken has been woken. */
	eff_event_reset(&event);
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	return eff_ok(NULL);
}

START_TEST(an_event_wakes_all_that_wait_in_their_order_and_stays_set_until_reset)
{
	run_ok(set_and_reset, NULL);
	ck_assert_str_eq(run_trace, "set@1 a@1 b@1 c@3 ");
}
END_TEST

static eff_exit await_pulse(void *arg)
{
	for (;;) {
		int r = eff_pulse_await(&pulse);

		if (r < 0)
			return eff_exit_of(r);
		say("%s", (const char *)arg);
	}
}

static eff_exit send_pulses(void *arg)
{
	(void)arg;
	eff_pulse_send(&pulse);
	(void)eff_fork(EFF(await_pulse, TEXT("a")), NULL);
	(void)eff_fork(EFF(await_pulse, TEXT("b")), NULL);
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	eff_pulse_send(&pulse);
	eff_pulse_send(&pulse);
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	eff_pulse_send(&pulse);
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	return eff_ok(NULL);
}

START_TEST(a_pulse_wakes_who_waits_now_and_is_forgotten)
{
	run_ok(send_pulses, NULL);
	ck_assert_str_eq(run_trace, "a@1 b@1 a@2 b@2 ");
	ck_assert(eff_list_empty(&pulse.waiters));
}
END_TEST

static eff_exit give_up(void *arg)
{
	struct eff_scope within;

	(void)arg;
	eff_scope_open(&within);
	eff_scope_limit(&within, EFF_S(1));
	ck_assert_int_eq(eff_event_await(&event), -ETIMEDOUT);
	ck_assert_int_eq(eff_pulse_await(&pulse), -ETIMEDOUT);
	/* Level-triggered: even what is there is not waited for. */
	eff_event_set(&event);
	ck_assert_int_eq(eff_event_await(&event), -ETIMEDOUT);
	(void)eff_scope_close(&within);
	ck_assert(eff_list_empty(&event.waiters));
	ck_assert(eff_list_empty(&pulse.waiters));
	ck_assert_int_eq(eff_event_await(&event), 0);
	return eff_ok(NULL);
}

START_TEST(a_wait_that_is_cut_short_leaves_no_trace)
{
	run_ok(give_up, NULL);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("event");
	TCase *tcase = tcase_create("event");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, setup, run_teardown);
	tcase_add_test(tcase, an_event_wakes_all_that_wait_in_their_order_and_stays_set_until_reset);
	tcase_add_test(tcase, a_pulse_wakes_who_waits_now_and_is_forgotten);
	tcase_add_test(tcase, a_wait_that_is_cut_short_leaves_no_trace);
	suite_add_tcase(suite, tcase);
	return suite;
}
