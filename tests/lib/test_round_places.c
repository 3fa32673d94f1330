/* SPDX-License-Identifier: MIT */
/* Group rounds of children that share a place, or are moved to another one meanwhile. */
#include "leak.h"
#include "supervised.h"

Suite *test_suite(void);

FIBER_TEST(those_that_share_a_place_leave_each_other_alone)
{
	struct player p[] = {PLAYER("r1", FAILS_AFTER(EFF_S(1)), STEADY),
		PLAYER("r2", FAILS_AFTER(EFF_MS(1200)), STEADY), PLAYER("z", STEADY)};
	struct eff_sup sup;

	p[0].child.place = p[1].child.place = 1;
	PLAY(&sup, p, .strategy = EFF_REST_FOR_ONE);
	(void)eff_sleep(EFF_S(10));
	/* What comes after them waits for both delays. */
	EXPECT("r1+@0 r2+@0 z+@0 r1-@1 r1~@1 (r1@1 z<r1@1 z.@1 r2-@1200ms r2~@1200ms (r2@1200ms "
	       "r1+@2 r2+@2200ms z+@2200ms )@2200ms ");
	return played(&sup);
}

FIBER_TEST(who_is_held_by_those_that_share_a_place_waits_for_one_that_leads)
{
	struct player p[] = {PLAYER("r1", FAILS_AFTER(EFF_S(1)), STEADY),
		PLAYER("r2", FAILS_AFTER(EFF_MS(900)), STEADY), PLAYER("z", STEADY)};
	struct eff_sup sup;

	p[0].child.place = p[1].child.place = 1;
	p[0].child.policy.backoff = eff_spaced(EFF_S(3));
	PLAY(&sup, p, .strategy = EFF_REST_FOR_ONE);
	(void)eff_sleep(EFF_MS(1500));
	ck_assert_ptr_eq(p[2].child.other, &p[0].child);
	eff_child_stop_async(&p[0].child);
	(void)eff_sleep(EFF_MS(100));
	ck_assert_ptr_eq(p[2].child.other, &p[1].child);
	ck_assert_int_eq(p[2].child.turn, EFF_TURN_GROUP);
	return played(&sup);
}

FIBER_TEST(who_leads_holds_those_after_it_wherever_they_are_moved)
{
	struct player p[] = {PLAYER("r1", FAILS_AFTER(EFF_S(1)), STEADY),
		PLAYER("r2", FAILS_AFTER(EFF_MS(1500)), STEADY), PLAYER("z", STEADY),
		PLAYER("y", STEADY)};
	struct eff_sup sup;

	p[0].child.place = p[1].child.place = 1;
	p[0].child.policy.backoff = eff_spaced(EFF_S(9));
	PLAY(&sup, p, .strategy = EFF_REST_FOR_ONE);
	(void)eff_sleep(EFF_S(2));
	/* All two places further back, as if something had been put in before them; and y before them. */
	eff_sup_move(&p[2].child, 4);
	eff_sup_move(&p[0].child, 3);
	eff_sup_move(&p[1].child, 3);
	eff_sup_move(&p[3].child, 1);
	(void)eff_sleep(EFF_S(20));
	EXPECT("r1+@0 r2+@0 z+@0 y+@0 r1-@1 r1~@1 (r1@1 z<r1@1 y<r1@1 z.@1 y.@1 "
	       "r2-@1500ms r2~@1500ms (r2@1500ms y+@2 r2+@2500ms r1+@10 z+@10 )@10 ");
	return played(&sup);
}

static eff_exit waits_idle(void *arg)
{
	struct player *p = arg;
	int r;

	eff_child_waits(&p->child, true);
	if (p->child.runs > 1)
		eff_child_idle(&p->child);
	r = eff_sleep(p->child.runs > 1 ? EFF_S(5) : 0);
	eff_child_waits(&p->child, false);
	if (r == 0)
		r = eff_sleep(EFF_S(1));
	return r < 0 ? eff_exit_of(r) : player_run(p);
}

FIBER_TEST(a_round_is_over_while_one_waits_that_is_idle_which_holds_up_nobody)
{
	struct player p[] = {PLAYER("a", FAILS_AFTER(EFF_S(9)), STEADY), PLAYER("b", STEADY),
		PLAYER("c", STEADY)};
	struct eff_sup sup;

	PLAY(&sup, p, .strategy = EFF_REST_FOR_ONE, .order = EFF_SEQUENTIAL);
	p[1].child.run.fn = waits_idle;
	(void)eff_sleep(EFF_MS(15500));
	ck_assert_int_eq(eff_sup_await_up(&sup), 0);
	ck_assert_int_eq(eff_now(), EFF_S(16));
	(void)eff_sleep(EFF_S(60));
	/* In its first run it is merely on its way. */
	EXPECT("a+@0 b+@1 c+@1 a-@9 a~@9 (a@9 b<a@9 c<a@9 c.@9 b.@9 a+@10 c+@10 )@10 b+@16 ");
	return played(&sup);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("lib/round_places");
	TCase *c = tcase_create("places");

	test_leak_guard(c);
	tcase_add_checked_fixture(c, run_setup, run_teardown);
	tcase_add_test(c, those_that_share_a_place_leave_each_other_alone);
	tcase_add_test(c, who_is_held_by_those_that_share_a_place_waits_for_one_that_leads);
	tcase_add_test(c, who_leads_holds_those_after_it_wherever_they_are_moved);
	tcase_add_test(c, a_round_is_over_while_one_waits_that_is_idle_which_holds_up_nobody);
	suite_add_tcase(suite, c);
	return suite;
}
