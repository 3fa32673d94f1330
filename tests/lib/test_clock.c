/* SPDX-License-Identifier: MIT */
/* Telling the time and sleeping, on a virtual clock and, briefly, on the real one. */
#include <errno.h>
#include <time.h>

#include <eff/scope.h>

#include "internal.h"
#include "leak.h"
#include "loop.h"
#include "run.h"

Suite *test_suite(void);

static eff_exit sleeps(void *arg)
{
	(void)arg;
	ck_assert_int_eq(eff_now(), 0);
	ck_assert_int_eq(eff_sleep(EFF_S(2)), 0);
	ck_assert_int_eq(eff_now(), EFF_S(2));
	ck_assert_int_eq(eff_sleep_until(EFF_S(5)), 0);
	ck_assert_int_eq(eff_now(), EFF_S(5));
	ck_assert_int_eq(eff_sleep(1), 0);
	ck_assert_int_eq(eff_now(), EFF_S(5) + 1);
	return eff_ok(NULL);
}

START_TEST(a_sleep_lasts_exactly_as_long_as_it_says)
{
	run_ok(sleeps, NULL);
}
END_TEST

static eff_exit say_other(void *arg)
{
	say("other");
	return eff_ok(arg);
}

static eff_exit sleep_nothing(void *arg)
{
	(void)arg;
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(eff_fork(EFF(say_other, NULL), NULL), 0);
		ck_assert_int_eq(i == 0  ? eff_sleep(0)
				: i == 1 ? eff_sleep(-5)
					 : eff_sleep_until(0),
			0);
		say("self");
	}
	return eff_ok(NULL);
}

START_TEST(a_sleep_of_nothing_yields)
{
	run_ok(sleep_nothing, NULL);
	ck_assert_str_eq(run_trace, "other@1 self@1 other@1 self@1 other@1 self@1 ");
}
END_TEST

static eff_exit calendar(void *arg)
{
	(void)arg;
	ck_assert_int_eq(eff_wall(), EFF_S(1577836800));
	ck_assert_int_eq(eff_sleep(EFF_H(24)), 0);
	ck_assert_int_eq(eff_wall(), EFF_S(1577836800 + 86400));
	return eff_ok(NULL);
}

START_TEST(a_virtual_calendar_begins_in_2020)
{
	run_ok(calendar, NULL);
}
END_TEST

static eff_exit sleep_for_ever(void *arg)
{
	struct eff_scope within;
	struct eff_rt_stats stats;

	(void)arg;
	eff_scope_open(&within);
	eff_scope_limit(&within, EFF_H(1000000));
	ck_assert_int_eq(eff_sleep(EFF_FOREVER), -ETIMEDOUT);
	ck_assert_int_eq(eff_now(), EFF_H(1000000));
	(void)eff_scope_close(&within);
	eff_rt_stats(run_rt, &stats);
	ck_assert_uint_eq(stats.timers_armed, 0);
	return eff_ok(NULL);
}

START_TEST(a_sleep_for_ever_ends_when_it_is_cut_short)
{
	run_ok(sleep_for_ever, NULL);
}
END_TEST

static eff_exit ties(void *arg)
{
	ck_assert_int_eq(eff_sleep_until(EFF_S(3)), 0);
	say("%s", (const char *)arg);
	/* What it makes ready runs before its neighbour of the same instant. */
	ck_assert_int_eq(eff_yield(), 0);
	say("%s again", (const char *)arg);
	return eff_ok(NULL);
}

static eff_exit sleep_together(void *arg)
{
	(void)arg;
	ck_assert_int_eq(eff_fork(EFF(ties, TEXT("a")), NULL), 0);
	ck_assert_int_eq(eff_fork(EFF(ties, TEXT("b")), NULL), 0);
	ck_assert_int_eq(eff_sleep(EFF_S(4)), 0);
	return eff_ok(NULL);
}

START_TEST(sleepers_of_one_instant_wake_one_at_a_time_in_their_order)
{
	run_ok(sleep_together, NULL);
	ck_assert_str_eq(run_trace, "a@3 a again@3 b@3 b again@3 ");
}
END_TEST

/* ── real ── */

static eff_ns clock_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return EFF_S(t.tv_sec) + t.tv_nsec;
}

static eff_exit sleep_really(void *arg)
{
	eff_ns before = clock_of(CLOCK_MONOTONIC);
	eff_ns wall_before = clock_of(CLOCK_REALTIME);
	eff_ns wall;
	struct eff_scope within;

	(void)arg;
	ck_assert_int_eq(eff_sleep(EFF_MS(3)), 0);
	ck_assert_int_ge(clock_of(CLOCK_MONOTONIC) - before, EFF_MS(3));
	ck_assert_int_ge(eff_now(), before + EFF_MS(3));
	ck_assert_int_le(eff_now(), clock_of(CLOCK_MONOTONIC));
	wall = eff_wall();
	ck_assert_int_ge(wall, wall_before);
	ck_assert_int_le(wall, clock_of(CLOCK_REALTIME));
	eff_scope_open(&within);
	eff_scope_limit(&within, eff_now() + EFF_MS(2));
	ck_assert_int_eq(eff_sleep(EFF_H(1)), -ETIMEDOUT);
	(void)eff_scope_close(&within);
	return eff_ok(NULL);
}

START_TEST(a_real_sleep_is_never_too_short)
{
	eff_ns before = clock_of(CLOCK_MONOTONIC);

	/* Without a runtime the clock is the real one. */
	ck_assert_int_ge(eff_now(), before);
	ck_assert_int_eq(eff_rt_new(NULL, &run_rt), 0);
	run_ok(sleep_really, NULL);
	eff_rt_free(run_rt);
}
END_TEST

static const struct eff_backend *uncounted;
static int n_waits;

static void wait_counted(struct eff__backend_state *state, eff_ns deadline)
{
	n_waits++;
	uncounted->wait(state, deadline);
}

static void count_waits(struct eff_backend *counted)
{
	n_waits = 0;
	uncounted = run_rt->backend;
	*counted = *uncounted;
	counted->wait = wait_counted;
	run_rt->backend = counted;
}

static eff_exit sleeps_until(void *arg)
{
	return eff_exit_of(eff_sleep_until(*(eff_ns *)arg));
}

static void fork_sleepers(int n)
{
	static eff_ns late = EFF_FOREVER - 1;

	for (int i = 0; i < n; i++)
		ck_assert_int_eq(eff_fork(EFF(sleeps_until, &late), NULL), 0);
}

/* `arg` points to how many sleep beside it. */
static eff_exit await_turns(void *arg)
{
	struct eff_backend counted;
	int n_stalls = 0;

	fork_sleepers(*(int *)arg);
	count_waits(&counted);
	for (int i = 0; i < 100; i++) {
		eff_ns before = eff_now();

		ck_assert_int_eq(eff_await_turn(), 0);
		n_stalls += eff_now() - before >= EFF_MS(100);
	}
	/* After the machine has had it stand still for so long, it looks. */
	ck_assert_int_le(n_waits, n_stalls);
	ck_assert_int_eq(eff_sleep(EFF_MS(1)), 0);
	ck_assert_int_gt(n_waits, 0);
	run_rt->backend = uncounted;
	return eff_ok(NULL);
}

START_TEST(who_is_due_wakes_without_a_look_at_descriptors_where_none_is_watched)
{
	static int n_beside[] = {0, 300};

	ck_assert_int_eq(eff_rt_new(NULL, &run_rt), 0);
	run_ok(await_turns, &n_beside[_i]);
	eff_rt_free(run_rt);
}
END_TEST

static eff_exit sleep_in_a_crowd(void *arg)
{
	enum { CROWD = 1000 };
	static eff_ns at[CROWD];
	struct eff_backend counted;
	eff_ns before = eff_now();

	(void)arg;
	fork_sleepers(300);
	count_waits(&counted);
	for (int i = 0; i < CROWD; i++) {
		at[i] = before + EFF_MS(5) + i * EFF_US(50);
		ck_assert_int_eq(eff_fork(EFF(sleeps_until, &at[i]), NULL), 0);
	}
	ck_assert_int_eq(eff_sleep_until(at[CROWD - 1]), 0);
	/* One in a quarter of a millisecond, not one in fifty microseconds. */
	ck_assert_int_le(n_waits, (eff_now() - before) / EFF_US(250) + 10);
	run_rt->backend = uncounted;
	return eff_ok(NULL);
}

START_TEST(sleepers_in_a_crowd_are_not_woken_one_by_one)
{
	ck_assert_int_eq(eff_rt_new(NULL, &run_rt), 0);
	run_ok(sleep_in_a_crowd, NULL);
	eff_rt_free(run_rt);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("clock");
	TCase *tcase = tcase_create("virtual");
	TCase *real = tcase_create("real");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, a_sleep_lasts_exactly_as_long_as_it_says);
	tcase_add_test(tcase, a_sleep_of_nothing_yields);
	tcase_add_test(tcase, a_virtual_calendar_begins_in_2020);
	tcase_add_test(tcase, a_sleep_for_ever_ends_when_it_is_cut_short);
	tcase_add_test(tcase, sleepers_of_one_instant_wake_one_at_a_time_in_their_order);
	test_leak_guard(real);
	tcase_add_test(real, a_real_sleep_is_never_too_short);
	tcase_add_loop_test(real,
		who_is_due_wakes_without_a_look_at_descriptors_where_none_is_watched, 0, 2);
	tcase_add_test(real, sleepers_in_a_crowd_are_not_woken_one_by_one);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, real);
	return suite;
}
