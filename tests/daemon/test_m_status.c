/* SPDX-License-Identifier: MIT */
/* Status, Show: what is said of a unit is true, complete, and only for those who may know it. */
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

START_TEST(units_come_depth_first_the_root_first)
{
	struct server *s = server_shop();
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
	struct server *s = server_shop();
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
	struct server *s = server_shop();
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
	struct server *s = server_shop();
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
	ck_assert_int_eq(json_get_int(reply_at(reply, "parameters.units.0"), "active", 0), 2);
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_supervisors_health_is_failing_while_a_wanted_child_is_not_well)
{
	static const struct {
		const char *units, *health;
	} cases[] = {
		{"a: {command: run}", "passing"},
		{"a: {command: dies, restart: no}", "failing"},
		{"a: {command: dies, restart: {backoff: {initial: 1h, max: 1h}}}", "failing"},
		{"a: {command: late, type: notify}", "failing"},
		{"a: {command: run, readiness_probe: {tcp: {port: 80}, period: 100ms, failure_threshold: 1}}",
			"failing"},
		{"a: {command: late, type: notify}, b: {command: run, depends_on: [a]}", "failing"},
		{"a: {command: once, type: oneshot}", "passing"},
		{"a: {command: once, schedule: {every: 1h}}", "passing"},
		{"a: {command: run, activate: manual}", "passing"},
		{"a: {command: run, enabled: false}", "passing"},
		{"a: {units: {b: {command: dies, restart: no, critical: true}}, restart: no}",
			"failing"},
		{"a: {units: {b: {command: dies, restart: no}}}", "passing"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char units[300];
		struct server *s;
		struct client *c;
		struct json *reply;

		(void)snprintf(units, sizeof(units), "g: {units: {%s}}", cases[i].units);
		s = server_new(units);
		s->w->story = cases[i].units;
		world_script(s->w, "late",
			(struct script){.lives = EFF_FOREVER, .ready_after = EFF_H(1)});
		world_script(s->w, "dies", (struct script){.lives = EFF_S(1), .exits = 1});
		world_script(s->w, "once", (struct script){.exits = 0});
		os_fake_port(s->w->fake, 80, 0, 0);
		world_run_for(s->w, EFF_S(2));
		os_fake_port(s->w->fake, 80, -ECONNREFUSED, 0);
		world_run_for(s->w, EFF_S(2));
		c = client_new(s);
		reply = client_ask(c, "Status", "{\"units\":[\"g\"]}");
		ck_assert_msg(
			!strcmp(reply_text(reply, "parameters.units.0.health"), cases[i].health),
			"%s: %s", cases[i].units, reply_text(reply, "parameters.units.0.health"));
		json_free(reply);
		client_free(c);
		server_free(s);
	}
}
END_TEST

/* "a db g": who of these is wanted. */
static const char *wanted_of(struct client *c)
{
	struct json *reply = client_ask(c, "Status", "{\"units\":[\"**\"]}");
	static char words[64];
	size_t n = 0;

	words[0] = '\0';
	for (const struct json *v = json_first(reply_at(reply, "parameters.units")); v;
		v = json_next(v))
		if (json_get_bool(v, "wanted", false))
			n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s",
				n ? " " : "", json_get_text(v, "name", "?"));
	json_free(reply);
	return words;
}

START_TEST(a_child_is_wanted_as_soon_as_its_group_is)
{
	struct server *s = server_new("db: {command: [slow], type: notify}\n"
				      "g: {depends_on: [db], units: {a: {command: [run]},\n"
				      "    b: {command: [run], activate: manual},\n"
				      "    c: {command: [run], enabled: false}}}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", forever);
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(5)});
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(state_name(world_state(s->w, "g")), "waiting");
	ck_assert_str_eq(wanted_of(c), "/ db g g/a");

	json_free(client_ask(c, "Stop", "{\"units\":[\"g\"]}"));
	ck_assert_str_eq(wanted_of(c), "/ db");
	json_free(client_ask(c, "Start", "{\"units\":[\"g\"],\"wait\":false}"));
	ck_assert_str_eq(wanted_of(c), "/ db g g/a");
	json_free(client_ask(c, "Stop", "{\"units\":[\"g/a\"]}"));
	ck_assert_str_eq(wanted_of(c), "/ db g");
	world_run_for(s->w, EFF_S(10));
	ck_assert_str_eq(wanted_of(c), "/ db g");
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
	ck_assert_str_eq(reply_text(reply, "parameters.waits_for.0.condition"), "started again");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

/* A unit that stops waits for nothing it needs. */
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
	struct server *s = server_shop();
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

START_TEST(show_keeps_the_environment_in_a_template_to_itself)
{
	struct server *s = server_new(
		"version: 1\nname: test\nunits:\n"
		"  a: {strategy: simple_one_for_one, template: {command: [run]}}\n"
		"  b: {strategy: simple_one_for_one, template: {command: [run], environment: {K: hidden}}}\n");
	struct client *c = client_new(s);
	struct json *reply = client_ask(c, "Show", "{\"unit\":\"a\"}");

	ck_assert_str_eq(shown(reply, "template"), "{command: [run]}");
	json_free(reply);
	reply = client_ask(c, "Show", "{\"unit\":\"b\"}");
	ck_assert_str_eq(shown(reply, "template"), "(null)");
	json_free(reply);
	reply = client_ask(c, "Show", "{\"unit\":\"b\",\"values\":true}");
	ck_assert_ptr_nonnull(strstr(shown(reply, "template"), "hidden"));
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
	tcase_add_test(tcase, a_supervisors_health_is_failing_while_a_wanted_child_is_not_well);
	tcase_add_test(tcase, a_child_is_wanted_as_soon_as_its_group_is);
	tcase_add_test(tcase, a_group_round_and_the_restarts_that_count_are_shown);
	tcase_add_test(tcase, show_tells_values_and_places_and_keeps_the_environment_to_itself);
	tcase_add_test(tcase, show_keeps_the_environment_in_a_template_to_itself);
	tcase_add_test(tcase, show_resolved_tells_what_holds_and_nothing_else);
	suite_add_tcase(suite, tcase);
	return suite;
}
