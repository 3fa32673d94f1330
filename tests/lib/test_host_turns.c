/* SPDX-License-Identifier: MIT */
/* How often a host turns its runtime, and what else may drive it in between. */
#include <errno.h>

#include "hosted.h"

Suite *test_suite(void);

static eff_exit nothing(void *arg)
{
	n_told++;
	return eff_ok(arg);
}

/* ── sleeping ── */

static eff_exit sleep_thrice(void *arg)
{
	for (int i = 0; i < 3; i++) {
		int r = eff_sleep(EFF_MS(5));

		if (r < 0)
			return eff_exit_of(r);
	}
	return eff_ok(arg);
}

START_TEST(a_deadline_makes_it_due_and_nothing_does_before)
{
	eff_ns began = eff__monotonic();

	attach(sleep_thrice, NULL);
	/* One for the start, and for each sleep one that fires it and one that runs the fiber; and what a slow machine lets a
	 * deadline pass by in between adds none. */
	ck_assert_int_le(host_until_ended(), 8);
	ck_assert_int_ge(eff__monotonic() - began, EFF_MS(15));
	ck_assert(!is_due());
}
END_TEST

static eff_exit sleep_for_long_and_briefly(void *arg)
{
	struct eff_scope scope;
	int r;

	/* The nearest deadline goes away; the alarm rings for it once, or not at all. */
	eff_scope_open(&scope);
	eff_scope_limit(&scope, eff_now() + EFF_MS(4));
	(void)eff_scope_close(&scope);
	r = eff_sleep(EFF_MS(20));
	(void)arg;
	return eff_exit_of(r);
}

START_TEST(a_deadline_that_went_away_costs_a_turn_at_most)
{
	attach(sleep_for_long_and_briefly, NULL);
	ck_assert_int_le(host_until_ended(), 5);
}
END_TEST

/* ── many ── */

enum { MANY = 10000 };

static eff_exit yield_and_sleep(void *arg)
{
	int r = eff_yield();

	if (r >= 0)
		r = eff_sleep(EFF_US((int64_t)arg % 1000));
	n_told++;
	return eff_exit_of(r);
}

static eff_exit fork_many(void *arg)
{
	for (intptr_t i = 0; i < MANY; i++)
		ck_assert_int_eq(eff_fork((eff){.fn = yield_and_sleep,
						  .arg = (void *)i, /* NOLINT */
						  .stack_bytes = 8192},
					 NULL),
			0);
	while (n_told < MANY)
		(void)eff_sleep(EFF_US(100));
	return eff_ok(arg);
}

START_TEST(ten_thousand_fibers_leave_the_host_its_turn)
{
	struct eff_rt_stats before, after;
	bool lives;

	attach(fork_many, NULL);
	do {
		await_due();
		eff_rt_stats(rt, &before);
		lives = eff_rt_turn(rt);
		eff_rt_stats(rt, &after);
		ck_assert_uint_le(after.switches - before.switches, 256);
	} while (lives);
	ck_assert_int_eq(n_told, MANY);
	ck_assert(!is_due());
}
END_TEST

/* ── other ways to drive it, in between ── */

START_TEST(running_and_shutting_down_leave_it_to_the_host_again)
{
	struct eff_fiber *daemon;

	(void)settle();
	ck_assert_int_eq(eff_fork_daemon(EFF(await_event, NULL), &daemon), 0);
	eff_exit_drop(eff_rt_run(rt, EFF(sleep_thrice, NULL)));
	(void)settle();
	eff_event_set(&event);
	ck_assert(is_due());
	(void)settle();
	ck_assert_int_eq(n_told, 1);
	ck_assert(eff_poll(daemon, NULL));
	eff_fiber_unref(daemon);
}
END_TEST

static eff_exit end_masked(void *arg)
{
	eff_masked masked = eff_mask();

	(void)eff_sleep(EFF_MS(5));
	eff_unmask(masked);
	return eff_ok(arg);
}

START_TEST(a_shutdown_that_asks_only_is_finished_by_turns)
{
	attach(end_masked, NULL);
	(void)settle();
	ck_assert_int_eq(eff_rt_shutdown(rt, 0), -ETIMEDOUT);
	(void)host_until_ended();
	ck_assert_int_eq(eff_rt_shutdown(rt, 0), 0);
}
END_TEST

static eff_exit advance_hours(void *arg)
{
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(eff_testclock_advance(arg, EFF_H(1)), 0);
	return eff_ok(NULL);
}

START_TEST(virtual_time_that_a_fiber_moves_is_hosted_too)
{
	struct eff_testclock *clock = eff_testclock_new(0);
	struct eff_rt_opts opts = {.clock = clock, .seed = 1};

	ck_assert_int_eq(eff_rt_new(&opts, &rt), 0);
	fd = eff_rt_fd(rt);
	ck_assert_int_ge(fd, 0);
	(void)settle();
	attach(advance_hours, clock);
	ck_assert_int_eq(eff_fork_daemon(EFF(nothing, NULL), NULL), 0);
	(void)host_until_ended();
	ck_assert_int_eq(eff_now(), EFF_H(5));
	ck_assert_int_eq(n_told, 1);
	/* A host that moves the time runs all that is due by doing so. */
	attach(sleep_thrice, NULL);
	ck_assert_int_eq(eff_testclock_advance(clock, EFF_S(1)), 0);
	ck_assert(eff_poll(rt->root, NULL));
	(void)settle();
	close_host();
	eff_testclock_free(clock);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("host_turns");
	TCase *tcase = tcase_create("host_turns");
	TCase *virtual = tcase_create("virtual");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, open_host, close_host);
	tcase_add_test(tcase, a_deadline_makes_it_due_and_nothing_does_before);
	tcase_add_test(tcase, a_deadline_that_went_away_costs_a_turn_at_most);
	tcase_add_test(tcase, ten_thousand_fibers_leave_the_host_its_turn);
	tcase_add_test(tcase, running_and_shutting_down_leave_it_to_the_host_again);
	tcase_add_test(tcase, a_shutdown_that_asks_only_is_finished_by_turns);
	test_leak_guard(virtual);
	tcase_add_test(virtual, virtual_time_that_a_fiber_moves_is_hosted_too);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, virtual);
	return suite;
}
