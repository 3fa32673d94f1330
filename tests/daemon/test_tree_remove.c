/* SPDX-License-Identifier: MIT */
/* Children of a supervisor that is simple_one_for_one: they are removed while it runs, or go by themselves. */
#include <errno.h>
#include <string.h>

#include <check.h>

#include "fake/world.h"

#define CRASH ((struct script){.exits = 1})
#define STEADY ((struct script){.lives = EFF_FOREVER})
#define POOL(more) \
	"db: {command: db}\n" \
	"pool: {strategy: simple_one_for_one" more ", template: {command: work,\n" \
	"  restart: {backoff: {initial: 1s, max: 1s, jitter: 0}}}}"

/* A child in each moment of its life: how it gets there, in 1.5 s. */
static const struct {
	const char *unit, *state, *trace;
	struct script script;
} moments[] = {
	{"type: notify", "starting", "0 spawn, 1500 KILL, 1500 SIGKILL",
		{.lives = EFF_FOREVER, .ready_after = EFF_S(9)}},
	{"", "up", "0 spawn, 1500 KILL, 1500 SIGKILL", {.lives = EFF_FOREVER}},
	{"restart: {backoff: {initial: 1h, max: 1h}}", "backoff", "0 spawn, 0 exit 1", {.exits = 1}},
	{"depends_on: [late]", "waiting", "", {.lives = EFF_FOREVER}},
	{"schedule: {every: 1s}", "done", "1000 spawn, 1000 exit 0", {.exits = 0}},
};

START_TEST(in_each_moment_of_its_life_one_that_does_not_rest_is_removed_by_force_alone)
{
	struct world *w = world_new(
		"late: {command: late, type: notify}\n"
		"pool: {strategy: simple_one_for_one, template: {command: work}}");
	char units[128];

	world_script(w, "late", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_H(1)});
	world_script(w, "work", moments[_i].script);
	world_run_for(w, 0);
	(void)snprintf(units, sizeof(units), "a: {%s}", moments[_i].unit);
	ck_assert_int_eq(world_add(w, "pool", units), 0);
	world_run_for(w, EFF_MS(1500));
	EXPECT_STATE(w, "pool/a", moments[_i].state);
	ck_assert_int_eq(world_remove(w, "pool/a", false), -EBUSY);
	world_run_for(w, 0);
	EXPECT_STATE(w, "pool/a", moments[_i].state);

	ck_assert_int_eq(world_remove(w, "pool/a", true), 0);
	ck_assert_ptr_null(tree_find(w->tree, "pool/a"));
	world_run_for(w, EFF_H(2));

	EXPECT_TRACE(w, "pool/a", moments[_i].trace);
	ck_assert(eff_list_empty(&w->tree->graveyard));
	ck_assert(eff_list_empty(&w->tree->units[2]->sup->children));
	EXPECT_STATE(w, "pool", "up");
	world_free(w);
}
END_TEST

START_TEST(one_that_is_being_stopped_is_removed_and_its_name_waits_for_its_end)
{
	struct world *w = world_new(POOL(""));

	WORLD_SCRIPTS(w, "work",
		{.lives = EFF_FOREVER, .ignores_term = true, .unkillable_for = EFF_S(2)}, STEADY);
	world_run_for(w, 0);
	ck_assert_int_eq(world_add(w, "pool", "a: {stop: {timeout: 1m}}"), 0);
	world_run_for(w, EFF_S(1));
	world_stop(w, "pool/a");
	world_run_for(w, EFF_S(1));
	ck_assert_int_eq(world_remove(w, "pool/a", false), -EBUSY);
	ck_assert_int_eq(world_remove(w, "pool/a", true), 0);
	ck_assert_int_eq(world_add(w, "pool", "a: {}"), 0);
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "pool/a", "0 spawn, 1000 TERM, 2000 KILL, 4000 SIGKILL, 4000 spawn");
	EXPECT_STATE(w, "pool/a", "up");
	ck_assert_uint_eq(world_unit(w, "pool/a")->starts, 1);
	world_free(w);
}
END_TEST

START_TEST(one_at_rest_is_removed_and_forgotten)
{
	struct world *w = world_new(POOL(""));

	world_script(w, "job", (struct script){.exits = 0});
	world_run_for(w, 0);
	ck_assert_int_eq(world_add(w, "pool",
				 "a: {}, job: {command: job, type: oneshot, restart: on-failure}"),
		0);
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "pool/job", "done");
	world_stop(w, "pool/a");
	world_run_for(w, EFF_S(1));
	ck_assert_int_eq(world_remove(w, "pool/a", false), 0);
	ck_assert_int_eq(world_remove(w, "pool/job", false), 0);
	world_run_for(w, 0);

	ck_assert_str_eq(world_units(w), "db pool");
	EXPECT_STATE(w, "pool", "up");
	/* What is added anew under the name knows nothing of a stop. */
	ck_assert_int_eq(world_add(w, "pool", "a: {}"), 0);
	world_run_for(w, 0);
	EXPECT_STATE(w, "pool/a", "up");
	world_free(w);
}
END_TEST

START_TEST(what_stands_in_the_tree_or_is_named_cannot_be_removed)
{
	struct world *w = world_new(POOL(""));
	struct tree_removal removal = {.now = true};
	struct unit *both[2];

	world_run_for(w, 0);
	ck_assert_int_eq(world_add(w, "pool", "a: {}, b: {after: [a]}, c: {before: [a]}"), 0);
	world_run_for(w, EFF_S(1));
	ck_assert_int_eq(world_remove(w, "db", true), -EPERM);
	ck_assert_int_eq(world_remove(w, "pool", true), -EPERM);
	both[0] = world_unit(w, "pool/a");
	both[1] = world_unit(w, "pool/b");
	ck_assert_int_eq(tree_remove(w->tree, both, 2, &removal), -ENOTEMPTY);
	ck_assert_ptr_eq(removal.blocker, both[0]);
	ck_assert_str_eq(removal.because->name, "pool/c");
	/* Who names another goes. */
	ck_assert_int_eq(world_remove(w, "pool/c", true), 0);
	ck_assert_int_eq(tree_remove(w->tree, both, 2, &removal), 0);
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(world_units(w), "db pool");
	world_free(w);
}
END_TEST

START_TEST(one_whose_policy_is_no_is_forgotten_at_its_end)
{
	struct world *w = world_new(POOL(""));

	world_script(w, "work", (struct script){.lives = EFF_S(1), .exits = 0});
	world_script(w, "fail", (struct script){.lives = EFF_S(1), .exits = 3});
	world_run_for(w, 0);
	ck_assert_int_eq(world_add(w, "pool",
				 "a: {restart: no}, b: {command: fail, restart: no}, "
				 "c: {command: steady, restart: no}, d: {command: fail}"),
		0);
	world_run_for(w, EFF_MS(1500));
	ck_assert_str_eq(world_units(w), "db pool pool/c pool/d");
	EXPECT_STATES(w, "pool/a", "0 up, 1000 done");
	EXPECT_STATES(w, "pool/b", "0 up, 1000 failed");
	world_stop(w, "pool/c");
	world_run_for(w, 0);
	ck_assert_str_eq(world_units(w), "db pool pool/d");
	EXPECT_STATE(w, "pool", "up");
	world_free(w);
}
END_TEST

START_TEST(one_that_another_names_is_forgotten_with_that_one)
{
	struct world *w = world_new(POOL(""));

	world_script(w, "job", (struct script){.lives = EFF_S(1), .exits = 0});
	world_run_for(w, 0);
	ck_assert_int_eq(
		world_add(w, "pool",
			"job: {command: job, type: oneshot, restart: no}, a: {depends_on: [job]}"),
		0);
	world_run_for(w, EFF_S(5));
	EXPECT_STATE(w, "pool/job", "done");
	EXPECT_TRACE(w, "pool/a", "1000 spawn");
	ck_assert_int_eq(world_remove(w, "pool/a", true), 0);
	world_run_for(w, 0);
	ck_assert_str_eq(world_units(w), "db pool");
	world_free(w);
}
END_TEST

START_TEST(what_was_needed_for_an_added_child_alone_stops_with_it)
{
	struct world *w = world_new(
		"cache: {command: cache, activate: manual}\n"
		"pool: {strategy: simple_one_for_one, template: {command: work, depends_on: [cache]}}");

	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "cache", "down");
	ck_assert_int_eq(world_add(w, "pool", "a: {}, b: {}"), 0);
	world_run_for(w, EFF_S(1));
	EXPECT_TRACE(w, "cache", "1000 spawn");
	ck_assert_int_eq(world_remove(w, "pool/a", true), 0);
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "cache", "up");
	ck_assert_int_eq(world_remove(w, "pool/b", true), 0);
	world_run_for(w, EFF_S(1));
	EXPECT_TRACE(w, "cache", "1000 spawn, 3000 TERM, 3000 SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(what_goes_while_a_plan_is_made_does_not_come_back)
{
	struct world *w = world_new(POOL(""));
	struct plan *plan;

	world_run_for(w, 0);
	ck_assert_int_eq(world_add(w, "pool", "a: {}, b: {}"), 0);
	world_run_for(w, EFF_S(1));
	plan = world_plan(w, POOL(""), true);
	ck_assert_int_eq(world_remove(w, "pool/a", true), 0);
	ck_assert_ptr_nonnull(plan_find(plan, "pool/a"));

	ck_assert_int_eq(tree_catch_up(w->tree, &plan), 0);

	ck_assert_ptr_null(plan_find(plan, "pool/a"));
	ck_assert_ptr_nonnull(plan_find(plan, "pool/b"));
	plan_unref(plan);
	world_free(w);
}
END_TEST

START_TEST(what_goes_while_a_reload_waits_for_another_does_not_come_back)
{
	struct world *w = world_new(POOL(""));

	WORLD_SCRIPTS(w, "db", {.lives = EFF_FOREVER, .term_takes = EFF_S(3)}, STEADY);
	world_run_for(w, 0);
	ck_assert_int_eq(world_add(w, "pool", "a: {}, b: {}"), 0);
	world_run_for(w, EFF_S(1));
	world_reload(w,
		POOL("") "\nnew: {command: new, depends_on: [db]}\ndb2: {command: db, after: [db]}");
	world_reload(w, "pool: {strategy: simple_one_for_one, template: {command: work}}");
	world_reload(w,
		"pool: {strategy: simple_one_for_one, template: {command: work}}\nx: {command: x}");
	ck_assert_int_eq(world_remove(w, "pool/a", true), 0);
	world_run_for(w, EFF_S(10));

	ck_assert_str_eq(world_units(w), "pool pool/b x");
	EXPECT_TRACE(w, "pool/a", "0 spawn, 1000 KILL, 1000 SIGKILL");
	world_free(w);
}
END_TEST

START_TEST(replicas_that_were_added_go_together)
{
	struct world *w = world_new(POOL(""));
	struct unit *both[2];
	struct tree_removal removal = {.now = true};
	uint32_t first, n;

	world_script(w, "job1", (struct script){.lives = EFF_S(1), .exits = 0});
	world_script(w, "job2", (struct script){.lives = EFF_S(3), .exits = 0});
	world_run_for(w, 0);
	ck_assert_int_eq(
		world_add(w, "pool",
			"a: {replicas: 2}, j: {replicas: 2, command: 'job${INSTANCE}', restart: no}, z: {}"),
		0);
	world_run_for(w, EFF_S(2));
	ck_assert_str_eq(world_units(w), "db pool pool/a@1 pool/a@2 pool/j@1 pool/j@2 pool/z");
	ck_assert_int_eq(world_remove(w, "pool/a@2", true), -ENOTEMPTY);
	world_run_for(w, EFF_S(2));
	ck_assert_str_eq(world_units(w), "db pool pool/a@1 pool/a@2 pool/z");
	ck_assert_int_eq(world_add(w, "pool", "b: {}, a: {}"), -EEXIST);
	world_reload(w, POOL(""));
	ck_assert_str_eq(world_changes(w), "");
	both[0] = world_unit(w, "pool/a@1");
	both[1] = world_unit(w, "pool/a@2");
	ck_assert(plan_find_all(w->tree->plan, "pool/a", &first, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(tree_remove(w->tree, both, 2, &removal), 0);
	ck_assert(!plan_find_all(w->tree->plan, "pool/a", &first, &n));
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(world_units(w), "db pool pool/z");
	world_free(w);
}
END_TEST

START_TEST(one_that_is_gone_and_whose_last_word_is_not_said_keeps_its_group_in_memory)
{
	struct world *w = world_new(POOL(""));

	world_script(w, "work", (struct script){.lives = EFF_S(1), .exits = 1});
	world_script(w, "wail", (struct script){.helper = true, .lives = EFF_S(10), .exits = 2});
	world_run_for(w, 0);
	ck_assert_int_eq(world_add(w, "pool", "a: {restart: no, hooks: {on_give_up: wail}}"), 0);
	world_run_for(w, EFF_S(2));
	ck_assert_ptr_null(tree_find(w->tree, "pool/a"));
	world_reload(w, "db: {command: db}");
	world_run_for(w, EFF_S(20));

	ck_assert_str_eq(world_said(w, "pool/a", "hook_failed"), "on_give_up: exit 2");
	ck_assert_uint_eq(w->reloads_under_way, 0);
	ck_assert(eff_list_empty(&w->tree->graveyard));
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/tree/remove");
	TCase *tcase = tcase_create("remove");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase,
		in_each_moment_of_its_life_one_that_does_not_rest_is_removed_by_force_alone, 0,
		(int)(sizeof(moments) / sizeof(moments[0])));
	tcase_add_test(tcase, one_that_is_being_stopped_is_removed_and_its_name_waits_for_its_end);
	tcase_add_test(tcase, one_at_rest_is_removed_and_forgotten);
	tcase_add_test(tcase, what_stands_in_the_tree_or_is_named_cannot_be_removed);
	tcase_add_test(tcase, one_whose_policy_is_no_is_forgotten_at_its_end);
	tcase_add_test(tcase, one_that_another_names_is_forgotten_with_that_one);
	tcase_add_test(tcase, what_was_needed_for_an_added_child_alone_stops_with_it);
	tcase_add_test(tcase, what_goes_while_a_plan_is_made_does_not_come_back);
	tcase_add_test(tcase, what_goes_while_a_reload_waits_for_another_does_not_come_back);
	tcase_add_test(tcase, replicas_that_were_added_go_together);
	tcase_add_test(tcase,
		one_that_is_gone_and_whose_last_word_is_not_said_keeps_its_group_in_memory);
	suite_add_tcase(suite, tcase);
	return suite;
}
