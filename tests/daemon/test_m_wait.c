/* SPDX-License-Identifier: MIT */
/* Wait: until it is so, or cannot be. */
#include <check.h>

#include "control_world.h"

START_TEST(it_is_answered_with_the_status_when_it_is_so)
{
	struct server *s = server_new("web: {command: [slow], type: notify}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(2)});
	client_call(c, "Wait", "{\"units\":[\"web\"],\"for\":\"up\"}", false);
	server_turn(s);
	world_run_for(s->w, EFF_S(2) - 1);
	ck_assert_ptr_null(client_reply(c));
	world_run_for(s->w, 1);
	reply = client_reply(c);

	ck_assert_str_eq(reply_text(reply, "parameters.name"), "web");
	ck_assert_str_eq(reply_text(reply, "parameters.state"), "up");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(before_the_tree_has_taken_its_first_step_nothing_is_at_rest)
{
	struct server *s = server_new(
		"g:\n  start_order: sequential\n  units:\n    a: {command: [slow], type: notify}\n"
		"    b: {command: [run]}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(2)});
	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	client_call(c, "Wait", "{\"units\":[\"g/b\"],\"for\":\"up\"}", false);
	server_turn(s);
	reply = client_reply(c);
	ck_assert_msg(reply == NULL, "answered: %s %s", reply_text(reply, "error"),
		reply_text(reply, "parameters.state"));
	world_run_for(s->w, EFF_S(3));
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.state"), "up");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(each_unit_of_many_is_told_when_it_comes)
{
	struct server *s = server_new(
		"a: {command: [slow], type: notify}\nb: {command: [quick], type: notify}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(2)});
	world_script(s->w, "quick", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(1)});
	client_call(c, "Wait", "{\"units\":[\"a\",\"b\"],\"for\":\"up\"}", true);
	world_run_for(s->w, EFF_S(1));
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.name"), "b");
	ck_assert(json_get_bool(reply, "continues", false));
	json_free(reply);
	world_run_for(s->w, EFF_S(1));
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.name"), "a");
	ck_assert(!json_get_bool(reply, "continues", false));
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(up_is_met_by_a_oneshot_that_is_done)
{
	struct server *s = server_new("job: {command: [job], type: oneshot}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "job", (struct script){.lives = EFF_S(1)});
	client_call(c, "Wait", "{\"units\":[\"job\"],\"for\":\"up\"}", false);
	server_turn(s);
	world_run_for(s->w, EFF_S(1));
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.state"), "done");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_unit_that_rests_in_another_state_ends_the_wait)
{
	struct server *s = server_new("web: {command: [dies], restart: no}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "dies", (struct script){.lives = EFF_S(1), .exits = 7});
	world_run_for(s->w, EFF_MS(500));
	client_call(c, "Wait", "{\"units\":[\"web\"],\"for\":\"done\"}", false);
	server_turn(s);
	ck_assert_ptr_null(client_reply(c));
	world_run_for(s->w, EFF_S(1));
	reply = client_reply(c);

	ck_assert_str_eq(reply_text(reply, "parameters.unit"), "web");
	ck_assert_str_eq(reply_text(reply, "parameters.state"), "failed");
	ck_assert_int_eq(json_get_int(reply_at(reply, "parameters.cause"), "code", 0), 7);
	ck_assert_str_eq(reply_error(reply), "AtRest");
	/* Also when it has been so for long. */
	ck_assert_str_eq(reply_error(client_ask(c, "Wait", "{\"units\":[\"web\"],\"for\":\"up\"}")),
		"AtRest");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(backoff_is_no_rest_and_time_ends_the_wait)
{
	struct server *s = server_new("web: {command: [dies]}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "dies", (struct script){.lives = EFF_MS(1), .exits = 1});
	world_run_for(s->w, EFF_MS(100));
	client_call(c, "Wait", "{\"units\":[\"web\"],\"for\":\"done\",\"timeout_s\":30}", false);
	server_turn(s);
	world_run_for(s->w, EFF_S(30) - 1);
	ck_assert_ptr_null(client_reply(c));
	world_run_for(s->w, 1);
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.text"), "web is in backoff, not done");
	ck_assert_str_eq(reply_error(reply), "TimedOut");
	client_free(c);
	server_free(s);
}
END_TEST

/* The root is still on its way up, but it will not start again what gave up. */
/* Nobody has to do anything for it to run again. */
START_TEST(between_two_runs_of_a_schedule_nothing_is_at_rest)
{
	struct server *s = server_new(
		"job: {command: [job], type: oneshot, schedule: {every: 10s}}\n");
	struct client *c = client_new(s);
	struct json *reply;

	WORLD_SCRIPTS(s->w, "job", {.lives = EFF_S(1), .exits = 3}, {.lives = EFF_S(1)});
	world_run_for(s->w, EFF_S(15));
	ck_assert_int_eq(world_unit(s->w, "job")->state, UNIT_FAILED);
	client_call(c, "Wait", "{\"units\":[\"job\"],\"for\":\"done\"}", false);
	world_run_for(s->w, EFF_S(5));
	ck_assert_ptr_null(client_reply(c));
	world_run_for(s->w, EFF_S(1));
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.state"), "done");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(what_is_in_a_group_that_gave_up_is_at_rest)
{
	struct server *s = server_new(
		"slow: {command: [slow], type: notify}\n"
		"g:\n  restart: no\n  units:\n    a: {command: [dies], restart: no, critical: true}\n");
	struct client *c = client_new(s);

	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_H(1)});
	world_script(s->w, "dies", (struct script){.lives = EFF_S(1), .exits = 1});
	world_run_for(s->w, EFF_S(2));
	ck_assert_str_eq(state_name(world_state(s->w, "/")), "starting");
	ck_assert_str_eq(state_name(world_state(s->w, "g")), "failed");

	ck_assert_str_eq(reply_error(client_ask(c, "Wait", "{\"units\":[\"g/a\"],\"for\":\"up\"}")),
		"AtRest");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_unit_that_a_reload_removes_ends_the_wait)
{
	struct server *s = server_new("web: {command: [run]}\ndb: {command: [run]}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	server_turn(s);
	client_call(c, "Wait", "{\"units\":[\"web\"],\"for\":\"done\"}", false);
	server_turn(s);
	world_reload(s->w, "db: {command: [run]}\n");
	world_run_for(s->w, EFF_S(1));
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.unit"), "web");
	ck_assert_str_eq(reply_error(reply), "NoSuchUnit");
	client_free(c);
	server_free(s);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("m_wait");
	TCase *tcase = tcase_create("wait");

	test_leak_guard(tcase);
	tcase_add_test(tcase, it_is_answered_with_the_status_when_it_is_so);
	tcase_add_test(tcase, before_the_tree_has_taken_its_first_step_nothing_is_at_rest);
	tcase_add_test(tcase, each_unit_of_many_is_told_when_it_comes);
	tcase_add_test(tcase, up_is_met_by_a_oneshot_that_is_done);
	tcase_add_test(tcase, a_unit_that_rests_in_another_state_ends_the_wait);
	tcase_add_test(tcase, backoff_is_no_rest_and_time_ends_the_wait);
	tcase_add_test(tcase, between_two_runs_of_a_schedule_nothing_is_at_rest);
	tcase_add_test(tcase, what_is_in_a_group_that_gave_up_is_at_rest);
	tcase_add_test(tcase, a_unit_that_a_reload_removes_ends_the_wait);
	suite_add_tcase(suite, tcase);
	return suite;
}
