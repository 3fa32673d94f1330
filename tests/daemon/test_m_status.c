/* SPDX-License-Identifier: MIT */
/* Status, Explain, Show: what is said of a unit is true, complete, and only for those who may know it. */
#include <check.h>

#include "control_world.h"

static const struct script forever = {.lives = EFF_FOREVER};

/* The names of an array of objects, in order. */
static const char *names(const struct json *array)
{
	static char words[512];
	size_t n = 0;

	words[0] = '\0';
	for (const struct json *v = json_first(array); v; v = json_next(v))
		n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s", n ? " " : "",
			json_get_text(v, "name", "?"));
	return words;
}

static struct server *shop(void)
{
	struct server *s = server_new(
		"db: {command: [run]}\n"
		"web: {command: [run], depends_on: [db], environment: {SECRET: hidden}}\n"
		"g:\n  units:\n    a: {command: [dies], restart: {backoff: {jitter: 0}}}\n    b: {command: [run]}\n");

	world_script(s->w, "run", forever);
	world_script(s->w, "dies", (struct script){.lives = EFF_S(1), .dies_by = 9});
	world_run_for(s->w, EFF_MS(1100));
	return s;
}

START_TEST(units_come_depth_first_the_root_first)
{
	struct server *s = shop();
	struct client *c = client_new(s);
	struct json *reply = client_ask(c, "Status", NULL);

	ck_assert_str_eq(names(reply_at(reply, "parameters.units")), "/ db web g g/a g/b");
	json_free(reply);
	reply = client_ask(c, "Status", "{\"units\":[\"web\",\"g\",\"db\"]}");
	ck_assert_str_eq(names(reply_at(reply, "parameters.units")), "db web g g/a g/b");
	json_free(reply);
	reply = client_ask(c, "Status", "{\"units\":[\"*\"]}");
	ck_assert_str_eq(names(reply_at(reply, "parameters.units")), "db web g g/a g/b");
	json_free(reply);
	reply = client_ask(c, "Status", "{\"units\":[\"g/*\"]}");
	ck_assert_str_eq(names(reply_at(reply, "parameters.units")), "g/a g/b");
	json_free(reply);
	ck_assert_str_eq(
		reply_error(client_ask(c, "Status", "{\"units\":[\"nobody\"]}")), "NoSuchUnit");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(an_entry_has_every_field_null_where_it_does_not_apply)
{
	static const char *const fields[] = {"name", "description", "kind", "state", "wanted",
		"pid", "since", "uptime_s", "starts", "restarts", "failures", "next_start_s",
		"last_exit", "cause", "health", "status_text", "depends_on", "cpu_s",
		"memory_bytes", "log_lost_bytes"};
	static const char *const supervisors[] = {
		"children", "active", "intensity", "restarts_in_period"};
	struct server *s = shop();
	struct client *c = client_new(s);
	struct json *reply = client_ask(c, "Status", NULL);

	for (const struct json *v = json_first(reply_at(reply, "parameters.units")); v;
		v = json_next(v)) {
		bool group = strcmp(json_get_text(v, "kind", ""), "supervisor") == 0;

		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			ck_assert_msg(json_get(v, fields[i]) != NULL, "%s", fields[i]);
		for (size_t i = 0; i < sizeof(supervisors) / sizeof(supervisors[0]); i++)
			ck_assert_int_eq(json_get(v, supervisors[i]) != NULL, group);
	}
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_unit_that_is_up_and_one_in_backoff_tell_their_times_and_counts)
{
	struct server *s = shop();
	struct client *c = client_new(s);
	struct json *reply = client_ask(c, "Status", "{\"units\":[\"web\",\"g/a\"]}");
	const struct json *web = reply_at(reply, "parameters.units.0"),
			  *a = reply_at(reply, "parameters.units.1");

	ck_assert_str_eq(json_get_text(web, "state", ""), "up");
	ck_assert_int_gt(json_get_int(web, "pid", 0), 0);
	ck_assert_double_eq_tol(json_get_number(web, "uptime_s", -1), 1.1, 0.002);
	ck_assert_str_eq(json_as_text(json_first(json_get(web, "depends_on"))), "db");
	ck_assert_int_eq(json_get_int(web, "failures", -1), 0);

	ck_assert_str_eq(json_get_text(a, "state", ""), "backoff");
	ck_assert_int_eq(json_type(json_get(a, "pid")), JSON_NULL);
	ck_assert_int_eq(json_type(json_get(a, "uptime_s")), JSON_NULL);
	ck_assert_double_eq_tol(json_get_number(a, "next_start_s", -1), 0.4, 0.002);
	ck_assert_int_eq(json_get_int(a, "failures", -1), 1);
	ck_assert_int_eq(json_get_int(a, "restarts", -1), 0);
	ck_assert_str_eq(json_get_text(json_get(a, "last_exit"), "signal", ""), "SIGKILL");
	ck_assert_str_eq(json_get_text(json_get(a, "cause"), "kind", ""), "signal");
	ck_assert_int_eq(json_type(json_get(json_get(a, "cause"), "code")), JSON_NULL);
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_supervisor_counts_its_children_and_fails_health_with_them)
{
	struct server *s = shop();
	struct client *c = client_new(s);
	struct json *reply = client_ask(c, "Status", "{\"units\":[\"g\"]}");
	const struct json *g = reply_at(reply, "parameters.units.0");

	ck_assert_int_eq(json_get_int(g, "children", 0), 2);
	ck_assert_int_eq(json_get_int(g, "active", 0), 1);
	ck_assert_str_eq(json_get_text(g, "health", ""), "failing");
	json_free(reply);
	world_script(s->w, "dies", forever);
	world_run_for(s->w, EFF_S(1));
	reply = client_ask(c, "Status", "{\"units\":[\"g\"]}");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.health"), "passing");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_group_round_and_the_restarts_that_count_are_shown)
{
	struct server *s = server_new(
		"g:\n  strategy: one_for_all\n  intensity: {max_restarts: 5, period: 1m}\n  units:\n"
		"    a: {command: [dies], restart: {backoff: {initial: 9s, jitter: 0}}}\n"
		"    b: {command: [run]}\n    c: {command: [slow]}\n");
	struct client *c = client_new(s);
	struct json *reply;
	const struct json *g;

	world_script(s->w, "dies", (struct script){.lives = EFF_S(1), .exits = 1});
	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(5)});
	world_run_for(s->w, EFF_S(2));

	reply = client_ask(c, "Status", "{\"units\":[\"g\"]}");
	g = reply_at(reply, "parameters.units.0");
	ck_assert_int_eq(json_get_int(json_get(g, "intensity"), "max_restarts", -1), 5);
	ck_assert_double_eq(json_get_number(json_get(g, "intensity"), "period_s", -1), 60);
	ck_assert_int_eq(json_get_int(g, "restarts_in_period", -1), 1);
	json_free(reply);
	reply = client_ask(c, "Explain", "{\"unit\":\"g/a\"}");
	ck_assert_str_eq(reply_text(reply, "parameters.state"), "backoff");
	ck_assert_str_eq(reply_text(reply, "parameters.next.text"),
		"starts again when its group has stopped, and after its delay");
	json_free(reply);
	reply = client_ask(c, "Explain", "{\"unit\":\"g/b\"}");
	ck_assert_str_eq(reply_text(reply, "parameters.state"), "waiting");
	ck_assert_str_eq(reply_text(reply, "parameters.chain.1.text"),
		"group restart: goes with g/a (SIGTERM)");
	ck_assert_str_eq(reply_text(reply, "parameters.chain.2.text"), "exit 1");
	ck_assert_str_eq(reply_text(reply, "parameters.waits_for.0.unit"), "g/a");
	ck_assert_str_eq(reply_text(reply, "parameters.waits_for.0.condition"), "to start again");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(explain_tells_the_chain_what_is_waited_for_and_what_comes_next)
{
	struct server *s = shop();
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

START_TEST(explain_says_nothing_twice)
{
	struct server *s = shop();
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
		"stop requested by effctl (pid 4711, uid 0)\n"
		"its last run ended\n"
		"dependency: what it requires is being stopped (SIGTERM)\n"
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
		"    run: {command: [run]}\n    manual: {command: [run], activate: manual}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", forever);
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_H(1)});
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"g\"}")),
		"wanted\n-> g/slow up or at rest starting\n"
		"next up: as soon as none of its children has to be waited for\n");
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"g/slow\"}")),
		"wanted\nnext start_timeout: unless it is ready before\n");
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"job\"}")),
		"wanted\nnext up: done, as soon as it has ended well\n");
	ck_assert_str_eq(explained(client_ask(c, "Explain", "{\"unit\":\"off\"}")),
		"not enabled: it is never started\nnext none: nothing: it is not enabled\n");
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

/* A unit that stops waits for nothing it needs. */
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
		"wanted\ndependency: what it requires is being stopped\n"
		"stop requested by effctl (pid 4711, uid 0)\n"
		"next kill: the final signal, unless it has ended before\n");
	client_free(c);
	server_free(s);
}
END_TEST

/* The value of a field of the first unit shown: its text, "(null)" where it is not shown, "(none)" where it is not there. */
static const char *shown(const struct json *reply, const char *field)
{
	const struct json *values = reply_at(reply, "parameters.units.0.values");

	for (const struct json *v = json_first(values); v; v = json_next(v))
		if (strcmp(json_get_text(v, "field", ""), field) == 0)
			return json_get_text(v, "value", "(null)");
	return "(none)";
}

START_TEST(show_tells_values_and_places_and_keeps_the_environment_to_itself)
{
	struct server *s = shop();
	struct client *c = client_new(s);
	struct json *reply = client_ask(c, "Show", "{\"unit\":\"web\"}");

	ck_assert_str_eq(reply_text(reply, "parameters.units.0.name"), "web");
	ck_assert_str_eq(shown(reply, "command"), "[run]");
	ck_assert_str_eq(shown(reply, "environment"), "(null)");
	ck_assert_str_eq(shown(reply, "stop.signal"), "(none)");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.values.0.place.file"),
		"/world/test.yaml");
	json_free(reply);

	reply = client_ask(c, "Show", "{\"unit\":\"web\",\"resolved\":true,\"values\":true}");
	ck_assert_str_eq(shown(reply, "stop.signal"), "SIGTERM");
	ck_assert_ptr_nonnull(strstr(shown(reply, "environment"), "hidden"));
	ck_assert_str_eq(shown(reply, "strategy"), "(none)");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(show_resolved_tells_what_holds_and_nothing_else)
{
	struct server *s = server_new(
		"version: 1\nname: test\ndaemon: {shutdown_timeout: 20s, readers: [root]}\nunits:\n"
		"  web: {command: [run], readiness_probe: {tcp: {port: 80}}}\n");
	struct client *c = client_new(s);
	struct json *reply = client_ask(c, "Show", "{\"unit\":\"/\",\"resolved\":true}");
	int n = 0;

	ck_assert_str_eq(shown(reply, "daemon.shutdown_timeout"), "20s");
	for (const struct json *v = json_first(reply_at(reply, "parameters.units.0.values")); v;
		v = json_next(v))
		n += strcmp(json_get_text(v, "field", ""), "daemon.shutdown_timeout") == 0;
	ck_assert_int_eq(n, 1);
	ck_assert_str_eq(shown(reply, "daemon.socket"), s->path);
	ck_assert_str_eq(shown(reply, "daemon.socket_mode"), "0666");
	ck_assert_str_eq(shown(reply, "daemon.log_level"), "info");
	json_free(reply);

	reply = client_ask(c, "Show", "{\"unit\":\"web\",\"resolved\":true}");
	ck_assert_str_eq(shown(reply, "working_dir"), "/world");
	ck_assert_str_eq(shown(reply, "readiness_probe.tcp.host"), "127.0.0.1");
	ck_assert_str_eq(shown(reply, "readiness_probe.period"), "10s");
	/* It has no such probe, and needs nobody. */
	ck_assert_str_eq(shown(reply, "readiness_probe.http_get.path"), "(none)");
	ck_assert_str_eq(shown(reply, "liveness_probe.period"), "(none)");
	ck_assert_str_eq(shown(reply, "depends_on.required"), "(none)");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("m_status");
	TCase *tcase = tcase_create("looking");

	test_leak_guard(tcase);
	tcase_add_test(tcase, units_come_depth_first_the_root_first);
	tcase_add_test(tcase, an_entry_has_every_field_null_where_it_does_not_apply);
	tcase_add_test(tcase, a_unit_that_is_up_and_one_in_backoff_tell_their_times_and_counts);
	tcase_add_test(tcase, a_supervisor_counts_its_children_and_fails_health_with_them);
	tcase_add_test(tcase, a_group_round_and_the_restarts_that_count_are_shown);
	tcase_add_test(tcase, explain_tells_the_chain_what_is_waited_for_and_what_comes_next);
	tcase_add_test(tcase, explain_says_nothing_twice);
	tcase_add_test(tcase, explain_tells_what_bounds_a_start_and_what_a_group_waits_for);
	tcase_add_test(tcase, explain_of_one_that_is_ready_no_more_promises_no_timeout);
	tcase_add_test(tcase, explain_names_the_group_that_holds_a_unit_down);
	tcase_add_test(tcase, explain_of_one_that_stops_tells_when_it_is_killed);
	tcase_add_test(tcase, show_tells_values_and_places_and_keeps_the_environment_to_itself);
	tcase_add_test(tcase, show_resolved_tells_what_holds_and_nothing_else);
	suite_add_tcase(suite, tcase);
	return suite;
}
