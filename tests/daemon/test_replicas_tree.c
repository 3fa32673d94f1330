/* SPDX-License-Identifier: MIT */
/* Replicas at work: who depends on their name waits for all of them, each has its own policy and counts, they share a place
 * in the order of their group, and a reload that changes how many there are touches no other. */
#include <check.h>

#include "fake/world.h"

#define STEADY ((struct script){.lives = EFF_FOREVER})
#define READY_AFTER(t) ((struct script){.ready_after = (t), .lives = EFF_FOREVER})
#define CRASH_AFTER(t) ((struct script){.lives = (t), .exits = 1})
/* Delays without jitter. */
#define PLAIN "defaults: {restart: {backoff: {initial: 1s, jitter: 0}}}\n"
#define TREE(fields, units) "version: 1\nname: test\n" PLAIN fields "\nunits:\n" units

START_TEST(who_depends_on_their_name_starts_when_all_are_ready)
{
	struct world *w = world_new(
		"web: {command: web, depends_on: [fetch]}\n"
		"one: {command: one, depends_on: [fetch@2]}\n"
		"fetch: {command: \"fetch${INSTANCE}\", type: notify, replicas: 3}");

	world_script(w, "fetch1", READY_AFTER(EFF_S(3)));
	world_script(w, "fetch2", READY_AFTER(EFF_S(1)));
	world_script(w, "fetch3", READY_AFTER(EFF_S(2)));
	world_run_for(w, EFF_S(2));
	EXPECT_STATE(w, "web", "waiting");
	ck_assert_ptr_eq(world_unit(w, "web")->awaits, world_unit(w, "fetch@1"));
	world_run_for(w, EFF_S(2));

	EXPECT_TRACE(w, "fetch@1", "0 spawn");
	EXPECT_TRACE(w, "fetch@3", "0 spawn");
	EXPECT_TRACE(w, "web", "3000 spawn");
	EXPECT_TRACE(w, "one", "1000 spawn");
	ck_assert_ptr_null(tree_find(w->tree, "fetch"));
	world_free(w);
}
END_TEST

START_TEST(each_has_its_own_policy_and_counts)
{
	struct world *w = world_new(TREE("",
		"  web: {command: web, depends_on: [fetch]}\n"
		"  fetch: {command: \"fetch${INSTANCE}\", replicas: 3, restart: {max_restarts: 2}}\n"));

	world_script(w, "fetch2", CRASH_AFTER(EFF_S(10)));
	WORLD_SCRIPTS(w, "fetch3", CRASH_AFTER(EFF_S(5)), STEADY);
	world_run_for(w, EFF_S(40));

	EXPECT_TRACE(w, "fetch@1", "0 spawn");
	EXPECT_TRACE(w, "fetch@2",
		"0 spawn, 10000 exit 1, 11000 spawn, 21000 exit 1, 23000 spawn, 33000 exit 1");
	EXPECT_TRACE(w, "fetch@3", "0 spawn, 5000 exit 1, 6000 spawn");
	EXPECT_STATE(w, "fetch@2", "failed");
	ck_assert_uint_eq(world_unit(w, "fetch@2")->restarts, 2);
	ck_assert_uint_eq(world_unit(w, "fetch@3")->restarts, 1);
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "fetch@3")->child), 1);
	/* An end by itself leaves dependants running. */
	EXPECT_TRACE(w, "web", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(one_that_is_restarted_with_them_is_so_when_all_are_up_again)
{
	struct world *w = world_new(TREE("",
		"  web: {command: web, depends_on: {fetch: {restart: true}}}\n"
		"  fetch: {command: \"fetch${INSTANCE}\", replicas: 3}\n"));

	WORLD_SCRIPTS(w, "fetch1", CRASH_AFTER(EFF_S(10)), CRASH_AFTER(EFF_MS(100)), STEADY);
	WORLD_SCRIPTS(w, "fetch2", CRASH_AFTER(EFF_S(12)), STEADY);
	world_run_for(w, EFF_S(60));

	/* fetch@1 is up again from 11 s to 11.1 s, while the others are, and from 13.1 s on; fetch@2 at 13 s, while it is not. */
	EXPECT_STATES(w, "fetch@1", "0 up, 10000 backoff, 11000 up, 11100 backoff, 13100 up");
	EXPECT_STATES(w, "fetch@2", "0 up, 12000 backoff, 13000 up");
	EXPECT_TRACE(w, "web",
		"0 spawn, 11000 TERM, 11000 SIGTERM, 11000 spawn, 13100 TERM, 13100 SIGTERM, 13100 spawn");
	world_free(w);
}
END_TEST

START_TEST(one_that_is_bound_to_them_stops_when_one_leaves_up_and_waits_for_all)
{
	struct world *w = world_new(TREE("",
		"  web: {command: web, depends_on: {fetch: {bind: true}}}\n"
		"  fetch: {command: \"fetch${INSTANCE}\", replicas: 2}\n"));

	WORLD_SCRIPTS(w, "fetch2", CRASH_AFTER(EFF_S(10)), STEADY);
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "web", "0 spawn, 10000 TERM, 10000 SIGTERM, 11000 spawn");
	ck_assert_uint_eq(world_unit(w, "web")->restarts, 0);
	world_free(w);
}
END_TEST

START_TEST(in_rest_for_one_they_share_a_place)
{
	struct world *w = world_new(TREE("strategy: rest_for_one",
		"  a: {command: slow, type: notify}\n"
		"  fetch: {command: \"fetch${INSTANCE}\", type: notify, replicas: 3}\n"
		"  z: {command: z}\n"));

	world_script(w, "slow", READY_AFTER(EFF_S(1)));
	world_script(w, "fetch1", READY_AFTER(EFF_S(1)));
	WORLD_SCRIPTS(w, "fetch2", {.ready_after = EFF_S(2), .lives = EFF_S(17), .exits = 1},
		READY_AFTER(EFF_S(2)));
	world_script(w, "fetch3", READY_AFTER(EFF_S(1)));
	world_run_for(w, EFF_S(60));

	/* They start together, stay when one of them ends, and those after them go with it. */
	EXPECT_TRACE(w, "a", "0 spawn");
	EXPECT_TRACE(w, "fetch@1", "1000 spawn");
	EXPECT_TRACE(w, "fetch@2", "1000 spawn, 18000 exit 1, 19000 spawn");
	EXPECT_TRACE(w, "fetch@3", "1000 spawn");
	EXPECT_TRACE(w, "z", "3000 spawn, 18000 TERM, 18000 SIGTERM, 21000 spawn");
	ck_assert_uint_eq(world_unit(w, "fetch@1")->child.place, 3);
	ck_assert_uint_eq(world_unit(w, "fetch@3")->child.place, 3);
	ck_assert_uint_eq(world_unit(w, "z")->child.place, 6);
	world_free(w);
}
END_TEST

START_TEST(an_end_before_them_takes_all_of_them_along)
{
	struct world *w = world_new(TREE("strategy: rest_for_one",
		"  a: {command: a}\n"
		"  fetch: {command: fetch, replicas: 2}\n"
		"  z: {command: z}\n"));

	WORLD_SCRIPTS(w, "a", CRASH_AFTER(EFF_S(5)), STEADY);
	world_script(w, "fetch", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(1)});
	world_run_for(w, EFF_S(60));

	/* z first, then both at once; then the delay. */
	EXPECT_TRACE(w, "z", "0 spawn, 5000 TERM, 5000 SIGTERM, 7000 spawn");
	EXPECT_TRACE(w, "fetch@1", "0 spawn, 5000 TERM, 6000 SIGTERM, 7000 spawn");
	EXPECT_TRACE(w, "fetch@2", "0 spawn, 5000 TERM, 6000 SIGTERM, 7000 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_stop_of_one_stops_who_requires_them_all)
{
	struct world *w = world_new("web: {command: web, depends_on: [fetch]}\n"
				    "fetch: {command: fetch, replicas: 2}");

	world_run_for(w, EFF_S(5));
	world_stop(w, "fetch@2");
	world_run_for(w, EFF_S(5));
	EXPECT_STATE(w, "web", "waiting");
	EXPECT_STATE(w, "fetch@1", "up");
	EXPECT_STATE(w, "fetch@2", "down");
	world_start(w, "fetch@2");
	world_run_for(w, EFF_S(5));

	EXPECT_TRACE(w, "web", "0 spawn, 5000 TERM, 5000 SIGTERM, 10000 spawn");
	world_free(w);
}
END_TEST

/* ── how many there are changes ── */

#define SCALED(n, more) \
	TREE("", \
		"  web: {command: web, depends_on: {fetch: {restart: true, bind: true}}}\n" \
		"  fetch: {command: \"fetch${INSTANCE}\", replicas: " #n more "}\n" \
		"  last: {command: last}\n")

START_TEST(more_and_fewer_of_them_touch_none_of_the_others)
{
	static const char *const names[] = {"fetch@1", "fetch@2", "fetch@3", "fetch@4"};
	struct world *w = world_new(SCALED(4, ""));
	pid_t pids[4], web;

	WORLD_SCRIPTS(w, "fetch2", CRASH_AFTER(EFF_S(1)), STEADY);
	world_run_for(w, EFF_S(10));
	web = world_unit(w, "web")->pid;
	for (int i = 0; i < 4; i++)
		pids[i] = world_unit(w, names[i])->pid;
	world_reload(w, SCALED(6, ""));
	world_run_for(w, EFF_S(10));
	ck_assert_int_eq(w->reload_result, 0);
	ck_assert_str_eq(world_changes(w), "fetch@5 start; fetch@6 start");
	EXPECT_TRACE(w, "fetch@5", "10000 spawn");
	EXPECT_TRACE(w, "fetch@6", "10000 spawn");
	ck_assert_uint_eq(world_unit(w, "web")->n_needs, 6);
	world_reload(w, SCALED(2, ""));
	world_run_for(w, EFF_S(10));

	ck_assert_str_eq(world_changes(w), "fetch@3 stop; fetch@4 stop; fetch@5 stop; fetch@6 stop");
	ck_assert_ptr_null(tree_find(w->tree, "fetch@3"));
	EXPECT_TRACE(w, "fetch@3", "0 spawn, 20000 TERM, 20000 SIGTERM");
	EXPECT_TRACE(w, "fetch@6", "10000 spawn, 20000 TERM, 20000 SIGTERM");
	ck_assert_int_eq(world_unit(w, "fetch@1")->pid, pids[0]);
	ck_assert_int_eq(world_unit(w, "fetch@2")->pid, pids[1]);
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "fetch@2")->child), 1);
	ck_assert_int_eq(world_unit(w, "web")->pid, web);
	ck_assert_uint_eq(world_unit(w, "web")->n_needs, 2);
	ck_assert_uint_eq(world_unit(w, "fetch@2")->spec->n_replicas, 2);
	ck_assert_ptr_null(world_unit(w, "fetch@2")->next);
	world_free(w);
}
END_TEST

START_TEST(a_stop_of_one_by_hand_outlives_a_change_of_their_number)
{
	struct world *w = world_new(SCALED(3, ""));

	world_run_for(w, EFF_S(1));
	world_stop(w, "fetch@1");
	world_run_for(w, EFF_S(1));
	world_reload(w, SCALED(2, ""));
	world_run_for(w, EFF_S(1));
	world_reload(w, SCALED(3, ""));
	world_run_for(w, EFF_S(1));

	ck_assert(world_unit(w, "fetch@1")->held);
	EXPECT_STATE(w, "fetch@1", "down");
	EXPECT_STATE(w, "fetch@3", "up");
	world_free(w);
}
END_TEST

START_TEST(a_stop_of_all_by_hand_is_one_of_those_to_come)
{
	struct world *w = world_new("r: {command: r, replicas: 2}\nq: {command: q}");

	world_run_for(w, EFF_S(1));
	world_stop(w, "r@1");
	world_stop(w, "r@2");
	world_stop(w, "q");
	world_run_for(w, EFF_S(1));
	world_reload(w, "r: {command: r, replicas: 3}\nq: {command: q, replicas: 2}");
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(world_changes(w), "q stop; r@3 live; q@1 live; q@2 live");
	EXPECT_STATE(w, "r@3", "down");
	EXPECT_STATE(w, "q@2", "down");
	/* With one of them at work it is not of all. */
	world_start(w, "r@1");
	world_run_for(w, EFF_S(1));
	world_reload(w, "r: {command: r, replicas: 4}\nq: {command: q}");
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "r@4", "up");
	EXPECT_STATE(w, "r@3", "down");
	EXPECT_STATE(w, "q", "down");
	EXPECT_TRACE(w, "q", "0 spawn, 1000 TERM, 1000 SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(none_of_them_is_nothing_to_wait_for)
{
	struct world *w = world_new(SCALED(2, ""));

	world_run_for(w, EFF_S(2));
	world_reload(w, SCALED(0, ""));
	world_run_for(w, EFF_S(10));

	ck_assert_str_eq(world_changes(w), "fetch@1 stop; fetch@2 stop; web live");
	EXPECT_STATE(w, "web", "up");
	ck_assert_uint_eq(world_unit(w, "web")->n_needs, 0);
	ck_assert_uint_eq(w->tree->n_units, 3);
	world_reload(w, SCALED(1, ""));
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "fetch@1", "up");
	world_free(w);
}
END_TEST

START_TEST(another_program_restarts_all_of_them)
{
	struct world *w = world_new(SCALED(2, ""));

	world_run_for(w, EFF_S(10));
	world_reload(w, SCALED(3, ", umask: '0077'"));
	world_run_for(w, EFF_S(10));

	ck_assert_str_eq(world_changes(w), "fetch@1 restart; fetch@2 restart; fetch@3 start");
	EXPECT_TRACE(w, "fetch@2", "0 spawn, 10000 TERM, 10000 SIGTERM, 10000 spawn");
	world_free(w);
}
END_TEST

/* A reload moves all places; those that share one stay together and in their order. */
START_TEST(in_a_running_group_they_keep_one_place)
{
	struct world *w = world_new(TREE("strategy: rest_for_one",
		"  fetch: {command: \"fetch${INSTANCE}\", replicas: 2}\n  z: {command: z}\n"));
	const struct eff_list *l;
	struct text order = {0};

	WORLD_SCRIPTS(w, "fetch1", CRASH_AFTER(EFF_S(10)), STEADY);
	world_run_for(w, EFF_S(5));
	world_reload(w,
		TREE("strategy: rest_for_one",
			"  a: {command: a}\n  fetch: {command: \"fetch${INSTANCE}\", replicas: 3}\n  z: {command: z}\n"));
	world_run_for(w, EFF_S(1));
	for (l = world_unit(w, "/")->sup->children.next;
		l != &world_unit(w, "/")->sup->children; l = l->next) {
		const struct eff_child *child = eff_container(l, struct eff_child, link);

		text_printf(&order, "%s %u ", child->name, child->place);
	}
	ck_assert_str_eq(order.bytes, "a 2 fetch@1 3 fetch@2 3 fetch@3 3 z 6 ");
	world_run_for(w, EFF_S(30));

	EXPECT_TRACE(w, "a", "5000 spawn");
	EXPECT_TRACE(w, "fetch@1", "0 spawn, 10000 exit 1, 11000 spawn");
	EXPECT_TRACE(w, "fetch@2", "0 spawn");
	EXPECT_TRACE(w, "fetch@3", "5000 spawn");
	EXPECT_TRACE(w, "z", "0 spawn, 10000 TERM, 10000 SIGTERM, 11000 spawn");
	text_done(&order);
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/replicas");
	TCase *tcase = tcase_create("replicas");

	tcase_add_test(tcase, who_depends_on_their_name_starts_when_all_are_ready);
	tcase_add_test(tcase, each_has_its_own_policy_and_counts);
	tcase_add_test(tcase, one_that_is_restarted_with_them_is_so_when_all_are_up_again);
	tcase_add_test(tcase, one_that_is_bound_to_them_stops_when_one_leaves_up_and_waits_for_all);
	tcase_add_test(tcase, in_rest_for_one_they_share_a_place);
	tcase_add_test(tcase, an_end_before_them_takes_all_of_them_along);
	tcase_add_test(tcase, a_stop_of_one_stops_who_requires_them_all);
	tcase_add_test(tcase, more_and_fewer_of_them_touch_none_of_the_others);
	tcase_add_test(tcase, a_stop_of_one_by_hand_outlives_a_change_of_their_number);
	tcase_add_test(tcase, a_stop_of_all_by_hand_is_one_of_those_to_come);
	tcase_add_test(tcase, none_of_them_is_nothing_to_wait_for);
	tcase_add_test(tcase, another_program_restarts_all_of_them);
	tcase_add_test(tcase, in_a_running_group_they_keep_one_place);
	suite_add_tcase(suite, tcase);
	return suite;
}
