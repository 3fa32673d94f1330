/* SPDX-License-Identifier: MIT */
/* Add and Remove: what is added is told of as of a start, what is wrong with it as of a tree. */
#include <string.h>

#include <check.h>

#include "control_world.h"
#include "wire/varlink.h"

#define POOL \
	"web: {command: [run]}\n" \
	"pool: {strategy: simple_one_for_one, template: {command: [run], depends_on: [web]}}\n"
#define TREE(units) "version: 1\nname: test\nunits:\n" units

static struct server *server_with_pool(void)
{
	struct server *s = server_new(POOL);

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "bad", (struct script){.exits = 3});
	world_script(s->w, "job", (struct script){.lives = EFF_S(1), .exits = 0});
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(9)});
	world_script(s->w, "stays", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(5)});
	world_run_for(s->w, EFF_S(1));
	return s;
}

/* Ask, let so much time pass, and take the answer. */
static struct json *ask(struct client *c, const char *method, const char *parameters, eff_ns lasts)
{
	struct json *reply;

	client_call(c, method, parameters, false);
	server_turn(c->s);
	world_run_for(c->s->w, lasts);
	reply = client_reply(c);
	ck_assert_msg(reply != NULL, "no answer to %s", method);
	return reply;
}

static const char *add(struct client *c, const char *units, eff_ns lasts)
{
	char parameters[512];

	(void)snprintf(parameters, sizeof(parameters),
		"{\"supervisor\":\"pool\",\"tree\":\"units: {%s}\"}", units);
	return reply_results(ask(c, "Add", parameters, lasts));
}

START_TEST(what_is_added_is_told_of_when_it_is_up_or_has_failed)
{
	struct server *s = server_with_pool();
	struct client *c = client_new(s);

	ck_assert_str_eq(add(c, "a: {}, b: {command: bad}, m: {activate: manual}", EFF_MS(200)),
		"pool/a done up, pool/b failed backoff, pool/m done down");
	ck_assert_str_eq(add(c, "job: {command: job, type: oneshot, restart: no}", EFF_S(1)),
		"pool/job done done");
	ck_assert_ptr_null(tree_find(s->w->tree, "pool/job"));
	ck_assert_str_eq(
		reply_results(ask(c, "Add",
			"{\"supervisor\":\"pool\",\"tree\":\"units: {x: {type: notify}}\",\"wait\":false}",
			0)),
		"pool/x done starting");
	ck_assert_str_eq(reply_results(ask(c, "Add",
				 "{\"supervisor\":\"pool\",\"tree\":\"units: {y: {type: notify, command: slow}}\","
				 "\"timeout_s\":2}",
				 EFF_S(2))),
		"pool/y timeout starting");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(what_cannot_be_added_is_an_error_of_its_own_and_adds_nothing)
{
	struct server *s = server_with_pool();
	struct client *c = client_new(s);
	struct json *reply;

	ck_assert_str_eq(add(c, "a: {}", EFF_MS(200)), "pool/a done up");
	reply = ask(c, "Add", "{\"supervisor\":\"pool\",\"tree\":\"units: {b: {}, a: {}}\"}", 0);
	ck_assert_str_eq(reply_text(reply, "parameters.unit"), "pool/a");
	ck_assert_str_eq(reply_error(reply), "UnitExists");
	reply = ask(c, "Add",
		"{\"supervisor\":\"pool\",\"tree\":\"units:\\n  b: {comand: x}\\n  c: {umask: 3}\\n\","
		"\"file\":\"/my/file.yaml\"}",
		0);
	ck_assert_str_eq(reply_text(reply, "parameters.diagnostics.0.file"), "/my/file.yaml");
	ck_assert_int_eq(json_get_int(reply_at(reply, "parameters.diagnostics.0"), "line", 0), 2);
	ck_assert_int_eq(json_get_int(reply_at(reply, "parameters.diagnostics.1"), "line", 0), 3);
	ck_assert_ptr_null(reply_at(reply, "parameters.diagnostics.2"));
	ck_assert_str_eq(reply_error(reply), "InvalidTree");
	ck_assert_str_eq(reply_error(ask(c, "Add", "{\"supervisor\":\"web\",\"tree\":\"\"}", 0)),
		"NotDynamic");
	ck_assert_str_eq(reply_error(ask(c, "Add", "{\"supervisor\":\"wbe\",\"tree\":\"\"}", 0)),
		"NoSuchUnit");
	ck_assert_str_eq(reply_error(ask(c, "Add",
				 "{\"supervisor\":\"pool\",\"tree\":\"\",\"file\":\"x.yaml\"}", 0)),
		"org.varlink.service.InvalidParameter");
	world_stop(s->w, "pool");
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(reply_error(ask(c, "Add",
				 "{\"supervisor\":\"pool\",\"tree\":\"units: {z: {}}\"}", 0)),
		"NotRunning");
	ck_assert_str_eq(world_units(s->w), "web pool");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_file_without_a_name_stands_in_the_folder_of_the_tree)
{
	struct server *s = server_with_pool();
	struct client *c = client_new(s);

	ck_assert_str_eq(add(c, "a: {}", EFF_MS(200)), "pool/a done up");
	ck_assert_str_eq(world_unit(s->w, "pool/a")->spec->working_dir, "/world");
	ck_assert_str_eq(world_unit(s->w, "pool/a")->spec->at.file, "/world/added");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(what_is_added_is_a_unit_like_any_other)
{
	struct server *s = server_with_pool();
	struct client *c = client_new(s);
	struct json *reply;

	(void)add(c, "a: {labels: {of: me}}", EFF_MS(200));
	reply = ask(c, "Status", "{\"units\":[\"of=me\"]}", 0);
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.name"), "pool/a");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.depends_on.0"), "web");
	json_free(reply);
	reply = ask(c, "Explain", "{\"unit\":\"pool/a\"}", 0);
	ck_assert_str_eq(reply_text(reply, "parameters.state"), "up");
	json_free(reply);
	ck_assert_str_eq(reply_results(ask(c, "Stop", "{\"units\":[\"web\"]}", EFF_MS(200))),
		"pool/a done waiting, web done down");
	ck_assert_str_eq(reply_results(ask(c, "Start", "{\"units\":[\"pool/a\"]}", EFF_MS(200))),
		"web done up, pool/a done up");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(what_rests_is_removed_and_what_runs_with_now)
{
	struct server *s = server_with_pool();
	struct client *c = client_new(s);
	struct json *reply;

	(void)add(c, "a: {}, b: {command: stays}, c: {after: [b]}", EFF_MS(200));
	reply = ask(c, "Remove", "{\"units\":[\"pool/a\"]}", 0);
	ck_assert_str_eq(reply_text(reply, "parameters.state"), "up");
	ck_assert_str_eq(reply_error(reply), "UnitRunning");
	reply = ask(c, "Remove", "{\"units\":[\"web\"],\"now\":true}", 0);
	ck_assert_ptr_nonnull(strstr(reply_text(reply, "parameters.text"), "take it out there"));
	ck_assert_str_eq(reply_error(reply), "NotDynamic");
	ck_assert_str_eq(reply_error(ask(c, "Remove", "{\"units\":[]}", 0)),
		"org.varlink.service.InvalidParameter");
	reply = ask(c, "Remove", "{\"units\":[\"pool/b\"],\"now\":true}", 0);
	ck_assert_str_eq(reply_text(reply, "parameters.by"), "pool/c");
	ck_assert_str_eq(reply_error(reply), "UnitNamed");
	world_stop(s->w, "pool/a");
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(reply_results(ask(c, "Remove", "{\"units\":[\"pool/a\"]}", 0)),
		"pool/a done down");
	ck_assert_str_eq(
		reply_results(ask(c, "Remove", "{\"units\":[\"pool/**\"],\"now\":true}", 0)),
		"pool/b done down, pool/c done down");
	ck_assert_str_eq(world_units(s->w), "web pool");
	ck_assert_str_eq(reply_error(ask(c, "Logs", "{\"units\":[\"pool/a\"]}", 0)),
		"org.varlink.service.ExpectedMore");
	ck_assert_str_eq(reply_error(ask(c, "Status", "{\"units\":[\"pool/a\"]}", 0)), "NoSuchUnit");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_removal_is_answered_when_all_of_it_is_gone)
{
	struct server *s = server_with_pool();
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "hard",
		(struct script){
			.lives = EFF_FOREVER, .ignores_term = true, .unkillable_for = EFF_S(3)});
	(void)add(c, "a: {command: hard}", EFF_MS(200));
	client_call(c, "Remove", "{\"units\":[\"pool/a\"],\"now\":true}", false);
	server_turn(s);
	world_run_for(s->w, EFF_MS(2900));
	ck_assert_ptr_null(client_reply(c));
	world_run_for(s->w, EFF_MS(100));
	reply = client_reply(c);
	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(reply_results(reply), "pool/a done down");

	/* One that does not end is said to be there still; it is forgotten when it does. */
	world_script(s->w, "hard",
		(struct script){
			.lives = EFF_FOREVER, .ignores_term = true, .unkillable_for = EFF_S(60)});
	(void)add(c, "a: {command: hard}", EFF_MS(200));
	ck_assert_str_eq(
		reply_results(ask(c, "Remove", "{\"units\":[\"pool/a\"],\"now\":true}", EFF_S(5))),
		"pool/a failed stopping");
	world_run_for(s->w, EFF_S(60));
	ck_assert(eff_list_empty(&s->w->tree->graveyard));
	client_free(c);
	server_free(s);
}
END_TEST

static void remove_a(struct server *s)
{
	s->meanwhile = NULL;
	ck_assert_int_eq(world_remove(s->w, "pool/a", true), 0);
}

static void stop_pool(struct server *s)
{
	s->meanwhile = NULL;
	world_stop(s->w, "pool");
}

START_TEST(what_goes_while_another_is_added_stays_away)
{
	struct server *s = server_with_pool();
	struct client *c = client_new(s);

	(void)add(c, "a: {}, b: {}", EFF_MS(200));
	s->meanwhile = remove_a;
	ck_assert_str_eq(add(c, "d: {}", EFF_MS(200)), "pool/d done up");
	ck_assert_str_eq(world_units(s->w), "web pool pool/b pool/d");
	s->meanwhile = stop_pool;
	ck_assert_str_eq(add(c, "e: {}", EFF_S(1)), "org.effd.Control.NotRunning");
	ck_assert_str_eq(world_units(s->w), "web pool");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(who_waits_for_one_that_is_removed_is_told)
{
	struct server *s = server_with_pool();
	struct client *c = client_new(s), *other = client_new(s);
	struct json *reply;

	(void)add(c, "a: {}", EFF_MS(200));
	client_call(other, "Wait", "{\"units\":[\"pool/a\"],\"for\":\"failed\"}", true);
	server_turn(s);
	ck_assert_str_eq(
		reply_results(ask(c, "Remove", "{\"units\":[\"pool/a\"],\"now\":true}", 0)),
		"pool/a done down");
	reply = client_reply(other);
	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(reply_error(reply), "NoSuchUnit");
	client_free(other);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(what_ends_well_and_its_supervisor_with_it_is_done)
{
	struct server *s = server_new(
		"pool: {strategy: simple_one_for_one, auto_shutdown: any, restart: no,\n"
		"  template: {command: [run], restart: on-failure}}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "job", (struct script){.lives = EFF_S(1), .exits = 0});
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(9)});
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(add(c, "a: {}", EFF_MS(200)), "pool/a done up");
	/* What had not come so far when it was forgotten is told as such. */
	client_call(c, "Add",
		"{\"supervisor\":\"pool\",\"tree\":\"units: {job: {command: job, type: oneshot, "
		"significant: true}, late: {command: slow, type: notify}}\"}",
		false);
	server_turn(s);
	world_run_for(s->w, EFF_S(1));
	reply = client_reply(c);
	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.cause.kind"), "exit");
	ck_assert_str_eq(reply_results(reply), "pool/job done done, pool/late superseded down");
	EXPECT_STATE(s->w, "pool", "done");
	ck_assert_str_eq(world_units(s->w), "pool");
	ck_assert(eff_list_empty(&s->w->tree->graveyard));
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_reload_keeps_what_was_added_and_a_plan_says_what_a_new_template_does_to_it)
{
	struct server *s = server_with_pool();
	struct client *c = client_new(s);
	struct json *reply;

	(void)add(c, "a: {}, b: {command: [run, own]}", EFF_MS(200));
	s->document = TREE(
		"  web: {command: [run]}\n"
		"  pool: {strategy: simple_one_for_one, template: {command: [run, two]}}\n");
	reply = ask(c, "Plan", NULL, 0);
	ck_assert_str_eq(reply_text(reply, "parameters.changes.0.unit"), "pool");
	ck_assert_str_eq(reply_text(reply, "parameters.changes.0.action"), "live");
	ck_assert_str_eq(reply_text(reply, "parameters.changes.0.fields.0"), "template");
	ck_assert_str_eq(reply_text(reply, "parameters.changes.1.unit"), "pool/a");
	ck_assert_str_eq(reply_text(reply, "parameters.changes.1.action"), "restart");
	ck_assert_str_eq(reply_text(reply, "parameters.changes.2.unit"), "pool/b");
	ck_assert_str_eq(reply_text(reply, "parameters.changes.2.action"), "live");
	json_free(reply);
	json_free(ask(c, "Reload", NULL, EFF_MS(200)));
	ck_assert_str_eq(world_units(s->w), "web pool pool/a pool/b");
	ck_assert_str_eq(world_unit(s->w, "pool/a")->spec->argv[1], "two");
	/* One that the new tree has no place for is an error at its own text. */
	(void)add(c, "d: {depends_on: [web]}", EFF_MS(200));
	s->document = TREE("  pool: {strategy: simple_one_for_one, template: {command: [run]}}\n");
	reply = ask(c, "Reload", NULL, 0);
	ck_assert_str_eq(reply_text(reply, "parameters.diagnostics.0.code"), "E301");
	ck_assert_str_eq(reply_text(reply, "parameters.diagnostics.0.file"), "/world/added");
	ck_assert_str_eq(reply_error(reply), "InvalidTree");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(readers_may_neither_add_nor_remove)
{
	ck_assert_int_eq(method_row(METHOD_ADD)->who, METHOD_OWNERS);
	ck_assert_int_eq(method_row(METHOD_REMOVE)->who, METHOD_OWNERS);
}
END_TEST

/* They are known by their common name. */
START_TEST(nothing_is_added_to_replicas)
{
	struct server *s = server_new("web: {command: [run], replicas: 2}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	server_turn(s);
	ck_assert_str_eq(reply_error(ask(c, "Add",
				 "{\"supervisor\":\"web\",\"tree\":\"units: {a: {}}\"}", 0)),
		"NotDynamic");
	client_free(c);
	server_free(s);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("m_add");
	TCase *tcase = tcase_create("m_add");

	test_leak_guard(tcase);
	tcase_add_test(tcase, what_is_added_is_told_of_when_it_is_up_or_has_failed);
	tcase_add_test(tcase, what_cannot_be_added_is_an_error_of_its_own_and_adds_nothing);
	tcase_add_test(tcase, a_file_without_a_name_stands_in_the_folder_of_the_tree);
	tcase_add_test(tcase, what_is_added_is_a_unit_like_any_other);
	tcase_add_test(tcase, what_rests_is_removed_and_what_runs_with_now);
	tcase_add_test(tcase, a_removal_is_answered_when_all_of_it_is_gone);
	tcase_add_test(tcase, what_goes_while_another_is_added_stays_away);
	tcase_add_test(tcase, who_waits_for_one_that_is_removed_is_told);
	tcase_add_test(tcase, what_ends_well_and_its_supervisor_with_it_is_done);
	tcase_add_test(tcase,
		a_reload_keeps_what_was_added_and_a_plan_says_what_a_new_template_does_to_it);
	tcase_add_test(tcase, readers_may_neither_add_nor_remove);
	tcase_add_test(tcase, nothing_is_added_to_replicas);
	suite_add_tcase(suite, tcase);
	return suite;
}
