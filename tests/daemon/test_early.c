/* SPDX-License-Identifier: MIT */
/* A group that is up as soon as what is in it could be executed: an end that soon takes it with it is a failed start of it, be it
 * a start or a restart that was asked for. */
#include <check.h>

#include "control_world.h"

#define ASKED "{\"units\":[\"g\"]}"

static const char *const methods[] = {"Start", "Restart"};

static struct server *server_of(const char *units)
{
	struct server *s = server_new(units);

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "brief", (struct script){.lives = EFF_MS(150), .exits = 3});
	world_script(s->w, "slow",
		(struct script){.lives = EFF_FOREVER, .ready_after = EFF_MS(150)});
	server_turn(s);
	return s;
}

/* Answered then, and not before. */
static void expect_at(struct server *s, const char *method, eff_ns at, const char *results)
{
	struct client *c = client_new(s);
	struct json *reply;

	client_call(c, method, ASKED, false);
	server_turn(s);
	if (at > 0) {
		world_run_for(s->w, at - 1);
		reply = client_reply(c);
		ck_assert_msg(reply == NULL, "%s was answered too early: %s", method,
			reply ? reply_results(reply) : "");
		world_run_for(s->w, 1);
	}
	reply = client_reply(c);
	ck_assert_msg(reply != NULL, "%s was not answered", method);
	ck_assert_str_eq(reply_results(reply), results);
	client_free(c);
	server_free(s);
}

START_TEST(a_group_that_a_critical_child_takes_with_it_at_once_has_failed_to_start)
{
	expect_at(server_of("g:\n  activate: manual\n  units:\n    a: {command: [run]}\n"
			    "    b: {command: [brief], restart: no, critical: true}\n"),
		methods[_i], EFF_MS(150), "g failed backoff");
}
END_TEST

START_TEST(it_may_be_one_further_down)
{
	expect_at(server_of("g:\n  activate: manual\n  units:\n"
			    "    h:\n      critical: true\n      restart: no\n      units:\n"
			    "        b: {command: [brief], restart: no, critical: true}\n"),
		methods[_i], EFF_MS(150), "g failed backoff");
}
END_TEST

START_TEST(it_may_be_one_restart_too_many)
{
	expect_at(server_of("g:\n  activate: manual\n  intensity: {max_restarts: 0, period: 1m}\n"
			    "  units:\n    b: {command: [brief]}\n"),
		methods[_i], EFF_MS(150), "g failed backoff");
}
END_TEST

/* Whose end would be no end of the group, or who has been up for so long when the group is. */
START_TEST(nobody_is_waited_for_who_cannot_take_it_with_it)
{
	expect_at(server_of("g: {activate: manual, units: {a: {command: [run]}}}\n"),
		methods[_i], 0, "g done up");
	expect_at(server_of("g:\n  activate: manual\n  units:\n"
			    "    h: {units: {a: {command: [run], critical: true}}}\n"),
		methods[_i], 0, "g done up");
	expect_at(server_of("g:\n  activate: manual\n  units:\n"
			    "    a: {command: [run], critical: true}\n"
			    "    b: {command: [slow], type: notify}\n"),
		methods[_i], EFF_MS(200), "g done up");
}
END_TEST

/* What it has left behind is ended first: so long nobody has judged it. */
START_TEST(one_that_is_not_gone_yet_is_waited_for)
{
	struct server *s = server_of(
		"g:\n  activate: manual\n  units:\n"
		"    b: {command: [leaves], restart: no, critical: true, stop: {timeout: 3s}}\n");

	world_script(s->w, "leaves",
		(struct script){.lives = EFF_MS(150),
			.exits = 3,
			.leaves = EFF_FOREVER,
			.left_ignores_term = true});
	expect_at(s, methods[_i], EFF_MS(3150), "g failed backoff");
}
END_TEST

/* A round takes the group down and up again. One that ends so soon each time does not keep it from having started: it is there
 * after its own first 200 ms, and goes on. */
START_TEST(one_that_ends_again_and_again_does_not_hold_the_answer)
{
	expect_at(server_of("g:\n  activate: manual\n  strategy: one_for_all\n  units:\n"
			    "    a: {command: [run]}\n"
			    "    b: {command: [brief], critical: true, restart: {backoff: {jitter: 0}}}\n"),
		methods[_i], EFF_MS(650), "g done up");
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("early");
	TCase *tcase = tcase_create("early");

	test_leak_guard(tcase);
	tcase_add_loop_test(tcase,
		a_group_that_a_critical_child_takes_with_it_at_once_has_failed_to_start, 0, 2);
	tcase_add_loop_test(tcase, it_may_be_one_further_down, 0, 2);
	tcase_add_loop_test(tcase, it_may_be_one_restart_too_many, 0, 2);
	tcase_add_loop_test(tcase, nobody_is_waited_for_who_cannot_take_it_with_it, 0, 2);
	tcase_add_loop_test(tcase, one_that_is_not_gone_yet_is_waited_for, 0, 2);
	tcase_add_loop_test(tcase, one_that_ends_again_and_again_does_not_hold_the_answer, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
