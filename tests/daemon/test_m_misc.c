/* SPDX-License-Identifier: MIT */
/* Signal, Shutdown, Version, Schema. */
#include <signal.h>
#include <stdlib.h>

#include <check.h>

#include "control/schema.h"
#include "control_world.h"

START_TEST(a_signal_goes_to_the_main_process)
{
	struct server *s = server_new("web: {command: [run]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER, .notes = 1ULL << SIGUSR1});
	server_turn(s);
	ck_assert_str_eq(
		reply_results(client_ask(c, "Signal", "{\"signal\":\"usr1\",\"units\":[\"web\"]}")),
		"org.varlink.service.InvalidParameter");
	ck_assert_str_eq(
		reply_results(client_ask(c, "Signal", "{\"signal\":\"USR1\",\"units\":[\"web\"]}")),
		"web done up");
	ck_assert_ptr_nonnull(strstr(world_trace(s->w, "web"), "USR1@main"));
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_supervisor_stands_for_what_runs_below_it)
{
	struct server *s = server_new(
		"g:\n  units:\n    a: {command: [run]}\n    b: {command: [run], activate: manual}\n"
		"    f: {fiber: idle}\nw: {command: [run]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER, .notes = 1ULL << SIGHUP});
	server_turn(s);
	ck_assert_str_eq(
		reply_results(client_ask(c, "Signal", "{\"signal\":\"HUP\",\"units\":[\"g\"]}")),
		"g/a done up");
	/* Who is named must be there. */
	ck_assert_str_eq(reply_results(client_ask(
				 c, "Signal", "{\"signal\":\"1\",\"units\":[\"g/b\",\"w\"]}")),
		"g/b refused down, w done up");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_signal_that_nobody_can_get_is_refused_with_the_reason)
{
	struct server *s = server_new(
		"g:\n  units:\n    b: {command: [run], activate: manual}\nf: {fiber: idle}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	server_turn(s);
	ck_assert_str_eq(
		reply_results(client_ask(c, "Signal", "{\"signal\":\"HUP\",\"units\":[\"g\"]}")),
		"g refused up, g/b refused down");
	ck_assert_str_eq(
		reply_results(client_ask(c, "Signal", "{\"signal\":\"HUP\",\"units\":[\"g/*\"]}")),
		"g/b refused down");
	reply = client_ask(c, "Signal", "{\"signal\":\"HUP\",\"units\":[\"f\"]}");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.outcome"), "refused");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.cause.text"), "it has no process");
	ck_assert_int_eq(json_type(reply_at(reply, "parameters.units.0.output")), JSON_NULL);
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_shutdown_is_answered_at_once_and_says_who_asked)
{
	struct server *s = server_new("web: {command: [slow]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(3)});
	server_turn(s);
	ck_assert_str_eq(reply_error(client_ask(c, "Shutdown", NULL)), "");
	ck_assert_uint_eq(s->n_shutdowns, 1);
	ck_assert_int_eq(s->shut_down_by.pid, getpid());
	ck_assert_str_eq(state_name(world_state(s->w, "web")), "stopping");
	ck_assert_str_eq(reply_error(client_ask(c, "Shutdown", NULL)), "");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(the_version_tells_whose_process_it_is)
{
	struct server *s = server_new("web: {command: [run], activate: manual}\n");
	struct client *c = client_new(s);
	struct json *reply = client_ask(c, "Version", NULL);

	ck_assert_int_eq(json_get_int(json_get(reply, "parameters"), "pid", 0), getpid());
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(the_schema_is_the_one_that_effctl_prints)
{
	struct server *s = server_new("web: {command: [run], activate: manual}\n");
	struct client *c = client_new(s);
	struct json *reply = client_ask(c, "Schema", NULL), *schema = schema_tree();
	char *told = json_print(json_get(json_get(reply, "parameters"), "schema"));
	char *wanted = json_print(schema);

	ck_assert_str_eq(told, wanted);
	free(wanted);
	free(told);
	json_free(schema);
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("m_misc");
	TCase *tcase = tcase_create("misc");

	test_leak_guard(tcase);
	tcase_add_test(tcase, a_signal_goes_to_the_main_process);
	tcase_add_test(tcase, a_supervisor_stands_for_what_runs_below_it);
	tcase_add_test(tcase, a_signal_that_nobody_can_get_is_refused_with_the_reason);
	tcase_add_test(tcase, a_shutdown_is_answered_at_once_and_says_who_asked);
	tcase_add_test(tcase, the_version_tells_whose_process_it_is);
	tcase_add_test(tcase, the_schema_is_the_one_that_effctl_prints);
	suite_add_tcase(suite, tcase);
	return suite;
}
