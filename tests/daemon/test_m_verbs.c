/* SPDX-License-Identifier: MIT */
/* Start, stop, restart, reset: what a client is told became of each unit, and when. */
#include <check.h>

#include "control_world.h"

static const struct script forever = {.lives = EFF_FOREVER};

static struct server *server_with(const char *units)
{
	struct server *s = server_new(units);

	world_script(s->w, "run", forever);
	server_turn(s);
	return s;
}

/* What a verb answers, after time has passed. */
static const char *verb(struct client *c, const char *method, const char *parameters, eff_ns after)
{
	struct json *reply;

	client_call(c, method, parameters, false);
	server_turn(c->s);
	if (after > 0)
		world_run_for(c->s->w, after);
	reply = client_reply(c);
	ck_assert_msg(reply != NULL, "no answer to %s %s", method, parameters);
	return reply_results(reply);
}

/* Not before, but then. */
static const char *verb_just(struct client *c, const char *method, const char *parameters, eff_ns at)
{
	struct json *reply;

	client_call(c, method, parameters, false);
	server_turn(c->s);
	world_run_for(c->s->w, at - 1);
	reply = client_reply(c);
	ck_assert_msg(reply == NULL, "%s was answered too early: %s", method,
		reply ? reply_results(reply) : "");
	world_run_for(c->s->w, 1);
	reply = client_reply(c);
	ck_assert_msg(reply != NULL, "%s was not answered", method);
	return reply_results(reply);
}

START_TEST(a_stop_is_done_when_all_is_gone_and_says_who_asked)
{
	struct server *s = server_new("web: {command: [slow]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(4)});
	server_turn(s);
	ck_assert_str_eq(verb_just(c, "Stop", "{\"units\":[\"web\"]}", EFF_S(4)), "web done down");
	ck_assert_str_eq(verb(c, "Stop", "{\"units\":[\"web\"]}", 0), "web unchanged down");
	ck_assert_int_eq(world_unit(s->w, "web")->cause->by.pid, getpid());
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_stop_names_the_dependants_that_it_stops_first)
{
	struct server *s = server_with("db: {command: [run]}\nweb: {command: [run], depends_on: [db]}\n"
				       "other: {command: [run]}\n");
	struct client *c = client_new(s);

	ck_assert_str_eq(verb(c, "Stop", "{\"units\":[\"db\"]}", EFF_S(1)),
		"web done waiting, db done down");
	ck_assert_str_eq(verb(c, "Start", "{\"units\":[\"db\"]}", EFF_S(1)), "db done up");
	ck_assert_str_eq(state_name(world_state(s->w, "web")), "up");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_stop_at_once_kills)
{
	struct server *s = server_new("web: {command: [deaf], stop: {timeout: 1h}}\n");
	struct client *c = client_new(s);

	world_script(s->w, "deaf", (struct script){.lives = EFF_FOREVER, .ignores_term = true});
	server_turn(s);
	ck_assert_str_eq(verb(c, "Stop", "{\"units\":[\"web\"],\"now\":true}", 0), "web done down");
	client_free(c);
	server_free(s);
}
END_TEST

/* A unit, or a group that it is in: it is the process that is named. */
START_TEST(a_stop_of_what_survives_the_final_signal_ends_and_names_it)
{
	static const char *const trees[] = {"web: {command: [deaf], stop: {timeout: 1s}}\n",
		"web: {units: {a: {units: {b: {command: [deaf], stop: {timeout: 1s}}}}}}\n"};
	static const char *const texts[] = {"web does not end: pid ", "web/a/b does not end: pid "};
	struct server *s = server_new(trees[_i]);
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "deaf",
		(struct script){
			.lives = EFF_FOREVER, .ignores_term = true, .unkillable_for = EFF_S(60)});
	server_turn(s);
	client_call(c, "Stop", "{\"units\":[\"web\"]}", false);
	server_turn(s);
	world_run_for(s->w, EFF_S(6));
	reply = client_reply(c);

	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.outcome"), "failed");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.state"), "stopping");
	ck_assert_ptr_eq(strstr(reply_text(reply, "parameters.units.0.cause.text"), texts[_i]),
		reply_text(reply, "parameters.units.0.cause.text"));
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_restart_is_done_when_the_new_run_is_up)
{
	struct server *s = server_new("web: {command: [slow], type: notify}\n");
	struct client *c = client_new(s);

	world_script(s->w, "slow",
		(struct script){
			.lives = EFF_FOREVER, .term_takes = EFF_S(2), .ready_after = EFF_S(1)});
	world_run_for(s->w, EFF_S(5));
	ck_assert_str_eq(verb_just(c, "Restart", "{\"units\":[\"web\"]}", EFF_S(3)), "web done up");
	ck_assert_uint_eq(world_unit(s->w, "web")->starts, 2);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_later_verb_takes_over)
{
	struct server *s = server_with("web: {command: [slow], type: notify, activate: manual}\n");
	struct client *first = client_new(s), *second = client_new(s);

	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(60)});
	client_call(first, "Start", "{\"units\":[\"web\"]}", false);
	server_turn(s);
	ck_assert_str_eq(verb(second, "Stop", "{\"units\":[\"web\"]}", EFF_S(1)), "web done down");

	struct json *reply = client_reply(first);
	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.outcome"), "superseded");
	json_free(reply);
	client_free(first);
	client_free(second);
	server_free(s);
}
END_TEST

START_TEST(a_verb_whose_time_is_up_says_so_and_the_work_goes_on)
{
	struct server *s = server_with("web: {command: [slow], type: notify, activate: manual}\n");
	struct client *c = client_new(s);

	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(5)});
	ck_assert_str_eq(
		verb_just(c, "Start", "{\"units\":[\"web\"],\"timeout_s\":1.5}", EFF_MS(1500)),
		"web timeout starting");
	world_run_for(s->w, EFF_S(4));
	ck_assert_str_eq(state_name(world_state(s->w, "web")), "up");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_verb_that_does_not_wait_is_answered_at_once)
{
	struct server *s = server_new("web: {command: [slow]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(4)});
	server_turn(s);
	ck_assert_str_eq(verb(c, "Stop", "{\"units\":[\"web\"],\"wait\":false}", 0), "web done up");
	ck_assert_str_eq(state_name(world_state(s->w, "web")), "stopping");
	client_free(c);
	server_free(s);
}
END_TEST

/* Nor do those wait for it that go with it. */
START_TEST(a_verb_that_does_not_wait_does_not_for_dependants_either)
{
	struct server *s = server_new(
		"db: {command: [run]}\nweb: {command: [slow], depends_on: [db]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", forever);
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(4)});
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(verb(c, "Stop", "{\"units\":[\"db\"],\"wait\":false}", 0),
		"web done up, db done up");
	world_run_for(s->w, EFF_S(5));
	ck_assert_str_eq(verb(c, "Start", "{\"units\":[\"web\"],\"wait\":false}", 0),
		"db done down, web done waiting");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_reset_leaves_failed_and_backoff_at_once)
{
	struct server *s = server_new(
		"a: {command: [dies], restart: no}\nb: {command: [dies2]}\nc: {command: [run]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", forever);
	WORLD_SCRIPTS(s->w, "dies", {.lives = EFF_MS(1), .exits = 1}, {.lives = EFF_FOREVER});
	WORLD_SCRIPTS(s->w, "dies2", {.lives = EFF_MS(1), .exits = 1}, {.lives = EFF_FOREVER});
	world_run_for(s->w, EFF_MS(100));
	ck_assert_str_eq(state_name(world_state(s->w, "a")), "failed");
	ck_assert_str_eq(state_name(world_state(s->w, "b")), "backoff");
	client_call(c, "Reset", "{\"units\":[\"a\",\"b\",\"c\"]}", false);
	server_turn(s);

	struct json *reply = client_reply(c);
	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.outcome"), "done");
	ck_assert_str_eq(reply_text(reply, "parameters.units.1.outcome"), "done");
	ck_assert_str_eq(reply_text(reply, "parameters.units.2.outcome"), "unchanged");
	json_free(reply);
	ck_assert_str_ne(state_name(world_state(s->w, "a")), "failed");
	ck_assert_str_ne(state_name(world_state(s->w, "b")), "backoff");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(globs_name_units_and_a_supervisor_is_one)
{
	struct server *s = server_with("g:\n  units:\n    a: {command: [run]}\n    b: {command: [run]}\n"
				       "web: {command: [run]}\n");
	struct client *c = client_new(s);

	ck_assert_str_eq(verb(c, "Stop", "{\"units\":[\"g/*\"]}", EFF_S(1)),
		"g/a done down, g/b done down");
	ck_assert_str_eq(verb(c, "Start", "{\"units\":[\"g/?\"]}", EFF_S(1)),
		"g/a done up, g/b done up");
	ck_assert_str_eq(verb(c, "Stop", "{\"units\":[\"g\"]}", EFF_S(1)), "g done down");
	ck_assert_str_eq(state_name(world_state(s->w, "g/a")), "down");
	ck_assert_str_eq(verb(c, "Restart", "{\"units\":[\"g\"]}", EFF_S(1)), "g done up");
	ck_assert_str_eq(state_name(world_state(s->w, "g/a")), "up");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(an_unknown_name_does_nothing_at_all)
{
	struct server *s = server_with("web: {command: [run]}\ndb: {command: [run]}\n");
	struct client *c = client_new(s);
	struct json *reply = client_ask(c, "Stop", "{\"units\":[\"db\",\"wbe\"]}");

	ck_assert_str_eq(reply_text(reply, "parameters.unit"), "wbe");
	ck_assert_str_eq(reply_text(reply, "parameters.nearest"), "web");
	ck_assert_str_eq(reply_error(reply), "NoSuchUnit");
	ck_assert_str_eq(reply_error(client_ask(c, "Stop", "{\"units\":[\"x*\"]}")), "NoSuchUnit");
	ck_assert_str_eq(state_name(world_state(s->w, "db")), "up");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(with_more_each_result_comes_as_it_is_decided_and_the_last_has_all)
{
	struct server *s = server_new("a: {command: [slow]}\nb: {command: [run]}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "run", forever);
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(4)});
	server_turn(s);
	client_call(c, "Stop", "{\"units\":[\"a\",\"b\"]}", true);
	server_turn(s);
	reply = client_reply(c);
	ck_assert(json_get_bool(reply, "continues", false));
	ck_assert_str_eq(reply_results(reply), "b done down");
	world_run_for(s->w, EFF_S(5));
	json_free(client_reply(c));
	reply = client_reply(c);
	ck_assert(!json_get_bool(reply, "continues", false));
	ck_assert_str_eq(reply_results(reply), "a done down, b done down");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(during_a_shutdown_verbs_are_refused)
{
	static const char *const methods[] = {"Start", "Stop", "Restart", "Reset"};
	struct server *s = server_new("web: {command: [slow]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(4)});
	server_turn(s);
	world_shutdown(s->w, false);
	server_turn(s);
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_eq(reply_error(client_ask(c, methods[i], "{\"units\":[\"web\"]}")),
			"ShuttingDown");
	ck_assert_str_eq(reply_error(client_ask(c, "Reload", NULL)), "ShuttingDown");
	ck_assert_str_eq(reply_error(client_ask(c, "Status", NULL)), "");
	client_free(c);
	server_free(s);
}
END_TEST

/* A supervisor that goes takes its children with it: they are no dependants of their own. */
START_TEST(a_stop_names_a_supervisor_and_not_what_is_in_it)
{
	struct server *s = server_new(
		"db: {command: [run]}\n"
		"g:\n  depends_on: [db]\n  units:\n    a: {command: [run]}\n"
		"    b: {command: [run], depends_on: [a]}\n    c: {command: [run], depends_on: [db]}\n"
		"web: {command: [run], depends_on: [g/b]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(1)});
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(verb(c, "Stop", "{\"units\":[\"db\"]}", EFF_S(9)),
		"web done waiting, g done waiting, db done down");
	ck_assert_str_eq(world_trace(s->w, "g/b"), "0 spawn, 2000 TERM, 3000 SIGTERM");
	ck_assert_str_eq(world_trace(s->w, "g/a"), "0 spawn, 3000 TERM, 4000 SIGTERM");
	ck_assert_str_eq(verb(c, "Start", "{\"units\":[\"db\"]}", EFF_S(1)), "db done up");
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(state_name(world_state(s->w, "web")), "up");
	client_free(c);
	server_free(s);
}
END_TEST

/* What a start lifts it says, and so does a restart, which is one. */
START_TEST(a_stop_that_is_lifted_is_in_the_answer)
{
	struct server *s = server_new(
		"db: {command: [run]}\nweb: {command: [run], depends_on: [db]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(verb(c, "Stop", "{\"units\":[\"db\"]}", EFF_S(1)),
		"web done waiting, db done down");
	ck_assert_str_eq(
		verb(c, "Start", "{\"units\":[\"web\"]}", EFF_S(1)), "db done up, web done up");
	ck_assert_str_eq(verb(c, "Stop", "{\"units\":[\"db\"]}", EFF_S(1)),
		"web done waiting, db done down");
	ck_assert_str_eq(verb(c, "Restart", "{\"units\":[\"web\"]}", EFF_S(1)),
		"db done up, web done up");
	client_free(c);
	server_free(s);
}
END_TEST

/* Of what is around it too, the root as well, and not in the state that it was in. */
START_TEST(a_stop_of_a_group_that_is_lifted_is_in_the_answer)
{
	struct server *s = server_with("g: {units: {a: {command: [run]}}}\n");
	struct client *c = client_new(s);

	ck_assert_str_eq(verb(c, "Stop", "{\"units\":[\"g\"]}", EFF_S(1)), "g done down");
	ck_assert_str_eq(verb(c, "Start", "{\"units\":[\"g/a\"]}", EFF_S(1)),
		"g done starting, g/a done up");
	ck_assert_str_eq(verb(c, "Stop", "{\"units\":[\"/\"]}", EFF_S(1)), "/ done down");
	ck_assert_str_eq(verb(c, "Start", "{\"units\":[\"g/a\"]}", EFF_S(1)),
		"/ done starting, g/a done up");
	client_free(c);
	server_free(s);
}
END_TEST

/* And what it stops, the dependants of that first; who waits for a start of that is told that it is over. */
START_TEST(what_makes_way_for_a_start_is_in_the_answer)
{
	struct server *s = server_new(
		"old: {command: [old]}\nuser: {command: [run], depends_on: [old]}\n"
		"new: {command: [run], activate: manual, conflicts: [old]}\n"
		"app: {command: [run], activate: manual, depends_on: [new]}\n");
	struct client *c = client_new(s), *other = client_new(s);
	struct json *reply;

	world_script(s->w, "run", forever);
	world_script(s->w, "old", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(s->w, EFF_S(1));
	client_call(c, "Start", "{\"units\":[\"app\"]}", false);
	world_run_for(s->w, EFF_S(3));
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.verb"), "stop");
	ck_assert_str_eq(reply_text(reply, "parameters.units.1.verb"), "stop");
	ck_assert_str_eq(reply_text(reply, "parameters.units.1.cause.text"),
		"conflicts with new, which was started");
	ck_assert_ptr_null(reply_at(reply, "parameters.units.2.verb"));
	ck_assert_str_eq(reply_results(reply), "user done waiting, old done down, app done up");

	client_call(other, "Start", "{\"units\":[\"old\"]}", false);
	server_turn(s);
	ck_assert_str_eq(verb(c, "Restart", "{\"units\":[\"new\"],\"wait\":false}", 0),
		"user done up, old done up, new done down");
	world_run_for(s->w, EFF_S(5));
	ck_assert_str_eq(reply_results(client_reply(other)),
		"app done waiting, new done down, old superseded up");
	client_free(c);
	client_free(other);
	server_free(s);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("m_verbs");
	TCase *tcase = tcase_create("verbs");

	test_leak_guard(tcase);
	tcase_add_test(tcase, a_stop_is_done_when_all_is_gone_and_says_who_asked);
	tcase_add_test(tcase, a_stop_names_the_dependants_that_it_stops_first);
	tcase_add_test(tcase, a_stop_at_once_kills);
	tcase_add_loop_test(tcase, a_stop_of_what_survives_the_final_signal_ends_and_names_it, 0, 2);
	tcase_add_test(tcase, a_restart_is_done_when_the_new_run_is_up);
	tcase_add_test(tcase, a_later_verb_takes_over);
	tcase_add_test(tcase, a_verb_whose_time_is_up_says_so_and_the_work_goes_on);
	tcase_add_test(tcase, a_verb_that_does_not_wait_is_answered_at_once);
	tcase_add_test(tcase, a_verb_that_does_not_wait_does_not_for_dependants_either);
	tcase_add_test(tcase, a_reset_leaves_failed_and_backoff_at_once);
	tcase_add_test(tcase, globs_name_units_and_a_supervisor_is_one);
	tcase_add_test(tcase, an_unknown_name_does_nothing_at_all);
	tcase_add_test(tcase, with_more_each_result_comes_as_it_is_decided_and_the_last_has_all);
	tcase_add_test(tcase, during_a_shutdown_verbs_are_refused);
	tcase_add_test(tcase, a_stop_that_is_lifted_is_in_the_answer);
	tcase_add_test(tcase, a_stop_of_a_group_that_is_lifted_is_in_the_answer);
	tcase_add_test(tcase, what_makes_way_for_a_start_is_in_the_answer);
	tcase_add_test(tcase, a_stop_names_a_supervisor_and_not_what_is_in_it);
	suite_add_tcase(suite, tcase);
	return suite;
}
