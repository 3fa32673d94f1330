/* SPDX-License-Identifier: MIT */
/* Reload with units, as clients ask for it: the own reload of each. */
#include <errno.h>
#include <signal.h>

#include <check.h>

#include "control_world.h"

#define TREE(units) "version: 1\nname: test\nunits:\n" units

START_TEST(a_units_own_reload_is_its_signal_or_is_refused)
{
	struct server *s = server_new(
		"web: {command: [run], reload: {signal: HUP}}\ndb: {command: [run]}\n"
		"rests: {command: [run], reload: {signal: HUP}, activate: manual}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER, .notes = 1ULL << SIGHUP});
	server_turn(s);
	client_call(c, "Reload", "{\"units\":[\"web\",\"db\",\"rests\"]}", false);
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.signal"), "SIGHUP");
	ck_assert_str_eq(reply_results(reply), "web done up, db refused up, rests refused down");
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

START_TEST(a_reload_command_that_hangs_is_ended_when_a_start_would_be)
{
	struct server *s = server_new(
		"web: {command: [run], start_timeout: 5s, reload: {command: [slow]}}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .helper = true});
	server_turn(s);
	client_call(c, "Reload", "{\"units\":[\"web\"]}", false);
	world_run_for(s->w, EFF_S(4));
	ck_assert_uint_eq(os_fake_live(s->w->fake, NULL), 2);
	world_run_for(s->w, EFF_S(1));

	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.outcome"), "failed");
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.cause.text"),
		"its reload command failed: took too long");
	json_free(reply);
	/* The command is gone, the unit is as it was, and may be asked again. */
	ck_assert_uint_eq(os_fake_live(s->w->fake, NULL), 1);
	EXPECT_TRACE(s->w, "web", "0 spawn");
	client_call(c, "Reload", "{\"units\":[\"web\"]}", false);
	world_run_for(s->w, EFF_S(6));
	ck_assert_str_eq(reply_results(client_reply(c)), "web failed up");
	client_free(c);
	server_free(s);
}
END_TEST

/* The command's time and that of the program's word are one. */
START_TEST(a_command_that_takes_its_time_leaves_less_for_the_word)
{
	struct server *s = server_new("web: {command: [run], type: notify, start_timeout: 5s,"
				      " reload: {command: [says]}}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "says", (struct script){.lives = EFF_S(4), .helper = true});
	server_turn(s);
	client_call(c, "Reload", "{\"units\":[\"web\"]}", false);
	server_turn(s);
	os_fake_notify(s->w->fake, "web", "RELOADING=1");
	world_run_for(s->w, EFF_MS(4900));
	ck_assert_ptr_null(client_reply(c));
	world_run_for(s->w, EFF_MS(200));
	ck_assert_str_eq(reply_results(client_reply(c)), "web failed up");
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
	Suite *suite = suite_create("own_reload");
	TCase *tcase = tcase_create("own_reload");

	test_leak_guard(tcase);
	tcase_add_test(tcase, a_units_own_reload_is_its_signal_or_is_refused);
	tcase_add_test(tcase, a_units_own_reload_that_takes_too_long_says_no_more);
	tcase_add_test(tcase, units_reload_at_once_and_are_told_in_the_order_asked_for);
	tcase_add_test(tcase, a_units_own_reload_is_begun_without_a_wait);
	tcase_add_test(tcase, a_unit_that_is_taken_away_while_it_reloads_is_told_of);
	tcase_add_loop_test(tcase, a_reload_command_that_fails_is_told_of, 0, 3);
	tcase_add_test(tcase, a_reload_command_that_hangs_is_ended_when_a_start_would_be);
	tcase_add_test(tcase, a_command_that_takes_its_time_leaves_less_for_the_word);
	tcase_add_test(tcase, a_unit_that_does_not_say_that_it_has_reloaded_is_told_of);
	tcase_add_test(tcase, a_units_own_reload_ends_with_its_run);
	suite_add_tcase(suite, tcase);
	return suite;
}
