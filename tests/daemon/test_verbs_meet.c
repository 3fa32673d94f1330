/* SPDX-License-Identifier: MIT */
/* What verbs are told where they meet: several units of one verb, verbs of several clients, and groups, rounds and stops of others
 * that have a part in it. */
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

/* In whichever order they are named, and also where two clients ask: the stop of what it requires takes nothing over. */
START_TEST(a_stop_goes_on_when_what_it_requires_is_stopped_too)
{
	struct server *s = server_new(
		"db: {command: [run]}\nweb: {command: [slow], depends_on: [db]}\n");
	struct client *c = client_new(s), *other = client_new(s);

	world_script(s->w, "run", forever);
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(s->w, EFF_S(1));
	client_call(c, "Stop", "{\"units\":[\"web\",\"db\"]}", false);
	ck_assert_str_eq(told(c, EFF_S(3)), "web done down, db done down");

	client_call(c, "Start", "{\"units\":[\"web\"]}", false);
	ck_assert_str_eq(told(c, EFF_S(1)), "db done up, web done up");
	client_call(c, "Stop", "{\"units\":[\"web\"]}", false);
	server_turn(s);
	client_call(other, "Stop", "{\"units\":[\"db\"]}", false);
	ck_assert_str_eq(told(c, EFF_S(3)), "web done down");
	ck_assert_str_eq(told(other, 0), "web done down, db done down");
	client_free(other);
	client_free(c);
	server_free(s);
}
END_TEST

/* What is in a group that is restarted begins anew with it, be it done: who asked for both, or for what requires it, waits. */
START_TEST(a_restart_of_a_group_and_of_what_goes_with_it_is_done_with_the_group)
{
	struct server *s = server_new("g:\n  units:\n    a: {command: [slow]}\n"
				      "    b: {type: oneshot, command: [job], depends_on: [a]}\n"
				      "x: {command: [run], depends_on: [g/b]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", forever);
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_script(s->w, "job", (struct script){.lives = EFF_S(1)});
	world_run_for(s->w, EFF_S(3));
	client_call(c, "Restart", "{\"units\":[\"**\"]}", false);
	ck_assert_str_eq(told(c, EFF_S(9)),
		"/ done up, g done up, g/a done up, g/b done done, x done up");
	client_call(c, "Restart", "{\"units\":[\"g/a\",\"g\"]}", false);
	ck_assert_str_eq(told(c, EFF_S(9)), "g/a done up, g done up");
	client_call(c, "Restart", "{\"units\":[\"g\",\"x\"]}", false);
	ck_assert_str_eq(told(c, EFF_S(9)), "g done up, g/b done done, x done up");
	client_free(c);
	server_free(s);
}
END_TEST

/* The round is over then. */
START_TEST(a_restart_in_the_middle_of_a_group_round_is_done_too)
{
	struct server *s = server_new("g:\n  strategy: one_for_all\n  units:\n"
				      "    a: {command: [dies]}\n    b: {command: [run]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", forever);
	world_script(s->w, "dies", (struct script){.lives = EFF_S(5), .exits = 1});
	world_run_for(s->w, EFF_MS(5100));
	EXPECT_STATE(s->w, "g/a", "backoff");
	client_call(c, "Restart", "{\"units\":[\"/\",\"g/a\",\"g/b\"]}", false);
	ck_assert_str_eq(told(c, EFF_S(1)), "/ done up, g/a done up, g/b done up");
	client_free(c);
	server_free(s);
}
END_TEST

/* It takes over from the stop of the group, be that the root: all begins again as soon as it has ended. */
START_TEST(a_start_of_one_in_a_group_that_is_being_stopped_is_done_after_that)
{
	static const char *const groups[] = {"g", "/"};
	static const char *const answers[] = {
		"g done starting, g/b done up", "/ done starting, g/b done up"};
	struct server *s = server_new("g: {units: {a: {command: [slow]}, "
				      "b: {command: [run], depends_on: [a]}}}\n");
	struct client *c = client_new(s), *other = client_new(s);
	char stop[64];

	world_script(s->w, "run", forever);
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(s->w, EFF_S(1));
	(void)snprintf(stop, sizeof(stop), "{\"units\":[\"%s\"]}", groups[_i]);
	client_call(c, "Stop", stop, false);
	world_run_for(s->w, EFF_S(1));
	EXPECT_STATE(s->w, groups[_i], "stopping");
	client_call(other, "Start", "{\"units\":[\"g/b\"]}", false);
	ck_assert_str_eq(told(other, EFF_S(3)), answers[_i]);
	json_free(client_reply(c));
	client_free(other);
	client_free(c);
	server_free(s);
}
END_TEST

/* The group has given up, is still stopping what is in it, and begins again after its delay. */
START_TEST(what_is_in_a_group_that_ends_by_itself_is_waited_for)
{
	struct server *s = server_new(
		"g:\n  intensity: {max_restarts: 0, period: 10s}\n  restart: {backoff: {jitter: 0}}\n"
		"  units:\n    a: {command: [dies]}\n    b: {command: [slow]}\n");
	struct client *c = client_new(s), *other = client_new(s);
	struct json *reply;

	world_script(s->w, "dies", (struct script){.lives = EFF_S(5), .exits = 1});
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(s->w, EFF_S(6));
	EXPECT_STATE(s->w, "g", "stopping");
	EXPECT_STATE(s->w, "g/a", "down");
	client_call(c, "Wait", "{\"units\":[\"g/a\"],\"for\":\"up\"}", false);
	client_call(other, "Start", "{\"units\":[\"g/a\"]}", false);
	world_run_for(s->w, EFF_S(2));
	reply = client_reply(c);
	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(reply_text(reply, "parameters.state"), "up");
	json_free(reply);
	ck_assert_str_eq(told(other, 0), "g/a done up");
	client_free(other);
	client_free(c);
	server_free(s);
}
END_TEST

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
	Suite *suite = suite_create("verbs_meet");
	TCase *tcase = tcase_create("meet");

	test_leak_guard(tcase);
	tcase_add_test(tcase, a_stop_goes_on_when_what_it_requires_is_stopped_too);
	tcase_add_test(tcase, a_restart_of_a_group_and_of_what_goes_with_it_is_done_with_the_group);
	tcase_add_test(tcase, a_restart_in_the_middle_of_a_group_round_is_done_too);
	tcase_add_loop_test(tcase,
		a_start_of_one_in_a_group_that_is_being_stopped_is_done_after_that, 0, 2);
	tcase_add_test(tcase, what_is_in_a_group_that_ends_by_itself_is_waited_for);
	tcase_add_test(tcase, a_start_in_a_group_that_waits_for_what_has_failed_has_failed);
	tcase_add_test(tcase, nobody_waits_for_what_is_in_a_group_that_its_round_left_out);
	tcase_add_test(tcase, what_comes_after_one_that_its_round_left_out_starts_with_the_round);
	tcase_add_test(tcase, a_start_of_one_that_still_is_to_stop_is_done_when_it_runs_again);
	tcase_add_test(tcase, the_stop_of_one_that_has_not_begun_releases_who_only_waited_for_it);
	tcase_add_test(tcase, a_start_while_the_root_gives_up_goes_on);
	suite_add_tcase(suite, tcase);
	return suite;
}
