/* SPDX-License-Identifier: MIT */
/* The id of a plan: a reload by it does what the plan has said, or, when anything has changed since, nothing. */
#include <check.h>

#include "control_world.h"

#define TREE(units) \
	"version: 1\nname: test\ndaemon: {state_dir: /b}\nunits:\n" \
	"  pool: {strategy: simple_one_for_one, template: {command: [run]}}\n" units
#define WEB "  web: {command: [new], env_file: env, stop: {timeout: 3s}}\n"
#define REST "  c: {command: [run]}\n  a: {command: [run]}\n  b: {command: [run]}\n"

/* What happens between the plan and the reload: the files are others, or somebody has a word with effd. */
static const struct meanwhile {
	const char *what, *document, *env, *method, *parameters;
	bool is_nothing;
} meanwhile[] = {
	{"nothing", TREE(WEB REST), "A=1\n", NULL, NULL, true},
	{"a comment", "# nothing\n" TREE(WEB REST), "A=1\n# nothing\n", NULL, NULL, true},
	{"a look", TREE(WEB REST), "A=1\n", "Status", NULL, true},
	{"a field of the program",
		TREE("  web: {command: [new, x], env_file: env, stop: {timeout: 3s}}\n" REST),
		"A=1\n", NULL, NULL, false},
	{"a live field", TREE("  web: {command: [new], env_file: env, stop: {timeout: 4s}}\n" REST),
		"A=1\n", NULL, NULL, false},
	{"a file of the environment", TREE(WEB REST), "A=2\n", NULL, NULL, false},
	{"effd's own",
		"version: 1\nname: test\ndaemon: {state_dir: /c}\nunits:\n"
		"  pool: {strategy: simple_one_for_one, template: {command: [run]}}\n" WEB REST,
		"A=1\n", NULL, NULL, false},
	{"the order",
		TREE(WEB "  b: {command: [run]}\n  a: {command: [run]}\n  c: {command: [run]}\n"),
		"A=1\n", NULL, NULL, false},
	{"another unit", TREE(WEB REST "  d: {command: [run]}\n"), "A=1\n", NULL, NULL, false},
	{"one unit less", TREE(WEB "  a: {command: [run]}\n  b: {command: [run]}\n"), "A=1\n",
		NULL, NULL, false},
	{"a template",
		"version: 1\nname: test\ndaemon: {state_dir: /b}\nunits:\n"
		"  pool: {strategy: simple_one_for_one, template: {command: [run, x]}}\n" WEB REST,
		"A=1\n", NULL, NULL, false},
	{"a stop", TREE(WEB REST), "A=1\n", "Stop", "{\"units\":[\"a\"]}", false},
	{"an addition", TREE(WEB REST), "A=1\n", "Add",
		"{\"supervisor\":\"pool\",\"tree\":\"units: {two: {}}\"}", false},
	{"a removal", TREE(WEB REST), "A=1\n", "Remove",
		"{\"units\":[\"pool/one\"],\"now\":true}", false},
	{"a reload", TREE(WEB REST), "A=1\n", "Reload", NULL, false},
};

static void ask_and_forget(struct client *c, const char *method, const char *parameters)
{
	struct json *reply;

	client_call(c, method, parameters, false);
	server_turn(c->s);
	world_run_for(c->s->w, EFF_S(1));
	reply = client_reply(c);
	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(reply_error(reply), "");
}

START_TEST(a_reload_by_a_plan_is_refused_after_any_change_and_after_no_other)
{
	const struct meanwhile *m = &meanwhile[_i];
	struct server *s = server_new(
		"version: 1\nname: test\ndaemon: {state_dir: /a}\nunits:\n"
		"  pool: {strategy: simple_one_for_one, template: {command: [run]}}\n"
		"  web: {command: [run]}\n  a: {command: [run]}\n  b: {command: [run]}\n  c: {command: [run]}\n");
	struct client *c = client_new(s);
	char parameters[128];
	struct json *reply;
	uint64_t starts;

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "new", (struct script){.lives = EFF_FOREVER});
	server_turn(s);
	ask_and_forget(c, "Add", "{\"supervisor\":\"pool\",\"tree\":\"units: {one: {}}\"}");
	s->document = TREE(WEB REST);
	s->env = "A=1\n";
	reply = client_ask(c, "Plan", NULL);
	(void)snprintf(parameters, sizeof(parameters), "{\"plan\":\"%s\"}",
		reply_text(reply, "parameters.id"));
	json_free(reply);

	s->document = m->document;
	s->env = m->env;
	if (m->method)
		ask_and_forget(c, m->method, m->parameters);
	starts = world_unit(s->w, "web")->starts;
	client_call(c, "Reload", parameters, false);
	server_turn(s);
	world_run_for(s->w, EFF_S(1));
	reply = client_reply(c);
	ck_assert_ptr_nonnull(reply);
	ck_assert_msg(strcmp(reply_error(reply), m->is_nothing ? "" : "PlanChanged") == 0,
		"after %s", m->what);
	ck_assert_uint_eq(world_unit(s->w, "web")->starts, starts + m->is_nothing);
	client_free(c);
	server_free(s);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("plan_id");
	TCase *tcase = tcase_create("plan_id");

	test_leak_guard(tcase);
	tcase_add_loop_test(tcase, a_reload_by_a_plan_is_refused_after_any_change_and_after_no_other,
		0, (int)(sizeof(meanwhile) / sizeof(meanwhile[0])));
	suite_add_tcase(suite, tcase);
	return suite;
}
