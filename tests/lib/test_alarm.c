/* SPDX-License-Identifier: MIT */
/* The next deadline as a descriptor: when it is readable, and when it is moved. */
#include <poll.h>
#include <sys/timerfd.h>

#include "leak.h"
#include "loop.h"

Suite *test_suite(void);

static struct eff__alarm alarm_clock;

static void setup(void)
{
	ck_assert_int_eq(eff__alarm_open(&alarm_clock), 0);
}

static void teardown(void)
{
	eff__alarm_close(&alarm_clock);
	eff__alarm_close(&alarm_clock);
}

static bool rings_within(int timeout_ms)
{
	struct pollfd look = {.fd = alarm_clock.fd, .events = POLLIN};

	return poll(&look, 1, timeout_ms) == 1;
}

START_TEST(it_rings_once_for_an_instant_that_has_passed)
{
	static const eff_ns instants[] = {INT64_MIN, -1, 0, 1};

	ck_assert(!rings_within(0));
	for (size_t i = 0; i < sizeof(instants) / sizeof(*instants); i++) {
		eff__alarm_set(&alarm_clock, instants[i]);
		ck_assert(rings_within(-1));
		eff__alarm_hush(&alarm_clock);
		ck_assert(!rings_within(0));
	}
}
END_TEST

START_TEST(only_an_earlier_instant_moves_it)
{
	eff_ns now = eff__monotonic();
	struct itimerspec left;

	eff__alarm_set(&alarm_clock, now + EFF_H(1));
	eff__alarm_set(&alarm_clock, now + EFF_H(2));
	eff__alarm_set(&alarm_clock, EFF_FOREVER);
	ck_assert_int_eq(timerfd_gettime(alarm_clock.fd, &left), 0);
	ck_assert_int_le(left.it_value.tv_sec, 3600);
	ck_assert_int_gt(left.it_value.tv_sec, 0);
	eff__alarm_set(&alarm_clock, now + EFF_MS(1));
	ck_assert(rings_within(-1));
	ck_assert_int_ge(eff__monotonic(), now + EFF_MS(1));
	/* Heard, it can be set to a later one. */
	eff__alarm_hush(&alarm_clock);
	eff__alarm_set(&alarm_clock, now + EFF_H(2));
	ck_assert_int_eq(timerfd_gettime(alarm_clock.fd, &left), 0);
	ck_assert_int_gt(left.it_value.tv_sec, 3600);
}
END_TEST

START_TEST(it_is_exact_to_the_nanosecond)
{
	eff_ns at = eff__monotonic() + EFF_H(1) + EFF_US(1500) + 1;
	eff_ns before, after, left;
	struct itimerspec value;

	eff__alarm_set(&alarm_clock, at);
	before = eff__monotonic();
	ck_assert_int_eq(timerfd_gettime(alarm_clock.fd, &value), 0);
	after = eff__monotonic();
	left = EFF_S(value.it_value.tv_sec) + value.it_value.tv_nsec;
	ck_assert_int_le(before, at - left);
	ck_assert_int_le(at - left, after);
}
END_TEST

START_TEST(heard_it_is_silent_when_it_is_set_again_to_whatever_it_is)
{
	static const eff_ns later[] = {EFF_H(1), EFF_FOREVER};

	for (size_t i = 0; i < sizeof(later) / sizeof(*later); i++) {
		eff__alarm_set(&alarm_clock, 1);
		ck_assert(rings_within(-1));
		eff__alarm_heard(&alarm_clock);
		ck_assert(rings_within(0));
		eff__alarm_set(&alarm_clock, eff_ns_add(eff__monotonic(), later[i]));
		ck_assert(!rings_within(0));
	}
}
END_TEST

START_TEST(hushed_before_it_rang_it_stays_set)
{
	eff_ns now = eff__monotonic();

	eff__alarm_set(&alarm_clock, now + EFF_H(1));
	eff__alarm_hush(&alarm_clock);
	ck_assert_int_eq(alarm_clock.at, now + EFF_H(1));
	ck_assert(!rings_within(0));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("alarm");
	TCase *tcase = tcase_create("alarm");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, it_rings_once_for_an_instant_that_has_passed);
	tcase_add_test(tcase, only_an_earlier_instant_moves_it);
	tcase_add_test(tcase, it_is_exact_to_the_nanosecond);
	tcase_add_test(tcase, heard_it_is_silent_when_it_is_set_again_to_whatever_it_is);
	tcase_add_test(tcase, hushed_before_it_rang_it_stays_set);
	suite_add_tcase(suite, tcase);
	return suite;
}
