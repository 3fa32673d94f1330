/* SPDX-License-Identifier: MIT */
/* Intensity: which restart is the one too many, exactly; and what becomes of the children then. */
#include <stdlib.h>

#include "leak.h"
#include "supervised.h"

Suite *test_suite(void);

#define INTENSITY(n, t) .max_restarts = (n), .period = (t)

FIBER_TEST(five_in_a_minute_with_the_usual_delays_trips_at_the_sixth_end)
{
	struct player p[] = {PLAYER("a", FAILS_AFTER(0)),
		PLAYER("b", {.lives = EFF_FOREVER, .stop_takes = EFF_S(1)})};
	struct eff_sup sup;
	char text[200];
	eff_exit exit;
	int r;

	player_is_quiet = true;
	p[0].child.policy.backoff = eff_exponential(EFF_MS(500), 2);
	PLAY(&sup, p, INTENSITY(5, EFF_S(60)));
	r = eff_sup_await(&sup);
	ck_assert_int_eq(r, 0);
	EXPECT("a+@0 b+@0 a-@0 a+@500ms a-@500ms a+@1500ms a-@1500ms a+@3500ms a-@3500ms a+@7500ms "
	       "a-@7500ms a+@15500ms a-@15500ms END a@15500ms ");
	ck_assert_int_eq(sup.end, EFF_SUP_INTENSITY);
	ck_assert_ptr_eq(sup.culprit, &p[0].child);
	/* It was decided before any delay: there is no further start, whatever is waited for. */
	(void)eff_sleep(EFF_S(100));
	eff_sup_stop(&sup);
	EXPECT("b.@116500ms ");
	ck_assert_int_eq(p[0].child.rest, EFF_REST_STOPPED);
	exit = eff_sup_exit(&sup, r);
	ck_assert_str_eq(eff_exit_text(exit, text, sizeof(text)),
		"fail 1: a ended: one restart too many; and fail 1");
	eff_exit_drop(exit);
	return played(&sup);
}

FIBER_TEST(the_restarts_of_all_children_are_one_count)
{
	struct player p[] = {
		PLAYER("a", FAILS_AFTER(EFF_S(3))), PLAYER("b", FAILS_AFTER(EFF_S(4)))};
	struct eff_sup sup;

	player_is_quiet = true;
	PLAY(&sup, p, INTENSITY(2, EFF_S(60)));
	ck_assert_int_eq(eff_sup_await(&sup), 0);
	EXPECT("a+@0 b+@0 a-@3 b-@4 a+@4 b+@5 a-@7 END a@7 ");
	return played(&sup);
}

/* Ends at 0, 10, 20 … s; more than one within `period` are too many. */
static unsigned ends_until(struct player *p, eff_ns period)
{
	struct player all[] = {*p};
	struct eff_sup sup;

	player_is_quiet = true;
	all[0].child.policy.backoff = eff_spaced(EFF_S(10));
	PLAY(&sup, all, INTENSITY(1, period));
	(void)eff_sleep(EFF_S(95));
	(void)played(&sup);
	run_trace[0] = '\0';
	return all[0].n_runs;
}

FIBER_TEST(an_end_exactly_a_period_ago_counts_and_one_before_does_not)
{
	struct player p = PLAYER("a", FAILS_AFTER(0));

	ck_assert_uint_eq(ends_until(&p, EFF_S(10)), 2);
	ck_assert_uint_eq(ends_until(&p, EFF_S(10) - 1), 10);
	return eff_ok(NULL);
}

FIBER_TEST(without_a_period_there_is_no_limit_and_with_none_allowed_the_first_is_too_many)
{
	struct player p = PLAYER("a", FAILS_AFTER(0));
	struct player q[] = {PLAYER("q", FAILS_AFTER(EFF_S(1)))};
	struct eff_sup sup;

	ck_assert_uint_eq(ends_until(&p, 0), 10);
	PLAY(&sup, q, INTENSITY(0, EFF_S(1)));
	ck_assert_int_eq(eff_sup_await(&sup), 0);
	ck_assert_uint_eq(q[0].n_runs, 1);
	return played(&sup);
}

FIBER_TEST(starts_that_fail_count)
{
	struct player p[] = {
		PLAYER("a", {.up_after = -1, .lives = EFF_S(1), .ends = {.tag = EFF_DIE}})};
	struct eff_sup sup;

	player_is_quiet = true;
	PLAY(&sup, p, INTENSITY(2, EFF_S(60)));
	ck_assert_int_eq(eff_sup_await(&sup), 0);
	EXPECT("a+@0 a-@1 a+@2 a-@3 a+@4 a-@5 END a@5 ");
	return played(&sup);
}

FIBER_TEST(a_round_counts_once)
{
	struct player p[] = {
		PLAYER("a", FAILS_AFTER(EFF_S(1))), PLAYER("b", STEADY), PLAYER("c", STEADY)};
	struct eff_sup sup;

	player_is_quiet = true;
	PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL, INTENSITY(2, EFF_S(60)));
	ck_assert_int_eq(eff_sup_await(&sup), 0);
	EXPECT("a+@0 b+@0 c+@0 a-@1 b.@1 c.@1 a+@2 b+@2 c+@2 a-@3 b.@3 c.@3 a+@4 b+@4 c+@4 a-@5 END a@5 ");
	ck_assert_uint_eq(p[2].child.restarts, 2);
	return played(&sup);
}

FIBER_TEST(what_is_no_restart_by_itself_does_not_count)
{
	struct player p[] = {PLAYER("cycled", STEADY), PLAYER("started", FAILS_AFTER(EFF_S(1))),
		PLAYER("gave up", FAILS_AFTER(EFF_S(1)))};
	struct eff_sup sup;

	player_is_quiet = true;
	p[1].child.policy.restart = EFF_NEVER;
	p[2].child.policy.max_restarts = 0;
	PLAY(&sup, p, INTENSITY(0, EFF_H(1)));
	for (int i = 0; i < 5; i++) {
		(void)eff_sleep(EFF_S(2));
		eff_child_cycle(&p[0].child);
		ck_assert_int_eq(eff_child_start(&p[1].child), 0);
	}
	(void)eff_sleep(EFF_S(10));
	ck_assert_int_eq(sup.end, EFF_SUP_GOES_ON);
	ck_assert_uint_eq(p[0].n_runs + p[1].n_runs, 12);
	return played(&sup);
}

FIBER_TEST(others_that_wait_when_it_trips_start_no_more)
{
	/* All end at 1 s, and are due at 2 s; there a trips it, before the others' turn. */
	struct player p[] = {PLAYER("a", FAILS_AFTER(EFF_S(1)), FAILS_AFTER(0), FAILS_AFTER(0)),
		PLAYER("b", FAILS_AFTER(EFF_S(1))), PLAYER("c", FAILS_AFTER(EFF_MS(1500)))};
	struct eff_sup sup;

	player_is_quiet = true;
	p[2].child.policy.backoff = eff_spaced(EFF_S(5));
	PLAY(&sup, p, INTENSITY(3, EFF_S(60)));
	ck_assert_int_eq(eff_sup_await(&sup), 0);
	(void)eff_sleep(EFF_S(60));
	EXPECT("a+@0 b+@0 c+@0 a-@1 b-@1 c-@1500ms a+@2 a-@2 END a@2 ");
	/* A start does not help it: it waits to be stopped. */
	ck_assert_int_eq(eff_child_start(&p[2].child), 0);
	(void)eff_sleep(EFF_S(60));
	eff_sup_stop(&sup);
	ck_assert_int_eq(eff_child_start(&p[2].child), -ECANCELED);
	EXPECT("");
	return played(&sup);
}

FIBER_TEST(other_limits_keep_what_was_counted)
{
	struct player p[] = {PLAYER("a", FAILS_AFTER(EFF_S(9)))};
	struct eff_sup_opts opts = {.hooks = &player_hooks, INTENSITY(3, EFF_S(1000))};
	struct eff_sup sup;

	player_is_quiet = true;
	PLAY(&sup, p, INTENSITY(5, EFF_S(1000)));
	(void)eff_sleep(EFF_S(35));
	/* Three ends are known, at 9, 19 and 29 s. */
	ck_assert_int_eq(eff_sup_change(&sup, &opts), 0);
	opts.max_restarts = 8;
	ck_assert_int_eq(eff_sup_change(&sup, &opts), 0);
	ck_assert_int_eq(eff_sup_await(&sup), 0);
	ck_assert_int_eq(eff_now(), EFF_S(89));
	return played(&sup);
}

/* ── against counting by hand ── */

static struct {
	eff_ns at[400];
	unsigned n;
} ends;

static eff_exit fails_at_random(void *arg)
{
	(void)arg;
	(void)eff_sleep((eff_ns)(eff_random() % 50));
	ends.at[ends.n++] = eff_now();
	return eff_fail(1);
}

static bool trips(unsigned last, uint32_t max, eff_ns period)
{
	uint32_t n = 0;

	for (unsigned i = 0; i <= last; i++)
		n += ends.at[last] - ends.at[i] <= period;
	return n > max;
}

FIBER_TEST(it_trips_at_the_first_end_with_more_within_the_period_before_it)
{
	for (int round = 0; round < 300; round++) {
		uint32_t max = (uint32_t)(eff_random() % 7);
		eff_ns period = 1 + (eff_ns)(eff_random() % 400);
		struct eff_child c = {.name = "random",
			.run = EFF(fails_at_random, NULL),
			.policy = {.backoff = eff_spaced((eff_ns)(eff_random() % 40)),
				.max_restarts = 300}};
		struct eff_scope scope;
		struct eff_sup sup;

		ends.n = 0;
		eff_scope_open(&scope);
		ck_assert_int_eq(
			eff_sup_open(&sup, &(struct eff_sup_opts){INTENSITY(max, period)}), 0);
		eff_sup_add(&sup, &c);
		ck_assert_int_eq(eff_child_start(&c), 0);
		while (!sup.end && c.fiber)
			(void)eff_pulse_await(&sup.changed);
		for (unsigned i = 0; i + 1 < ends.n; i++)
			ck_assert_msg(!trips(i, max, period), "round %d: %u", round, i);
		ck_assert_int_eq(sup.end == EFF_SUP_INTENSITY, trips(ends.n - 1, max, period));
		eff_sup_stop(&sup);
		(void)eff_scope_close(&scope);
	}
	return eff_ok(NULL);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("lib/intensity");
	TCase *c = tcase_create("intensity");

	test_leak_guard(c);
	tcase_add_checked_fixture(c, run_setup, run_teardown);
	tcase_add_test(c, five_in_a_minute_with_the_usual_delays_trips_at_the_sixth_end);
	tcase_add_test(c, the_restarts_of_all_children_are_one_count);
	tcase_add_test(c, an_end_exactly_a_period_ago_counts_and_one_before_does_not);
	tcase_add_test(c,
		without_a_period_there_is_no_limit_and_with_none_allowed_the_first_is_too_many);
	tcase_add_test(c, starts_that_fail_count);
	tcase_add_test(c, a_round_counts_once);
	tcase_add_test(c, what_is_no_restart_by_itself_does_not_count);
	tcase_add_test(c, others_that_wait_when_it_trips_start_no_more);
	tcase_add_test(c, other_limits_keep_what_was_counted);
	tcase_add_test(c, it_trips_at_the_first_end_with_more_within_the_period_before_it);
	suite_add_tcase(suite, c);
	return suite;
}
