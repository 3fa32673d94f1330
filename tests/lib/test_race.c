/* SPDX-License-Identifier: MIT */
/* Many effects side by side: the first of them. */
#include <errno.h>

#include <eff/effect.h>
#include <eff/scope.h>

#include "internal.h"
#include "leak.h"
#include "run.h"

Suite *test_suite(void);

/* Takes the exit. */
static void ck_text(eff_exit e, const char *want)
{
	char buf[256];

	ck_assert_str_eq(eff_exit_text(e, buf, sizeof(buf)), want);
	eff_exit_drop(e);
}

/* Runs for so long and ends with its exit; cut short it takes a second, masked, to end with the other. */
struct runner {
	const char *name;
	int seconds; /* -1: without a wait */
	eff_exit end, cut;
	size_t stack_bytes;
};

static eff_exit run_it(void *arg)
{
	const struct runner *runner = arg;
	int r = runner->seconds < 0 ? 0 : eff_sleep(EFF_S(runner->seconds));
	eff_masked masked = eff_mask();

	if (r < 0)
		(void)eff_sleep(EFF_S(1));
	eff_unmask(masked);
	say("%s%s", runner->name, r < 0 ? " cut" : "");
	return eff_exit_keep(r < 0 ? runner->cut : runner->end);
}

typedef eff_exit race_fn(const eff *effects, size_t n, size_t *ret_winner);

/* The winner's index; -1 when there was none. */
static int winner_of(race_fn *race, const struct runner *runners, size_t n, const char *want)
{
	eff effects[4];
	size_t winner = 99;
	eff_exit exit;

	ck_assert_uint_le(n, 4);
	for (size_t i = 0; i < n; i++)
		effects[i] = (eff){.fn = run_it,
			.arg = (void *)&runners[i],
			.name = runners[i].name,
			.stack_bytes = runners[i].stack_bytes};
	exit = race(effects, n, &winner);
	if (eff_is_ok(exit))
		ck_assert_ptr_eq(exit.value.pointer, runners[winner].end.value.pointer);
	ck_text(exit, want);
	return winner == 99 ? -1 : (int)winner;
}

static void on_unhandled(void *context, const char *name, eff_exit exit)
{
	(void)context;
	say("%s: %s", name, eff_exit_words(exit));
}

static void race_setup(void)
{
	run_setup();
	run_rt->hooks.on_unhandled = on_unhandled;
}

static eff_exit first_success(void *arg)
{
	static int marks[2];
	struct runner runners[] = {
		{.name = "a", .seconds = 9, .cut = eff_interrupted()},
		{.name = "b", .seconds = 1, .end = eff_fail(3)},
		{.name = "c", .seconds = 2, .end = eff_ok(&marks[0])},
		{.name = "d", .seconds = 9, .cut = eff_ok(&marks[1])},
	};

	(void)arg;
	ck_assert_int_eq(winner_of(eff_race, runners, 4, "ok"), 2);
	say("won");
	return eff_ok(NULL);
}

START_TEST(the_first_that_succeeds_wins_and_the_others_have_ended)
{
	run_ok(first_success, NULL);
	ck_assert_str_eq(run_trace, "b@1 c@2 a cut@3 d cut@3 won@3 ");
}
END_TEST

static eff_exit no_success(void *arg)
{
	struct runner runners[] = {
		{.name = "a", .seconds = 3, .end = eff_failf(3, "a")},
		{.name = "b", .seconds = 1, .end = eff_die("b")},
		{.name = "c", .seconds = 2, .end = eff_interrupted()},
	};

	(void)arg;
	ck_assert_int_eq(
		winner_of(eff_race, runners, 3, "die: b; and interrupt; and fail 3: a"), -1);
	eff_exit_drop(runners[0].end);
	eff_exit_drop(runners[1].end);
	return eff_ok(NULL);
}

START_TEST(when_none_succeeds_all_causes_are_there_in_the_order_of_the_ends)
{
	run_ok(no_success, NULL);
	ck_assert_str_eq(run_trace, "b@1 c@2 a@3 ");
}
END_TEST

static eff_exit first_end(void *arg)
{
	struct runner runners[] = {
		{.name = "a", .seconds = 2, .cut = eff_failf(4, "late")},
		{.name = "b", .seconds = 1, .end = eff_failf(3, "early")},
		{.name = "c", .seconds = 2, .cut = eff_interrupted()},
	};

	(void)arg;
	ck_assert_int_eq(
		winner_of(eff_race_first, runners, 3, "fail 3: early; and fail 4: late"), 1);
	eff_exit_drop(runners[1].end);
	runners[1].end = eff_ok(NULL);
	eff_exit_drop(runners[0].cut);
	runners[0].cut = eff_interrupted();
	ck_assert_int_eq(winner_of(eff_race_first, runners, 3, "ok"), 1);
	return eff_ok(NULL);
}

START_TEST(in_a_race_for_the_first_end_a_failure_wins_too)
{
	run_ok(first_end, NULL);
	ck_assert_str_eq(run_trace, "b@1 a cut@2 c cut@2 b@3 a cut@4 c cut@4 ");
}
END_TEST

static eff_exit bad_loser(void *arg)
{
	struct runner runners[] = {
		{.name = "a", .seconds = 2, .cut = eff_die("not clean")},
		{.name = "b", .seconds = 1},
	};

	(void)arg;
	ck_assert_int_eq(winner_of(eff_race, runners, 2, "ok"), 1);
	eff_exit_drop(runners[0].cut);
	return eff_ok(NULL);
}

START_TEST(what_a_loser_fails_with_while_it_unwinds_is_told)
{
	run_ok(bad_loser, NULL);
	ck_assert_str_eq(run_trace, "b@1 a cut@2 a: not clean@2 ");
}
END_TEST

static eff_exit one_at_once(void *arg)
{
	struct runner runners[] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};

	(void)arg;
	ck_assert_int_eq(winner_of(eff_race_first, runners, 3, "ok"), 0);
	runners[0].seconds = -1;
	say("again");
	ck_assert_int_eq(winner_of(eff_race, runners, 3, "ok"), 0);
	return eff_ok(NULL);
}

START_TEST(of_several_that_are_there_the_one_that_was_begun_first_wins)
{
	run_ok(one_at_once, NULL);
	/* A sleep of nothing yields: the others had begun, and their waits were fulfilled by then. The second time "a" has
	 * won at its first step, and the others never begin. */
	ck_assert_str_eq(run_trace, "a@0 b@0 c@0 again@0 a@0 ");
}
END_TEST

static eff_exit one_without_memory(void *arg)
{
	struct runner runners[] = {
		{.name = "a", .seconds = 1, .cut = eff_interrupted()},
		{.name = "b", .stack_bytes = (size_t)1 << 50},
	};

	(void)arg;
	ck_assert_int_eq(winner_of(eff_race, runners, 2, "ok"), 0);
	ck_assert_int_eq(winner_of(eff_race_first, runners, 2, "fail 12"), 1);
	ck_assert_int_eq(winner_of(eff_race, runners + 1, 1, "fail 12"), -1);
	return eff_ok(NULL);
}

START_TEST(one_that_cannot_be_forked_has_failed_for_want_of_memory)
{
	ck_assert_int_eq(ENOMEM, 12);
	run_ok(one_without_memory, NULL);
	/* The second time "a" never began. */
	ck_assert_str_eq(run_trace, "a@1 ");
}
END_TEST

static eff_exit limited(void *arg)
{
	struct runner runners[] = {
		{.name = "a", .seconds = 9, .cut = eff_failf(4, "late")},
		{.name = "b", .seconds = 1, .end = eff_failf(3, "early")},
	};
	struct eff_scope scope;

	(void)arg;
	eff_scope_open(&scope);
	eff_scope_limit(&scope, EFF_S(2));
	ck_assert_int_eq(
		winner_of(eff_race, runners, 2, "fail 110; and fail 3: early; and fail 4: late"),
		-1);
	ck_assert_int_eq(eff_scope_close(&scope), -ETIMEDOUT);
	eff_scope_open(&scope);
	eff_scope_cancel(&scope);
	ck_assert_int_eq(winner_of(eff_race_first, runners, 2, "interrupt"), -1);
	ck_assert_int_eq(eff_scope_close(&scope), -ECANCELED);
	eff_exit_drop(runners[0].cut);
	eff_exit_drop(runners[1].end);
	return eff_ok(NULL);
}

START_TEST(a_race_that_is_cut_short_says_so_with_what_failed_behind_it)
{
	run_ok(limited, NULL);
	ck_assert_str_eq(run_trace, "b@1 a cut@3 ");
}
END_TEST

static eff_exit win_late(void *arg)
{
	struct runner runners[] = {
		{.name = "a", .seconds = 2},
		{.name = "b", .seconds = 9, .cut = eff_interrupted()},
	};

	(void)arg;
	/* Interrupted while it awaits the loser: the race is won all the same. */
	ck_assert_int_eq(winner_of(eff_race, runners, 2, "ok"), 0);
	return eff_exit_of(eff_check());
}

static eff_exit interrupt_the_winner(void *arg)
{
	struct eff_fiber *child = forked(win_late, arg);

	ck_assert_int_eq(eff_sleep(EFF_MS(2500)), 0);
	eff_interrupt_async(child);
	ck_assert_str_eq(end_of(child), "interrupt");
	return eff_ok(NULL);
}

START_TEST(a_race_that_is_won_is_won_though_the_caller_is_interrupted_then)
{
	run_ok(interrupt_the_winner, NULL);
	ck_assert_str_eq(run_trace, "a@2 b cut@3 ");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("race");
	TCase *tcase = tcase_create("race");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, race_setup, run_teardown);
	tcase_add_test(tcase, the_first_that_succeeds_wins_and_the_others_have_ended);
	tcase_add_test(tcase, when_none_succeeds_all_causes_are_there_in_the_order_of_the_ends);
	tcase_add_test(tcase, in_a_race_for_the_first_end_a_failure_wins_too);
	tcase_add_test(tcase, what_a_loser_fails_with_while_it_unwinds_is_told);
	tcase_add_test(tcase, of_several_that_are_there_the_one_that_was_begun_first_wins);
	tcase_add_test(tcase, one_that_cannot_be_forked_has_failed_for_want_of_memory);
	tcase_add_test(tcase, a_race_that_is_cut_short_says_so_with_what_failed_behind_it);
	tcase_add_test(tcase, a_race_that_is_won_is_won_though_the_caller_is_interrupted_then);
	suite_add_tcase(suite, tcase);
	return suite;
}
