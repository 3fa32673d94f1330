/* SPDX-License-Identifier: MIT */
/* Group rounds: who stops, who starts, when and in which order; what is judged and what is counted. */
#include "leak.h"
#include "supervised.h"

Suite *test_suite(void);

FIBER_TEST(one_for_one_leaves_the_siblings_alone)
{
	struct player p[] = {PLAYER("a", STEADY), PLAYER("b", FAILS_AFTER(EFF_S(1)), STEADY),
		PLAYER("c", STEADY)};
	struct eff_sup sup;

	PLAY(&sup, p);
	(void)eff_sleep(EFF_S(10));
	EXPECT("a+@0 b+@0 c+@0 b-@1 b~@1 b+@2 ");
	return played(&sup);
}

FIBER_TEST(one_for_all_stops_all_waits_the_delay_and_starts_all_in_order)
{
	struct player p[] = {PLAYER("a", {.lives = EFF_FOREVER, .stop_takes = EFF_S(2)}),
		PLAYER("b", FAILS_AFTER(EFF_S(1)), STEADY), PLAYER("c", STEADY)};
	struct eff_sup sup;

	PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL);
	(void)eff_sleep(EFF_S(2));
	EXPECT("a+@0 b+@0 c+@0 b-@1 b~@1 (b@1 a<b@1 c<b@1 c.@1 ");
	ck_assert_int_eq(eff_child_state(&p[0].child), EFF_CHILD_STOPS);
	ck_assert_int_eq(eff_child_state(&p[1].child), EFF_CHILD_BACKOFF);
	ck_assert_int_eq(eff_child_state(&p[2].child), EFF_CHILD_WAITS);
	/* When its delay begins is not known yet. */
	ck_assert_int_eq(p[1].child.next_at, -1);
	(void)eff_sleep(EFF_MS(1500));
	ck_assert_int_eq(p[1].child.next_at, EFF_S(4));
	(void)eff_sleep(EFF_S(10));
	EXPECT("a.@3 a+@4 b+@4 c+@4 )@4 ");
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(p[i].child.runs, 2);
		ck_assert_uint_eq(p[i].child.restarts, 1);
		ck_assert_uint_eq(eff_child_failures(&p[i].child), i == 1);
	}
	return played(&sup);
}

FIBER_TEST(rest_for_one_restarts_those_after_it)
{
	struct player p[] = {PLAYER("a", STEADY), PLAYER("b", FAILS_AFTER(EFF_S(1)), STEADY),
		PLAYER("c", STEADY), PLAYER("d", STEADY)};
	struct eff_sup sup;

	PLAY(&sup, p, .strategy = EFF_REST_FOR_ONE);
	(void)eff_sleep(EFF_S(10));
	EXPECT("a+@0 b+@0 c+@0 d+@0 b-@1 b~@1 (b@1 c<b@1 d<b@1 c.@1 d.@1 b+@2 c+@2 d+@2 )@2 ");
	return played(&sup);
}

FIBER_TEST(a_sequential_round_stops_backwards_one_by_one_and_starts_one_by_one)
{
	const struct part slow = {
		.up_after = EFF_S(1), .lives = EFF_FOREVER, .stop_takes = EFF_S(1)};
	struct player p[] = {PLAYER("a", slow), PLAYER("b", FAILS_AFTER(EFF_S(10)), STEADY),
		PLAYER("c", slow), PLAYER("d", slow)};
	struct eff_sup sup;

	PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL, .order = EFF_SEQUENTIAL);
	(void)eff_sleep(EFF_S(30));
	EXPECT("a+@0 b+@1 c+@1 d+@2 b-@11 b~@11 (b@11 a<b@11 c<b@11 d<b@11 d.@12 c.@13 a.@14 "
	       "a+@15 b+@16 c+@16 d+@17 )@18 ");
	return played(&sup);
}

FIBER_TEST(ends_while_the_group_is_being_stopped_are_neither_judged_nor_counted)
{
	const eff_exit fail = {.tag = EFF_FAIL, .code = 3};
	struct player p[] = {PLAYER("a", FAILS_AFTER(EFF_S(1)), STEADY),
		/* One that says it failed when it is told to stop, and one that ends in the same moment. */
		PLAYER("b",
			{.lives = EFF_FOREVER, .stop_takes = EFF_S(1), .ends = fail, .says_so = true},
			STEADY),
		PLAYER("c", FAILS_AFTER(EFF_S(1)), STEADY),
		/* One that waits to be told ends by itself meanwhile. */
		PLAYER("d", FAILS_AFTER(EFF_MS(1500)), STEADY),
		PLAYER("e", {.lives = EFF_FOREVER, .stop_takes = EFF_S(1)}, STEADY)};
	struct eff_sup sup;

	player_is_quiet = true;
	PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL, .order = EFF_SEQUENTIAL, .max_restarts = 1,
		.period = EFF_H(1));
	(void)eff_sleep(EFF_S(30));
	EXPECT("a+@0 b+@0 c+@0 d+@0 e+@0 a-@1 c-@1 d-@1500ms e.@2 b.@3 a+@4 b+@4 c+@4 d+@4 e+@4 ");
	ck_assert_uint_eq(p[0].n_judged, 1);
	for (int i = 1; i < 5; i++) {
		ck_assert_uint_eq(p[i].n_judged, 0);
		ck_assert_uint_eq(eff_child_failures(&p[i].child), 0);
		ck_assert_uint_eq(p[i].child.restarts, 1);
	}
	ck_assert_int_eq(sup.end, EFF_SUP_GOES_ON);
	return played(&sup);
}

FIBER_TEST(an_end_while_it_starts_opens_a_new_round_with_the_delay_of_that_child)
{
	struct player p[] = {PLAYER("a", FAILS_AFTER(EFF_S(1)), STEADY),
		PLAYER("b", STEADY,
			{.up_after = -1, .lives = EFF_MS(500), .ends = {.tag = EFF_DIE}}, STEADY),
		PLAYER("c", STEADY, {.up_after = EFF_S(2), .lives = EFF_FOREVER})};
	struct eff_sup sup;

	p[1].child.policy.backoff = eff_spaced(EFF_S(3));
	PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL);
	(void)eff_sleep(EFF_S(30));
	EXPECT("a+@0 b+@0 c+@0 a-@1 a~@1 (a@1 b<a@1 c<a@1 b.@1 c.@1 a+@2 b+@2 c+@2 "
	       "b-@2500ms b~@2500ms (b@2500ms a<b@2500ms c<b@2500ms a.@2500ms c.@2500ms "
	       "a+@5500ms b+@5500ms c+@5500ms )@7500ms ");
	ck_assert_uint_eq(eff_child_failures(&p[0].child), 1);
	ck_assert_uint_eq(eff_child_failures(&p[1].child), 1);
	ck_assert_uint_eq(p[2].child.restarts, 2);
	return played(&sup);
}

FIBER_TEST(the_first_to_start_may_end_before_the_last_has_begun)
{
	struct player p[] = {PLAYER("a", STEADY, FAILS_AFTER(0), STEADY),
		PLAYER("b", FAILS_AFTER(EFF_S(1)), STEADY), PLAYER("c", STEADY)};
	struct eff_sup sup;

	player_is_quiet = true;
	PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL);
	(void)eff_sleep(EFF_S(30));
	/* c had not begun when a had ended. */
	EXPECT("a+@0 b+@0 c+@0 b-@1 a.@1 c.@1 a+@2 b+@2 a-@2 b.@2 a+@3 b+@3 c+@3 ");
	return played(&sup);
}

FIBER_TEST(a_sibling_in_its_delay_drops_it_and_starts_with_the_group_and_its_k_stays)
{
	struct player p[] = {PLAYER("a", FAILS_AFTER(EFF_S(3)), STEADY), PLAYER("b", STEADY),
		PLAYER("c", FAILS_AFTER(EFF_S(1)), FAILS_AFTER(EFF_S(5)), STEADY)};
	struct eff_sup sup;

	p[2].child.policy.backoff = eff_exponential(EFF_S(10), 2);
	PLAY(&sup, p, .strategy = EFF_REST_FOR_ONE);
	(void)eff_sleep(EFF_S(8));
	EXPECT("a+@0 b+@0 c+@0 c-@1 c~@1 (c@1 a-@3 a~@3 (a@3 b<a@3 c<a@3 b.@3 a+@4 b+@4 c+@4 )@4 ");
	ck_assert_uint_eq(eff_child_failures(&p[2].child), 1);
	ck_assert_uint_eq(p[2].child.restarts, 1);
	(void)eff_sleep(EFF_S(60));
	/* Its next delay is the second of its own. */
	EXPECT("c-@9 c~@9 (c@9 c+@29 )@29 ");
	return played(&sup);
}

FIBER_TEST(one_that_stops_with_another_takes_over_from_who_waited_for_that_stop)
{
	/* b leads and waits for c to stop; a, before it, ends meanwhile. */
	struct player p[] = {PLAYER("a", FAILS_AFTER(EFF_S(2)), STEADY),
		PLAYER("b", FAILS_AFTER(EFF_S(1)), STEADY),
		PLAYER("c", {.lives = EFF_FOREVER, .stop_takes = EFF_S(5)})};
	struct eff_sup sup;

	PLAY(&sup, p, .strategy = EFF_REST_FOR_ONE);
	(void)eff_sleep(EFF_S(30));
	EXPECT("a+@0 b+@0 c+@0 b-@1 b~@1 (b@1 c<b@1 a-@2 a~@2 (a@2 b<a@2 c<a@2 c.@6 a+@7 b+@7 c+@7 )@7 ");
	return played(&sup);
}

FIBER_TEST(one_that_is_never_run_again_is_stopped_and_stays_at_rest)
{
	struct player p[] = {PLAYER("a", FAILS_AFTER(EFF_S(2)), STEADY), PLAYER("never", STEADY),
		PLAYER("done", ENDS_AFTER(EFF_S(1))), PLAYER("bad", FAILS_AFTER(EFF_S(1))),
		PLAYER("off", STEADY), PLAYER("b", STEADY)};
	struct eff_sup sup;

	p[1].child.policy.restart = p[3].child.policy.restart = EFF_NEVER;
	p[2].child.policy.restart = EFF_ON_FAILURE;
	PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL);
	eff_child_stop_async(&p[4].child);
	(void)eff_sleep(EFF_MS(1500));
	EXPECT("a+@0 never+@0 done+@0 bad+@0 off=stopped@0 b+@0 done-@1 done=done@1 bad-@1 "
	       "bad=failed@1 ");
	(void)eff_sleep(EFF_S(10));
	EXPECT("a-@2 a~@2 (a@2 never<a@2 b<a@2 never.@2 never=group@2 b.@2 a+@3 b+@3 )@3 ");
	ck_assert_int_eq(eff_child_start(&p[1].child), 0);
	(void)eff_sleep(EFF_S(1));
	EXPECT("never+@11500ms ");
	return played(&sup);
}

static eff_exit waits_first(void *arg)
{
	struct player *p = arg;
	int r;

	eff_child_waits(&p->child, true);
	r = eff_sleep(EFF_S(3));
	if (r < 0)
		return eff_exit_of(r);
	eff_child_waits(&p->child, false);
	return player_run(p);
}

FIBER_TEST(one_that_merely_waits_in_its_run_begins_anew_and_that_is_no_restart)
{
	struct player p[] = {PLAYER("a", FAILS_AFTER(EFF_S(2)), FAILS_AFTER(EFF_S(9)), STEADY),
		PLAYER("b", STEADY)};
	struct eff_sup sup;

	player_is_quiet = true;
	p[1].child.policy.restart = EFF_NEVER;
	PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL);
	p[1].child.run.fn = waits_first;
	(void)eff_sleep(EFF_S(60));
	/* The first round finds it waiting, the second one running: it is not to run again. */
	EXPECT("a+@0 a-@2 a+@3 b+@6 a-@12 b.@12 a+@13 ");
	ck_assert_uint_eq(p[1].child.restarts, 0);
	ck_assert_int_eq(p[1].child.rest, EFF_REST_GROUP);
	return played(&sup);
}

/* ── words of others meanwhile ── */

static void three(struct player *p)
{
	static const struct part steady[] = {STEADY}, crash[] = {FAILS_AFTER(EFF_S(1)), STEADY};

	p[0] = PLAYER("a", STEADY);
	p[1] = PLAYER("b", FAILS_AFTER(EFF_S(1)), STEADY);
	p[2] = PLAYER("c", STEADY);
	p[0].parts = p[2].parts = steady;
	p[1].parts = crash;
	p[1].child.policy.backoff = eff_spaced(EFF_S(10));
	player_is_quiet = true;
}

FIBER_TEST(when_the_one_that_ended_is_stopped_the_others_start_at_once)
{
	struct player p[3];
	struct eff_sup sup;

	three(p);
	PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL);
	(void)eff_sleep(EFF_S(5));
	eff_child_stop_async(&p[1].child);
	(void)eff_sleep(EFF_S(30));
	EXPECT("a+@0 b+@0 c+@0 b-@1 a.@1 c.@1 a+@5 c+@5 ");
	ck_assert_int_eq(p[1].child.rest, EFF_REST_STOPPED);
	return played(&sup);
}

FIBER_TEST(a_sibling_that_is_stopped_meanwhile_starts_no_more)
{
	struct player p[3];
	struct eff_sup sup;

	three(p);
	PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL);
	(void)eff_sleep(EFF_S(5));
	ck_assert_int_eq(eff_child_stop(&p[0].child), 0);
	(void)eff_sleep(EFF_S(30));
	EXPECT("a+@0 b+@0 c+@0 b-@1 a.@1 c.@1 b+@11 c+@11 ");
	return played(&sup);
}

FIBER_TEST(a_start_of_one_that_waits_ends_the_delay_for_all)
{
	struct player p[3];
	struct eff_sup sup;

	for (int i = 0; i < 3; i++) {
		three(p);
		PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL);
		(void)eff_sleep(EFF_S(5));
		ck_assert_int_eq(eff_child_start(&p[i].child), 0);
		(void)eff_sleep(EFF_S(1));
		ck_assert_uint_eq(p[0].n_runs + p[1].n_runs + p[2].n_runs, 6);
		/* For that one it was no restart. */
		for (int k = 0; k < 3; k++)
			ck_assert_uint_eq(p[k].child.restarts, k != i);
		(void)played(&sup);
	}
	return eff_ok(NULL);
}

FIBER_TEST(a_start_while_the_others_stop_still_waits_for_them)
{
	struct player p[3];
	struct eff_sup sup;

	three(p);
	p[2].parts = (const struct part[]){{.lives = EFF_FOREVER, .stop_takes = EFF_S(3)}};
	PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL);
	(void)eff_sleep(EFF_S(2));
	ck_assert_int_eq(eff_child_start(&p[1].child), 0);
	(void)eff_sleep(EFF_S(30));
	EXPECT("a+@0 b+@0 c+@0 b-@1 a.@1 c.@4 a+@4 b+@4 c+@4 ");
	return played(&sup);
}

FIBER_TEST(one_that_is_started_or_added_meanwhile_starts_with_the_group)
{
	struct player p[3], late[] = {PLAYER("late", STEADY)};
	struct eff_sup sup;

	three(p);
	PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL);
	(void)eff_sleep(EFF_S(2));
	eff_child_stop_async(&p[2].child);
	(void)eff_sleep(EFF_S(1));
	ck_assert_int_eq(p[2].child.rest, EFF_REST_STOPPED);
	players_add(&sup, late, 1);
	ck_assert_int_eq(eff_child_start(&late[0].child), 0);
	(void)eff_sleep(EFF_S(1));
	ck_assert_ptr_eq(late[0].child.other, &p[1].child);
	(void)eff_sleep(EFF_S(30));
	EXPECT("a+@0 b+@0 c+@0 b-@1 a.@1 c.@1 a+@11 b+@11 late+@11 ");
	ck_assert_uint_eq(late[0].child.restarts, 0);
	return played(&sup);
}

FIBER_TEST(one_that_is_being_stopped_already_is_left_alone)
{
	const struct part slow[] = {{.lives = EFF_FOREVER, .stop_takes = EFF_S(20)}};
	struct player p[3];
	struct eff_sup sup;

	three(p);
	p[0].parts = slow;
	PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL);
	(void)eff_sleep(EFF_MS(500));
	eff_child_stop_async(&p[0].child);
	ck_assert_int_eq(eff_child_start(&p[0].child), 0);
	(void)eff_sleep(EFF_S(30));
	EXPECT("a+@0 b+@0 c+@0 b-@1 c.@1 b+@11 c+@11 a.@20500ms a+@20500ms ");
	ck_assert_uint_eq(p[0].child.restarts, 0);
	return played(&sup);
}

FIBER_TEST(one_that_cannot_be_stopped_holds_up_nobody_and_starts_when_it_has_gone)
{
	struct player p[3];
	struct eff_sup sup;

	three(p);
	p[2].parts = (const struct part[]){{.lives = EFF_FOREVER, .stop_takes = EFF_S(20)}, STEADY};
	p[2].n_parts = 2;
	p[2].child.stop_grace = EFF_S(4);
	PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL);
	(void)eff_sleep(EFF_S(60));
	/* Its grace is over at 5 s: then the delay runs. */
	EXPECT("a+@0 b+@0 c+@0 b-@1 a.@1 c!@5 a+@15 b+@15 c.@21 c+@21 ");
	return played(&sup);
}

FIBER_TEST(a_stop_of_the_supervisor_in_any_moment_of_a_round_leaves_nothing)
{
	/* b ends at 1 s; c has stopped at 3 s; the delay is over at 13 s; c is up at 15 s. */
	static const eff_ns at[] = {EFF_S(1), EFF_S(2), EFF_S(3), EFF_S(5), EFF_S(13), EFF_S(14)};
	struct player p[3];
	struct eff_sup sup;

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		eff_ns from = eff_now();

		three(p);
		p[2].parts = (const struct part[]){{.lives = EFF_FOREVER, .stop_takes = EFF_S(2)},
			{.up_after = EFF_S(2), .lives = EFF_FOREVER}};
		p[2].n_parts = 2;
		PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL);
		(void)eff_sleep(at[i]);
		eff_sup_stop(&sup);
		ck_assert_int_eq(eff_now() - from, at[i] < EFF_S(3) ? EFF_S(3) : at[i]);
		for (int k = 0; k < 3; k++) {
			ck_assert_ptr_null(p[k].child.fiber);
			ck_assert_int_eq(p[k].child.rest, EFF_REST_STOPPED);
			ck_assert_int_eq(eff_child_state(&p[k].child), EFF_CHILD_RESTS);
		}
		(void)played(&sup);
	}
	return eff_ok(NULL);
}

FIBER_TEST(another_strategy_holds_from_the_next_end_on)
{
	struct player p[] = {PLAYER("a", FAILS_AFTER(EFF_S(1)), FAILS_AFTER(EFF_S(2)), STEADY),
		PLAYER("b", STEADY)};
	struct eff_sup sup;

	player_is_quiet = true;
	PLAY(&sup, p);
	(void)eff_sleep(EFF_S(3));
	ck_assert_int_eq(eff_sup_change(&sup,
				 &(struct eff_sup_opts){
					 .strategy = EFF_ONE_FOR_ALL, .hooks = &player_hooks}),
		0);
	(void)eff_sleep(EFF_S(30));
	EXPECT("a+@0 b+@0 a-@1 a+@2 a-@4 b.@4 a+@5 b+@5 ");
	return played(&sup);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("lib/round");
	TCase *c = tcase_create("round");

	test_leak_guard(c);
	tcase_add_checked_fixture(c, run_setup, run_teardown);
	tcase_add_test(c, one_for_one_leaves_the_siblings_alone);
	tcase_add_test(c, one_for_all_stops_all_waits_the_delay_and_starts_all_in_order);
	tcase_add_test(c, rest_for_one_restarts_those_after_it);
	tcase_add_test(c, a_sequential_round_stops_backwards_one_by_one_and_starts_one_by_one);
	tcase_add_test(c, ends_while_the_group_is_being_stopped_are_neither_judged_nor_counted);
	tcase_add_test(c, an_end_while_it_starts_opens_a_new_round_with_the_delay_of_that_child);
	tcase_add_test(c, the_first_to_start_may_end_before_the_last_has_begun);
	tcase_add_test(c, a_sibling_in_its_delay_drops_it_and_starts_with_the_group_and_its_k_stays);
	tcase_add_test(c, one_that_stops_with_another_takes_over_from_who_waited_for_that_stop);
	tcase_add_test(c, one_that_is_never_run_again_is_stopped_and_stays_at_rest);
	tcase_add_test(c, one_that_merely_waits_in_its_run_begins_anew_and_that_is_no_restart);
	tcase_add_test(c, when_the_one_that_ended_is_stopped_the_others_start_at_once);
	tcase_add_test(c, a_sibling_that_is_stopped_meanwhile_starts_no_more);
	tcase_add_test(c, a_start_of_one_that_waits_ends_the_delay_for_all);
	tcase_add_test(c, a_start_while_the_others_stop_still_waits_for_them);
	tcase_add_test(c, one_that_is_started_or_added_meanwhile_starts_with_the_group);
	tcase_add_test(c, one_that_is_being_stopped_already_is_left_alone);
	tcase_add_test(c, one_that_cannot_be_stopped_holds_up_nobody_and_starts_when_it_has_gone);
	tcase_add_test(c, a_stop_of_the_supervisor_in_any_moment_of_a_round_leaves_nothing);
	tcase_add_test(c, another_strategy_holds_from_the_next_end_on);
	suite_add_tcase(suite, c);
	return suite;
}
