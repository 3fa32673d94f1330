/* SPDX-License-Identifier: MIT */
/* The outcome of a start and a restart: done, failed, refused, and when it is known. */
#include <errno.h>

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

START_TEST(a_start_is_done_when_the_unit_is_up_and_stayed_so_for_200_ms)
{
	struct server *s = server_with("web: {command: [run], activate: manual}\n");
	struct client *c = client_new(s);

	ck_assert_str_eq(verb_just(c, "Start", "{\"units\":[\"web\"]}", EFF_MS(200)), "web done up");
	ck_assert_str_eq(verb(c, "Start", "{\"units\":[\"web\"]}", 0), "web unchanged up");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(an_end_within_200_ms_of_exec_is_a_failed_start_with_its_output)
{
	struct server *s = server_with("web: {command: [dies], activate: manual}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "dies",
		(struct script){.lives = EFF_MS(199), .exits = 3, .prints = "no config\n"});
	client_call(c, "Start", "{\"units\":[\"web\"]}", false);
	server_turn(s);
	world_run_for(s->w, EFF_MS(199));
	reply = client_reply(c);

	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.outcome"), "failed");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.state"), "backoff");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.cause.kind"), "exit");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.output.0"), "no config");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

/* The first run's lines are there as long as the ring has room, and are no part of what failed now. */
START_TEST(the_output_of_a_failed_start_is_of_that_run_alone)
{
	static const struct script runs[] = {
		{.lives = EFF_S(10), .prints = "first\n"},
		{.lives = EFF_MS(10), .exits = 3, .prints = "no config\nno idea\n"},
		{.lives = EFF_MS(10), .exits = 3},
	};
	struct server *s = server_new(
		"web: {command: [runs], restart: no}\nother: {command: [run], depends_on: [web]}\n");
	struct client *c = client_new(s);
	struct json *reply;

	os_fake_script(s->w->fake, "runs", runs, 3);
	world_script(s->w, "run", forever);
	server_turn(s);
	for (int i = 0; i < 2; i++) {
		client_call(c, "Restart", "{\"units\":[\"web\"]}", false);
		world_run_for(s->w, EFF_S(1));
		reply = client_reply(c);
		ck_assert_str_eq(reply_text(reply, "parameters.units.0.outcome"), "failed");
		ck_assert_int_eq(json_count(reply_at(reply, "parameters.units.0.output")),
			i == 0 ? 2 : 0);
		if (i == 0)
			ck_assert_str_eq(
				reply_text(reply, "parameters.units.0.output.0"), "no config");
		json_free(reply);
	}
	client_free(c);
	server_free(s);
}
END_TEST

/* Of so many each is looked at so seldom that it runs again by then. */
START_TEST(the_output_of_a_failed_start_is_not_of_the_next_run)
{
	static const struct script runs[] = {
		{.exits = 3, .prints = "no config\n"},
		{.lives = EFF_FOREVER, .prints = "now it works\n"},
	};
	struct server *s = server_with("web: {command: [runs], activate: manual, replicas: 100,"
				       " restart: {backoff: {initial: 0}}}\n");
	struct client *c = client_new(s);
	struct json *reply;

	os_fake_script(s->w->fake, "runs", runs, 2);
	client_call(c, "Start", "{\"units\":[\"web\"]}", false);
	world_run_for(s->w, EFF_S(1));
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.units.99.outcome"), "failed");
	ck_assert_str_eq(reply_text(reply, "parameters.units.99.state"), "up");
	ck_assert_str_eq(reply_text(reply, "parameters.units.99.output.0"), "no config");
	ck_assert_int_eq(json_count(reply_at(reply, "parameters.units.99.output")), 1);
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

/* What it waits for has failed, and it has not run: its lines of before are not why. */
START_TEST(a_start_that_never_ran_has_no_output)
{
	static const struct script runs[] = {
		{.lives = EFF_FOREVER}, {.exits = 1, .ready_after = EFF_FOREVER}};
	struct server *s = server_with("db: {command: [runs], type: notify, restart: no}\n"
				       "web: {command: [says], depends_on: [db]}\n");
	struct client *c = client_new(s);
	struct json *reply;

	os_fake_script(s->w->fake, "runs", runs, 2);
	world_script(s->w, "says", (struct script){.lives = EFF_FOREVER, .prints = "well\n"});
	world_run_for(s->w, EFF_S(1));
	client_call(c, "Stop", "{\"units\":[\"db\"]}", false);
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(reply_results(client_reply(c)), "web done waiting, db done down");
	client_call(c, "Start", "{\"units\":[\"web\"]}", false);
	world_run_for(s->w, EFF_S(1));
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.units.1.name"), "web");
	ck_assert_str_eq(reply_text(reply, "parameters.units.1.outcome"), "failed");
	ck_assert_int_eq(json_type(reply_at(reply, "parameters.units.1.output")), JSON_NULL);
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_clean_end_within_200_ms_is_done)
{
	struct server *s = server_with(
		"web: {command: [quick], restart: on-failure, activate: manual}\n");
	struct client *c = client_new(s);

	world_script(s->w, "quick", (struct script){.lives = EFF_MS(10)});
	ck_assert_str_eq(
		verb_just(c, "Start", "{\"units\":[\"web\"]}", EFF_MS(10)), "web done done");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(an_end_after_200_ms_is_no_concern_of_the_start)
{
	struct server *s = server_with("web: {command: [dies], activate: manual}\n");
	struct client *c = client_new(s);

	world_script(s->w, "dies", (struct script){.lives = EFF_MS(300), .exits = 3});
	ck_assert_str_eq(verb_just(c, "Start", "{\"units\":[\"web\"]}", EFF_MS(200)), "web done up");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_unit_that_says_when_it_is_ready_is_believed_at_once)
{
	struct server *s = server_with("web: {command: [slow], type: notify, activate: manual}\n");
	struct client *c = client_new(s);

	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(3)});
	ck_assert_str_eq(verb_just(c, "Start", "{\"units\":[\"web\"]}", EFF_S(3)), "web done up");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_oneshot_is_done_when_it_has_ended_clean)
{
	struct server *s = server_with("job: {command: [job], type: oneshot, activate: manual}\n");
	struct client *c = client_new(s);

	WORLD_SCRIPTS(s->w, "job", {.lives = EFF_S(5)}, {.lives = EFF_S(5), .exits = 1});
	ck_assert_str_eq(verb_just(c, "Start", "{\"units\":[\"job\"]}", EFF_S(5)), "job done done");
	ck_assert_str_eq(
		verb_just(c, "Start", "{\"units\":[\"job\"]}", EFF_S(5)), "job failed backoff");
	client_free(c);
	server_free(s);
}
END_TEST

/* Of many a look is taken only now and then: by the next one a further run has begun. */
START_TEST(a_oneshot_that_runs_again_at_once_is_done_all_the_same)
{
	struct server *s = server_with(
		"job: {command: [job], type: oneshot, replicas: 100, schedule: {every: 1s, overlap: queue}}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "job", (struct script){.lives = EFF_S(5)});
	client_call(c, "Start", "{\"units\":[\"job\"]}", false);
	world_run_for(s->w, EFF_S(6));
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.units.99.state"), "starting");
	ck_assert_str_eq(reply_text(reply, "parameters.units.99.outcome"), "done");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_start_that_waits_for_what_cannot_come_fails_and_says_for_what)
{
	struct server *s = server_with(
		"db: {command: [dies], type: notify, restart: no, activate: manual}\n"
		"web: {command: [run], depends_on: [db], activate: manual}\n"
		"top: {command: [run], depends_on: [web], activate: manual}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "dies",
		(struct script){.lives = EFF_S(1), .exits = 1, .ready_after = EFF_FOREVER});
	client_call(c, "Start", "{\"units\":[\"top\"]}", false);
	server_turn(s);
	world_run_for(s->w, EFF_MS(999));
	ck_assert_ptr_null(client_reply(c));
	world_run_for(s->w, EFF_MS(1));
	reply = client_reply(c);

	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.outcome"), "failed");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.state"), "waiting");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.cause.kind"), "dependency");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.cause.text"),
		"waits for db, which is failed");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.cause.because.kind"), "exit");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

/* Of what it requires a start tells what had ended and is run again, and not what it only had to start. */
START_TEST(what_a_start_runs_again_is_in_the_answer)
{
	struct server *s = server_new(
		"job: {command: [job], type: oneshot, restart: no}\n"
		"db: {command: [run], activate: manual, depends_on: [job]}\n"
		"web: {command: [run], activate: manual, depends_on: [db]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", forever);
	world_script(s->w, "job", (struct script){.lives = EFF_S(1)});
	world_run_for(s->w, EFF_S(2));
	EXPECT_STATE(s->w, "job", "done");
	ck_assert_str_eq(verb_just(c, "Start", "{\"units\":[\"web\"]}", EFF_MS(1200)),
		"job done done, web done up");
	ck_assert_str_eq(verb_just(c, "Start", "{\"units\":[\"job\",\"web\"]}", EFF_S(1)),
		"job done done, web unchanged up");
	world_script(s->w, "job", (struct script){.lives = EFF_S(1), .exits = 1});
	ck_assert_str_eq(verb(c, "Stop", "{\"units\":[\"db\"]}", EFF_S(1)),
		"web done waiting, db done down");
	ck_assert_str_eq(verb_just(c, "Start", "{\"units\":[\"web\"]}", EFF_S(1)),
		"job failed failed, db failed waiting, web failed waiting");
	world_script(s->w, "job", (struct script){.lives = EFF_S(1)});
	ck_assert_str_eq(verb_just(c, "Start", "{\"units\":[\"web\"]}", EFF_MS(1200)),
		"job done done, web done up");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(what_a_start_requires_begins_as_it_is_declared)
{
	struct server *s = server_with("one: {command: [run], replicas: 2}\n"
				       "two: {command: [run]}\n"
				       "web: {command: [run], depends_on: [one, two]}\n");
	struct client *c = client_new(s);

	ck_assert_str_eq(verb(c, "Stop", "{\"units\":[\"one\",\"two\"]}", EFF_S(1)),
		"web done waiting, one@1 done down, one@2 done down, two done down");
	ck_assert_str_eq(verb(c, "Start", "{\"units\":[\"web\"]}", EFF_S(1)),
		"one@1 done up, one@2 done up, two done up, web done up");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(one_whose_turn_comes_after_such_a_one_fails_too)
{
	struct server *s = server_new("g:\n  start_order: sequential\n  units:\n"
				      "    bad: {command: [dies], restart: no}\n"
				      "    a: {command: [run], depends_on: [bad]}\n"
				      "    b: {command: [run], activate: manual}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "run", forever);
	world_script(s->w, "dies", (struct script){.exec_takes = EFF_MS(1), .exec_error = ENOENT});
	world_run_for(s->w, EFF_S(1));
	client_call(c, "Start", "{\"units\":[\"g/b\"]}", false);
	server_turn(s);
	world_run_for(s->w, EFF_MS(1));
	reply = client_reply(c);
	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.outcome"), "failed");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.cause.text"),
		"waits for g/bad, which is failed");
	json_free(reply);
	reply = client_ask(c, "Explain", "{\"unit\":\"g/b\"}");
	ck_assert_str_eq(reply_text(reply, "parameters.waits_for.0.unit"), "g/a");
	ck_assert_str_eq(reply_text(reply, "parameters.chain.1.text"),
		"dependency: waits for g/a, which is waiting");
	ck_assert_str_eq(reply_text(reply, "parameters.next.text"),
		"nothing by itself: g/bad is failed; effctl start g/bad");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_group_that_waits_for_what_cannot_come_fails_too_and_so_does_who_needs_it)
{
	struct server *s = server_with(
		"far: {command: [run]}\n"
		"g:\n  activate: manual\n  units:\n"
		"    slow: {command: [slow], type: notify}\n"
		"    web: {command: [run], depends_on: [far, slow]}\n"
		"top: {command: [run], depends_on: [g], activate: manual}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(1)});
	ck_assert_str_eq(verb(c, "Stop", "{\"units\":[\"far\"]}", 0), "far done down");
	ck_assert_str_eq(verb(c, "Start", "{\"units\":[\"g\"]}", 0), "g failed starting");
	reply = client_ask(c, "Start", "{\"units\":[\"top\"]}");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.cause.text"),
		"waits for far, which is down");
	json_free(reply);
	reply = client_ask(c, "Explain", "{\"unit\":\"g\"}");
	ck_assert_str_eq(reply_text(reply, "parameters.next.text"),
		"nothing by itself: far is down; effctl start far");
	json_free(reply);

	/* Once it comes, so do they; and what is still on its way is waited for. */
	ck_assert_str_eq(verb(c, "Start", "{\"units\":[\"far\"]}", EFF_MS(200)), "far done up");
	ck_assert_str_eq(verb_just(c, "Start", "{\"units\":[\"top\"]}", EFF_S(1)), "top done up");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_disabled_unit_is_refused)
{
	struct server *s = server_with("web: {command: [run], enabled: false}\n");
	struct client *c = client_new(s);
	struct json *reply = client_ask(c, "Start", "{\"units\":[\"web\"]}");

	ck_assert_str_eq(reply_text(reply, "parameters.units.0.outcome"), "refused");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.cause.text"), "web is not enabled");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_run_that_gives_way_to_the_next_of_its_schedule_has_failed)
{
	struct server *s = server_with("job: {command: [run], type: oneshot, "
				       "schedule: {every: 10s, overlap: kill}}\n");
	struct client *c = client_new(s);

	ck_assert_str_eq(
		verb(c, "Start", "{\"units\":[\"job\"]}", EFF_S(20)), "job failed starting");
	ck_assert_str_eq(
		verb(c, "Restart", "{\"units\":[\"job\"]}", EFF_S(20)), "job failed starting");
	client_free(c);
	server_free(s);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("verb");
	TCase *tcase = tcase_create("outcomes");

	test_leak_guard(tcase);
	tcase_add_test(tcase, a_run_that_gives_way_to_the_next_of_its_schedule_has_failed);
	tcase_add_test(tcase, a_start_is_done_when_the_unit_is_up_and_stayed_so_for_200_ms);
	tcase_add_test(tcase, an_end_within_200_ms_of_exec_is_a_failed_start_with_its_output);
	tcase_add_test(tcase, the_output_of_a_failed_start_is_of_that_run_alone);
	tcase_add_test(tcase, the_output_of_a_failed_start_is_not_of_the_next_run);
	tcase_add_test(tcase, a_start_that_never_ran_has_no_output);
	tcase_add_test(tcase, a_clean_end_within_200_ms_is_done);
	tcase_add_test(tcase, an_end_after_200_ms_is_no_concern_of_the_start);
	tcase_add_test(tcase, a_unit_that_says_when_it_is_ready_is_believed_at_once);
	tcase_add_test(tcase, a_oneshot_is_done_when_it_has_ended_clean);
	tcase_add_test(tcase, a_oneshot_that_runs_again_at_once_is_done_all_the_same);
	tcase_add_test(tcase, a_start_that_waits_for_what_cannot_come_fails_and_says_for_what);
	tcase_add_test(tcase, what_a_start_runs_again_is_in_the_answer);
	tcase_add_test(tcase, what_a_start_requires_begins_as_it_is_declared);
	tcase_add_test(tcase, one_whose_turn_comes_after_such_a_one_fails_too);
	tcase_add_test(tcase,
		a_group_that_waits_for_what_cannot_come_fails_too_and_so_does_who_needs_it);
	tcase_add_test(tcase, a_disabled_unit_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
