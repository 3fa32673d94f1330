/* SPDX-License-Identifier: MIT */
/* Sockets that effd holds for units: what a plan says of them, and that none of those who wait there is lost. */
#include <errno.h>
#include <string.h>

#include <check.h>

#include "fake/world.h"
#include "plan/changes.h"
#include "plan_world.h"

Suite *test_suite(void);

#define HTTP "tcp:127.0.0.1:80"
#define TREE(units) \
	"version: 1\nname: t\nsockets: {http: {listen: '" HTTP "'}}\nunits: {" units "}\n"
#define WEB "web: {command: web, sockets: [http], restart: {backoff: {jitter: 0}}}"

/* ── what a plan says ── */

START_TEST(they_are_as_the_root_says)
{
	struct plan_world world;
	const struct plan_socket *const *s;
	const struct plan_unit *web = plan_find(
		plan_world_good(&world,
			"version: 1\nsockets:\n"
			"  http: {listen: 'tcp:*:80', backlog: 7, reuse_port: true}\n"
			"  dns: {listen: 'udp:[::1]:53'}\n"
			"  ctl: {listen: 'unix:./c.sock', mode: \"0660\", user: web, group: adm}\n"
			"  x-note: 1\n"
			"units:\n  web: {command: x, sockets: [ctl, http, dns]}\n  b: {command: x, sockets: http}\n"),
		"web");

	s = plan_unit_sockets(web);
	ck_assert_str_eq(s[0]->name, "ctl");
	ck_assert_str_eq(s[0]->listen, "unix:/tree/c.sock");
	ck_assert_uint_eq(s[0]->mode, 0660);
	ck_assert_str_eq(s[0]->user, "web");
	ck_assert_str_eq(s[0]->group, "adm");
	ck_assert_uint_eq(s[0]->backlog, 511);
	ck_assert_str_eq(s[1]->listen, "tcp:*:80");
	ck_assert_uint_eq(s[1]->backlog, 7);
	ck_assert_uint_eq(s[1]->mode, 0666);
	ck_assert(s[1]->reuse_port && !s[2]->reuse_port);
	ck_assert_str_eq(s[2]->listen, "udp:[::1]:53");
	ck_assert_ptr_null(s[3]);
	ck_assert_ptr_eq(plan_unit_sockets(plan_find(world.plan, "b"))[0], s[1]);
	plan_world_done(&world);
}
END_TEST

START_TEST(what_they_are_is_a_matter_of_the_units_that_have_them)
{
	struct world *w = world_new(TREE(WEB ", b: {command: b}"));

	world_run_for(w, EFF_S(1));
	world_reload(w,
		"version: 1\nname: t\nsockets: {http: {listen: '" HTTP
		"', backlog: 9}, new: {listen: 'udp:*:9'}}\n"
		"units: {" WEB ", b: {command: b}}\n");
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(world_changes(w), "web restart");
	ck_assert_uint_eq(world_spawns(w, "b"), 1);
	world_free(w);
}
END_TEST

/* ── what becomes of them ── */

START_TEST(one_is_open_before_anything_starts_and_until_the_end)
{
	struct world *w = world_new(TREE("first: {command: first}, " WEB));

	world_script(w, "web", (struct script){.lives = EFF_S(1), .exits = 1});
	os_fake_listen_takes(w->fake, HTTP, EFF_S(3));
	world_run_for(w, EFF_S(2));
	ck_assert_uint_eq(world_spawns(w, "first"), 0);
	world_run_for(w, EFF_S(1));
	EXPECT_TRACE(w, "first", "3000 spawn");
	EXPECT_TRACE(w, "web", "3000 spawn");
	world_run_for(w, EFF_M(10));
	ck_assert_uint_gt(world_spawns(w, "web"), 10);
	world_stop(w, "web");
	world_run_for(w, EFF_M(1));

	EXPECT_STATE(w, "web", "down");
	ck_assert(os_fake_listens(w->fake, HTTP));
	ck_assert_uint_eq(os_fake_opened(w->fake, HTTP), 1);
	world_free(w);
}
END_TEST

START_TEST(one_that_takes_its_time_holds_up_nobody_for_long)
{
	struct world *w = world_new(TREE("first: {command: first}, " WEB));

	os_fake_listen_takes(w->fake, HTTP, EFF_M(5));
	world_run_for(w, EFF_S(30));
	EXPECT_TRACE(w, "first", "10000 spawn");
	ck_assert_str_eq(world_said(w, "/", "socket_failed"),
		"http: socket: ETIMEDOUT (Connection timed out): " HTTP);
	EXPECT_STATE(w, "web", "starting");
	/* The unit itself waits for its start_timeout, and tries again. */
	os_fake_listen_takes(w->fake, HTTP, EFF_S(1));
	world_run_for(w, EFF_M(2));

	EXPECT_STATE(w, "web", "up");
	EXPECT_TRACE(w, "web", "101500 spawn");
	world_free(w);
}
END_TEST

START_TEST(who_comes_while_nobody_serves_waits)
{
	struct world *w = world_new(TREE(WEB));

	WORLD_SCRIPTS(w, "web", {.lives = EFF_S(10), .exits = 1},
		{.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(w, EFF_S(5));
	ck_assert(os_fake_connect(w->fake, HTTP));
	ck_assert_uint_eq(os_fake_waiting(w->fake, HTTP), 0);
	/* In backoff. */
	world_run_for(w, EFF_MS(5250));
	for (int i = 0; i < 5; i++)
		ck_assert(os_fake_connect(w->fake, HTTP));
	ck_assert_uint_eq(os_fake_waiting(w->fake, HTTP), 5);
	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(os_fake_waiting(w->fake, HTTP), 0);
	/* Stopped; and then with a reload that has to do with others. */
	world_stop(w, "web");
	world_run_for(w, EFF_S(5));
	ck_assert(os_fake_connect(w->fake, HTTP));
	world_reload(w, TREE(WEB ", b: {command: b}"));
	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(os_fake_waiting(w->fake, HTTP), 1);
	ck_assert_uint_eq(os_fake_opened(w->fake, HTTP), 1);
	world_start(w, "web");
	world_run_for(w, EFF_S(1));

	ck_assert_uint_eq(os_fake_waiting(w->fake, HTTP), 0);
	world_free(w);
}
END_TEST

START_TEST(one_that_no_unit_names_any_more_is_closed)
{
	struct world *w = world_new(TREE(WEB));

	world_run_for(w, EFF_S(1));
	world_reload(w, TREE("web: {command: web}"));
	world_run_for(w, EFF_S(1));
	ck_assert(!os_fake_listens(w->fake, HTTP));
	world_reload(w, TREE("web: {command: web, sockets: [http], enabled: false}"));
	world_run_for(w, EFF_S(1));
	ck_assert(!os_fake_listens(w->fake, HTTP));
	world_reload(w, TREE("web: {command: web, sockets: [http], activate: manual}"));
	world_run_for(w, EFF_S(1));

	ck_assert(os_fake_listens(w->fake, HTTP));
	ck_assert_uint_eq(os_fake_opened(w->fake, HTTP), 2);
	world_free(w);
}
END_TEST

START_TEST(one_that_is_said_otherwise_is_another)
{
	struct world *w = world_new(TREE(WEB));

	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(3)});
	world_run_for(w, EFF_S(1));
	world_reload(w,
		"version: 1\nname: t\nsockets: {http: {listen: '" HTTP
		"', backlog: 9}}\nunits: {" WEB "}\n");
	world_run_for(w, EFF_S(10));

	/* The first run has it until its end: nobody else may listen there before, and nobody says that it cannot. */
	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 4000 SIGTERM, 4000 spawn");
	ck_assert_uint_eq(os_fake_opened(w->fake, HTTP), 2);
	ck_assert_ptr_null(world_said(w, "/", "socket_failed"));
	world_free(w);
}
END_TEST

#define TWO(one, two) \
	"version: 1\nname: t\nsockets: {one: {listen: '" one "'}, two: {listen: '" two "'}}\n" \
	"units:\n  a: {command: a, sockets: [one]}\n  b: {command: slow, sockets: [two]}\n"

/* Who is still to stop has the address until then: the other waits for that, and fails by nothing. */
START_TEST(two_that_change_places_are_both_closed_before_one_is_opened)
{
	static const struct {
		const char *then, *slow;
		const char *fast; /* of the unit that takes the slow one's place */
		const char *name;
	} cases[] = {
		{TWO("tcp:*:81", HTTP), "0 spawn, 1000 TERM, 4000 SIGTERM, 4000 spawn",
			"0 spawn, 1000 TERM, 1000 SIGTERM, 4000 spawn", "a"},
		/* In the place of one that goes comes another. */
		{"version: 1\nname: t\nsockets: {three: {listen: 'tcp:*:81'}}\n"
		 "units:\n  c: {command: c, sockets: [three]}\n",
			"0 spawn, 1000 TERM, 4000 SIGTERM", "4000 spawn", "c"},
		{"version: 1\nname: t\nsockets: {three: {listen: 'udp:*:81'}}\n"
		 "units:\n  c: {command: c, sockets: [three]}\n",
			"0 spawn, 1000 TERM, 4000 SIGTERM", "1000 spawn", "c"},
	};
	struct world *w = world_new(TWO(HTTP, "tcp:*:81"));

	world_script(w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(3)});
	world_run_for(w, EFF_S(1));
	world_reload(w, cases[_i].then);
	world_run_for(w, EFF_MS(500));
	if (_i == 0)
		ck_assert_str_eq(world_unit(w, "a")->lacks,
			"tcp:*:81 is not free before another has stopped");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "b", cases[_i].slow);
	EXPECT_TRACE(w, cases[_i].name, cases[_i].fast);
	EXPECT_STATE(w, cases[_i].name, "up");
	ck_assert_uint_eq(world_unit(w, cases[_i].name)->restarts, 0);
	ck_assert_ptr_null(world_said(w, "/", "socket_failed"));
	world_free(w);
}
END_TEST

/* It holds up nobody: then it is as if somebody else had the address. */
START_TEST(for_the_place_of_what_does_not_end_nobody_waits)
{
	struct world *w = world_new(TWO(HTTP, "tcp:*:81"));

	world_script(w, "slow",
		(struct script){
			.lives = EFF_FOREVER, .ignores_term = true, .unkillable_for = EFF_S(60)});
	world_run_for(w, EFF_S(1));
	world_reload(w, TWO("tcp:*:81", HTTP));
	world_run_for(w, EFF_S(14));
	EXPECT_STATE(w, "a", "starting");
	world_run_for(w, EFF_S(2));
	EXPECT_STATE(w, "a", "backoff");
	ck_assert_str_eq(world_unit(w, "a")->last_exit->text,
		"socket: EADDRINUSE (Address already in use): tcp:*:81");
	world_run_for(w, EFF_M(2));

	EXPECT_STATE(w, "a", "up");
	EXPECT_STATE(w, "b", "up");
	world_free(w);
}
END_TEST

START_TEST(one_that_cannot_be_had_fails_the_start_and_is_tried_again)
{
	struct world *w = world_new(TREE(WEB ", b: {command: b}"));

	os_fake_listen_fails(w->fake, HTTP, EADDRINUSE);
	world_run_for(w, EFF_MS(400));
	ck_assert_str_eq(world_said(w, "/", "socket_failed"),
		"http: socket: EADDRINUSE (Address already in use): " HTTP);
	EXPECT_STATE(w, "web", "backoff");
	ck_assert_int_eq(world_unit(w, "web")->last_exit->kind, CAUSE_EXEC_ERROR);
	ck_assert_str_eq(world_unit(w, "web")->last_exit->text,
		"socket: EADDRINUSE (Address already in use): " HTTP);
	EXPECT_STATE(w, "b", "up");
	os_fake_listen_fails(w->fake, HTTP, 0);
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "web", "500 spawn");
	EXPECT_STATE(w, "web", "up");
	world_free(w);
}
END_TEST

static char names[64];

static void note_names(void *context, const struct os_spawn *spawn)
{
	(void)context;
	if (strcmp(spawn->unit, "web") == 0 && spawn->socket_names)
		(void)snprintf(names, sizeof(names), "%s", spawn->socket_names);
}

START_TEST(names_go_along_in_the_order_of_the_unit)
{
	struct world *w = world_new(
		"version: 1\nname: t\nsockets: {b: {listen: 'tcp:*:1'}, a: {listen: 'unix:/a'}}\n"
		"units: {web: {command: web, sockets: [b, a], hooks: {pre_start: hook}}}\n");

	os_fake_on_spawn(w->fake, note_names, NULL);
	world_script(w, "hook", (struct script){.helper = true});
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(names, "b:a");
	world_free(w);
}
END_TEST

START_TEST(replicas_share_one)
{
	struct world *w = world_new(TREE("web: {command: web, sockets: [http], replicas: 3}"));

	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web@3", "up");
	world_reload(w, TREE("web: {command: web, sockets: [http], replicas: 1}"));
	world_run_for(w, EFF_S(1));

	ck_assert_uint_eq(os_fake_opened(w->fake, HTTP), 1);
	ck_assert(os_fake_listens(w->fake, HTTP));
	world_free(w);
}
END_TEST

/* It goes, and comes otherwise, while it is being opened: by the unit's start, which has the one before then. */
START_TEST(a_reload_takes_none_away_from_under_who_opens_it)
{
	struct world *w = world_new("web: {command: web}");

	world_run_for(w, EFF_S(1));
	os_fake_listen_takes(w->fake, HTTP, EFF_S(5));
	world_reload(w, TREE(WEB));
	world_run_for(w, EFF_S(1));
	world_reload(w, "web: {command: web}");
	world_run_for(w, EFF_S(10));

	ck_assert(!os_fake_listens(w->fake, HTTP));
	EXPECT_STATE(w, "web", "up");
	world_free(w);
}
END_TEST

START_TEST(a_stop_while_one_is_opened_leaves_nothing)
{
	struct world *w = world_new(TREE("web: {command: web, sockets: [http], activate: manual}"));

	os_fake_listen_fails(w->fake, HTTP, EACCES);
	world_run_for(w, EFF_S(1));
	os_fake_listen_fails(w->fake, HTTP, 0);
	os_fake_listen_takes(w->fake, HTTP, EFF_S(5));
	world_start(w, "web");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "starting");
	world_stop(w, "web");
	world_run_for(w, EFF_S(10));

	EXPECT_STATE(w, "web", "down");
	ck_assert(!os_fake_listens(w->fake, HTTP));
	ck_assert_uint_eq(world_spawns(w, "web"), 0);
	world_free(w);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("sockets");
	TCase *tcase = tcase_create("sockets");

	tcase_add_test(tcase, they_are_as_the_root_says);
	tcase_add_test(tcase, what_they_are_is_a_matter_of_the_units_that_have_them);
	tcase_add_test(tcase, one_is_open_before_anything_starts_and_until_the_end);
	tcase_add_test(tcase, one_that_takes_its_time_holds_up_nobody_for_long);
	tcase_add_test(tcase, who_comes_while_nobody_serves_waits);
	tcase_add_test(tcase, one_that_no_unit_names_any_more_is_closed);
	tcase_add_test(tcase, one_that_is_said_otherwise_is_another);
	tcase_add_loop_test(
		tcase, two_that_change_places_are_both_closed_before_one_is_opened, 0, 3);
	tcase_add_test(tcase, for_the_place_of_what_does_not_end_nobody_waits);
	tcase_add_test(tcase, one_that_cannot_be_had_fails_the_start_and_is_tried_again);
	tcase_add_test(tcase, names_go_along_in_the_order_of_the_unit);
	tcase_add_test(tcase, replicas_share_one);
	tcase_add_test(tcase, a_reload_takes_none_away_from_under_who_opens_it);
	tcase_add_test(tcase, a_stop_while_one_is_opened_leaves_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}
