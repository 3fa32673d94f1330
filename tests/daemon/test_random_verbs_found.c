/* SPDX-License-Identifier: MIT */
/* What random verbs have found, each as small as it gets: what a client is told, and when, where groups, rounds and stops of
 * others have a part in it. */
#include <check.h>

#include "control_world.h"

static const struct script forever = {.lives = EFF_FOREVER};

/* What a client is told, after time has passed. */
static const char *told(struct client *c, eff_ns after)
{
	struct json *reply;

	world_run_for(c->s->w, after);
	reply = client_reply(c);
	ck_assert_ptr_nonnull(reply);
	return reply_results(reply);
}

/* It comes with the group, and that with what has failed: so it does not. */
START_TEST(a_start_in_a_group_that_waits_for_what_has_failed_has_failed)
{
	struct server *s = server_new(
		"db: {command: [late], type: notify, start_timeout: 1s, restart: no}\n"
		"g: {depends_on: [db], units: {h: {units: {a: {command: [run]}}}}}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", forever);
	world_script(s->w, "late",
		(struct script){.lives = EFF_FOREVER, .ready_after = EFF_FOREVER});
	world_run_for(s->w, EFF_MS(500));
	client_call(c, "Start", "{\"units\":[\"g/h/a\"]}", false);
	ck_assert_str_eq(told(c, EFF_S(1)), "g/h/a failed down");
	client_free(c);
	server_free(s);
}
END_TEST

/* `restart: no`: the round has stopped it and does not start it again, nor what is in it. */
START_TEST(nobody_waits_for_what_is_in_a_group_that_its_round_left_out)
{
	struct server *s = server_new("g:\n  strategy: one_for_all\n  units:\n    a: {command: [dies]}\n"
				      "    job: {type: oneshot, command: [run]}\n"
				      "    h: {restart: no, units: {b: {command: [run]}}}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", forever);
	world_script(s->w, "dies", (struct script){.lives = EFF_S(5), .exits = 1});
	world_run_for(s->w, EFF_MS(5800));
	EXPECT_STATE(s->w, "g", "starting");
	EXPECT_STATE(s->w, "g/h", "down");
	client_call(c, "Wait", "{\"units\":[\"g/h/b\"],\"for\":\"up\"}", false);
	ck_assert_str_eq(reply_error(client_reply(c)), "AtRest");
	client_free(c);
	server_free(s);
}
END_TEST

/* It rests: an order says nothing of what does not come. */
START_TEST(what_comes_after_one_that_its_round_left_out_starts_with_the_round)
{
	struct server *s = server_new(
		"g:\n  strategy: one_for_all\n  units:\n    a: {command: [dies]}\n"
		"    b: {command: [run], restart: no}\n    c: {command: [run], after: [b]}\n");

	WORLD_SCRIPTS(s->w, "dies", {.lives = EFF_S(5), .exits = 1}, {.lives = EFF_FOREVER});
	world_script(s->w, "run", forever);
	world_run_for(s->w, EFF_S(10));
	EXPECT_STATE(s->w, "g/b", "down");
	EXPECT_STATE(s->w, "g/c", "up");
	server_free(s);
}
END_TEST

/* Until the other has ended that requires it, it is shown as it was. */
START_TEST(a_start_of_one_that_still_is_to_stop_is_done_when_it_runs_again)
{
	struct server *s = server_new(
		"db: {command: [run]}\nweb: {command: [slow], depends_on: [db]}\n");
	struct client *c = client_new(s), *other = client_new(s);

	world_script(s->w, "run", forever);
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(s->w, EFF_S(1));
	client_call(c, "Stop", "{\"units\":[\"db\"]}", false);
	world_run_for(s->w, EFF_MS(500));
	client_call(other, "Start", "{\"units\":[\"db\"]}", false);
	world_run_for(s->w, EFF_MS(1600));
	ck_assert_ptr_null(client_reply(other));
	ck_assert_str_eq(told(other, EFF_S(1)), "db done up");
	ck_assert_uint_eq(world_spawns(s->w, "db"), 2);
	client_free(other);
	client_free(c);
	server_free(s);
}
END_TEST

/* It was down before, for its group has not begun: nothing of it changes but what it is to be. */
START_TEST(the_stop_of_one_that_has_not_begun_releases_who_only_waited_for_it)
{
	struct server *s = server_new(
		"db: {command: [late], type: notify}\n"
		"g: {depends_on: [db], units: {a: {command: [run]}}}\n"
		"web: {command: [run], after: [g/a]}\n"
		"app: {command: [run], depends_on: {g/a: {required: false}}}\n");

	world_script(s->w, "run", forever);
	world_script(s->w, "late", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(20)});
	world_run_for(s->w, EFF_S(1));
	EXPECT_STATE(s->w, "web", "waiting");
	EXPECT_STATE(s->w, "app", "waiting");
	world_stop(s->w, "g/a");
	world_run_for(s->w, EFF_S(1));
	EXPECT_STATE(s->w, "web", "up");
	EXPECT_STATE(s->w, "app", "up");
	server_free(s);
}
END_TEST

/* A start while on_give_up is still told of the end takes over from it. */
START_TEST(a_start_while_the_root_gives_up_goes_on)
{
	struct server *s = server_new("a: {command: [dies], restart: no, critical: true, "
				      "hooks: {on_give_up: {command: hook}}}\n");
	struct client *c = client_new(s);

	WORLD_SCRIPTS(s->w, "dies", {.lives = EFF_S(1), .exits = 1}, {.lives = EFF_FOREVER});
	world_script(s->w, "hook", (struct script){.lives = EFF_S(2), .helper = true});
	world_run_for(s->w, EFF_S(2));
	EXPECT_STATE(s->w, "/", "failed");
	client_call(c, "Start", "{\"units\":[\"a\"]}", false);
	world_run_for(s->w, EFF_S(9));
	ck_assert(!s->w->ended);
	ck_assert_str_eq(told(c, 0), "a done up");
	EXPECT_STATE(s->w, "a", "up");
	client_free(c);
	server_free(s);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/random_verbs_found");
	TCase *tcase = tcase_create("found");

	test_leak_guard(tcase);
	tcase_add_test(tcase, a_start_in_a_group_that_waits_for_what_has_failed_has_failed);
	tcase_add_test(tcase, nobody_waits_for_what_is_in_a_group_that_its_round_left_out);
	tcase_add_test(tcase, what_comes_after_one_that_its_round_left_out_starts_with_the_round);
	tcase_add_test(tcase, a_start_of_one_that_still_is_to_stop_is_done_when_it_runs_again);
	tcase_add_test(tcase, the_stop_of_one_that_has_not_begun_releases_who_only_waited_for_it);
	tcase_add_test(tcase, a_start_while_the_root_gives_up_goes_on);
	suite_add_tcase(suite, tcase);
	return suite;
}
