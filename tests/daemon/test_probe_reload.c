/* SPDX-License-Identifier: MIT */
/* Probes are live: a reload brings them to a unit that is up, takes them away, and gives them another port. */
#include <errno.h>

#include <check.h>

#include "fake/world.h"

#define PROBE(name, port, more) \
	name ": {tcp: {port: " port "}, period: 10s, failure_threshold: 1" more "}"
#define WEB(more) "web: {command: web, restart: {backoff: {jitter: 0}}" more "}"
#define LIVENESS(port, more) ", " PROBE("liveness_probe", port, more)
#define READINESS(port, more) ", " PROBE("readiness_probe", port, more)

START_TEST(a_liveness_probe_that_goes_before_its_first_question_is_never_asked)
{
	struct world *w = world_new(WEB(LIVENESS("1", ", initial_delay: 5s")));

	world_run_for(w, EFF_S(2));
	world_reload(w, WEB(""));
	world_run_for(w, EFF_H(1));

	ck_assert_str_eq(world_changes(w), "web live");
	EXPECT_TRACE(w, "web", "0 spawn");
	ck_assert_uint_eq(os_fake_asked(w->fake), 0);
	ck_assert_int_eq(world_unit(w, "web")->health, UNIT_HEALTH_NONE);
	world_free(w);
}
END_TEST

START_TEST(a_liveness_probe_that_a_reload_brings_is_asked_without_a_restart)
{
	struct world *w = world_new(WEB(""));

	os_fake_port(w->fake, 1, 0, 0);
	world_run_for(w, EFF_S(2));
	world_reload(w, WEB(LIVENESS("1", "")));
	world_run_for(w, EFF_S(35));
	ck_assert_uint_eq(os_fake_asked(w->fake), 3);
	ck_assert_int_eq(world_unit(w, "web")->health, UNIT_HEALTH_PASSING);
	os_fake_port(w->fake, 1, -ECONNREFUSED, 0);
	world_run_for(w, EFF_S(6));

	EXPECT_TRACE(w, "web", "0 spawn, 42000 TERM, 42000 SIGTERM, 42500 spawn");
	ck_assert_int_eq(world_unit(w, "web")->last_exit->kind, CAUSE_PROBE);
	world_free(w);
}
END_TEST

START_TEST(a_liveness_probe_that_went_is_not_asked_any_more)
{
	struct world *w = world_new(WEB(LIVENESS("1", "")));

	os_fake_port(w->fake, 1, 0, 0);
	world_run_for(w, EFF_S(25));
	world_reload(w, WEB(""));
	os_fake_port(w->fake, 1, -ECONNREFUSED, 0);
	world_run_for(w, EFF_H(1));

	ck_assert_uint_eq(os_fake_asked(w->fake), 2);
	EXPECT_TRACE(w, "web", "0 spawn");
	ck_assert_int_eq(world_unit(w, "web")->health, UNIT_HEALTH_NONE);
	world_free(w);
}
END_TEST

START_TEST(a_probe_that_went_and_came_back_is_asked_once_a_period)
{
	struct world *w = world_new(WEB(LIVENESS("1", "") READINESS("2", "")));

	os_fake_port(w->fake, 1, 0, 0);
	os_fake_port(w->fake, 2, 0, 0);
	world_run_for(w, EFF_S(2));
	for (int i = 0; i < 5; i++) {
		world_reload(w, WEB(""));
		world_reload(w, WEB(LIVENESS("1", "") READINESS("2", "")));
	}
	world_run_for(w, EFF_S(30));

	/* One before it was up, then each three times. */
	ck_assert_uint_eq(os_fake_asked(w->fake), 7);
	EXPECT_TRACE(w, "web", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_readiness_probe_that_a_reload_brings_may_take_the_unit_back_to_starting)
{
	struct world *w = world_new(WEB(""));

	world_run_for(w, EFF_S(2));
	world_reload(w, WEB(READINESS("1", "")));
	world_run_for(w, EFF_S(15));
	EXPECT_STATES(w, "web", "0 up, 12000 starting");
	ck_assert_int_eq(world_unit(w, "web")->health, UNIT_HEALTH_FAILING);
	os_fake_port(w->fake, 1, 0, 0);
	world_run_for(w, EFF_S(15));

	EXPECT_STATES(w, "web", "0 up, 12000 starting, 22000 up");
	EXPECT_TRACE(w, "web", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_readiness_probe_that_goes_holds_nothing_back_any_more)
{
	struct world *w = world_new(WEB(READINESS("1", "")));

	os_fake_port(w->fake, 1, 0, 0);
	world_run_for(w, EFF_S(2));
	os_fake_port(w->fake, 1, -ECONNREFUSED, 0);
	world_run_for(w, EFF_S(20));
	EXPECT_STATES(w, "web", "0 starting, 100 up, 10100 starting");
	world_reload(w, WEB(""));
	world_run_for(w, EFF_S(20));

	EXPECT_STATES(w, "web", "0 starting, 100 up, 10100 starting, 30100 up");
	ck_assert_int_eq(world_unit(w, "web")->health, UNIT_HEALTH_NONE);
	EXPECT_TRACE(w, "web", "0 spawn");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/probe_reload");
	TCase *tcase = tcase_create("probe_reload");

	tcase_add_test(tcase, a_liveness_probe_that_goes_before_its_first_question_is_never_asked);
	tcase_add_test(tcase, a_liveness_probe_that_a_reload_brings_is_asked_without_a_restart);
	tcase_add_test(tcase, a_liveness_probe_that_went_is_not_asked_any_more);
	tcase_add_test(tcase, a_probe_that_went_and_came_back_is_asked_once_a_period);
	tcase_add_test(tcase,
		a_readiness_probe_that_a_reload_brings_may_take_the_unit_back_to_starting);
	tcase_add_test(tcase, a_readiness_probe_that_goes_holds_nothing_back_any_more);
	suite_add_tcase(suite, tcase);
	return suite;
}
