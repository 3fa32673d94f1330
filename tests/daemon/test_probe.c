/* SPDX-License-Identifier: MIT */
/* Readiness and health: what makes a unit up, what takes it back, and what ends it. */
#include <errno.h>
#include <signal.h>

#include <check.h>

#include "fake/world.h"

#define STEADY ((struct script){.lives = EFF_FOREVER})

START_TEST(a_startup_probe_is_tried_after_100_ms_doubling_up_to_its_period)
{
	struct world *w = world_new(
		"web: {command: web, startup_probe: {tcp: {port: 80}, period: 1s}}");

	world_run_for(w, EFF_MS(99));
	ck_assert_uint_eq(os_fake_asked(w->fake), 0);
	world_run_for(w, EFF_MS(1));
	ck_assert_uint_eq(os_fake_asked(w->fake), 1);
	world_run_for(w, EFF_MS(200));
	ck_assert_uint_eq(os_fake_asked(w->fake), 2);
	world_run_for(w, EFF_MS(400));
	ck_assert_uint_eq(os_fake_asked(w->fake), 3);
	world_run_for(w, EFF_MS(800));
	ck_assert_uint_eq(os_fake_asked(w->fake), 4);
	world_run_for(w, EFF_MS(1000));
	ck_assert_uint_eq(os_fake_asked(w->fake), 5);
	os_fake_port(w->fake, 80, 0, 0);
	world_run_for(w, EFF_MS(1000));

	EXPECT_STATES(w, "web", "0 starting, 3500 up");
	/* That was its last word. */
	world_run_for(w, EFF_H(1));
	ck_assert_uint_eq(os_fake_asked(w->fake), 6);
	world_free(w);
}
END_TEST

START_TEST(a_startup_probe_that_never_passes_is_bounded_by_start_timeout)
{
	struct world *w = world_new(
		"web: {command: web, start_timeout: 3s, startup_probe: {tcp: {port: 80}}, restart: no}");

	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "web", "0 spawn, 3000 TERM, 3000 SIGTERM");
	ck_assert_str_eq(world_last_exit(w, "web"), "start_timeout SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(an_end_while_probes_are_awaited_is_seen_at_once)
{
	struct world *w = world_new(
		"web: {command: web, startup_probe: {tcp: {port: 80}, period: 1h}, restart: no}");

	world_script(w, "web", (struct script){.lives = EFF_S(2), .exits = 0});
	world_run_for(w, EFF_S(3));

	EXPECT_STATES(w, "web", "0 starting, 2000 failed");
	world_free(w);
}
END_TEST

START_TEST(readiness_goes_back_and_forth_and_never_kills)
{
	struct world *w = world_new(
		"web: {command: web, readiness_probe: {tcp: {port: 80}, period: 1s, failure_threshold: 3}}\n"
		"user: {command: user, depends_on: [web]}");

	os_fake_port(w->fake, 80, 0, 0);
	world_run_for(w, EFF_MS(2500));
	EXPECT_STATES(w, "web", "0 starting, 100 up");
	ck_assert_int_eq(world_unit(w, "web")->health, UNIT_HEALTH_PASSING);
	os_fake_port(w->fake, 80, -ECONNREFUSED, 0);
	world_run_for(w, EFF_S(3));
	/* Fails at 3.1, 4.1 and 5.1 s. */
	EXPECT_STATES(w, "web", "0 starting, 100 up, 5100 starting");
	ck_assert_int_eq(world_unit(w, "web")->health, UNIT_HEALTH_FAILING);
	ck_assert_str_eq(world_cause(w, "web"), "probe");
	world_run_for(w, EFF_S(600));
	EXPECT_STATES(w, "web", "0 starting, 100 up, 5100 starting");
	os_fake_port(w->fake, 80, 0, 0);
	world_run_for(w, EFF_S(1));

	EXPECT_STATES(w, "web", "0 starting, 100 up, 5100 starting, 606100 up");
	EXPECT_TRACE(w, "web", "0 spawn");
	EXPECT_TRACE(w, "user", "100 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_pass_between_failures_begins_the_count_anew)
{
	struct world *w = world_new(
		"web: {command: web, liveness_probe: {tcp: {port: 80}, period: 1s, failure_threshold: 2}}");

	os_fake_port(w->fake, 80, 0, 0);
	for (int i = 0; i < 20; i++) {
		os_fake_port(w->fake, 80, i % 2 ? -ECONNREFUSED : 0, 0);
		world_run_for(w, EFF_S(1));
	}

	EXPECT_TRACE(w, "web", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(liveness_ends_the_unit_after_failure_threshold_in_a_row)
{
	struct world *w = world_new(
		"web: {command: web, restart: {backoff: {jitter: 0}},"
		" liveness_probe: {tcp: {port: 80}, period: 2s, failure_threshold: 3}}");

	world_run_for(w, EFF_S(8));

	EXPECT_TRACE(w, "web", "0 spawn, 6000 TERM, 6000 SIGTERM, 6500 spawn");
	ck_assert_str_eq(world_last_exit(w, "web"), "probe SIGTERM");
	ck_assert_uint_eq(world_unit(w, "web")->restarts, 1);
	/* Counters are 0 at each start. */
	world_run_for(w, EFF_S(4));
	ck_assert_uint_eq(world_spawns(w, "web"), 2);
	world_run_for(w, EFF_S(2));
	ck_assert_uint_eq(world_spawns(w, "web"), 3);
	world_free(w);
}
END_TEST

START_TEST(liveness_begins_at_the_first_up_and_after_its_initial_delay)
{
	struct world *w = world_new(
		"web: {command: web, type: notify, restart: no,"
		" liveness_probe: {tcp: {port: 80}, period: 1s, initial_delay: 10s, failure_threshold: 1}}");

	world_script(w, "web", (struct script){.ready_after = EFF_S(20), .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(30));
	ck_assert_uint_eq(os_fake_asked(w->fake), 0);
	world_run_for(w, EFF_S(2));

	EXPECT_STATE(w, "web", "failed");
	world_free(w);
}
END_TEST

START_TEST(an_attempt_past_its_timeout_has_failed_and_never_overlaps_itself)
{
	struct world *w = world_new(
		"web: {command: web, restart: no,"
		" liveness_probe: {tcp: {port: 80}, period: 1s, timeout: 3s, failure_threshold: 2}}");

	os_fake_port(w->fake, 80, 0, EFF_FOREVER);
	world_run_for(w, EFF_MS(3999));
	ck_assert_uint_eq(os_fake_asked(w->fake), 1);
	world_run_for(w, EFF_S(60));

	ck_assert_uint_eq(os_fake_asked(w->fake), 2);
	EXPECT_STATE(w, "web", "failed");
	ck_assert_int_eq(world_unit(w, "web")->last_exit->kind, CAUSE_PROBE);
	world_free(w);
}
END_TEST

START_TEST(an_exec_probe_past_its_timeout_is_killed_with_all_of_it)
{
	struct world *w = world_new(
		"web: {command: web, liveness_probe: {exec: {command: hang}, period: 5s, timeout: 1s}}");

	world_script(w, "hang",
		(struct script){.lives = EFF_FOREVER,
			.leaves = EFF_FOREVER,
			.ignores_term = true,
			.left_ignores_term = true,
			.helper = true});
	world_run_for(w, EFF_MS(5500));
	ck_assert_uint_eq(os_fake_live(w->fake, NULL), 2);
	world_run_for(w, EFF_MS(500));

	ck_assert_uint_eq(os_fake_live(w->fake, NULL), 1);
	EXPECT_STATE(w, "web", "up");
	world_free(w);
}
END_TEST

START_TEST(an_exec_probe_passes_with_exit_0_alone)
{
	struct world *w = world_new(
		"good: {command: web, startup_probe: {exec: {command: good}}}\n"
		"bad: {command: web, startup_probe: {exec: {command: bad}}}\n"
		"gone: {command: web, startup_probe: {exec: {command: gone}}}");

	world_script(w, "good", (struct script){.lives = EFF_MS(50), .helper = true});
	world_script(w, "bad", (struct script){.lives = EFF_MS(50), .exits = 1, .helper = true});
	world_script(w, "gone", (struct script){.exec_error = ENOENT, .helper = true});
	world_run_for(w, EFF_S(5));

	EXPECT_STATES(w, "good", "0 starting, 150 up");
	EXPECT_STATE(w, "bad", "starting");
	EXPECT_STATE(w, "gone", "starting");
	world_free(w);
}
END_TEST

START_TEST(a_unit_stopped_while_a_probe_runs_leaves_no_probe)
{
	struct world *w = world_new(
		"web: {command: web, startup_probe: {exec: {command: hang}, period: 1h, timeout: 1h}}");

	world_script(w, "hang", (struct script){.lives = EFF_FOREVER, .helper = true});
	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(os_fake_live(w->fake, NULL), 2);
	world_stop(w, "web");
	world_run_for(w, EFF_S(1));

	ck_assert_uint_eq(os_fake_live(w->fake, NULL), 0);
	EXPECT_STATE(w, "web", "down");
	world_free(w);
}
END_TEST

START_TEST(http_answers_count_by_their_status_and_unix_sockets_by_connecting)
{
	struct world *w = world_new(
		"ok: {command: web, startup_probe: {http_get: {port: 1}}}\n"
		"no: {command: web, startup_probe: {http_get: {port: 2}}}\n"
		"own: {command: web, startup_probe: {http_get: {port: 2, expect_status: 404-404}}}\n"
		"unix: {command: web, startup_probe: {unix: {path: /run/a.sock}}}\n"
		"none: {command: web, startup_probe: {unix: {path: /run/b.sock}}}");

	os_fake_port(w->fake, 1, 302, 0);
	os_fake_port(w->fake, 2, 404, 0);
	os_fake_socket(w->fake, "/run/a.sock", 0, 0);
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "ok", "up");
	EXPECT_STATE(w, "no", "starting");
	EXPECT_STATE(w, "own", "up");
	EXPECT_STATE(w, "unix", "up");
	EXPECT_STATE(w, "none", "starting");
	world_free(w);
}
END_TEST

START_TEST(what_a_probe_was_answered_is_why_the_unit_ended)
{
	struct world *w = world_new(
		"g:\n defaults: {start_timeout: 5s, restart: no}\n units:\n"
		"  http: {command: web, readiness_probe: {http_get: {port: 1}}}\n"
		"  tcp: {command: web, startup_probe: {tcp: {port: 2}}}\n"
		"  slow: {command: web, startup_probe: {tcp: {port: 3}, timeout: 200ms}}\n"
		"  name: {command: web, startup_probe: {tcp: {port: 4, host: db}}}\n"
		"  line: {command: web, readiness_probe: {log: {match: listening}}}\n"
		"  exec: {command: web, readiness_probe: {exec: {command: bad}}}\n"
		"  alive: {command: web, liveness_probe: {exec: {command: bad}, period: 1s}}\n");
	static const char *const wanted[][2] = {
		{"g/http", "not ready in time: readiness probe: HTTP status 503"},
		{"g/tcp", "not ready in time: startup probe: ECONNREFUSED (Connection refused)"},
		{"g/slow", "not ready in time: startup probe: no answer within 200ms"},
		{"g/name", "not ready in time: startup probe: there is no host `db`"},
		{"g/line", "not ready in time: readiness probe: no line of output with `listening`"},
		{"g/exec", "not ready in time: readiness probe: exit 3"},
	};

	os_fake_port(w->fake, 1, 503, 0);
	os_fake_port(w->fake, 3, 0, EFF_S(1));
	os_fake_port(w->fake, 4, -ENODATA, 0);
	world_script(w, "bad", (struct script){.lives = EFF_MS(1), .exits = 3, .helper = true});
	world_run_for(w, EFF_S(6));
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		ck_assert_str_eq(world_unit(w, wanted[i][0])->last_exit->text, wanted[i][1]);
	ck_assert_str_eq(world_unit(w, "g/alive")->last_exit->text, "liveness probe: exit 3");
	world_free(w);
}
END_TEST

START_TEST(a_success_threshold_wants_so_many_in_a_row)
{
	struct world *w = world_new(
		"web: {command: web, readiness_probe: {tcp: {port: 80}, period: 1s, success_threshold: 3}}");

	os_fake_port(w->fake, 80, 0, 0);
	world_run_for(w, EFF_S(5));

	/* At 100, 300 and 700 ms. */
	EXPECT_STATES(w, "web", "0 starting, 700 up");
	world_free(w);
}
END_TEST

START_TEST(up_needs_all_that_the_unit_declares)
{
	struct world *w = world_new(
		"web: {command: web, type: notify, startup_probe: {tcp: {port: 1}, period: 100ms},"
		" readiness_probe: {tcp: {port: 2}, period: 100ms}}");

	world_script(w, "web", (struct script){.ready_after = EFF_S(1), .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(2));
	EXPECT_STATE(w, "web", "starting");
	os_fake_port(w->fake, 1, 0, 0);
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "starting");
	os_fake_port(w->fake, 2, 0, 0);
	world_run_for(w, EFF_S(1));

	EXPECT_STATES(w, "web", "0 starting, 3100 up");
	world_free(w);
}
END_TEST

START_TEST(being_not_ready_for_a_while_breaks_the_time_of_being_up)
{
	struct world *w = world_new(
		"web: {command: web, restart: {backoff: {jitter: 0, reset_after: 1m}},"
		" readiness_probe: {tcp: {port: 80}, period: 1s, failure_threshold: 1}}");

	WORLD_SCRIPTS(w, "web", {.exits = 1}, {.exits = 1}, STEADY);
	os_fake_port(w->fake, 80, 0, 0);
	world_run_for(w, EFF_S(32));
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "web")->child), 2);
	os_fake_port(w->fake, 80, -ECONNREFUSED, 0);
	world_run_for(w, EFF_S(2));
	os_fake_port(w->fake, 80, 0, 0);
	world_run_for(w, EFF_S(50));
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "web")->child), 2);
	world_run_for(w, EFF_S(20));

	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "web")->child), 0);
	world_free(w);
}
END_TEST

START_TEST(a_line_of_output_makes_a_unit_ready_at_once)
{
	struct world *w = world_new(
		"web: {command: web, readiness_probe: {log: {match: 'listening on'}}}");

	world_script(w, "web",
		(struct script){.lives = EFF_FOREVER, .prints = "not yet\nlistening o"});
	world_run_for(w, EFF_S(7));
	EXPECT_STATE(w, "web", "starting");
	os_fake_print(w->fake, "web", OS_STDOUT, "n port 80\nmore\n");
	world_run_for(w, 0);
	EXPECT_STATES(w, "web", "0 starting, 7000 up");
	/* What was there once stays there. */
	world_run_for(w, EFF_H(1));

	EXPECT_STATES(w, "web", "0 starting, 7000 up");
	world_free(w);
}
END_TEST

START_TEST(a_line_counts_for_the_run_that_wrote_it)
{
	struct world *w = world_new("web: {command: web, restart: {backoff: {jitter: 0}},"
				    " startup_probe: {log: {match: ready}}}");

	WORLD_SCRIPTS(w, "web", {.lives = EFF_S(5), .prints = "ready\n"}, STEADY);
	world_run_for(w, EFF_S(20));

	EXPECT_STATES(w, "web", "0 up, 5000 backoff, 5500 starting");
	world_free(w);
}
END_TEST

START_TEST(a_line_on_either_stream_will_do_for_either_probe)
{
	struct world *w = world_new("web: {command: web, log: {stderr: ring},"
				    " startup_probe: {log: {match: one}},"
				    " readiness_probe: {log: {match: two}}}");

	world_script(w, "web", STEADY);
	world_run_for(w, EFF_S(1));
	os_fake_print(w->fake, "web", OS_STDERR, "two\n");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "starting");
	os_fake_print(w->fake, "web", OS_STDOUT, "one\n");
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "web", "up");
	world_free(w);
}
END_TEST

START_TEST(a_file_makes_a_unit_ready_and_its_absence_takes_it_back)
{
	struct world *w = world_new("web: {command: web, readiness_probe: {file: {path: /run/up},"
				    " period: 1s, failure_threshold: 2}}");

	world_script(w, "web", STEADY);
	world_run_for(w, EFF_MS(250));
	os_fake_socket(w->fake, "/run/up", 0, 0);
	world_run_for(w, EFF_S(1));
	EXPECT_STATES(w, "web", "0 starting, 300 up");
	os_fake_socket(w->fake, "/run/up", -ENOENT, 0);
	world_run_for(w, EFF_S(5));

	EXPECT_STATES(w, "web", "0 starting, 300 up, 2300 starting");
	world_free(w);
}
END_TEST

START_TEST(a_second_ready_is_no_answer_of_a_probe)
{
	struct world *w = world_new("web: {command: web, type: notify,"
				    " readiness_probe: {tcp: {port: 80}, period: 1s}}");

	world_script(w, "web", STEADY);
	world_run_for(w, EFF_S(1));
	os_fake_notify(w->fake, "web", "READY=1");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "starting");
	os_fake_port(w->fake, 80, 0, 0);
	world_run_for(w, EFF_S(2));

	EXPECT_STATE(w, "web", "up");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/probe");
	TCase *tcase = tcase_create("probe");

	tcase_add_test(tcase, a_startup_probe_is_tried_after_100_ms_doubling_up_to_its_period);
	tcase_add_test(tcase, a_startup_probe_that_never_passes_is_bounded_by_start_timeout);
	tcase_add_test(tcase, an_end_while_probes_are_awaited_is_seen_at_once);
	tcase_add_test(tcase, readiness_goes_back_and_forth_and_never_kills);
	tcase_add_test(tcase, a_pass_between_failures_begins_the_count_anew);
	tcase_add_test(tcase, liveness_ends_the_unit_after_failure_threshold_in_a_row);
	tcase_add_test(tcase, liveness_begins_at_the_first_up_and_after_its_initial_delay);
	tcase_add_test(tcase, an_attempt_past_its_timeout_has_failed_and_never_overlaps_itself);
	tcase_add_test(tcase, an_exec_probe_past_its_timeout_is_killed_with_all_of_it);
	tcase_add_test(tcase, an_exec_probe_passes_with_exit_0_alone);
	tcase_add_test(tcase, a_unit_stopped_while_a_probe_runs_leaves_no_probe);
	tcase_add_test(tcase, http_answers_count_by_their_status_and_unix_sockets_by_connecting);
	tcase_add_test(tcase, what_a_probe_was_answered_is_why_the_unit_ended);
	tcase_add_test(tcase, a_success_threshold_wants_so_many_in_a_row);
	tcase_add_test(tcase, up_needs_all_that_the_unit_declares);
	tcase_add_test(tcase, being_not_ready_for_a_while_breaks_the_time_of_being_up);
	tcase_add_test(tcase, a_line_of_output_makes_a_unit_ready_at_once);
	tcase_add_test(tcase, a_line_counts_for_the_run_that_wrote_it);
	tcase_add_test(tcase, a_line_on_either_stream_will_do_for_either_probe);
	tcase_add_test(tcase, a_file_makes_a_unit_ready_and_its_absence_takes_it_back);
	tcase_add_test(tcase, a_second_ready_is_no_answer_of_a_probe);
	suite_add_tcase(suite, tcase);
	return suite;
}
