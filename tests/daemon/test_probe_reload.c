/* SPDX-License-Identifier: MIT */
/* Probes are live: a reload brings them to a unit that is up, takes them away, and gives them another port. */
#include <errno.h>
#include <string.h>

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

/* ── times ── */

#define EVERY(probe, port, time) \
	", " probe ": {tcp: {port: " port "}, failure_threshold: 1, " time "}"

/* Its times are the first ones for 5 seconds after it is up, then the second ones. Nothing answers from then on. */
static struct world *retimed(const char *before, const char *after)
{
	struct world *w = world_new(before);

	os_fake_port(w->fake, 1, 0, 0);
	world_run_for(w, EFF_S(5));
	os_fake_port(w->fake, 1, -ECONNREFUSED, 0);
	world_reload(w, after);
	world_run_for(w, EFF_M(1));
	return w;
}

START_TEST(a_shorter_period_of_a_liveness_probe_holds_at_once)
{
	struct world *w = retimed(WEB(EVERY("liveness_probe", "1", "period: 1h")),
		WEB(EVERY("liveness_probe", "1", "period: 8s")));

	ck_assert_str_eq(world_changes(w), "web live");
	ck_assert_int_eq(strncmp(world_trace(w, "web"), "0 spawn, 8000 TERM, 8000 SIGTERM", 32), 0);
	world_free(w);
}
END_TEST

START_TEST(a_period_that_has_passed_already_is_over)
{
	struct world *w = retimed(WEB(EVERY("liveness_probe", "1", "period: 1h")),
		WEB(EVERY("liveness_probe", "1", "period: 3s")));

	ck_assert_int_eq(strncmp(world_trace(w, "web"), "0 spawn, 5000 TERM, 5000 SIGTERM", 32), 0);
	world_free(w);
}
END_TEST

START_TEST(a_longer_period_of_a_liveness_probe_puts_its_question_off)
{
	struct world *w = retimed(WEB(EVERY("liveness_probe", "1", "period: 8s")),
		WEB(EVERY("liveness_probe", "1", "period: 50s")));

	EXPECT_TRACE(w, "web", "0 spawn, 50000 TERM, 50000 SIGTERM, 50500 spawn");
	world_free(w);
}
END_TEST

START_TEST(the_first_question_of_a_liveness_probe_is_put_off_and_brought_forward)
{
	struct world *w = retimed(
		WEB(EVERY("liveness_probe", "1", "initial_delay: 1h, period: 3s")),
		WEB(EVERY("liveness_probe", "1", "initial_delay: 20s, period: 3s")));

	ck_assert_int_eq(strncmp(world_trace(w, "web"), "0 spawn, 23000 TERM", 19), 0);
	world_free(w);
}
END_TEST

START_TEST(another_period_of_a_readiness_probe_holds_at_once)
{
	struct world *w = retimed(WEB(EVERY("readiness_probe", "1", "period: 1h")),
		WEB(EVERY("readiness_probe", "1", "period: 8s")));

	/* From when it passed first. */
	EXPECT_STATES(w, "web", "0 starting, 100 up, 8100 starting");
	world_free(w);
}
END_TEST

START_TEST(another_period_holds_for_one_that_has_not_been_ready_yet)
{
	struct world *w = world_new(WEB(EVERY("readiness_probe", "1", "period: 1h")));

	/* Asked at 0.1, 0.3, 0.7, 1.5, 3.1, 6.3, 12.7 and 25.5 s, and next at 51.1 s. */
	os_fake_port(w->fake, 1, -ECONNREFUSED, 0);
	world_run_for(w, EFF_S(30));
	ck_assert_uint_eq(os_fake_asked(w->fake), 8);
	os_fake_port(w->fake, 1, 0, 0);
	world_reload(w, WEB(EVERY("readiness_probe", "1", "period: 6s")));
	world_run_for(w, EFF_S(10));

	EXPECT_STATES(w, "web", "0 starting, 31500 up");
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
	tcase_add_test(tcase, a_shorter_period_of_a_liveness_probe_holds_at_once);
	tcase_add_test(tcase, a_period_that_has_passed_already_is_over);
	tcase_add_test(tcase, a_longer_period_of_a_liveness_probe_puts_its_question_off);
	tcase_add_test(tcase, the_first_question_of_a_liveness_probe_is_put_off_and_brought_forward);
	tcase_add_test(tcase, another_period_of_a_readiness_probe_holds_at_once);
	tcase_add_test(tcase, another_period_holds_for_one_that_has_not_been_ready_yet);
	suite_add_tcase(suite, tcase);
	return suite;
}
