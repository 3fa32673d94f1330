/* SPDX-License-Identifier: MIT */
/* Reload of what rests, until its schedule, somebody who comes or its group: what the plan says of it is what becomes of it. */
#include <string.h>

#include <check.h>

#include "fake/world.h"

#define AT "tcp:127.0.0.1:80"
#define DEMAND(units) \
	"version: 1\nname: t\nsockets: {http: {listen: '" AT "'}}\nunits: {" units "}\n"
#define ON_DEMAND "sockets: [http], activate: on-demand"
#define BACKUP(command) "backup: {type: oneshot, command: " command ", schedule: {every: 10s}}"
#define RETRIED "restart: {policy: on-failure, backoff: {initial: 1h, max: 1h}}"

Suite *test_suite(void);

START_TEST(another_program_is_for_the_next_run_of_one_that_rests)
{
	struct world *w = world_new(BACKUP("backup"));

	world_script(w, "backup", (struct script){.lives = EFF_S(1)});
	world_run_for(w, EFF_S(5));
	world_reload(w, BACKUP("backup 2"));
	ck_assert_str_eq(world_changes(w), "backup live");
	world_run_for(w, EFF_S(10));
	world_reload(w, BACKUP("backup 3"));
	ck_assert_str_eq(world_changes(w), "backup live");
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "backup", "10000 spawn, 11000 exit 0");
	ck_assert_str_eq(world_unit(w, "backup")->spec->argv[1], "3");
	world_free(w);
}
END_TEST

START_TEST(another_program_is_tried_at_once_in_a_run_by_schedule)
{
	struct world *w = world_new("job: {command: job, schedule: {every: 1m}, " RETRIED "}");

	WORLD_SCRIPTS(w, "job", {.exits = 1}, {.lives = EFF_S(1)});
	world_run_for(w, EFF_S(65));
	EXPECT_STATE(w, "job", "backoff");
	world_reload(w, "job: {command: job 2, schedule: {every: 1m}, " RETRIED "}");
	ck_assert_str_eq(world_changes(w), "job restart");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "job", "60000 spawn, 60000 exit 1, 65000 spawn, 66000 exit 0");
	world_free(w);
}
END_TEST

START_TEST(another_program_is_tried_at_once_for_who_has_come)
{
	struct world *w = world_new(DEMAND("web: {command: web, " ON_DEMAND ", " RETRIED "}"));

	WORLD_SCRIPTS(w, "web", {.exits = 1, .deaf = true}, {.lives = EFF_FOREVER});
	world_run_for(w, 0);
	ck_assert(os_fake_connect(w->fake, AT));
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "backoff");
	world_reload(w, DEMAND("web: {command: web 2, " ON_DEMAND ", " RETRIED "}"));
	ck_assert_str_eq(world_changes(w), "web restart");
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "web", "0 spawn, 0 exit 1, 1000 spawn");
	ck_assert_uint_eq(os_fake_waiting(w->fake, AT), 0);
	world_free(w);
}
END_TEST

/* It was waited with, and not to run by itself. */
START_TEST(another_program_starts_none_that_is_by_hand_now)
{
	struct world *w = world_new(DEMAND("web: {command: web, " ON_DEMAND "}"));

	world_run_for(w, EFF_S(1));
	world_reload(w, DEMAND("web: {command: web 2, activate: manual}"));
	ck_assert_str_eq(world_changes(w), "web stop");
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "web", "");
	EXPECT_STATE(w, "web", "down");
	world_free(w);
}
END_TEST

/* Its sockets were enough for who requires it; now it has to run. */
START_TEST(one_that_is_by_hand_now_starts_for_who_requires_it)
{
	struct world *w = world_new(DEMAND(
		"db: {command: db, " ON_DEMAND "}, web: {command: web, depends_on: [db]}"));

	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "up");
	world_reload(w,
		DEMAND("db: {command: db, sockets: [http], activate: manual}, web: {command: web, depends_on: [db]}"));
	ck_assert_str_eq(world_changes(w), "db start");
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "db", "1000 spawn");
	EXPECT_TRACE(w, "web", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(what_has_ended_rests_when_it_waits_with_another_program)
{
	struct world *w = world_new(DEMAND(
		"job: {command: job, restart: no}, web: {command: web, sockets: [http], restart: no}"));

	world_script(w, "job", (struct script){.exits = 0});
	WORLD_SCRIPTS(w, "web", {.exits = 1}, {.lives = EFF_FOREVER});
	world_run_for(w, EFF_S(1));
	world_reload(w,
		DEMAND("job: {command: job 2, restart: no, schedule: {every: 5s}}, web: {command: web 2, restart: no, " ON_DEMAND
		       "}"));
	ck_assert_str_eq(world_changes(w), "job live; web restart");
	world_run_for(w, EFF_S(3));
	EXPECT_TRACE(w, "job", "0 spawn, 0 exit 0");
	EXPECT_STATE(w, "web", "waiting");
	ck_assert(os_fake_connect(w->fake, AT));
	world_run_for(w, EFF_S(3));

	EXPECT_TRACE(w, "job", "0 spawn, 0 exit 0, 6000 spawn, 6000 exit 0");
	EXPECT_TRACE(w, "web", "0 spawn, 0 exit 1, 4000 spawn");
	world_free(w);
}
END_TEST

/* effd goes on meanwhile, and who comes to the new one starts nothing. */
START_TEST(another_socket_is_for_when_the_run_has_ended)
{
	struct world *w = world_new(DEMAND("web: {command: web, " ON_DEMAND "}"));

	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(3)});
	world_run_for(w, 0);
	ck_assert(os_fake_connect(w->fake, AT));
	world_run_for(w, EFF_S(1));
	world_reload(w,
		"version: 1\nname: t\nsockets: {http: {listen: 'udp:*:53'}}\n"
		"units: {web: {command: web, " ON_DEMAND "}}");
	world_run_for(w, EFF_S(5));
	ck_assert_str_eq(world_changes(w), "web restart");

	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 4000 SIGTERM, 4000 spawn");
	ck_assert(os_fake_listens(w->fake, "udp:*:53"));
	ck_assert(!os_fake_listens(w->fake, AT));
	world_free(w);
}
END_TEST

/* Be it done, by a schedule or by itself: whoever comes now is served. */
START_TEST(what_is_done_waits_for_who_comes_when_it_is_on_demand)
{
	struct world *w = world_new(
		DEMAND("job: {command: job, sockets: [http], schedule: {every: 5s}}"));

	world_script(w, "job", (struct script){.lives = EFF_S(1)});
	world_run_for(w, EFF_S(7));
	EXPECT_STATE(w, "job", "done");
	world_reload(w, DEMAND("job: {command: job, " ON_DEMAND "}"));
	world_run_for(w, EFF_S(5));
	EXPECT_STATE(w, "job", "waiting");
	ck_assert(os_fake_connect(w->fake, AT));
	world_run_for(w, EFF_S(2));

	EXPECT_TRACE(w, "job", "5000 spawn, 6000 exit 0, 12000 spawn, 13000 exit 0");
	world_free(w);
}
END_TEST

/* It is what begins with its group, be it of a group that is wanted for the first time. */
START_TEST(what_boots_in_a_group_that_begins_is_told)
{
	struct world *w = world_new(
		"g: {activate: manual, units: {a: {command: a}, b: {command: b, activate: manual}}}\n"
		"h: {activate: manual, units: {c: {command: c}}}");

	world_run_for(w, EFF_S(1));
	world_reload(w,
		"g: {units: {a: {command: a}, b: {command: b, activate: manual}}}\n"
		"h: {activate: manual, units: {c: {command: c}}}\nd: {command: d, depends_on: [h]}");
	ck_assert_str_eq(world_changes(w), "g start; g/a start; h start; h/c start; d start");
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "g/a", "1000 spawn");
	EXPECT_TRACE(w, "g/b", "");
	EXPECT_TRACE(w, "h/c", "1000 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_root_that_has_failed_ends_when_it_is_to_exit_after_all)
{
#define GIVE_UP(word) \
	"version: 1\nname: t\ndaemon: {on_give_up: " word "}\n" \
	"units: {a: {command: a, restart: no, critical: true}}\n"
	struct world *w = world_new(GIVE_UP("idle"));

	world_script(w, "a", (struct script){.exits = 1});
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "/", "failed");
	ck_assert(!w->ended);
	world_reload(w, GIVE_UP("exit"));
	world_run_for(w, 0);

	ck_assert(w->ended);
	ck_assert_uint_eq(w->reloads_under_way, 0);
	world_free(w);
#undef GIVE_UP
}
END_TEST

/* It was judged by what held then: a reload stops nobody for it. The next end is another one. */
START_TEST(what_a_reload_says_of_ends_is_for_those_to_come)
{
#define ENDED(daemon, more) \
	"version: 1\nname: t\n" daemon "units:\n" \
	"  g: {restart: no, units: {a: {command: a, restart: no" more "}, b: {command: b}}}\n" \
	"  h: {restart: no, units: {c: {command: c, restart: no}, d: {command: d}}}\n"
	struct world *w = world_new(ENDED("", ""));

	world_script(w, "a", (struct script){.lives = EFF_S(1), .exits = 1});
	world_script(w, "c", (struct script){.lives = EFF_S(1)});
	world_run_for(w, EFF_S(5));
	world_reload(w, ENDED("daemon: {exit_code_from: h/c}\n", ", critical: true"));
	world_run_for(w, EFF_H(1));
	EXPECT_STATE(w, "g/a", "failed");
	EXPECT_STATE(w, "g", "up");
	EXPECT_STATE(w, "/", "up");
	world_start(w, "g/a");
	world_run_for(w, EFF_S(5));
	EXPECT_STATE(w, "g", "failed");
	EXPECT_STATE(w, "/", "up");
	world_start(w, "h/c");
	world_run_for(w, EFF_S(5));

	EXPECT_STATE(w, "/", "down");
	world_free(w);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/tree/reload_resting");
	TCase *tcase = tcase_create("resting");

	tcase_add_test(tcase, another_program_is_for_the_next_run_of_one_that_rests);
	tcase_add_test(tcase, another_program_is_tried_at_once_in_a_run_by_schedule);
	tcase_add_test(tcase, another_program_is_tried_at_once_for_who_has_come);
	tcase_add_test(tcase, another_program_starts_none_that_is_by_hand_now);
	tcase_add_test(tcase, one_that_is_by_hand_now_starts_for_who_requires_it);
	tcase_add_test(tcase, what_has_ended_rests_when_it_waits_with_another_program);
	tcase_add_test(tcase, another_socket_is_for_when_the_run_has_ended);
	tcase_add_test(tcase, what_is_done_waits_for_who_comes_when_it_is_on_demand);
	tcase_add_test(tcase, what_boots_in_a_group_that_begins_is_told);
	tcase_add_test(tcase, a_root_that_has_failed_ends_when_it_is_to_exit_after_all);
	tcase_add_test(tcase, what_a_reload_says_of_ends_is_for_those_to_come);
	suite_add_tcase(suite, tcase);
	return suite;
}
