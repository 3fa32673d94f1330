/* SPDX-License-Identifier: MIT */
/* Who goes first: in sequence, by place, by need; at starts and, the other way round, at stops. */
#include "leak.h"
#include "supervised.h"

Suite *test_suite(void);

#define READY_AFTER(t) \
	{ \
		.up_after = (t), .lives = EFF_FOREVER \
	}
#define STOPS_IN(t) \
	{ \
		.lives = EFF_FOREVER, .stop_takes = (t) \
	}

FIBER_TEST(parallel_starts_all_at_once_in_order)
{
	struct player p[] = {PLAYER("a", READY_AFTER(EFF_S(3))), PLAYER("b", STEADY),
		PLAYER("c", READY_AFTER(EFF_S(5)))};
	struct eff_sup sup;

	PLAY(&sup, p);
	ck_assert_int_eq(eff_sup_await_up(&sup), 0);
	ck_assert_int_eq(eff_now(), EFF_S(5));
	EXPECT("a+@0 b+@0 c+@0 ");
	return played(&sup);
}

FIBER_TEST(in_sequence_the_next_starts_when_the_one_before_is_up_done_failed_or_not_to_run)
{
	struct player p[] = {PLAYER("a", READY_AFTER(EFF_S(1))),
		PLAYER("job", ENDS_AFTER(EFF_S(2))),
		PLAYER("bad", {.up_after = -1, .lives = EFF_S(3), .ends = {.tag = EFF_DIE}}),
		PLAYER("off", STEADY), PLAYER("b", READY_AFTER(EFF_S(1))), PLAYER("c", STEADY)};
	struct eff_sup sup;

	p[1].parts = (const struct part[]){{.up_after = -1, .lives = EFF_S(2)}};
	p[1].child.policy.restart = p[2].child.policy.restart = EFF_NEVER;
	PLAY(&sup, p, .order = EFF_SEQUENTIAL);
	eff_child_stop_async(&p[3].child);
	ck_assert_int_eq(eff_sup_await_up(&sup), 0);
	ck_assert_int_eq(eff_now(), EFF_S(7));
	EXPECT("a+@0 off=stopped@0 job+@1 job-@3 job=done@3 bad+@3 bad-@6 bad=failed@6 b+@6 c+@7 ");
	return played(&sup);
}

FIBER_TEST(in_sequence_one_in_its_delay_holds_the_rest)
{
	struct player p[] = {
		PLAYER("a", {.up_after = -1, .lives = EFF_S(1), .ends = {.tag = EFF_DIE}},
			{.up_after = -1, .lives = EFF_S(1), .ends = {.tag = EFF_DIE}},
			READY_AFTER(EFF_S(2))),
		PLAYER("b", STEADY), PLAYER("c", STEADY)};
	struct eff_sup sup;

	player_is_quiet = true;
	PLAY(&sup, p, .order = EFF_SEQUENTIAL);
	(void)eff_sleep(EFF_S(2));
	ck_assert_ptr_eq(p[1].child.other, &p[0].child);
	ck_assert_ptr_eq(p[2].child.other, &p[1].child);
	ck_assert_int_eq(eff_child_state(&p[2].child), EFF_CHILD_WAITS);
	(void)eff_sleep(EFF_S(60));
	EXPECT("a+@0 a-@1 a+@2 a-@3 a+@4 b+@6 c+@6 ");
	return played(&sup);
}

FIBER_TEST(in_sequence_one_that_is_told_to_stop_meanwhile_hands_its_place_on)
{
	struct player p[] = {PLAYER("a", READY_AFTER(EFF_S(5))),
		PLAYER("b", READY_AFTER(EFF_S(5))), PLAYER("c", STEADY)};
	struct eff_sup sup;

	player_is_quiet = true;
	PLAY(&sup, p, .order = EFF_SEQUENTIAL);
	(void)eff_sleep(EFF_S(1));
	eff_child_stop_async(&p[1].child);
	(void)eff_sleep(EFF_S(1));
	EXPECT("a+@0 ");
	(void)eff_sleep(EFF_S(60));
	EXPECT("c+@5 ");
	return played(&sup);
}

FIBER_TEST(in_sequence_a_restart_too_waits_for_the_one_before)
{
	struct player p[] = {PLAYER("a", FAILS_AFTER(EFF_S(5)), READY_AFTER(EFF_S(4))),
		PLAYER("b", FAILS_AFTER(EFF_S(5)), STEADY)};
	struct eff_sup sup;

	player_is_quiet = true;
	PLAY(&sup, p, .order = EFF_SEQUENTIAL);
	(void)eff_sleep(EFF_S(60));
	EXPECT("a+@0 b+@0 a-@5 b-@5 a+@6 b+@10 ");
	return played(&sup);
}

FIBER_TEST(in_sequence_what_is_done_lets_the_next_start_whatever_is_before_it)
{
	struct player p[] = {PLAYER("a", FAILS_AFTER(EFF_S(5)), STEADY),
		PLAYER("job", ENDS_AFTER(EFF_S(1))), PLAYER("off", STEADY), PLAYER("c", STEADY)};
	struct eff_sup sup;

	player_is_quiet = true;
	p[0].child.policy.backoff = eff_spaced(EFF_S(60));
	p[1].child.policy.restart = EFF_NEVER;
	PLAY(&sup, p, .order = EFF_SEQUENTIAL);
	eff_child_stop_async(&p[2].child);
	eff_child_stop_async(&p[3].child);
	(void)eff_sleep(EFF_S(6));
	ck_assert_int_eq(eff_child_start(&p[3].child), 0);
	(void)eff_sleep(EFF_S(1));
	EXPECT("a+@0 job+@0 job-@1 a-@5 c+@6 ");
	return played(&sup);
}

FIBER_TEST(in_sequence_one_that_stops_and_is_to_start_again_is_waited_for)
{
	struct player p[] = {
		PLAYER("a", STOPS_IN(EFF_S(4))), PLAYER("b", FAILS_AFTER(EFF_S(2)), STEADY)};
	struct eff_sup sup;

	player_is_quiet = true;
	PLAY(&sup, p, .order = EFF_SEQUENTIAL);
	(void)eff_sleep(EFF_S(1));
	eff_child_stop_async(&p[0].child);
	ck_assert_int_eq(eff_child_start(&p[0].child), 0);
	(void)eff_sleep(EFF_S(10));
	EXPECT("a+@0 b+@0 b-@2 a.@5 a+@5 b+@5 ");
	return played(&sup);
}

FIBER_TEST(one_that_is_being_stopped_does_not_keep_the_set_from_being_up)
{
	struct player p[] = {PLAYER("a", STEADY),
		PLAYER("b", {.up_after = -1, .lives = EFF_FOREVER, .stop_takes = EFF_S(9)})};
	struct eff_sup sup;

	PLAY(&sup, p);
	(void)eff_sleep(EFF_S(1));
	eff_child_stop_async(&p[1].child);
	ck_assert_int_eq(eff_sup_await_up(&sup), 0);
	ck_assert_int_eq(eff_now(), EFF_S(1));
	/* To be started again it does. */
	ck_assert_int_eq(eff_child_start(&p[1].child), 0);
	p[1].parts = p[0].parts;
	ck_assert_int_eq(eff_sup_await_up(&sup), 0);
	ck_assert_int_eq(eff_now(), EFF_S(10));
	return played(&sup);
}

static eff_exit idles(void *arg)
{
	struct player *p = arg;

	say("%s+", p->child.name);
	eff_child_idle(&p->child);
	return eff_exit_of(eff_sleep(EFF_FOREVER));
}

FIBER_TEST(one_that_rests_in_itself_holds_up_nobody)
{
	struct player p[] = {PLAYER("a", STEADY), PLAYER("b", STEADY)};
	struct eff_sup sup;

	eff_scope_open(&stage);
	ck_assert_int_eq(
		eff_sup_open(&sup,
			&(struct eff_sup_opts){.order = EFF_SEQUENTIAL, .hooks = &player_hooks}),
		0);
	players_add(&sup, p, 2);
	p[0].child.run.fn = idles;
	ck_assert_int_eq(eff_sup_start(&sup), 0);
	ck_assert_int_eq(eff_sup_await_up(&sup), 0);
	EXPECT("a+@0 b+@0 ");
	ck_assert_int_eq(p[0].child.up_since, -1);
	return played(&sup);
}

FIBER_TEST(those_of_one_place_go_together)
{
	struct player p[] = {PLAYER("a", STOPS_IN(EFF_S(1))),
		PLAYER("r1", {.up_after = EFF_S(2), .lives = EFF_FOREVER, .stop_takes = EFF_S(2)}),
		PLAYER("r2", {.up_after = EFF_S(3), .lives = EFF_FOREVER, .stop_takes = EFF_S(3)}),
		PLAYER("z", STOPS_IN(EFF_S(1)))};
	struct eff_sup sup;

	p[0].child.place = 1;
	p[1].child.place = p[2].child.place = 2;
	PLAY(&sup, p, .order = EFF_SEQUENTIAL);
	(void)eff_sleep(EFF_S(10));
	EXPECT("a+@0 r1+@0 r2+@0 z+@3 ");
	player_is_quiet = true;
	eff_sup_stop(&sup);
	EXPECT("z.@11 r1.@13 r2.@14 a.@15 ");
	return played(&sup);
}

/* ── stops ── */

FIBER_TEST(stops_go_at_once_or_one_by_one_backwards)
{
	static const enum eff_order orders[] = {EFF_PARALLEL, EFF_SEQUENTIAL};
	static const char *const traces[] = {"c.@11 a.@13 b.@13 ", "c.@24 b.@27 a.@30 "};
	struct eff_sup sup;

	for (int i = 0; i < 2; i++) {
		struct player p[] = {PLAYER("a", STOPS_IN(EFF_S(3))),
			PLAYER("b", STOPS_IN(EFF_S(3))), PLAYER("back", FAILS_AFTER(EFF_S(9))),
			PLAYER("c", STOPS_IN(EFF_S(1)))};

		player_is_quiet = true;
		p[2].child.policy.backoff = eff_spaced(EFF_S(60));
		PLAY(&sup, p, .order = orders[i]);
		(void)eff_sleep(EFF_S(10));
		run_trace[0] = '\0';
		eff_sup_stop(&sup);
		EXPECT(traces[i]);
		(void)played(&sup);
	}
	return eff_ok(NULL);
}

FIBER_TEST(one_that_ends_by_itself_while_it_waits_to_be_told_is_not_run_again)
{
	struct player p[] = {PLAYER("a", FAILS_AFTER(EFF_S(12))), PLAYER("b", STOPS_IN(EFF_S(5)))};
	struct eff_sup sup;

	PLAY(&sup, p, .order = EFF_SEQUENTIAL);
	(void)eff_sleep(EFF_S(10));
	eff_sup_stop(&sup);
	EXPECT("a+@0 b+@0 a-@12 a=stopped@12 b.@15 b=stopped@15 ");
	ck_assert_uint_eq(p[0].n_judged, 0);
	return played(&sup);
}

FIBER_TEST(one_that_does_not_heed_its_stop_is_told_and_holds_up_nobody)
{
	struct player p[] = {PLAYER("a", STOPS_IN(EFF_S(1))), PLAYER("b", STOPS_IN(EFF_S(30))),
		PLAYER("c", STOPS_IN(EFF_S(1)))};
	struct eff_sup sup;

	player_is_quiet = true;
	p[1].child.stop_grace = EFF_S(5);
	PLAY(&sup, p, .order = EFF_SEQUENTIAL);
	(void)eff_sleep(EFF_S(10));
	eff_sup_stop(&sup);
	EXPECT("a+@0 b+@0 c+@0 c.@11 b!@16 a.@17 b.@41 ");
	return played(&sup);
}

FIBER_TEST(one_that_was_stuck_before_holds_up_nobody_either)
{
	struct player p[] = {PLAYER("a", STOPS_IN(EFF_S(1))), PLAYER("b", STOPS_IN(EFF_S(30)))};
	struct eff_sup sup;

	player_is_quiet = true;
	p[1].child.stop_grace = EFF_S(5);
	PLAY(&sup, p, .order = EFF_SEQUENTIAL);
	(void)eff_sleep(EFF_S(1));
	eff_child_stop_async(&p[1].child);
	(void)eff_sleep(EFF_S(9));
	eff_sup_stop(&sup);
	EXPECT("a+@0 b+@0 b!@6 a.@11 b.@31 ");
	return played(&sup);
}

FIBER_TEST(a_stop_within_its_grace_is_not_told)
{
	struct player p[] = {PLAYER("a", STOPS_IN(EFF_S(5)))};
	struct eff_sup sup;

	player_is_quiet = true;
	p[0].child.stop_grace = EFF_S(5) + 1;
	PLAY(&sup, p);
	(void)eff_sleep(EFF_S(1));
	eff_child_cycle(&p[0].child);
	(void)eff_sleep(EFF_S(60));
	EXPECT("a+@0 a.@6 a+@6 ");
	p[0].child.stop_grace = EFF_S(4);
	ck_assert_int_eq(eff_child_stop(&p[0].child), 0);
	EXPECT("a!@65 a.@66 ");
	return played(&sup);
}

/* ── needs ── */

FIBER_TEST(a_child_waits_until_what_it_needs_is_up_and_stops_before_it)
{
	struct player p[] = {PLAYER("web", STOPS_IN(EFF_S(2))), PLAYER("x", STEADY),
		PLAYER("db", {.up_after = EFF_S(3), .lives = EFF_FOREVER, .stop_takes = EFF_S(1)}),
		PLAYER("top", STOPS_IN(EFF_S(1)))};
	struct eff_child *const needs_db[] = {&p[2].child, NULL};
	struct eff_child *const needs_web[] = {&p[0].child, &p[1].child, NULL};
	struct eff_sup sup;

	player_is_quiet = true;
	p[0].child.needs = needs_db;
	p[3].child.needs = needs_web;
	PLAY(&sup, p);
	(void)eff_sleep(EFF_S(1));
	ck_assert_ptr_eq(p[0].child.other, &p[2].child);
	(void)eff_sleep(EFF_S(9));
	EXPECT("x+@0 db+@0 web+@3 top+@3 ");
	eff_sup_stop(&sup);
	EXPECT("top.@11 x.@11 web.@13 db.@14 ");
	return played(&sup);
}

FIBER_TEST(a_need_that_is_done_holds_and_one_that_failed_holds_back_until_it_is_up)
{
	struct player p[] = {PLAYER("job", {.up_after = -1, .lives = EFF_S(1)}),
		PLAYER("after job", STEADY), PLAYER("bad", FAILS_AFTER(0), STEADY),
		PLAYER("after bad", STEADY)};
	struct eff_child *const needs_job[] = {&p[0].child, NULL};
	struct eff_child *const needs_bad[] = {&p[2].child, NULL};
	struct eff_sup sup;

	player_is_quiet = true;
	p[0].child.policy.restart = p[2].child.policy.restart = EFF_NEVER;
	p[2].parts = (const struct part[]){
		{.up_after = -1, .lives = 0, .ends = {.tag = EFF_DIE}}, STEADY};
	p[1].child.needs = needs_job;
	p[3].child.needs = needs_bad;
	PLAY(&sup, p);
	(void)eff_sleep(EFF_S(10));
	EXPECT("job+@0 bad+@0 bad-@0 job-@1 after job+@1 ");
	ck_assert_int_eq(eff_child_state(&p[3].child), EFF_CHILD_WAITS);
	ck_assert_int_eq(eff_child_start(&p[2].child), 0);
	(void)eff_sleep(EFF_S(1));
	EXPECT("bad+@10 after bad+@10 ");
	return played(&sup);
}

FIBER_TEST(an_end_of_what_it_needs_leaves_a_child_running_and_holds_its_next_run)
{
	struct player p[] = {PLAYER("db", FAILS_AFTER(EFF_S(2)), READY_AFTER(EFF_S(5))),
		PLAYER("web", FAILS_AFTER(EFF_S(3)), STEADY)};
	struct eff_child *const needs_db[] = {&p[0].child, NULL};
	struct eff_sup sup;

	player_is_quiet = true;
	p[1].child.needs = needs_db;
	PLAY(&sup, p);
	(void)eff_sleep(EFF_S(60));
	EXPECT("db+@0 web+@0 db-@2 web-@3 db+@3 web+@8 ");
	return played(&sup);
}

FIBER_TEST(those_that_need_each_other_in_a_circle_are_refused)
{
	struct player p[] = {PLAYER("a", STEADY), PLAYER("b", STEADY), PLAYER("c", STEADY),
		PLAYER("d", STEADY)};
	struct eff_child *const needs_c[] = {&p[3].child, &p[2].child, NULL};
	struct eff_child *const needs_b[] = {&p[1].child, NULL};
	struct eff_child *const needs_a[] = {&p[0].child, NULL};
	struct eff_sup sup;

	p[1].child.needs = needs_c;
	p[2].child.needs = needs_b;
	p[3].child.needs = needs_a;
	eff_scope_open(&stage);
	ck_assert_int_eq(eff_sup_open(&sup, &(struct eff_sup_opts){.hooks = &player_hooks}), 0);
	players_add(&sup, p, 4);
	ck_assert_int_eq(eff_sup_start(&sup), -ELOOP);
	(void)eff_sleep(EFF_S(1));
	EXPECT("");
	p[2].child.needs = needs_a;
	ck_assert_int_eq(eff_sup_start(&sup), 0);
	(void)eff_sleep(EFF_S(1));
	EXPECT("a+@1 c+@1 d+@1 b+@1 ");
	/* It cannot keep them from being stopped that they run already. */
	p[2].child.needs = needs_b;
	player_is_quiet = true;
	eff_sup_stop(&sup);
	EXPECT("a.@2 b.@2 c.@2 d.@2 ");
	return played(&sup);
}

FIBER_TEST(a_round_too_stops_dependants_first)
{
	struct player p[] = {PLAYER("db", STOPS_IN(EFF_S(1))),
		PLAYER("web", STOPS_IN(EFF_S(2))), PLAYER("bad", FAILS_AFTER(EFF_S(1)), STEADY)};
	struct eff_child *const needs_db[] = {&p[0].child, NULL};
	struct eff_sup sup;

	player_is_quiet = true;
	p[1].child.needs = needs_db;
	PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL);
	(void)eff_sleep(EFF_S(60));
	EXPECT("db+@0 web+@0 bad+@0 bad-@1 web.@3 db.@4 db+@5 web+@5 bad+@5 ");
	return played(&sup);
}

FIBER_TEST(another_order_holds_at_once)
{
	struct player p[] = {
		PLAYER("a", READY_AFTER(EFF_S(50))), PLAYER("b", STEADY), PLAYER("c", STEADY)};
	struct eff_sup sup;

	player_is_quiet = true;
	PLAY(&sup, p, .order = EFF_SEQUENTIAL);
	(void)eff_sleep(EFF_S(1));
	eff_sup_move(&p[1].child, 3);
	eff_sup_move(&p[2].child, 1);
	eff_sup_move(&p[0].child, 2);
	ck_assert_int_eq(
		eff_sup_change(&sup,
			&(struct eff_sup_opts){.order = EFF_SEQUENTIAL, .hooks = &player_hooks}),
		0);
	(void)eff_sleep(EFF_S(1));
	EXPECT("a+@0 c+@1 ");
	ck_assert_int_eq(eff_sup_change(&sup, &(struct eff_sup_opts){.hooks = &player_hooks}), 0);
	(void)eff_sleep(EFF_S(1));
	EXPECT("b+@2 ");
	return played(&sup);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("lib/order");
	TCase *c = tcase_create("order");

	test_leak_guard(c);
	tcase_add_checked_fixture(c, run_setup, run_teardown);
	tcase_add_test(c, parallel_starts_all_at_once_in_order);
	tcase_add_test(c,
		in_sequence_the_next_starts_when_the_one_before_is_up_done_failed_or_not_to_run);
	tcase_add_test(c, in_sequence_one_in_its_delay_holds_the_rest);
	tcase_add_test(c, in_sequence_one_that_is_told_to_stop_meanwhile_hands_its_place_on);
	tcase_add_test(c, in_sequence_a_restart_too_waits_for_the_one_before);
	tcase_add_test(c, in_sequence_what_is_done_lets_the_next_start_whatever_is_before_it);
	tcase_add_test(c, in_sequence_one_that_stops_and_is_to_start_again_is_waited_for);
	tcase_add_test(c, one_that_is_being_stopped_does_not_keep_the_set_from_being_up);
	tcase_add_test(c, one_that_rests_in_itself_holds_up_nobody);
	tcase_add_test(c, those_of_one_place_go_together);
	tcase_add_test(c, stops_go_at_once_or_one_by_one_backwards);
	tcase_add_test(c, one_that_ends_by_itself_while_it_waits_to_be_told_is_not_run_again);
	tcase_add_test(c, one_that_does_not_heed_its_stop_is_told_and_holds_up_nobody);
	tcase_add_test(c, one_that_was_stuck_before_holds_up_nobody_either);
	tcase_add_test(c, a_stop_within_its_grace_is_not_told);
	tcase_add_test(c, a_child_waits_until_what_it_needs_is_up_and_stops_before_it);
	tcase_add_test(c, a_need_that_is_done_holds_and_one_that_failed_holds_back_until_it_is_up);
	tcase_add_test(c, an_end_of_what_it_needs_leaves_a_child_running_and_holds_its_next_run);
	tcase_add_test(c, those_that_need_each_other_in_a_circle_are_refused);
	tcase_add_test(c, a_round_too_stops_dependants_first);
	tcase_add_test(c, another_order_holds_at_once);
	suite_add_tcase(suite, c);
	return suite;
}
