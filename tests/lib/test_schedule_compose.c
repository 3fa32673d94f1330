/* SPDX-License-Identifier: MIT */
/* Schedules of schedules, and those that begin anew: exact delays, and what holds of random ones. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <check.h>

#include <eff/exit.h>
#include <eff/schedule.h>

Suite *test_suite(void);

/* What it says when it is asked up to ten times, begun at 0, the i-th run lasting lasts[i % n]: "100 200 end" in ms. */
static const char *ten_of(const struct eff_sched *s, const eff_ns *lasts, int n)
{
	static char text[256];
	struct eff_sched_state state;
	struct eff_sched_in in = {.random = 0.5};
	size_t len = 0;
	eff_ns delay;

	eff_sched_begin(&state, 0);
	for (int i = 0; i < 10; i++) {
		in.now += lasts[i % n];
		if (!eff_sched_next(s, &state, &in, &delay)) {
			(void)snprintf(text + len, sizeof(text) - len, "end ");
			ck_assert(!eff_sched_next(s, &state, &in, &delay));
			return text;
		}
		ck_assert_int_eq(delay % EFF_MS(1), 0);
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "%d ", (int)(delay / EFF_MS(1)));
		in.now += delay;
	}
	return text;
}

static const char *ten(struct eff_sched s)
{
	return ten_of(&s, (const eff_ns[]){EFF_MS(1)}, 1);
}

START_TEST(and_goes_on_while_both_do_with_the_longer_delay)
{
	struct eff_sched doubling = eff_exponential(EFF_MS(1), 2);
	struct eff_sched ten_ms = eff_spaced(EFF_MS(10));
	struct eff_sched three = eff_recurs(3);
	struct eff_sched none = eff_recurs(0);

	ck_assert_str_eq(
		ten(eff_sched_and(&doubling, &ten_ms)), "10 10 10 10 16 32 64 128 256 512 ");
	ck_assert_str_eq(
		ten(eff_sched_and(&ten_ms, &doubling)), "10 10 10 10 16 32 64 128 256 512 ");
	ck_assert_str_eq(ten(eff_sched_and(&doubling, &three)), "1 2 4 end ");
	ck_assert_str_eq(ten(eff_sched_and(&three, &doubling)), "1 2 4 end ");
	ck_assert_str_eq(ten(eff_sched_and(&none, &doubling)), "end ");
	ck_assert_str_eq(ten(eff_sched_and(&doubling, &doubling)), "1 2 4 8 16 32 64 128 256 512 ");
}
END_TEST

START_TEST(or_goes_on_while_one_does_with_the_shorter_delay)
{
	struct eff_sched doubling = eff_exponential(EFF_MS(1), 2);
	struct eff_sched ten_ms = eff_spaced(EFF_MS(10));
	struct eff_sched three = eff_recurs(3);
	struct eff_sched none = eff_recurs(0);

	ck_assert_str_eq(ten(eff_sched_or(&doubling, &ten_ms)), "1 2 4 8 10 10 10 10 10 10 ");
	ck_assert_str_eq(ten(eff_sched_or(&ten_ms, &doubling)), "1 2 4 8 10 10 10 10 10 10 ");
	/* The other goes on where it is: it counted meanwhile. */
	ck_assert_str_eq(ten(eff_sched_or(&doubling, &three)), "0 0 0 8 16 32 64 128 256 512 ");
	ck_assert_str_eq(ten(eff_sched_or(&none, &three)), "0 0 0 end ");
	ck_assert_str_eq(ten(eff_sched_or(&none, &none)), "end ");
}
END_TEST

START_TEST(then_goes_over_to_the_second_which_begins_there)
{
	struct eff_sched two = eff_sched_times(eff_spaced(EFF_MS(3)), 2);
	struct eff_sched doubling = eff_sched_times(eff_exponential(EFF_MS(1), 2), 3);
	struct eff_sched soon = eff_sched_upto(eff_spaced(EFF_MS(5)), EFF_MS(8));
	struct eff_sched grid = eff_fixed(EFF_MS(10));
	struct eff_sched none = eff_recurs(0);
	struct eff_sched s = eff_sched_then(&two, &doubling);

	ck_assert_str_eq(ten(s), "3 3 1 2 4 end ");
	ck_assert_str_eq(ten(eff_sched_then(&s, &two)), "3 3 1 2 4 3 3 end ");
	ck_assert_str_eq(ten(eff_sched_then(&two, &s)), "3 3 3 3 1 2 4 end ");
	ck_assert_str_eq(ten(eff_sched_then(&none, &two)), "3 3 end ");
	ck_assert_str_eq(ten(eff_sched_then(&two, &none)), "3 3 end ");
	ck_assert_str_eq(ten(eff_sched_then(&none, &none)), "end ");
	/* Its time and its grid count from there: asked at 1, 5, 9, 15, 21. */
	ck_assert_str_eq(ten(eff_sched_then(&two, &soon)), "3 3 5 5 end ");
	ck_assert_str_eq(ten(eff_sched_then(&two, &grid)), "3 3 10 9 9 9 9 9 9 9 ");
}
END_TEST

START_TEST(modifiers_hold_for_what_is_put_together)
{
	struct eff_sched doubling = eff_exponential(EFF_MS(1), 2);
	struct eff_sched two = eff_sched_times(eff_spaced(EFF_MS(100)), 2);
	struct eff_sched s = eff_sched_then(&two, &doubling);

	ck_assert_str_eq(ten(eff_sched_cap(s, EFF_MS(4))), "4 4 1 2 4 4 4 4 4 4 ");
	ck_assert_str_eq(ten(eff_sched_times(s, 5)), "100 100 1 2 4 end ");
	ck_assert_str_eq(ten(eff_sched_upto(s, EFF_MS(206))), "100 100 1 2 end ");
	ck_assert_str_eq(ten(eff_sched_jitter(s, 2, 4)), "300 300 3 6 12 24 48 96 192 384 ");
}
END_TEST

START_TEST(a_grid_beside_another_pace_counts_from_the_last_run)
{
	struct eff_sched grid = eff_fixed(EFF_MS(10));
	struct eff_sched three_ms = eff_spaced(EFF_MS(3));

	/* Runs begin at 4, 8, 10 … and take 1: the grid's point is the next one whoever set the last delay. */
	ck_assert_str_eq(ten(eff_sched_or(&grid, &three_ms)), "3 3 1 3 3 1 3 3 1 3 ");
	grid = eff_fixed(EFF_MS(2));
	/* The grid is behind, and does not matter. */
	ck_assert_str_eq(ten(eff_sched_and(&grid, &three_ms)), "3 3 3 3 3 3 3 3 3 3 ");
}
END_TEST

/* ── beginning anew ── */

START_TEST(a_long_run_begins_the_schedule_anew)
{
	static const eff_ns fine[] = {EFF_MS(1), EFF_MS(1), EFF_MS(1), EFF_MS(49), EFF_MS(1),
		EFF_MS(1), EFF_MS(50), EFF_MS(1), EFF_MS(1), EFF_MS(1)};
	struct eff_sched s = eff_exponential(EFF_MS(1), 2);
	struct eff_sched reset = eff_sched_reset_after(s, EFF_MS(50));

	ck_assert_str_eq(ten_of(&reset, fine, 10), "1 2 4 8 16 32 1 2 4 8 ");
	reset = eff_sched_reset_after(s, EFF_FOREVER);
	ck_assert_str_eq(ten_of(&reset, fine, 10), "1 2 4 8 16 32 64 128 256 512 ");
	reset = eff_sched_reset_after(s, 0);
	ck_assert_str_eq(ten_of(&reset, fine, 10), "1 1 1 1 1 1 1 1 1 1 ");
}
END_TEST

START_TEST(times_before_a_reset_count_in_a_row_and_after_it_in_all)
{
	static const eff_ns lasts[] = {EFF_MS(1), EFF_MS(50)};
	struct eff_sched s = eff_exponential(EFF_MS(1), 2);
	struct eff_sched row = eff_sched_reset_after(eff_sched_times(s, 2), EFF_MS(50));
	struct eff_sched all = eff_sched_times(eff_sched_reset_after(s, EFF_MS(50)), 4);
	struct eff_sched both = eff_sched_times(row, 5);
	struct eff_sched outer = eff_sched_reset_after(both, EFF_MS(50));
	struct eff_sched rarely = eff_sched_reset_after(both, EFF_MS(51));

	ck_assert_str_eq(ten_of(&row, lasts, 2), "1 1 2 1 2 1 2 1 2 1 ");
	ck_assert_str_eq(ten_of(&row, lasts, 1), "1 2 end ");
	ck_assert_str_eq(ten_of(&all, lasts, 2), "1 1 2 1 end ");
	ck_assert_str_eq(ten_of(&both, lasts, 2), "1 1 2 1 2 end ");
	ck_assert_str_eq(ten_of(&outer, lasts, 2), "1 1 2 1 2 1 2 1 2 1 ");
	ck_assert_str_eq(ten_of(&rarely, lasts, 2), "1 1 2 1 2 end ");
}
END_TEST

START_TEST(a_reset_begins_all_anew_that_is_put_together_before_it)
{
	static const eff_ns lasts[] = {EFF_MS(1), EFF_MS(1), EFF_MS(1), EFF_MS(1), EFF_MS(50)};
	struct eff_sched two = eff_sched_times(eff_spaced(EFF_MS(9)), 2);
	struct eff_sched doubling = eff_exponential(EFF_MS(1), 2);
	struct eff_sched within = eff_sched_upto(eff_spaced(EFF_MS(4)), EFF_MS(20));
	struct eff_sched s = eff_sched_then(&two, &doubling);

	s = eff_sched_reset_after(s, EFF_MS(50));
	ck_assert_str_eq(ten_of(&s, lasts, 5), "9 9 1 2 9 9 1 2 4 9 ");
	/* Asked at 1, 6, 11, 16; then anew, 50 ms later. */
	s = eff_sched_reset_after(within, EFF_MS(50));
	ck_assert_str_eq(ten_of(&s, lasts, 5), "4 4 4 4 4 4 4 4 end ");
	/* What is over stays over where only its neighbour begins anew. */
	doubling = eff_sched_reset_after(doubling, EFF_MS(50));
	s = eff_sched_or(&two, &doubling);
	ck_assert_str_eq(ten_of(&s, lasts, 5), "1 2 4 8 1 2 4 8 16 1 ");
}
END_TEST

/* ── exits ── */

static bool is_no_code_3(const struct eff_exit *last)
{
	return last->code != 3;
}

START_TEST(a_schedule_can_look_at_the_last_exit)
{
	struct eff_sched s = eff_sched_while(eff_spaced(7), is_no_code_3);
	struct eff_sched more = eff_spaced(9);
	struct eff_sched three;
	struct eff_sched_state state = {0};
	struct eff_sched_in in = {0};
	eff_exit good = eff_fail(2);
	eff_exit bad = eff_fail(3);
	eff_ns delay;

	ck_assert(eff_sched_next(&s, &state, &in, &delay));
	in.last = &good;
	ck_assert(eff_sched_next(&s, &state, &in, &delay));
	in.last = &bad;
	ck_assert(!eff_sched_next(&s, &state, &in, &delay));
	in.last = &good;
	ck_assert(!eff_sched_next(&s, &state, &in, &delay));
	/* Within another: until then it is the shorter one. */
	three = eff_sched_times(eff_sched_or(&s, &more), 3);
	eff_sched_begin(&state, 0);
	ck_assert(eff_sched_next(&three, &state, &in, &delay));
	ck_assert_int_eq(delay, 7);
	in.last = &bad;
	ck_assert(eff_sched_next(&three, &state, &in, &delay));
	ck_assert_int_eq(delay, 9);
	in.last = &good;
	ck_assert(eff_sched_next(&three, &state, &in, &delay));
	ck_assert_int_eq(delay, 9);
	ck_assert(!eff_sched_next(&three, &state, &in, &delay));
}
END_TEST

/* ── bounds ── */

START_TEST(a_state_holds_eight_parts)
{
	struct eff_sched one = eff_sched_times(eff_spaced(EFF_MS(1)), 1);
	struct eff_sched two = eff_sched_then(&one, &one);
	struct eff_sched three = eff_sched_then(&two, &one);
	struct eff_sched four = eff_sched_then(&one, &three);

	ck_assert_uint_eq(four.n_parts, 7);
	four = eff_sched_reset_after(four, EFF_MS(50));
	ck_assert_uint_eq(four.n_parts, EFF_SCHED_PARTS);
	ck_assert_str_eq(ten(four), "1 1 1 1 end ");
}
END_TEST

START_TEST(too_many_resets_are_an_assertion)
{
	struct eff_sched one = eff_spaced(1);
	struct eff_sched two = eff_sched_and(&one, &one);
	struct eff_sched four = eff_sched_and(&two, &two);

	four = eff_sched_reset_after(four, 1);
	(void)eff_sched_reset_after(four, 1);
}
END_TEST

START_TEST(too_many_schedules_are_an_assertion)
{
	struct eff_sched one = eff_spaced(1);
	struct eff_sched two = eff_sched_and(&one, &one);
	struct eff_sched four = eff_sched_and(&two, &two);

	(void)eff_sched_or(&one, &four);
}
END_TEST

START_TEST(a_schedule_that_is_part_of_itself_is_an_assertion)
{
	struct eff_sched one = eff_spaced(1);

	one = eff_sched_and(&one, &one);
	(void)ten(one);
}
END_TEST

/* ── random ones ── */

static uint64_t random_state;

static unsigned draw(unsigned n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(random_state >> 33) % n;
}

/* Durations and counts of every size, the extremes among them. */
static int64_t any_number(void)
{
	static const int64_t extremes[] = {0, 1, -1, INT64_MIN, INT64_MAX, INT64_MAX - 1};
	int64_t number = (int64_t)draw(1u << 31) << draw(33);

	return draw(4) ? number >> draw(62) : extremes[draw(6)];
}

static struct eff_sched any_origin(void)
{
	switch (draw(7)) {
	case 0:
		return eff_spaced(any_number());
	case 1:
		return eff_recurs(draw(20));
	case 2:
		return eff_fixed(any_number());
	case 3:
		return eff_windowed(any_number());
	case 4:
		return eff_exponential(any_number(), (double)draw(300) / 100);
	case 5:
		return eff_linear(any_number());
	default:
		return eff_fibonacci(any_number());
	}
}

static struct eff_sched modified(struct eff_sched s)
{
	switch (draw(6)) {
	case 0:
		return eff_sched_cap(s, any_number());
	case 1:
		return eff_sched_jitter(s, draw(3), (double)draw(500) / 100);
	case 2:
		return eff_sched_times(s, 1 + draw(30));
	case 3:
		return eff_sched_upto(s, any_number());
	case 4:
		return s.n_parts < 2 ? eff_sched_reset_after(s, any_number()) : s;
	default:
		return s;
	}
}

static struct eff_sched composed(const struct eff_sched *a, const struct eff_sched *b)
{
	switch (draw(3)) {
	case 0:
		return eff_sched_and(a, b);
	case 1:
		return eff_sched_or(a, b);
	default:
		return eff_sched_then(a, b);
	}
}

/* Two to four times the same leaf or another one, in every shape that fits. Returns the whole. */
static const struct eff_sched *any_tree(struct eff_sched nodes[5])
{
	nodes[0] = modified(modified(any_origin()));
	nodes[1] = modified(modified(any_origin()));
	nodes[2] = modified(composed(&nodes[0], &nodes[1]));
	if (nodes[2].n_parts + nodes[1].n_parts + 1 > EFF_SCHED_PARTS)
		return &nodes[2];
	nodes[3] = modified(composed(&nodes[2], &nodes[1]));
	nodes[4] = eff_sched_cap(nodes[3], EFF_S(1));
	return &nodes[4];
}

/* Ask it forty times; the answers as a number. */
static uint64_t answers(const struct eff_sched *s, uint64_t seed, eff_ns most)
{
	struct eff_sched_state state;
	struct eff_sched_in in = {.now = any_number()};
	uint64_t hash = seed;
	int64_t n = 0;
	bool over = false;

	eff_sched_begin(&state, in.now);
	for (int i = 0; i < 40; i++) {
		eff_ns delay = -1;
		bool more;

		in.now = draw(9) ? eff_ns_add(in.now, any_number()) : any_number();
		in.random = (double)draw(1000) / 1000;
		more = eff_sched_next(s, &state, &in, &delay);
		n += more;
		if (more && (over || delay < 0 || delay > most || state.given != n))
			ck_abort_msg("seed %llu: delay %lld, over %d", (unsigned long long)seed,
				(long long)delay, over);
		over = over || !more;
		hash = (hash ^ (uint64_t)delay) * 0x100000001b3u;
	}
	return hash;
}

START_TEST(random_schedules_keep_their_word_and_answer_the_same_again)
{
	for (uint64_t seed = 0; seed < 20000; seed++) {
		struct eff_sched nodes[5];
		const struct eff_sched *s;
		uint64_t state, hash;

		random_state = seed * 0x9e3779b97f4a7c15u;
		s = any_tree(nodes);
		state = random_state;
		hash = answers(s, seed, s == &nodes[4] ? EFF_S(1) : EFF_FOREVER);
		random_state = state;
		if (answers(s, seed, EFF_FOREVER) != hash)
			ck_abort_msg("seed %llu: answers differ", (unsigned long long)seed);
	}
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("schedule_compose");
	TCase *tcase = tcase_create("schedule_compose");

	tcase_add_test(tcase, and_goes_on_while_both_do_with_the_longer_delay);
	tcase_add_test(tcase, or_goes_on_while_one_does_with_the_shorter_delay);
	tcase_add_test(tcase, then_goes_over_to_the_second_which_begins_there);
	tcase_add_test(tcase, modifiers_hold_for_what_is_put_together);
	tcase_add_test(tcase, a_grid_beside_another_pace_counts_from_the_last_run);
	tcase_add_test(tcase, a_long_run_begins_the_schedule_anew);
	tcase_add_test(tcase, times_before_a_reset_count_in_a_row_and_after_it_in_all);
	tcase_add_test(tcase, a_reset_begins_all_anew_that_is_put_together_before_it);
	tcase_add_test(tcase, a_schedule_can_look_at_the_last_exit);
	tcase_add_test(tcase, a_state_holds_eight_parts);
	tcase_add_test_raise_signal(tcase, too_many_resets_are_an_assertion, SIGABRT);
	tcase_add_test_raise_signal(tcase, too_many_schedules_are_an_assertion, SIGABRT);
	tcase_add_test_raise_signal(
		tcase, a_schedule_that_is_part_of_itself_is_an_assertion, SIGABRT);
	tcase_add_test(tcase, random_schedules_keep_their_word_and_answer_the_same_again);
	suite_add_tcase(suite, tcase);
	return suite;
}
