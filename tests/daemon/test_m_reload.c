/* SPDX-License-Identifier: MIT */
/* Plan and Reload: what would change, and that only it does. */
#include <errno.h>
#include <signal.h>

#include <check.h>

#include "control_world.h"

#define TREE(units) "version: 1\nname: test\nunits:\n" units

static struct server *server_with_web(void)
{
	struct server *s = server_new("web: {command: [run]}\n");

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "new", (struct script){.lives = EFF_FOREVER});
	s->document = TREE("  web: {command: [run]}\n");
	server_turn(s);
	return s;
}

/* "web restart command; db start". Frees the reply. */
static const char *changes(struct json *reply)
{
	static char words[512];
	size_t n = 0;

	words[0] = '\0';
	ck_assert_str_eq(json_get_text(reply, "error", ""), "");
	for (const struct json *v = json_first(reply_at(reply, "parameters.changes")); v;
		v = json_next(v)) {
		n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s %s", n ? "; " : "",
			json_get_text(v, "unit", "?"), json_get_text(v, "action", "?"));
		for (const struct json *f = json_first(json_get(v, "fields")); f; f = json_next(f))
			if (strcmp(json_get_text(v, "action", ""), "start") != 0)
				n += (size_t)snprintf(
					words + n, sizeof(words) - n, " %s", json_as_text(f));
	}
	json_free(reply);
	return words;
}

START_TEST(a_plan_says_what_would_change_and_changes_nothing)
{
	struct server *s = server_with_web();
	struct client *c = client_new(s);

	ck_assert_str_eq(changes(client_ask(c, "Plan", NULL)), "");
	s->document = TREE("  web: {command: [new]}\n  db: {command: [run]}\n");
	ck_assert_str_eq(changes(client_ask(c, "Plan", NULL)), "web restart command; db start");
	world_run_for(s->w, EFF_S(1));
	ck_assert_uint_eq(world_unit(s->w, "web")->starts, 1);
	ck_assert_uint_eq(s->w->tree->n_units, 2);
	s->document = TREE("  web: {command: [run]}\n  one: {shell: run, enabled: false}\n");
	for (int i = 0; i < 2; i++) {
		struct json *reply = client_ask(c, i ? "Reload" : "Plan", NULL);
		const struct json *warnings = reply_at(reply, "parameters.diagnostics");

		ck_assert_str_eq(json_get_text(json_first(warnings), "code", "?"), "W405");
		json_free(reply);
	}
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_unit_that_moved_or_was_renamed_is_told_to_be_two)
{
	struct server *s = server_with_web();
	struct client *c = client_new(s);
	struct json *reply;

	s->document = TREE("  g: {units: {web: {command: [run]}}}\n");
	reply = client_ask(c, "Plan", NULL);
	ck_assert_str_eq(reply_text(reply, "parameters.changes.0.unit"), "web");
	ck_assert_str_eq(reply_text(reply, "parameters.changes.0.action"), "stop");
	ck_assert_str_eq(reply_text(reply, "parameters.changes.0.moved_to"), "g/web");
	ck_assert_str_eq(reply_text(reply, "parameters.changes.0.text"),
		"moved from web to g/web: stopped and started");
	ck_assert_str_eq(reply_text(reply, "parameters.changes.1.unit"), "g");
	ck_assert_ptr_null(reply_at(reply, "parameters.changes.1.text"));
	ck_assert_str_eq(reply_text(reply, "parameters.changes.2.moved_from"), "web");
	ck_assert_str_eq(reply_text(reply, "parameters.changes.2.text"),
		"moved from web to g/web: stopped and started");
	json_free(reply);

	/* One that nobody starts does not start. */
	s->document = TREE("  site: {command: [run], activate: manual}\n");
	reply = client_ask(c, "Plan", NULL);
	ck_assert_ptr_null(reply_at(reply, "parameters.changes.0.text"));
	json_free(reply);
	s->document = TREE("  g: {activate: manual, units: {web: {command: [run]}}}\n");
	reply = client_ask(c, "Plan", NULL);
	ck_assert_str_eq(reply_text(reply, "parameters.changes.0.text"),
		"moved from web to g/web: stopped, and not started");
	ck_assert_str_eq(reply_text(reply, "parameters.changes.2.action"), "live");
	ck_assert_str_eq(reply_text(reply, "parameters.changes.2.text"),
		"moved from web to g/web: stopped, and not started");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_reload_is_answered_when_it_is_done)
{
	struct server *s = server_new("web: {command: [slow]}\nold: {command: [run]}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(3)});
	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	server_turn(s);
	s->document = TREE("  web: {command: [run]}\n  db: {command: [run]}\n");
	client_call(c, "Reload", NULL, false);
	server_turn(s);
	world_run_for(s->w, EFF_S(2));
	ck_assert_ptr_null(client_reply(c));
	world_run_for(s->w, EFF_S(2));
	reply = client_reply(c);

	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(changes(reply), "old stop; web restart command; db start");
	ck_assert_uint_eq(world_unit(s->w, "web")->starts, 2);
	ck_assert_str_eq(state_name(world_state(s->w, "db")), "up");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_bad_tree_is_told_with_its_places_and_changes_nothing)
{
	struct server *s = server_with_web();
	struct client *c = client_new(s);
	struct json *reply;

	s->document = TREE("  web: {comand: [new]}\n");
	for (int i = 0; i < 2; i++) {
		reply = client_ask(c, i ? "Reload" : "Plan", NULL);
		ck_assert_str_eq(reply_text(reply, "parameters.diagnostics.0.severity"), "error");
		ck_assert_int_eq(
			json_get_int(reply_at(reply, "parameters.diagnostics.0"), "line", 0), 4);
		ck_assert_str_eq(reply_error(reply), "InvalidTree");
	}
	world_run_for(s->w, EFF_S(1));
	ck_assert_uint_eq(world_unit(s->w, "web")->starts, 1);
	client_free(c);
	server_free(s);
}
END_TEST

#define DAEMON(values) \
	"version: 1\nname: test\ndaemon: {" values "}\nunits:\n  web: {command: [run]}\n"

/* Whatever was taken over meanwhile: what it goes by is what it was started with. */
START_TEST(what_waits_for_the_next_start_of_effd_is_told_until_then)
{
	struct server *s = server_with_web();
	struct client *c = client_new(s);
	const char *waits = "/ effd daemon.state_dir";

	s->document = DAEMON("state_dir: /s, watch: true");
	ck_assert_str_eq(changes(client_ask(c, "Plan", NULL)),
		"/ effd daemon.state_dir; / live daemon.watch");
	ck_assert_str_eq(changes(client_ask(c, "Reload", NULL)),
		"/ effd daemon.state_dir; / live daemon.watch");
	ck_assert_str_eq(changes(client_ask(c, "Plan", NULL)), waits);
	ck_assert_str_eq(changes(client_ask(c, "Reload", NULL)), waits);
	s->document = DAEMON("state_dir: /t, watch: true, log_dir: /l");
	ck_assert_str_eq(changes(client_ask(c, "Reload", NULL)),
		"/ effd daemon.log_dir daemon.state_dir");
	s->document = TREE("  web: {command: [run]}\n");
	ck_assert_str_eq(changes(client_ask(c, "Plan", NULL)), "/ live daemon.watch");
	ck_assert_str_eq(changes(client_ask(c, "Reload", NULL)), "/ live daemon.watch");
	ck_assert_str_eq(changes(client_ask(c, "Plan", NULL)), "");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_reload_by_plan_is_refused_when_anything_changed_since)
{
	struct server *s = server_with_web();
	struct client *c = client_new(s);
	char parameters[128];
	struct json *reply;

	s->document = TREE("  web: {command: [new]}\n");
	reply = client_ask(c, "Plan", NULL);
	(void)snprintf(parameters, sizeof(parameters), "{\"plan\":\"%s\"}",
		reply_text(reply, "parameters.id"));
	json_free(reply);
	s->document = TREE("  web: {command: [new, faster]}\n");
	reply = client_ask(c, "Reload", parameters);
	(void)snprintf(parameters, sizeof(parameters), "{\"plan\":\"%s\"}",
		reply_text(reply, "parameters.id"));
	ck_assert_str_eq(reply_error(reply), "PlanChanged");
	ck_assert_uint_eq(world_unit(s->w, "web")->starts, 1);

	client_call(c, "Reload", parameters, false);
	server_turn(s);
	world_run_for(s->w, EFF_S(1));
	reply = client_reply(c);
	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(changes(reply), "web restart command");
	/* It is of the whole tree, and nothing that a unit's own reload could be held to. */
	ck_assert_str_eq(
		reply_error(client_ask(c, "Reload", "{\"units\":[\"web\"],\"plan\":\"x\"}")),
		"org.varlink.service.InvalidParameter");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_client_that_goes_away_does_not_end_the_reload)
{
	struct server *s = server_new("web: {command: [slow]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(3)});
	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	server_turn(s);
	s->document = TREE("  web: {command: [run]}\n");
	client_call(c, "Reload", NULL, false);
	server_turn(s);
	client_free(c);
	world_run_for(s->w, EFF_S(10));

	ck_assert_uint_eq(world_unit(s->w, "web")->starts, 2);
	ck_assert_str_eq(state_name(world_state(s->w, "web")), "up");
	ck_assert(!s->w->tree->reloading);
	server_free(s);
}
END_TEST

START_TEST(a_second_reload_waits_for_the_first)
{
	struct server *s = server_new("web: {command: [slow]}\n");
	struct client *first = client_new(s), *second = client_new(s);
	struct json *reply;

	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(3)});
	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	server_turn(s);
	s->document = TREE("  web: {command: [run]}\n");
	client_call(first, "Reload", NULL, false);
	server_turn(s);
	s->document = TREE("  web: {command: [run]}\n  db: {command: [run]}\n");
	client_call(second, "Reload", NULL, false);
	server_turn(s);
	ck_assert_uint_eq(s->w->tree->n_units, 2);
	world_run_for(s->w, EFF_S(10));
	reply = client_reply(first);
	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(changes(reply), "web restart command");
	reply = client_reply(second);
	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(changes(reply), "db start");
	client_free(first);
	client_free(second);
	server_free(s);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("m_reload");
	TCase *tcase = tcase_create("reload");

	test_leak_guard(tcase);
	tcase_add_test(tcase, a_plan_says_what_would_change_and_changes_nothing);
	tcase_add_test(tcase, a_unit_that_moved_or_was_renamed_is_told_to_be_two);
	tcase_add_test(tcase, a_reload_is_answered_when_it_is_done);
	tcase_add_test(tcase, a_bad_tree_is_told_with_its_places_and_changes_nothing);
	tcase_add_test(tcase, what_waits_for_the_next_start_of_effd_is_told_until_then);
	tcase_add_test(tcase, a_reload_by_plan_is_refused_when_anything_changed_since);
	tcase_add_test(tcase, a_client_that_goes_away_does_not_end_the_reload);
	tcase_add_test(tcase, a_second_reload_waits_for_the_first);
	suite_add_tcase(suite, tcase);
	return suite;
}
