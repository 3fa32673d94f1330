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

START_TEST(a_units_own_reload_is_its_signal_or_is_refused)
{
	struct server *s = server_new(
		"web: {command: [run], reload: {signal: HUP}}\ndb: {command: [run]}\n"
		"rests: {command: [run], reload: {signal: HUP}, activate: manual}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER, .notes = 1ULL << SIGHUP});
	server_turn(s);
	client_call(c, "Reload", "{\"units\":[\"web\",\"db\",\"rests\"]}", false);
	ck_assert_str_eq(reply_results(client_reply(c)),
		"web done up, db refused up, rests refused down");
	ck_assert_ptr_nonnull(strstr(world_trace(s->w, "web"), "HUP"));
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_units_own_reload_that_takes_too_long_says_no_more)
{
	struct server *s = server_new("web: {command: [run], reload: {command: [slow]}}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .helper = true});
	server_turn(s);
	client_call(c, "Reload", "{\"units\":[\"web\"],\"timeout_s\":1}", false);
	world_run_for(s->w, EFF_S(2));
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.outcome"), "timeout");
	ck_assert_int_eq(json_type(reply_at(reply, "parameters.units.0.cause")), JSON_NULL);
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(units_reload_at_once_and_are_told_in_the_order_asked_for)
{
	struct server *s = server_new("web: {command: [run], reload: {command: [slow]}}\n"
				      "db: {command: [run], reload: {command: [slow]}}\n"
				      "mail: {command: [run], reload: {signal: HUP}}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER, .notes = 1ULL << SIGHUP});
	world_script(s->w, "slow", (struct script){.lives = EFF_S(2), .helper = true});
	server_turn(s);
	client_call(c, "Reload", "{\"units\":[\"mail\",\"db\",\"web\"],\"timeout_s\":3}", false);
	world_run_for(s->w, EFF_S(1));
	ck_assert_uint_eq(os_fake_live(s->w->fake, NULL), 3 + 2);
	ck_assert_ptr_nonnull(strstr(world_trace(s->w, "mail"), "HUP"));
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(reply_results(client_reply(c)), "mail done up, db done up, web done up");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_units_own_reload_is_begun_without_a_wait)
{
	struct server *s = server_new(
		"web: {command: [run], reload: {command: [slow]}}\ndb: {command: [run]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "slow", (struct script){.lives = EFF_S(2), .helper = true});
	server_turn(s);
	client_call(c, "Reload", "{\"units\":[\"web\",\"db\"],\"wait\":false}", false);
	ck_assert_str_eq(reply_results(client_reply(c)), "web done up, db refused up");
	world_run_for(s->w, EFF_S(1));
	ck_assert_uint_eq(os_fake_live(s->w->fake, NULL), 2 + 1);
	world_run_for(s->w, EFF_S(2));
	ck_assert_uint_eq(os_fake_live(s->w->fake, NULL), 2);
	client_free(c);
	server_free(s);
}
END_TEST

/* It is not forgotten in the answer. */
START_TEST(a_unit_that_is_taken_away_while_it_reloads_is_told_of)
{
	struct server *s = server_new("web: {command: [run], reload: {command: [slow]}}\n"
				      "db: {command: [run]}\n");
	struct client *c = client_new(s), *other = client_new(s);

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .helper = true});
	server_turn(s);
	client_call(c, "Reload", "{\"units\":[\"web\"]}", false);
	world_run_for(s->w, EFF_S(1));
	s->document = TREE("  db: {command: [run]}\n");
	client_call(other, "Reload", "{}", false);
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(reply_results(client_reply(c)), "web failed down");
	json_free(client_reply(other));
	ck_assert_uint_eq(os_fake_live(s->w->fake, NULL), 1);
	client_free(c);
	client_free(other);
	server_free(s);
}
END_TEST

/* And with what it printed, but nothing of earlier runs of the unit. */
START_TEST(a_reload_command_that_fails_is_told_of)
{
	static const struct script fails[] = {
		{.exec_error = ENOENT, .helper = true},
		{.exits = 3, .prints = "bad config\n", .helper = true},
		{.dies_by = SIGABRT, .helper = true},
	};
	static const char *const texts[] = {
		"its reload command cannot be executed: exec: ENOENT (No such file or directory): ",
		"its reload command failed: exit 3", "its reload command failed: SIGABRT"};
	struct server *s = server_new("web: {command: [run], reload: {command: [fails]}}\n");
	struct client *c = client_new(s);
	struct json *reply;
	const char *text;

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "fails", fails[_i]);
	server_turn(s);
	client_call(c, "Reload", "{\"units\":[\"web\"]}", false);
	world_run_for(s->w, EFF_S(1));
	reply = client_reply(c);
	text = reply_text(reply, "parameters.units.0.cause.text");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.outcome"), "failed");
	ck_assert_msg(!strncmp(text, texts[_i], strlen(texts[_i])), "%s", text);
	ck_assert_int_eq(json_count(reply_at(reply, "parameters.units.0.output")), _i == 1);
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

/* It says RELOADING=1, and no more. */
START_TEST(a_unit_that_does_not_say_that_it_has_reloaded_is_told_of)
{
	struct server *s = server_new("web: {command: [run], type: notify, start_timeout: 5s,"
				      " reload: {command: [says]}}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "says", (struct script){.lives = EFF_S(1), .helper = true});
	server_turn(s);
	client_call(c, "Reload", "{\"units\":[\"web\"]}", false);
	server_turn(s);
	os_fake_notify(s->w->fake, "web", "RELOADING=1");
	world_run_for(s->w, EFF_S(7));
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.cause.text"),
		"it has not said in time that it has reloaded");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_units_own_reload_ends_with_its_run)
{
	struct server *s = server_new("web: {command: [run], reload: {command: [slow]}}\n");
	struct client *c = client_new(s), *other = client_new(s);
	struct json *reply;

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .helper = true});
	server_turn(s);
	client_call(c, "Reload", "{\"units\":[\"web\"]}", false);
	world_run_for(s->w, EFF_S(1));
	ck_assert_uint_eq(os_fake_live(s->w->fake, NULL), 2);
	client_call(other, "Stop", "{\"units\":[\"web\"]}", false);
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(reply_results(client_reply(other)), "web done down");
	ck_assert_uint_eq(os_fake_live(s->w->fake, NULL), 0);
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.outcome"), "failed");
	ck_assert_str_eq(
		reply_text(reply, "parameters.units.0.cause.text"), "it has ended meanwhile");
	json_free(reply);
	client_free(c);
	client_free(other);
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
	tcase_add_test(tcase, a_reload_by_plan_is_refused_when_anything_changed_since);
	tcase_add_test(tcase, a_client_that_goes_away_does_not_end_the_reload);
	tcase_add_test(tcase, a_second_reload_waits_for_the_first);
	tcase_add_test(tcase, a_units_own_reload_is_its_signal_or_is_refused);
	tcase_add_test(tcase, a_units_own_reload_that_takes_too_long_says_no_more);
	tcase_add_test(tcase, units_reload_at_once_and_are_told_in_the_order_asked_for);
	tcase_add_test(tcase, a_units_own_reload_is_begun_without_a_wait);
	tcase_add_test(tcase, a_unit_that_is_taken_away_while_it_reloads_is_told_of);
	tcase_add_loop_test(tcase, a_reload_command_that_fails_is_told_of, 0, 3);
	tcase_add_test(tcase, a_unit_that_does_not_say_that_it_has_reloaded_is_told_of);
	tcase_add_test(tcase, a_units_own_reload_ends_with_its_run);
	suite_add_tcase(suite, tcase);
	return suite;
}
