/* SPDX-License-Identifier: MIT */
/* A reload that fails half-way says of each change what became of it: whether the unit goes by the new tree or is as it was,
 * and why it is not where it was to be. */
#include <errno.h>

#include <check.h>

#include "control_world.h"

#define TREE(units) "version: 1\nname: test\nunits:\n" units
#define STEADY ((struct script){.lives = EFF_FOREVER})

/* "web restart failed backoff new: exec_error; db start done up new": frees the reply. */
static const char *fates(struct json *reply)
{
	static char words[1024];
	size_t n = 0;

	words[0] = '\0';
	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(json_get_text(reply, "error", ""), "");
	for (const struct json *v = json_first(reply_at(reply, "parameters.changes")); v;
		v = json_next(v)) {
		const char *kind = json_get_text(json_get(v, "cause"), "kind", NULL);
		bool failed = strcmp(json_get_text(v, "outcome", "?"), "failed") == 0;

		n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s %s %s %s %s%s%s",
			n ? "; " : "", json_get_text(v, "unit", "?"),
			json_get_text(v, "action", "?"), json_get_text(v, "outcome", "?"),
			json_get_text(v, "state", "-"),
			json_get_bool(v, "applied", false) ? "new" : "old",
			failed && kind ? ": " : "", failed && kind ? kind : "");
	}
	json_free(reply);
	return words;
}

/* Begin a reload to this tree, and let time pass. */
static void reload_for(struct client *c, const char *document, const char *parameters, eff_ns duration)
{
	c->s->document = document;
	client_call(c, "Reload", parameters, false);
	server_turn(c->s);
	world_run_for(c->s->w, duration);
}

static struct server *server_of(const char *units)
{
	struct server *s = server_new(units);

	world_script(s->w, "run", STEADY);
	world_script(s->w, "crash", (struct script){.exits = 3, .complains = "no such table\n"});
	world_script(s->w, "missing", (struct script){.exec_error = ENOENT});
	world_script(s->w, "slow",
		(struct script){.lives = EFF_FOREVER, .ready_after = EFF_FOREVER});
	world_script(
		s->w, "lingers", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(5)});
	world_script(s->w, "hung",
		(struct script){
			.lives = EFF_FOREVER, .ignores_term = true, .unkillable_for = EFF_H(1)});
	server_turn(s);
	return s;
}

START_TEST(what_does_not_start_has_failed_and_the_rest_is_new)
{
	struct server *s = server_of(
		"web: {command: [run]}\nold: {command: [run]}\nsame: {command: [run]}\n");
	struct client *c = client_new(s);
	struct json *reply;

	reload_for(c,
		TREE("  web: {command: [missing]}\n  same: {command: [run]}\n"
		     "  bad: {command: [crash], restart: no}\n"
		     "  late: {command: [slow], type: notify, start_timeout: 3s}\n"
		     "  good: {command: [run]}\n  job: {command: [crash], type: oneshot, restart: no}\n"),
		NULL, EFF_S(2));
	ck_assert_ptr_null(client_reply(c));
	world_run_for(s->w, EFF_S(2));
	reply = client_reply(c);

	ck_assert_str_eq(reply_text(reply, "parameters.changes.1.unit"), "web");
	ck_assert_str_eq(reply_text(reply, "parameters.changes.1.cause.kind"), "exec_error");
	ck_assert_str_eq(reply_text(reply, "parameters.changes.2.output.0"), "no such table");
	ck_assert_str_eq(fates(reply),
		"old stop done - new; web restart failed backoff new: exec_error; "
		"bad start failed failed new: exit; late start failed backoff new: start_timeout; "
		"good start done up new; job start failed failed new: exit");
	EXPECT_TRACE(s->w, "same", "0 spawn");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(what_does_not_end_is_as_it_was)
{
	struct server *s = server_of("web: {command: [hung]}\ngone: {command: [hung]}\n"
				     "g: {units: {x: {command: [hung]}}}\n");
	struct client *c = client_new(s);

	reload_for(c, TREE("  web: {command: [run]}\n  good: {command: [run]}\n"), NULL, EFF_S(16));

	ck_assert_str_eq(fates(client_reply(c)),
		"gone stop failed stopping old: stop_requested; g stop failed stopping old: stop_requested; "
		"g/x stop failed stopping old: stop_requested; "
		"web restart failed stopping old: stop_requested; good start done up new");
	client_free(c);
	world_run_for(s->w, EFF_H(1));
	EXPECT_STATE(s->w, "web", "up");
	server_free(s);
}
END_TEST

START_TEST(what_waits_for_one_that_failed_has_failed_with_it)
{
	struct server *s = server_of("keep: {command: [run]}\n");
	struct client *c = client_new(s);
	struct json *reply;

	reload_for(c,
		TREE("  keep: {command: [run]}\n  db: {command: [crash], type: notify}\n"
		     "  web: {command: [run], depends_on: [db]}\n"
		     "  front: {command: [run], depends_on: [web]}\n"
		     "  g: {depends_on: [web], units: {x: {command: [run]}}}\n"
		     "  h: {units: {y: {command: [crash], type: notify}, z: {command: [run]}}}\n"
		     "  job: {command: [run], type: oneshot, schedule: {every: 1h}}\n"),
		NULL, EFF_MS(300));
	reply = client_reply(c);

	ck_assert_str_eq(reply_text(reply, "parameters.changes.1.cause.text"),
		"waits for db, which is in backoff");
	ck_assert_str_eq(fates(reply),
		"db start failed backoff new: exit; web start failed waiting new: dependency; "
		"front start failed waiting new: dependency; g start failed waiting new: dependency; "
		"g/x start failed down new: dependency; h start failed starting new: dependency; "
		"h/y start failed backoff new: exit; h/z start done up new; "
		"job start done waiting new");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(what_fails_again_and_again_without_a_delay_holds_up_nobody)
{
	struct server *s = server_of("keep: {command: [run]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "fails",
		(struct script){.lives = EFF_MS(300), .ready_after = EFF_FOREVER, .exits = 1});
	for (int i = 0; i < 2; i++) {
		reload_for(c,
			i ? TREE("  db: {command: [fails, 2], type: notify, restart: {backoff: {initial: 0s}}}\n"
				 "  web: {command: [run], depends_on: [db]}\n"
				 "  g: {units: {x: {command: [fails], type: notify, restart: {backoff: {initial: 0s}}}}}\n")
			  : TREE("  db: {command: [fails], type: notify, restart: {backoff: {initial: 0s}}}\n"
				 "  web: {command: [run], depends_on: [db]}\n"),
			NULL, EFF_S(2));
		ck_assert_str_eq(fates(client_reply(c)),
			i ? "db restart failed starting new: exit; g start failed starting new: dependency; "
			    "g/x start failed starting new: exit"
			  : "keep stop done - new; db start failed starting new: exit; "
			    "web start failed waiting new: dependency");
	}
	client_free(c);
	server_free(s);
}
END_TEST

/* Once a second, before it is ready. */
START_TEST(what_is_restarted_with_one_that_fails_again_and_again_has_failed)
{
	static const char *const needs[][2] = {
		{"restart", "1s"}, {"restart", "0s"}, {"bind", "0s"}};
	struct server *s = server_of("keep: {command: [run]}\n");
	struct client *c = client_new(s);
	struct json *reply;
	char tree[256];

	world_script(s->w, "fails", (struct script){.lives = EFF_S(1), .exits = 1});
	world_script(s->w, "late", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(3)});
	(void)snprintf(tree, sizeof(tree),
		TREE("  keep: {command: [run]}\n"
		     "  db: {command: [fails], restart: {backoff: {factor: 1, jitter: 0, initial: %s}}}\n"
		     "  web: {command: [late], type: notify, depends_on: {db: {%s: true}}}\n"),
		needs[_i][1], needs[_i][0]);
	reload_for(c, tree, NULL, EFF_S(10));
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.changes.1.cause.text"),
		_i < 2 ? "to be restarted with db, which is up again"
		       : "it is bound to db, which is up no more");
	ck_assert_ptr_nonnull(strstr(fates(reply), "; web start failed starting new: dependency"));
	client_call(c, "Start", "{\"units\":[\"web\"]}", false);
	world_run_for(s->w, EFF_S(10));
	ck_assert_str_eq(reply_results(client_reply(c)), "web failed starting");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(what_is_replaced_by_its_next_run_holds_up_nobody)
{
	struct server *s = server_of("keep: {command: [run]}\n");
	struct client *c = client_new(s);

	reload_for(c,
		TREE("  job: {command: [run], type: oneshot, schedule: {every: 10s, overlap: kill}}\n"),
		NULL, EFF_S(15));
	ck_assert_str_eq(fates(client_reply(c)), "keep stop done - new; job start done waiting new");
	reload_for(c,
		TREE("  job: {command: [run, 2], type: oneshot, schedule: {every: 10s, overlap: kill}}\n"),
		NULL, EFF_S(20));
	ck_assert_str_eq(fates(client_reply(c)), "job restart failed starting new: dependency");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(an_end_within_200_ms_is_a_failed_start)
{
	struct server *s = server_of("web: {command: [run]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "brief", (struct script){.lives = EFF_MS(150), .exits = 1});
	reload_for(c, TREE("  web: {command: [brief]}\n"), NULL, EFF_MS(140));
	ck_assert_ptr_null(client_reply(c));
	world_run_for(s->w, EFF_MS(10));

	ck_assert_str_eq(fates(client_reply(c)), "web restart failed backoff new: exit");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(what_waits_for_effds_next_start_is_as_it_was)
{
	struct server *s = server_of("web: {command: [run]}\n");
	struct client *c = client_new(s);

	reload_for(c,
		"version: 1\nname: test\ndaemon: {state_dir: /elsewhere}\nunits:\n"
		"  web: {command: [run], restart: no}\n",
		NULL, 0);

	ck_assert_str_eq(fates(client_reply(c)), "/ effd unchanged - old; web live done up new");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(when_time_is_up_it_says_how_far_it_has_come)
{
	struct server *s = server_of("web: {command: [lingers]}\nquick: {command: [run]}\n");
	struct client *c = client_new(s);

	reload_for(c, TREE("  web: {command: [lingers, 2]}\n  quick: {command: [run, now]}\n"),
		"{\"timeout_s\": 2}", EFF_S(3));
	ck_assert_str_eq(fates(client_reply(c)),
		"web restart timeout stopping old; quick restart done up new");
	world_run_for(s->w, EFF_S(3));
	EXPECT_STATE(s->w, "web", "up");
	ck_assert_str_eq(world_unit(s->w, "web")->spec->argv[1], "2");

	/* One that waits for another has done nothing yet. */
	reload_for(c, TREE("  web: {command: [lingers, 3]}\n  quick: {command: [run, now]}\n"),
		"{\"wait\": false}", 0);
	ck_assert_str_eq(reply_error(client_reply(c)), "");
	client_call(c, "Reload", "{\"timeout_s\": 1}", false);
	server_turn(s);
	world_run_for(s->w, EFF_S(2));
	ck_assert_str_eq(reply_error(client_reply(c)), "TimedOut");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(what_is_stopped_or_taken_away_meanwhile_is_superseded)
{
	struct server *s = server_of("web: {command: [slow]}\n");
	struct client *c = client_new(s);
	struct client *other = client_new(s);

	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(60)});
	reload_for(c,
		TREE("  web: {command: [run]}\n  a: {command: [slow], type: notify}\n"
		     "  b: {command: [slow], type: oneshot}\n"),
		NULL, EFF_S(1));
	world_stop(s->w, "a");
	world_run_for(s->w, EFF_S(1));
	ck_assert_ptr_null(client_reply(c));
	/* The job goes on: the next reload does not wait for it. */
	reload_for(other, TREE("  web: {command: [run]}\n  a: {command: [slow], type: notify}\n"),
		NULL, EFF_S(1));

	ck_assert_str_eq(fates(client_reply(other)), "b stop done - new");
	ck_assert_str_eq(fates(client_reply(c)),
		"web restart done up new; a start superseded down new; b start superseded - old");
	client_free(other);
	client_free(c);
	server_free(s);
}
END_TEST

/* It runs as long as one requires it; before it has stopped another one does. */
START_TEST(a_stop_is_superseded_when_another_start_wants_it_again)
{
	struct server *s = server_of("s: {command: [lingers], activate: manual}\n"
				     "k: {command: [run], depends_on: [s]}\n"
				     "r: {command: [run], depends_on: [s], activate: manual}\n");
	struct client *c = client_new(s);

	world_run_for(s->w, EFF_S(1));
	reload_for(c,
		TREE("  s: {command: [lingers], activate: manual}\n  k: {command: [run]}\n"
		     "  r: {command: [run], depends_on: [s], activate: manual}\n"),
		NULL, EFF_S(1));
	EXPECT_STATE(s->w, "s", "stopping");
	world_start(s->w, "r");
	world_run_for(s->w, EFF_S(6));

	EXPECT_STATE(s->w, "s", "up");
	ck_assert_str_eq(fates(client_reply(c)), "s stop superseded up new; k live done up new");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_shutdown_meanwhile_ends_it_and_says_what_became_of_it)
{
	struct server *s = server_of("web: {command: [run]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(60)});
	reload_for(c, TREE("  web: {command: [run, 2]}\n  a: {command: [slow], type: notify}\n"),
		NULL, EFF_S(1));
	world_shutdown(s->w, false);
	world_run_for(s->w, EFF_S(1));

	ck_assert_str_eq(fates(client_reply(c)),
		"web restart failed down new: stop_requested; a start failed down new: stop_requested");
	client_free(c);
	server_free(s);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("fate");
	TCase *tcase = tcase_create("fate");

	test_leak_guard(tcase);
	tcase_add_test(tcase, what_does_not_start_has_failed_and_the_rest_is_new);
	tcase_add_test(tcase, what_does_not_end_is_as_it_was);
	tcase_add_test(tcase, what_waits_for_one_that_failed_has_failed_with_it);
	tcase_add_test(tcase, what_fails_again_and_again_without_a_delay_holds_up_nobody);
	tcase_add_loop_test(
		tcase, what_is_restarted_with_one_that_fails_again_and_again_has_failed, 0, 3);
	tcase_add_test(tcase, what_is_replaced_by_its_next_run_holds_up_nobody);
	tcase_add_test(tcase, an_end_within_200_ms_is_a_failed_start);
	tcase_add_test(tcase, what_waits_for_effds_next_start_is_as_it_was);
	tcase_add_test(tcase, when_time_is_up_it_says_how_far_it_has_come);
	tcase_add_test(tcase, what_is_stopped_or_taken_away_meanwhile_is_superseded);
	tcase_add_test(tcase, a_stop_is_superseded_when_another_start_wants_it_again);
	tcase_add_test(tcase, a_shutdown_meanwhile_ends_it_and_says_what_became_of_it);
	suite_add_tcase(suite, tcase);
	return suite;
}
