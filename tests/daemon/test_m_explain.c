/* SPDX-License-Identifier: MIT */
/* Explain: why a unit is as it is, what it waits for, and what comes next. */
#include <errno.h>

#include <check.h>

#include "control_world.h"

static const struct script forever = {.lives = EFF_FOREVER};

/* The texts of an Explain's chain and of its `waits_for`, in order. Frees the reply. */
static const char *explained(struct json *reply)
{
	static char words[1024];
	size_t n = 0;

	for (const struct json *v = json_first(reply_at(reply, "parameters.chain")); v;
		v = json_next(v))
		n += (size_t)snprintf(
			words + n, sizeof(words) - n, "%s\n", json_get_text(v, "text", "?"));
	for (const struct json *v = json_first(reply_at(reply, "parameters.waits_for")); v;
		v = json_next(v))
		n += (size_t)snprintf(words + n, sizeof(words) - n, "-> %s %s %s\n",
			json_get_text(v, "unit", "?"), json_get_text(v, "condition", "?"),
			json_get_text(v, "state", "?"));
	(void)snprintf(words + n, sizeof(words) - n, "next %s: %s\n",
		reply_text(reply, "parameters.next.action"),
		reply_text(reply, "parameters.next.text"));
	json_free(reply);
	return words;
}

START_TEST(explain_tells_the_chain_what_is_waited_for_and_what_comes_next)
{
	struct server *s = server_shop();
	struct client *c = client_new(s);
	struct json *reply = client_ask(c, "Explain", "{\"unit\":\"g/a\"}");

	ck_assert_str_eq(reply_text(reply, "parameters.state"), "backoff");
	ck_assert_str_eq(reply_text(reply, "parameters.chain.1.kind"), "signal");
	ck_assert_str_eq(reply_text(reply, "parameters.next.action"), "start");
	ck_assert_double_eq_tol(
		json_get_number(reply_at(reply, "parameters.next"), "in_s", -1), 0.4, 0.002);
	json_free(reply);

	world_stop(s->w, "db");
	world_run_for(s->w, EFF_S(1));
	reply = client_ask(c, "Explain", "{\"unit\":\"web\"}");
	ck_assert_str_eq(reply_text(reply, "parameters.state"), "waiting");
	ck_assert_str_eq(reply_text(reply, "parameters.waits_for.0.unit"), "db");
	ck_assert_str_eq(reply_text(reply, "parameters.waits_for.0.condition"), "ready");
	ck_assert_str_eq(reply_text(reply, "parameters.waits_for.0.state"), "down");
	ck_assert_str_eq(reply_text(reply, "parameters.next.action"), "none");
	ck_assert_ptr_nonnull(strstr(reply_text(reply, "parameters.next.text"), "effctl start db"));
	json_free(reply);

	reply = client_ask(c, "Explain", "{\"unit\":\"db\"}");
	ck_assert_ptr_nonnull(
		strstr(reply_text(reply, "parameters.chain.0.text"), "stopped by hand"));
	ck_assert_ptr_nonnull(
		strstr(reply_text(reply, "parameters.chain.1.text"), "effctl (pid 4711, uid 0)"));
	json_free(reply);
	ck_assert_str_eq(reply_error(client_ask(c, "Explain", "{\"unit\":\"dbb\"}")), "NoSuchUnit");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(explain_says_nothing_twice)
{
	struct server *s = server_shop();
	struct client *c = client_new(s);

	world_stop(s->w, "db");
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"db\"}")),
		"stopped by hand: nothing automatic starts it\n"
		"stop requested (SIGTERM) by effctl (pid 4711, uid 0)\n"
		"next none: nothing by itself; effctl start starts it\n");
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"web\"}")),
		"wanted\n"
		"dependency: waits for db, which is down\n"
		"stop requested (SIGTERM) by effctl (pid 4711, uid 0)\n"
		"its last run ended\n"
		"dependency: requires db, which is being stopped (SIGTERM)\n"
		"-> db ready down\n"
		"next none: nothing by itself: db is down; effctl start db\n");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(explain_tells_what_bounds_a_start_and_what_a_group_waits_for)
{
	struct server *s = server_new(
		"off: {command: [run], enabled: false}\n"
		"job: {command: [run], type: oneshot}\n"
		"g:\n  units:\n    slow: {command: [slow], type: notify, start_timeout: 1m}\n"
		"    run: {command: [run]}\n    manual: {command: [run], activate: manual}\n"
		"    nightly: {command: [run], schedule: {every: 1d}}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", forever);
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_H(1)});
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"g\"}")),
		"wanted\n-> g/slow up or at rest starting\n"
		"next up: as soon as none of its children has to be waited for\n");
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"g/slow\"}")),
		"wanted\nnot ready: it has not said READY=1\nnext start_timeout: unless it is ready before\n");
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"job\"}")),
		"wanted\nnext up: done, as soon as it has ended well\n");
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"off\"}")),
		"not enabled: it is never started\nnext none: nothing: it is not enabled\n");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(explain_of_a_group_tells_who_makes_it_fail)
{
	struct server *s = server_new("a: {command: [dies], restart: no}\n"
				      "b: {command: [dies], restart: {backoff: {initial: 1h, max: 1h}}}\n"
				      "c: {command: [run]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", forever);
	world_script(s->w, "dies", (struct script){.lives = EFF_S(1), .exits = 1});
	world_run_for(s->w, EFF_S(2));
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"/\"}")),
		"wanted\nfailing: a is failed, b is in backoff\nnext (none): (none)\n");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(explain_promises_no_start_that_never_comes)
{
	struct server *s = server_new(
		"a: {command: [bad], restart: {backoff: {initial: infinity, max: infinity}}}");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "bad", (struct script){.exits = 1});
	world_run_for(s->w, EFF_S(1));
	reply = client_ask(c, "Explain", "{\"unit\":\"a\"}");
	ck_assert_str_eq(reply_text(reply, "parameters.state"), "backoff");
	ck_assert_int_eq(json_type(reply_at(reply, "parameters.next.in_s")), JSON_NULL);
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(explain_names_the_one_in_backoff_that_holds_the_rest_of_a_sequence)
{
	struct server *s = server_new(
		"g:\n  start_order: sequential\n  units:\n    a: {command: [run]}\n"
		"    b: {command: [bad], restart: {backoff: {initial: 1h, max: 1h, jitter: 0}}}\n"
		"    c: {command: [run]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", forever);
	world_script(s->w, "bad", (struct script){.exec_error = ENOENT});
	world_run_for(s->w, EFF_S(2));
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"g/c\"}")),
		"wanted\ndependency: waits for g/b, which is in backoff\n"
		"exec error: exec: ENOENT (No such file or directory): bad\n"
		"-> g/b up or at rest backoff\n"
		"next start: as soon as g/b lets it; that one is in backoff\n");
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"g\"}")),
		"wanted\n-> g/b up or at rest backoff\n-> g/c up or at rest waiting\n"
		"next up: as soon as none of its children has to be waited for\n");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(explain_of_one_that_is_ready_no_more_promises_no_timeout)
{
	struct server *s = server_new(
		"web: {command: [run], max_runtime: 1h, readiness_probe: {tcp: {port: 80}, period: 1s}}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", forever);
	os_fake_port(s->w->fake, 80, -ECONNREFUSED, 0);
	world_run_for(s->w, EFF_S(5));
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"web\"}")),
		"wanted\nnot ready: readiness probe: ECONNREFUSED (Connection refused)\n"
		"next start_timeout: unless it is ready before\n");
	os_fake_port(s->w->fake, 80, 0, 0);
	world_run_for(s->w, EFF_S(5));
	os_fake_port(s->w->fake, 80, -ECONNREFUSED, 0);
	world_run_for(s->w, EFF_S(5));
	ck_assert_str_eq(state_name(world_state(s->w, "web")), "starting");
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"web\"}")),
		"wanted\nprobe: readiness probe: ECONNREFUSED (Connection refused)\nnext up: as soon as it is ready\n");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(explain_names_the_group_that_holds_a_unit_down)
{
	struct server *s = server_new("g:\n  units:\n    a: {command: [run]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", forever);
	world_run_for(s->w, EFF_S(1));
	world_stop(s->w, "g");
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"g/a\"}")),
		"wanted\nstop requested (SIGTERM) by effctl (pid 4711, uid 0)\n"
		"next none: nothing by itself: its supervisor g is down; effctl start g\n");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(explain_of_one_that_stops_by_itself_does_not_call_it_down)
{
	struct server *s = server_new("web: {command: [run], type: notify}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", forever);
	world_run_for(s->w, EFF_S(1));
	os_fake_notify(s->w->fake, "web", "STOPPING=1");
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"web\"}")),
		"wanted\ninterrupted: says that it stops\n"
		"next stop: its stop signal, unless it has ended before\n");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(explain_of_one_that_stops_tells_when_it_is_killed)
{
	struct server *s = server_new(
		"db: {command: [run]}\nweb: {command: [slow], depends_on: [db], stop: {timeout: 5s}}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "run", forever);
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(9)});
	world_run_for(s->w, EFF_S(1));
	world_stop(s->w, "db");
	world_run_for(s->w, EFF_S(1));
	reply = client_ask(c, "Explain", "{\"unit\":\"web\"}");
	ck_assert_double_eq_tol(
		json_get_number(reply_at(reply, "parameters.next"), "in_s", -1), 4, 0.002);
	ck_assert_str_eq(explained(reply),
		"wanted\ndependency: requires db, which is being stopped\n"
		"stop requested by effctl (pid 4711, uid 0)\n"
		"next kill: the final signal, unless it has ended before\n");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(explain_tells_why_one_that_a_round_has_left_out_stays_down)
{
	struct server *s = server_new("g:\n  strategy: one_for_all\n  units:\n    a: {command: [dies]}\n"
				      "    b: {command: [run], restart: no}\n"
				      "    c: {command: [run], depends_on: [b]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", forever);
	WORLD_SCRIPTS(s->w, "dies", {.lives = EFF_S(1), .exits = 1}, {.lives = EFF_FOREVER});
	world_run_for(s->w, EFF_S(5));
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"g/b\"}")),
		"wanted\ngroup restart: goes with g/a (SIGTERM)\nexit 1\n"
		"next none: nothing by itself: its group was restarted, and with `restart: no` it is "
		"not; effctl start starts it\n");
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"g/c\"}")),
		"wanted\ndependency: waits for g/b, which is down\n"
		"group restart: goes with g/a (SIGTERM)\nexit 1\n-> g/b ready down\n"
		"next none: nothing by itself: g/b is down; effctl start g/b\n");
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"g\"}")),
		"wanted\nfailing: g/c is waiting\nnext (none): (none)\n");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(explain_tells_what_output_is_lost_and_where_it_was_to_go)
{
	struct server *s = server_new(
		"a: {command: [run], log: {stdout: {file: /log/a}, stderr: journal}}\n"
		"b: {command: [run]}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER, .complains = "gone\n"});
	os_fake_records_fail(s->w->fake, ENOENT);
	world_run_for(s->w, EFF_S(5));
	reply = client_ask(c, "Explain", "{\"unit\":\"a\"}");
	ck_assert_str_eq(reply_text(reply, "parameters.chain.2.at"), "2020-01-01T00:16:40.000Z");
	ck_assert_str_eq(explained(reply),
		"wanted\nhas lost 6 bytes of its output, which goes to /log/a, and stderr to the journal\n"
		"6 bytes lost: cannot write to the journal: No such file or directory\n"
		"next (none): (none)\n");
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"b\"}")),
		"wanted\nnext (none): (none)\n");
	world_unit(s->w, "/")->log_lost_bytes = 1;
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"/\"}")),
		"wanted\nhas lost 1 byte of the output of units that are gone\nnext (none): (none)\n");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(explain_tells_what_was_left_behind)
{
	struct server *s = server_new("a: {command: [run], restart: no, stop: {mode: process}}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", (struct script){.lives = EFF_S(1), .leaves = EFF_FOREVER});
	world_run_for(s->w, EFF_S(5));

	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"a\"}")),
		"wanted\nexit 0\nhas left behind pid 101001 (run)\n"
		"next none: nothing by itself; effctl start starts it\n");
	client_free(c);
	os_fake_sweep(s->w->fake);
	server_free(s);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("m_explain");
	TCase *tcase = tcase_create("explained");

	test_leak_guard(tcase);
	tcase_add_test(tcase, explain_tells_the_chain_what_is_waited_for_and_what_comes_next);
	tcase_add_test(tcase, explain_says_nothing_twice);
	tcase_add_test(tcase, explain_tells_what_bounds_a_start_and_what_a_group_waits_for);
	tcase_add_test(tcase, explain_of_a_group_tells_who_makes_it_fail);
	tcase_add_test(tcase, explain_promises_no_start_that_never_comes);
	tcase_add_test(tcase, explain_names_the_one_in_backoff_that_holds_the_rest_of_a_sequence);
	tcase_add_test(tcase, explain_of_one_that_is_ready_no_more_promises_no_timeout);
	tcase_add_test(tcase, explain_names_the_group_that_holds_a_unit_down);
	tcase_add_test(tcase, explain_of_one_that_stops_by_itself_does_not_call_it_down);
	tcase_add_test(tcase, explain_of_one_that_stops_tells_when_it_is_killed);
	tcase_add_test(tcase, explain_tells_why_one_that_a_round_has_left_out_stays_down);
	tcase_add_test(tcase, explain_tells_what_output_is_lost_and_where_it_was_to_go);
	tcase_add_test(tcase, explain_tells_what_was_left_behind);
	suite_add_tcase(suite, tcase);
	return suite;
}
