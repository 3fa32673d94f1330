/* SPDX-License-Identifier: MIT */
/* Schedules of one origin, and their modifiers: exact delays. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include <eff/schedule.h>

Suite *test_suite(void);

static eff_ns delay_at(struct eff_sched s, int64_t k, double random)
{
	struct eff_sched_state state;
	struct eff_sched_in in = {.random = random};
	eff_ns delay = -1;

	eff_sched_begin(&state, 0);
	state.parts[0].given = k;
	ck_assert(eff_sched_next(&s, &state, &in, &delay));
	return delay;
}

/* What it says when it is asked up to ten times, begun at 0, each run lasting so long: "100 200 end" in ms. */
static const char *ten(struct eff_sched s, eff_ns lasts)
{
	static char text[256];
	struct eff_sched_state state;
	struct eff_sched_in in = {.random = 0.5};
	size_t len = 0;
	eff_ns delay;

	eff_sched_begin(&state, 0);
	for (int i = 0; i < 10; i++) {
		in.now = eff_ns_add(in.now, lasts);
		if (!eff_sched_next(&s, &state, &in, &delay)) {
			ck_assert_int_eq(state.given, i);
			(void)snprintf(text + len, sizeof(text) - len, "end ");
			return text;
		}
		ck_assert_int_eq(
			delay % EFF_MS(1), delay == EFF_FOREVER ? EFF_FOREVER % EFF_MS(1) : 0);
		if (delay == EFF_FOREVER)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "never ");
		else
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%d ",
				(int)(delay / EFF_MS(1)));
		in.now = eff_ns_add(in.now, delay);
	}
	return text;
}

START_TEST(spaced_is_always_the_same)
{
	ck_assert_str_eq(ten(eff_spaced(EFF_MS(30)), EFF_MS(7)), "30 30 30 30 30 30 30 30 30 30 ");
	ck_assert_str_eq(ten(eff_spaced(-5), 0), "0 0 0 0 0 0 0 0 0 0 ");
	ck_assert_int_eq(delay_at(eff_spaced(EFF_FOREVER), 1, 0), EFF_FOREVER);
}
END_TEST

START_TEST(recurs_goes_on_at_once_so_many_times)
{
	ck_assert_str_eq(ten(eff_recurs(3), EFF_S(1)), "0 0 0 end ");
	ck_assert_str_eq(ten(eff_recurs(1), 0), "0 end ");
	ck_assert_str_eq(ten(eff_recurs(0), 0), "end ");
	ck_assert_str_eq(ten(eff_recurs(-1), 0), "end ");
	ck_assert_str_eq(ten(eff_recurs(INT64_MIN), 0), "end ");
	ck_assert_str_eq(ten(eff_recurs(INT64_MAX), 0), "0 0 0 0 0 0 0 0 0 0 ");
}
END_TEST

START_TEST(exponential_multiplies_each_time)
{
	struct eff_sched s = eff_exponential(EFF_MS(100), 2);

	ck_assert_str_eq(ten(s, EFF_MS(3)), "100 200 400 800 1600 3200 6400 12800 25600 51200 ");
	ck_assert_str_eq(
		ten(eff_exponential(EFF_MS(1024), 0.5), 0), "1024 512 256 128 64 32 16 8 4 2 ");
	ck_assert_int_eq(delay_at(s, 10, 0.5), EFF_MS(102400));
	ck_assert_int_eq(delay_at(eff_exponential(EFF_MS(100), 1.5), 2, 0), EFF_MS(225));
}
END_TEST

START_TEST(linear_adds_each_time)
{
	ck_assert_str_eq(ten(eff_linear(EFF_MS(5)), EFF_MS(1)), "5 10 15 20 25 30 35 40 45 50 ");
	ck_assert_str_eq(ten(eff_linear(0), 0), "0 0 0 0 0 0 0 0 0 0 ");
	ck_assert_str_eq(ten(eff_linear(-1), 0), "0 0 0 0 0 0 0 0 0 0 ");
	ck_assert_int_eq(delay_at(eff_linear(2), INT64_MAX / 2 - 1, 0), INT64_MAX - 1);
	ck_assert_int_eq(delay_at(eff_linear(2), INT64_MAX / 2, 0), EFF_FOREVER);
	ck_assert_int_eq(delay_at(eff_linear(1), INT64_MAX, 0), EFF_FOREVER);
	ck_assert_int_eq(delay_at(eff_linear(EFF_FOREVER), 0, 0), EFF_FOREVER);
}
END_TEST

START_TEST(fibonacci_adds_the_last_two)
{
	ck_assert_str_eq(ten(eff_fibonacci(EFF_MS(1)), EFF_MS(9)), "1 1 2 3 5 8 13 21 34 55 ");
	ck_assert_str_eq(ten(eff_fibonacci(0), 0), "0 0 0 0 0 0 0 0 0 0 ");
	ck_assert_int_eq(delay_at(eff_fibonacci(1), 91, 0), 7540113804746346429);
	ck_assert_int_eq(delay_at(eff_fibonacci(1), 92, 0), EFF_FOREVER);
	ck_assert_int_eq(delay_at(eff_fibonacci(2), 91, 0), EFF_FOREVER);
	ck_assert_int_eq(delay_at(eff_fibonacci(1), INT64_MAX, 0), EFF_FOREVER);
	ck_assert_int_eq(delay_at(eff_fibonacci(0), INT64_MAX, 0), 0);
}
END_TEST

START_TEST(what_grows_too_large_saturates)
{
	struct eff_sched s = eff_exponential(EFF_S(1), 2);

	ck_assert_int_eq(delay_at(s, 5000, 0), EFF_FOREVER);
	ck_assert_int_eq(delay_at(s, INT64_MAX, 0), EFF_FOREVER);
	ck_assert_int_eq(delay_at(eff_sched_cap(s, EFF_M(5)), INT64_MAX, 0), EFF_M(5));
	ck_assert_int_eq(delay_at(eff_exponential(0, 2), INT64_MAX, 0), 0);
	ck_assert_int_eq(delay_at(eff_exponential(EFF_S(1), 0), 1, 0), 0);
	ck_assert_int_eq(delay_at(eff_exponential(EFF_S(1), -1), 1, 0), 0);
	ck_assert_int_eq(delay_at(eff_exponential(EFF_FOREVER, 0.5), 3, 0), EFF_FOREVER);
	ck_assert_int_eq(delay_at(eff_exponential(EFF_S(1), 1), INT64_MAX, 0), EFF_S(1));
	ck_assert_int_eq(delay_at(eff_exponential(EFF_S(1), 0.0 / 0.0), 1, 0), 0);
}
END_TEST

/* ── the grid ── */

START_TEST(fixed_runs_on_the_grid_of_its_begin)
{
	ck_assert_str_eq(ten(eff_fixed(EFF_MS(10)), EFF_MS(3)), "7 7 7 7 7 7 7 7 7 7 ");
	ck_assert_str_eq(ten(eff_fixed(EFF_MS(10)), 0), "10 10 10 10 10 10 10 10 10 10 ");
	/* A run that takes the whole interval is not behind, and its successor not left out. */
	ck_assert_str_eq(ten(eff_fixed(EFF_MS(10)), EFF_MS(10)), "0 0 0 0 0 0 0 0 0 0 ");
	ck_assert_str_eq(ten(eff_fixed(0), EFF_MS(3)), "0 0 0 0 0 0 0 0 0 0 ");
	ck_assert_str_eq(ten(eff_fixed(-1), EFF_MS(3)), "0 0 0 0 0 0 0 0 0 0 ");
	ck_assert_str_eq(ten(eff_sched_times(eff_fixed(EFF_FOREVER), 1), 1), "never end ");
}
END_TEST

static eff_ns ask(struct eff_sched s, struct eff_sched_state *state, eff_ns now)
{
	struct eff_sched_in in = {.now = now, .random = 0.5};
	eff_ns delay;

	return eff_sched_next(&s, state, &in, &delay) ? delay : -1;
}

START_TEST(fixed_that_is_behind_runs_at_once_and_nothing_piles_up)
{
	struct eff_sched s = eff_fixed(EFF_S(10));
	struct eff_sched_state state;

	eff_sched_begin(&state, EFF_S(100));
	/* The first run took 45 s: 110, 120, 130 and 140 have passed. One run, then the grid again. */
	ck_assert_int_eq(ask(s, &state, EFF_S(145)), 0);
	ck_assert_int_eq(ask(s, &state, EFF_S(146)), EFF_S(4));
	/* Begun at 150, ended at 162: 160 has passed. */
	ck_assert_int_eq(ask(s, &state, EFF_S(162)), 0);
	/* Begun at 162, ended at 169; and just on the grid. */
	ck_assert_int_eq(ask(s, &state, EFF_S(169)), EFF_S(1));
	ck_assert_int_eq(ask(s, &state, EFF_S(180)), 0);
	/* A delay that was cut short: it ran at 183 in place of 190, and is asked before that. */
	ck_assert_int_eq(ask(s, &state, EFF_S(181)), EFF_S(9));
	state.ran_at = EFF_S(183);
	ck_assert_int_eq(ask(s, &state, EFF_S(184)), EFF_S(6));
	ck_assert_int_eq(ask(s, &state, EFF_FOREVER), 0);
	ck_assert_int_eq(ask(s, &state, EFF_FOREVER), EFF_FOREVER);
}
END_TEST

START_TEST(a_grid_holds_at_both_ends_of_time)
{
	struct eff_sched s = eff_fixed(EFF_S(1));
	struct eff_sched_state state;

	eff_sched_begin(&state, INT64_MIN);
	ck_assert_int_eq(ask(s, &state, INT64_MIN), EFF_S(1));
	eff_sched_begin(&state, INT64_MIN);
	ck_assert_int_eq(ask(s, &state, EFF_FOREVER), 0);
	eff_sched_begin(&state, EFF_FOREVER - 5);
	ck_assert_int_eq(ask(s, &state, EFF_FOREVER - 3), EFF_FOREVER);
	/* A clock that went back. */
	eff_sched_begin(&state, EFF_S(50));
	ck_assert_int_eq(ask(s, &state, EFF_S(40)), EFF_S(11));
}
END_TEST

START_TEST(windowed_runs_when_the_window_ends)
{
	struct eff_sched s = eff_windowed(EFF_S(10));
	struct eff_sched_state state;

	ck_assert_str_eq(ten(eff_windowed(EFF_MS(10)), EFF_MS(3)), "7 7 7 7 7 7 7 7 7 7 ");
	ck_assert_str_eq(ten(eff_windowed(EFF_MS(10)), EFF_MS(13)), "7 7 7 7 7 7 7 7 7 7 ");
	ck_assert_str_eq(ten(eff_windowed(0), EFF_MS(13)), "0 0 0 0 0 0 0 0 0 0 ");
	eff_sched_begin(&state, EFF_S(1));
	ck_assert_int_eq(ask(s, &state, EFF_S(1)), EFF_S(10));
	ck_assert_int_eq(ask(s, &state, EFF_S(11)), EFF_S(10));
	ck_assert_int_eq(ask(s, &state, EFF_S(54)), EFF_S(7));
}
END_TEST

/* ── modifiers ── */

START_TEST(a_cap_holds_and_jitter_after_it_spreads_at_the_ceiling)
{
	struct eff_sched s = eff_sched_cap(eff_exponential(EFF_S(1), 2), EFF_S(10));

	ck_assert_str_eq(ten(s, 0), "1000 2000 4000 8000 10000 10000 10000 10000 10000 10000 ");
	s = eff_sched_jitter(s, 0.5, 1.5);
	ck_assert_int_eq(delay_at(s, 4, 0), EFF_S(5));
	ck_assert_int_eq(delay_at(s, 4, 0.5), EFF_S(10));
	ck_assert_int_eq(delay_at(s, 4, 0.75), EFF_MS(12500));
	ck_assert_str_eq(ten(eff_sched_cap(eff_spaced(9), -3), 0), "0 0 0 0 0 0 0 0 0 0 ");
}
END_TEST

START_TEST(a_cap_after_jitter_holds_for_what_the_jitter_made)
{
	struct eff_sched s = eff_sched_cap(
		eff_sched_jitter(eff_spaced(EFF_S(10)), 0.5, 1.5), EFF_S(11));

	ck_assert_int_eq(delay_at(s, 0, 0), EFF_S(5));
	ck_assert_int_eq(delay_at(s, 0, 0.5), EFF_S(10));
	ck_assert_int_eq(delay_at(s, 0, 0.9), EFF_S(11));
	/* And once more around. */
	s = eff_sched_cap(eff_sched_jitter(s, 2, 2), EFF_S(21));
	ck_assert_int_eq(delay_at(s, 0, 0), EFF_S(10));
	ck_assert_int_eq(delay_at(s, 0, 0.9), EFF_S(21));
}
END_TEST

START_TEST(the_tighter_of_two_caps_counts)
{
	ck_assert_int_eq(delay_at(eff_sched_cap(eff_sched_cap(eff_spaced(9), 3), 5), 0, 0), 3);
	ck_assert_int_eq(delay_at(eff_sched_cap(eff_sched_cap(eff_spaced(9), 5), 3), 0, 0), 3);
}
END_TEST

START_TEST(jitter_keeps_decimals_and_its_bounds)
{
	struct eff_sched s = eff_spaced(EFF_S(10));

	ck_assert_int_eq(delay_at(eff_sched_jitter(s, 0.8, 1.2), 0, 0), EFF_S(8));
	ck_assert_int_eq(delay_at(eff_sched_jitter(s, 0.8, 1.2), 0, 0.25), EFF_S(9));
	ck_assert_int_eq(delay_at(eff_sched_jitter(s, 1, 1.0 + 0.1), 0, 0.5), EFF_MS(10500));
	ck_assert_int_eq(delay_at(eff_sched_jitter(s, 1.2, 0.8), 0, 0.25), EFF_S(11));
	ck_assert_int_eq(delay_at(eff_sched_jitter(s, 0.000001, 1), 0, 0), EFF_US(10));
	ck_assert_int_eq(delay_at(eff_sched_jitter(s, -1, -1), 0, 0), 0);
	ck_assert_int_eq(delay_at(eff_sched_jitter(s, 0.0 / 0.0, 1), 0, 0), 0);
	ck_assert_int_eq(delay_at(eff_sched_jitter(s, 1e300, 1e300), 0, 0), EFF_S(42940));
	ck_assert_int_eq(delay_at(eff_sched_jitter(eff_spaced(EFF_FOREVER), 0.1, 0.2), 0, 0),
		EFF_FOREVER);
	ck_assert_int_eq(delay_at(eff_sched_jitter(eff_spaced(EFF_FOREVER - 1), 4, 4), 0, 0),
		EFF_FOREVER);
}
END_TEST

START_TEST(times_ends_a_schedule)
{
	struct eff_sched s = eff_sched_times(eff_spaced(EFF_MS(7)), 2);

	ck_assert_str_eq(ten(s, 0), "7 7 end ");
	ck_assert_str_eq(ten(eff_sched_times(s, 5), 0), "7 7 end ");
	ck_assert_str_eq(ten(eff_sched_times(s, 1), 0), "7 end ");
	ck_assert_str_eq(ten(eff_sched_times(s, 0), 0), "end ");
	ck_assert_str_eq(ten(eff_sched_times(s, -7), 0), "end ");
}
END_TEST

START_TEST(upto_ends_a_schedule_by_what_has_passed_since_its_begin)
{
	struct eff_sched s = eff_spaced(EFF_MS(7));

	/* Asked at 3, 13, 23, 33. */
	ck_assert_str_eq(ten(eff_sched_upto(s, EFF_MS(24)), EFF_MS(3)), "7 7 7 end ");
	ck_assert_str_eq(ten(eff_sched_upto(s, EFF_MS(23)), EFF_MS(3)), "7 7 end ");
	ck_assert_str_eq(ten(eff_sched_upto(s, 0), 0), "end ");
	ck_assert_str_eq(ten(eff_sched_upto(s, -1), 0), "end ");
	ck_assert_str_eq(ten(eff_sched_upto(eff_spaced(EFF_FOREVER), EFF_FOREVER), 0),
		"never never never never never never never never never never ");
}
END_TEST

START_TEST(a_schedule_that_is_over_stays_over_until_it_begins_anew)
{
	struct eff_sched s = eff_sched_times(eff_spaced(7), 1);
	struct eff_sched_state state = {0};

	ck_assert_int_eq(ask(s, &state, 0), 7);
	ck_assert_int_eq(ask(s, &state, 0), -1);
	ck_assert_int_eq(ask(s, &state, 0), -1);
	ck_assert_int_eq(state.given, 1);
	eff_sched_begin(&state, 0);
	ck_assert_int_eq(state.given, 0);
	ck_assert_int_eq(ask(s, &state, 0), 7);
	ck_assert_int_eq(ask(s, &state, 0), -1);
}
END_TEST

START_TEST(a_state_of_zeroes_begins_when_it_is_first_asked)
{
	struct eff_sched s = eff_sched_upto(eff_fixed(EFF_S(10)), EFF_S(15));
	struct eff_sched_state state = {0};

	ck_assert_int_eq(ask(s, &state, EFF_S(1003)), EFF_S(10));
	ck_assert_int_eq(ask(s, &state, EFF_S(1014)), EFF_S(9));
	ck_assert_int_eq(ask(s, &state, EFF_S(1024)), -1);
}
END_TEST

START_TEST(too_many_modifiers_are_an_assertion)
{
	struct eff_sched s = eff_spaced(1);

	for (int i = 0; i <= EFF_SCHED_MODS; i++)
		s = eff_sched_cap(s, 1);
}
END_TEST

START_TEST(durations_saturate_in_sums_and_products)
{
	ck_assert_int_eq(eff_ns_add(EFF_FOREVER, 1), EFF_FOREVER);
	ck_assert_int_eq(eff_ns_add(INT64_MIN, -1), INT64_MIN);
	ck_assert_int_eq(eff_ns_add(-5, EFF_FOREVER), EFF_FOREVER);
	ck_assert_int_eq(eff_ns_add(EFF_FOREVER, -5), EFF_FOREVER);
	ck_assert_int_eq(eff_ns_add(5, -7), -2);
	ck_assert_int_eq(eff_ns_scale(EFF_FOREVER, 1), EFF_FOREVER);
	ck_assert_int_eq(eff_ns_scale(10, 0.0 / 0.0), 0);
	ck_assert_int_eq(eff_ns_scale(10, -1), 0);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("schedule");
	TCase *tcase = tcase_create("schedule");

	tcase_add_test(tcase, spaced_is_always_the_same);
	tcase_add_test(tcase, recurs_goes_on_at_once_so_many_times);
	tcase_add_test(tcase, exponential_multiplies_each_time);
	tcase_add_test(tcase, linear_adds_each_time);
	tcase_add_test(tcase, fibonacci_adds_the_last_two);
	tcase_add_test(tcase, what_grows_too_large_saturates);
	tcase_add_test(tcase, fixed_runs_on_the_grid_of_its_begin);
	tcase_add_test(tcase, fixed_that_is_behind_runs_at_once_and_nothing_piles_up);
	tcase_add_test(tcase, a_grid_holds_at_both_ends_of_time);
	tcase_add_test(tcase, windowed_runs_when_the_window_ends);
	tcase_add_test(tcase, a_cap_holds_and_jitter_after_it_spreads_at_the_ceiling);
	tcase_add_test(tcase, a_cap_after_jitter_holds_for_what_the_jitter_made);
	tcase_add_test(tcase, the_tighter_of_two_caps_counts);
	tcase_add_test(tcase, jitter_keeps_decimals_and_its_bounds);
	tcase_add_test(tcase, times_ends_a_schedule);
	tcase_add_test(tcase, upto_ends_a_schedule_by_what_has_passed_since_its_begin);
	tcase_add_test(tcase, a_schedule_that_is_over_stays_over_until_it_begins_anew);
	tcase_add_test(tcase, a_state_of_zeroes_begins_when_it_is_first_asked);
	tcase_add_test_raise_signal(tcase, too_many_modifiers_are_an_assertion, SIGABRT);
	tcase_add_test(tcase, durations_saturate_in_sums_and_products);
	suite_add_tcase(suite, tcase);
	return suite;
}
