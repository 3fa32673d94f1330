/* SPDX-License-Identifier: MIT */
/* Units on demand: who comes to a socket starts them, as often as it is called for and no oftener. */
#include <errno.h>
#include <malloc.h>
#include <string.h>

#include <check.h>

#include "fake/world.h"

Suite *test_suite(void);

#define AT "tcp:127.0.0.1:80"
#define TREE(units) \
	"version: 1\nname: t\nsockets: {http: {listen: '" AT "'}}\nunits: {" units "}\n"
#define ON_DEMAND "command: web, sockets: [http], activate: on-demand"
#define WEB "web: {" ON_DEMAND ", restart: {backoff: {jitter: 0}}}"

static struct world *w;

static void begin(const char *tree)
{
	w = world_new(tree);
}

static void come(void)
{
	ck_assert(os_fake_connect(w->fake, AT));
}

START_TEST(it_rests_until_somebody_comes)
{
	begin(TREE(WEB));
	world_run_for(w, EFF_S(5));
	EXPECT_STATES(w, "web", "0 waiting");
	ck_assert_ptr_null(world_unit(w, "web")->child.fiber);
	ck_assert(os_fake_listens(w->fake, AT));
	ck_assert(tree_is_settled(w->tree));
	EXPECT_STATE(w, "/", "up");
	come();
	world_run_for(w, EFF_S(5));

	EXPECT_TRACE(w, "web", "5000 spawn");
	EXPECT_STATE(w, "web", "up");
	ck_assert_uint_eq(os_fake_waiting(w->fake, AT), 0);
	world_free(w);
}
END_TEST

START_TEST(a_clean_end_brings_it_back_whatever_its_policy)
{
	begin(TREE(WEB));
	world_script(w, "web", (struct script){.lives = EFF_S(3)});
	world_run_for(w, EFF_S(1));
	come();
	world_run_for(w, EFF_S(9));
	EXPECT_STATES(w, "web", "0 waiting, 1000 up, 4000 waiting");
	come();
	come();
	world_run_for(w, EFF_S(5));

	EXPECT_TRACE(w, "web", "1000 spawn, 4000 exit 0, 10000 spawn, 13000 exit 0");
	ck_assert_uint_eq(world_unit(w, "web")->restarts, 0);
	world_free(w);
}
END_TEST

START_TEST(a_failure_goes_by_its_policy_and_who_came_waits)
{
	begin(TREE(WEB));
	WORLD_SCRIPTS(w, "web", {.exits = 1, .deaf = true}, {.exits = 1, .deaf = true},
		{.exits = 1, .deaf = true}, {.lives = EFF_FOREVER});
	world_run_for(w, EFF_S(1));
	come();
	world_run_for(w, EFF_MS(3400));
	ck_assert_uint_eq(os_fake_waiting(w->fake, AT), 1);
	world_run_for(w, EFF_S(5));

	EXPECT_TRACE(w, "web",
		"1000 spawn, 1000 exit 1, 1500 spawn, 1500 exit 1, 2500 spawn, 2500 exit 1, 4500 spawn");
	ck_assert_uint_eq(os_fake_waiting(w->fake, AT), 0);
	world_free(w);
}
END_TEST

START_TEST(one_that_has_failed_is_started_by_nobody_who_comes)
{
	begin(TREE("web: {" ON_DEMAND ", restart: {max_restarts: 1, backoff: {jitter: 0}}}"));
	WORLD_SCRIPTS(w, "web", {.exits = 1, .deaf = true}, {.exits = 1, .deaf = true},
		{.lives = EFF_FOREVER});
	world_run_for(w, EFF_S(1));
	come();
	world_run_for(w, EFF_S(10));
	EXPECT_STATE(w, "web", "failed");
	come();
	world_run_for(w, EFF_H(1));
	EXPECT_TRACE(w, "web", "1000 spawn, 1000 exit 1, 1500 spawn, 1500 exit 1");
	ck_assert_uint_eq(os_fake_waiting(w->fake, AT), 2);
	/* Forgotten, it rests on demand again; and somebody is there. */
	world_reset(w, "web");
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "web", "up");
	ck_assert_uint_eq(os_fake_waiting(w->fake, AT), 0);
	world_free(w);
}
END_TEST

START_TEST(a_stop_by_hand_holds_until_a_start_by_hand)
{
	begin(TREE(WEB));
	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "down");
	come();
	world_run_for(w, EFF_H(1));
	EXPECT_TRACE(w, "web", "");
	ck_assert_uint_eq(os_fake_waiting(w->fake, AT), 1);
	/* Started by hand it runs, whoever is there. */
	world_start(w, "web");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "up");
	world_stop(w, "web");
	world_run_for(w, EFF_S(1));
	world_start(w, "web");
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "web", "up");
	world_free(w);
}
END_TEST

START_TEST(one_that_takes_nobody_is_started_twenty_times_in_two_seconds_at_most)
{
	size_t n;

	begin(TREE(WEB));
	world_script(w, "web", (struct script){.lives = EFF_MS(1), .deaf = true});
	world_run_for(w, 0);
	come();
	world_run_for(w, EFF_S(1));
	come();
	world_run_for(w, EFF_MS(1500));
	n = world_spawns(w, "web");
	ck_assert_uint_eq(n, 40);
	ck_assert_int_eq(world_spawn_at(w, "web", 20) - world_spawn_at(w, "web", 0), EFF_S(2));
	ck_assert_ptr_nonnull(world_said(w, "web", "started_too_often"));
	world_run_for(w, EFF_S(98));
	ck_assert_uint_eq(world_spawns(w, "web"), 1020);
	EXPECT_STATE(w, "web", "waiting");

	world_free(w);
}
END_TEST

START_TEST(for_dependants_it_holds_as_soon_as_it_listens)
{
	begin(TREE(WEB ", b: {command: b, depends_on: [web]}, c: {command: c, after: [web]}"));
	os_fake_listen_fails(w->fake, AT, EADDRINUSE);
	world_run_for(w, EFF_MS(1400));
	EXPECT_STATE(w, "b", "waiting");
	ck_assert_int_eq(world_unit(w, "web")->cause->kind, CAUSE_EXEC_ERROR);
	ck_assert_str_eq(world_unit(w, "web")->cause->text,
		"socket: EADDRINUSE (Address already in use): " AT);
	/* It is tried again as a start would be: after 0.5, 1.5, 3.5 s. */
	os_fake_listen_fails(w->fake, AT, 0);
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "b", "1500 spawn");
	EXPECT_TRACE(w, "c", "1500 spawn");
	EXPECT_TRACE(w, "web", "");
	ck_assert_ptr_null(world_unit(w, "web")->cause);
	world_free(w);
}
END_TEST

START_TEST(a_start_of_who_requires_it_is_none_of_it)
{
	begin(TREE(WEB ", b: {command: b, depends_on: [web], activate: manual}"));
	world_run_for(w, EFF_S(1));
	world_start(w, "b");
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "b", "up");
	EXPECT_STATE(w, "web", "waiting");
	world_free(w);
}
END_TEST

START_TEST(what_it_requires_starts_with_it)
{
	begin(TREE("web: {" ON_DEMAND ", depends_on: [db]}, db: {command: db, activate: manual}"));
	world_script(w, "db", (struct script){.lives = EFF_FOREVER, .exec_takes = EFF_S(2)});
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "db", "down");
	come();
	world_run_for(w, EFF_S(5));

	EXPECT_TRACE(w, "db", "1000 spawn");
	EXPECT_TRACE(w, "web", "3000 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_reload_changes_how_it_is_started)
{
	begin(TREE(WEB));
	world_run_for(w, EFF_S(1));
	/* Another program is no start. */
	world_reload(w, TREE("web: {" ON_DEMAND ", environment: {A: b}}"));
	ck_assert_str_eq(world_changes(w), "web live");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "waiting");
	/* At boot: now. */
	world_reload(w, TREE("web: {command: web, sockets: [http], environment: {A: b}}"));
	ck_assert_str_eq(world_changes(w), "web start");
	world_run_for(w, EFF_S(1));
	EXPECT_TRACE(w, "web", "2000 spawn");
	/* On demand: it goes on; after its end it waits. */
	world_reload(w, TREE("web: {" ON_DEMAND ", environment: {A: b}}"));
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "up");
	world_script(w, "web", (struct script){.lives = EFF_S(1)});
	world_restart(w, "web");
	world_run_for(w, EFF_S(5));
	EXPECT_STATE(w, "web", "waiting");
	/* By hand: it was not meant to run. */
	world_reload(w,
		TREE("web: {command: web, sockets: [http], environment: {A: b}, activate: manual}"));
	ck_assert_str_eq(world_changes(w), "web stop");
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "web", "down");
	ck_assert(os_fake_listens(w->fake, AT));
	ck_assert_uint_eq(os_fake_opened(w->fake, AT), 1);
	world_free(w);
}
END_TEST

START_TEST(a_reload_brings_one_back_that_has_failed)
{
	begin(TREE("web: {" ON_DEMAND ", restart: no}"));
	WORLD_SCRIPTS(w, "web", {.exits = 1, .deaf = true}, {.lives = EFF_FOREVER});
	world_run_for(w, 0);
	come();
	world_run_for(w, EFF_S(1));
	come();
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "failed");
	world_reload(w, TREE("web: {" ON_DEMAND ", restart: no, environment: {A: b}}"));
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "web", "up");
	ck_assert_uint_eq(os_fake_waiting(w->fake, AT), 0);
	world_free(w);
}
END_TEST

START_TEST(another_socket_is_watched_after_a_reload)
{
	begin(TREE(WEB));
	world_run_for(w, EFF_S(1));
	world_reload(w,
		"version: 1\nname: t\nsockets: {http: {listen: 'udp:*:53'}}\nunits: {" WEB "}\n");
	world_run_for(w, EFF_S(1));
	ck_assert(!os_fake_connect(w->fake, AT));
	EXPECT_STATE(w, "web", "waiting");
	ck_assert(os_fake_connect(w->fake, "udp:*:53"));
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "web", "2000 spawn");
	world_free(w);
}
END_TEST

START_TEST(any_of_its_sockets_will_do)
{
	begin("version: 1\nname: t\nsockets: {a: {listen: 'unix:/a'}, b: {listen: 'udp:*:9'}}\n"
	      "units: {web: {command: web, sockets: [a, b], activate: on-demand}}\n");
	world_script(w, "web", (struct script){.lives = EFF_S(1)});
	world_run_for(w, EFF_S(1));
	ck_assert(os_fake_connect(w->fake, "udp:*:9"));
	world_run_for(w, EFF_S(4));
	ck_assert(os_fake_connect(w->fake, "unix:/a"));
	world_run_for(w, EFF_S(4));

	EXPECT_TRACE(w, "web", "1000 spawn, 2000 exit 0, 5000 spawn, 6000 exit 0");
	world_free(w);
}
END_TEST

START_TEST(a_group_that_begins_anew_has_it_rest_anew)
{
	begin(TREE("g: {strategy: one_for_all, restart: {backoff: {jitter: 0}}, units: {web: {" ON_DEMAND
		   "}, b: {command: b, restart: {backoff: {jitter: 0}}}}}"));
	world_run_for(w, EFF_S(1));
	come();
	world_run_for(w, EFF_S(1));
	world_restart(w, "g");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "g/web", "waiting");
	EXPECT_STATE(w, "g", "up");
	/* A round leaves alone what rests, and starts again what ran. */
	os_fake_kill(w->fake, "g/b", 9);
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "g/web", "waiting");
	come();
	world_run_for(w, EFF_S(1));
	os_fake_kill(w->fake, "g/b", 9);
	world_run_for(w, EFF_S(2));

	EXPECT_STATE(w, "g/web", "up");
	ck_assert_uint_eq(world_spawns(w, "g/web"), 3);
	world_free(w);
}
END_TEST

START_TEST(all_replicas_are_started_by_one_who_comes)
{
	begin(TREE("web: {" ON_DEMAND ", replicas: 2}"));
	world_run_for(w, EFF_S(1));
	come();
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "web@1", "up");
	EXPECT_STATE(w, "web@2", "up");
	world_free(w);
}
END_TEST

START_TEST(who_comes_before_it_is_wanted_is_not_forgotten)
{
	begin(TREE("db: {type: oneshot, command: db}, web: {" ON_DEMAND ", depends_on: [db]}"));
	world_script(w, "db", (struct script){.lives = EFF_S(10)});
	world_run_for(w, EFF_S(1));
	come();
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "waiting");
	ck_assert_ptr_nonnull(world_unit(w, "web")->child.fiber);
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "web", "10000 spawn");
	world_free(w);
}
END_TEST

/* Its row is another when the first of them is open, and where the first row stood is something else. */
START_TEST(its_sockets_are_opened_through_reloads)
{
#define OTHER "tcp:127.0.0.1:81"
#define TWO(labels) \
	"version: 1\nname: t\nsockets: {http: {listen: '" AT "'}, more: {listen: '" OTHER "'}}\n" \
	"units: {web: {command: web, sockets: [http, more], activate: on-demand" labels "}}\n"
	begin(TWO(""));
	(void)mallopt(M_PERTURB, 0x55);
	os_fake_listen_takes(w->fake, AT, EFF_S(25));
	os_fake_listen_fails(w->fake, OTHER, EACCES);
	/* Nobody else waits for one for more than 10 s. */
	world_run_for(w, EFF_S(12));
	world_reload(w, TWO(", labels: {a: b}"));
	world_run_for(w, EFF_S(11));
	world_reload(w, TWO(", labels: {a: c}"));
	world_run_for(w, EFF_MS(12100));
	ck_assert_str_eq(world_unit(w, "web")->cause->text,
		"socket: EACCES (Permission denied): " OTHER);
	os_fake_listen_fails(w->fake, OTHER, 0);
	world_run_for(w, EFF_S(5));
	ck_assert(world_unit(w, "web")->listens);
	world_free(w);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("demand");
	TCase *tcase = tcase_create("demand");

	tcase_add_test(tcase, it_rests_until_somebody_comes);
	tcase_add_test(tcase, a_clean_end_brings_it_back_whatever_its_policy);
	tcase_add_test(tcase, a_failure_goes_by_its_policy_and_who_came_waits);
	tcase_add_test(tcase, one_that_has_failed_is_started_by_nobody_who_comes);
	tcase_add_test(tcase, a_stop_by_hand_holds_until_a_start_by_hand);
	tcase_add_test(tcase, one_that_takes_nobody_is_started_twenty_times_in_two_seconds_at_most);
	tcase_add_test(tcase, for_dependants_it_holds_as_soon_as_it_listens);
	tcase_add_test(tcase, a_start_of_who_requires_it_is_none_of_it);
	tcase_add_test(tcase, what_it_requires_starts_with_it);
	tcase_add_test(tcase, a_reload_changes_how_it_is_started);
	tcase_add_test(tcase, a_reload_brings_one_back_that_has_failed);
	tcase_add_test(tcase, another_socket_is_watched_after_a_reload);
	tcase_add_test(tcase, any_of_its_sockets_will_do);
	tcase_add_test(tcase, a_group_that_begins_anew_has_it_rest_anew);
	tcase_add_test(tcase, all_replicas_are_started_by_one_who_comes);
	tcase_add_test(tcase, who_comes_before_it_is_wanted_is_not_forgotten);
	tcase_add_test(tcase, its_sockets_are_opened_through_reloads);
	suite_add_tcase(suite, tcase);
	return suite;
}
