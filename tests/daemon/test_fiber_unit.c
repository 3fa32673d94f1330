/* SPDX-License-Identifier: MIT */
/* Fiber units: nothing above them can tell that they are no processes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "control/web.h"
#include "effd/fiber.h"
#include "fake/world.h"
#include "plan/fields.h"

/* Entries of a module, without one. */
static eff_exit stubborn(struct effd_fiber *self)
{
	eff_masked before = eff_mask();

	(void)self;
	(void)eff_sleep(EFF_S(100));
	eff_unmask(before);
	return eff_interrupted();
}

static eff_exit tidy(struct effd_fiber *self)
{
	(void)eff_sleep(EFF_FOREVER);
	/* Its finalizing takes a while. */
	eff_masked before = eff_mask();
	(void)eff_sleep(EFF_S(2));
	eff_unmask(before);
	effd_fiber_log(self, "tidied");
	return eff_interrupted();
}

static eff_exit reader(struct effd_fiber *self)
{
	effd_fiber_status(self, "%s %lld %s", effd_fiber_name(self),
		(long long)effd_fiber_number(self, "count", 7), effd_fiber_text(self, "word", "-"));
	if (eff_sleep(effd_fiber_duration(self, "wait", EFF_S(1))) < 0)
		return eff_interrupted();
	effd_fiber_ready(self);
	return eff_sleep(EFF_FOREVER) < 0 ? eff_interrupted() : eff_ok(NULL);
}

static eff_exit watched(struct effd_fiber *self)
{
	for (int i = 0; i < 3; i++) {
		if (eff_sleep(EFF_S(4)) < 0)
			return eff_interrupted();
		effd_fiber_alive(self);
	}
	return eff_sleep(EFF_FOREVER) < 0 ? eff_interrupted() : eff_ok(NULL);
}

static int entry_of(const struct plan_unit *spec, eff_fn **ret_entry, const char **ret_reason)
{
	static const struct {
		const char *name;
		eff_exit (*entry)(struct effd_fiber *self);
	} entries[] = {{"stubborn", stubborn}, {"tidy", tidy}, {"reader", reader},
		{"watched", watched}};

	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		if (!strcmp(entries[i].name, spec->entry)) {
			*ret_entry = (eff_fn *)(void (*)(void))entries[i].entry;
			return 0;
		}
	*ret_reason = "it has no such entry";
	return -ENOENT;
}

START_TEST(a_fiber_is_up_when_it_has_begun_and_done_when_it_succeeds)
{
	struct world *w = world_new("a: {fiber: idle, with: {for: 5s}, restart: on-failure}");

	world_run_for(w, EFF_S(4));
	EXPECT_STATES(w, "a", "0 up");
	ck_assert_int_eq(world_unit(w, "a")->pid, 0);
	world_run_for(w, EFF_S(4));

	EXPECT_STATES(w, "a", "0 up, 5000 done");
	ck_assert_str_eq(world_last_exit(w, "a"), "exit 0");
	world_free(w);
}
END_TEST

START_TEST(the_end_of_a_fiber_has_a_cause_of_its_own)
{
	struct world *w = world_new("f: {fiber: idle, with: {for: 1s, exit: fail}, restart: no}\n"
				    "d: {fiber: idle, with: {for: 1s, exit: die}, restart: no}");

	world_run_for(w, EFF_S(2));

	ck_assert_str_eq(world_last_exit(w, "f"), "fiber_failed 1");
	ck_assert_str_eq(world_last_exit(w, "d"), "fiber_died");
	ck_assert_str_ne(world_unit(w, "f")->last_exit->text, "");
	world_free(w);
}
END_TEST

START_TEST(a_fiber_restarts_by_the_same_timetable)
{
	struct world *w = world_new(
		"a: {fiber: idle, with: {for: 1s, exit: fail}, restart: {max_restarts: 2, backoff: {jitter: 0}}}");

	world_run_for(w, EFF_S(60));

	EXPECT_STATES(w, "a", "0 up, 1000 backoff, 1500 up, 2500 backoff, 3500 up, 4500 failed");
	ck_assert_str_eq(world_cause(w, "a"), "max_restarts < fiber_failed 1");
	ck_assert_uint_eq(world_unit(w, "a")->starts, 3);
	world_free(w);
}
END_TEST

START_TEST(a_stop_is_an_interruption)
{
	struct world *w = world_new("a: {fiber: idle}");

	world_run_for(w, EFF_S(1));
	world_stop(w, "a");
	world_run_for(w, 0);

	EXPECT_STATES(w, "a", "0 up, 1000 down");
	ck_assert_str_eq(world_last_exit(w, "a"), "stop_requested");
	world_free(w);
}
END_TEST

START_TEST(a_stop_waits_for_a_fibers_finalizing)
{
	struct world *w = world_new("a: {fiber: {module: /m.so, entry: tidy}}");

	w->tree->world.fiber_entry = entry_of;
	world_run_for(w, EFF_S(1));
	world_stop(w, "a");
	world_run_for(w, EFF_S(5));

	EXPECT_STATES(w, "a", "0 up, 1000 stopping, 3000 down");
	ck_assert_str_eq(os_fake_stdout(w->fake), "a | tidied\n");
	world_free(w);
}
END_TEST

START_TEST(a_fiber_that_does_not_end_is_reported_and_holds_up_nobody)
{
	struct world *w = world_new(
		"b: {command: b}\na: {fiber: {module: /m.so, entry: stubborn}, stop: {timeout: 2s}, depends_on: [b]}");

	w->tree->world.fiber_entry = entry_of;
	world_run_for(w, EFF_S(1));
	world_shutdown(w, false);
	world_run_for(w, EFF_S(20));
	ck_assert_ptr_nonnull(world_said(w, "a", "stuck"));
	EXPECT_STATE(w, "b", "down");
	EXPECT_STATE(w, "a", "stopping");
	world_run_for(w, EFF_S(80));

	EXPECT_STATE(w, "a", "down");
	world_free(w);
}
END_TEST

START_TEST(a_fiber_with_type_notify_is_up_when_it_says_so_and_reads_its_values)
{
	struct world *w = world_new(
		"a: {fiber: {module: /m.so, entry: reader}, type: notify, with: {wait: 3s, word: hello}}");

	w->tree->world.fiber_entry = entry_of;
	world_run_for(w, EFF_S(5));

	EXPECT_STATES(w, "a", "0 starting, 3000 up");
	ck_assert_str_eq(world_unit(w, "a")->status_text, "a 7 hello");
	world_free(w);
}
END_TEST

START_TEST(a_module_without_the_entry_is_an_exec_error)
{
	struct world *w = world_new("a: {fiber: {module: /m.so, entry: none}, restart: no}");

	w->tree->world.fiber_entry = entry_of;
	world_run_for(w, EFF_S(5));

	EXPECT_STATE(w, "a", "failed");
	ck_assert_str_eq(world_last_exit(w, "a"), "exec_error");
	world_free(w);
}
END_TEST

START_TEST(a_fiber_is_a_dependency_and_a_dependant_like_any_other)
{
	struct world *w = world_new(
		"a: {fiber: idle, with: {for: 10s, exit: fail}, restart: {backoff: {jitter: 0}}}\n"
		"b: {command: b, depends_on: {a: {bind: true}}}\n"
		"c: {fiber: idle, depends_on: [b]}");

	world_run_for(w, EFF_S(5));
	EXPECT_STATES(w, "c", "0 up");
	world_run_for(w, EFF_S(6));

	EXPECT_TRACE(w, "b", "0 spawn, 10000 TERM, 10000 SIGTERM, 10500 spawn");
	world_free(w);
}
END_TEST

START_TEST(max_runtime_ends_a_fiber_too)
{
	struct world *w = world_new("a: {fiber: idle, max_runtime: 3s, restart: no}");

	world_run_for(w, EFF_S(5));

	EXPECT_STATES(w, "a", "0 up, 3000 failed");
	ck_assert_str_eq(world_last_exit(w, "a"), "max_runtime");
	world_free(w);
}
END_TEST

START_TEST(a_fiber_is_up_when_its_probes_say_so_and_leaves_up_as_a_process_does)
{
	struct world *w = world_new(
		"a: {fiber: idle, startup_probe: {tcp: {port: 80}, period: 1s},\n"
		"  readiness_probe: {file: {path: /ready}, period: 1s, failure_threshold: 2}}\n"
		"n: {fiber: {module: /m.so, entry: reader}, type: notify, readiness_probe: {tcp: {port: 80}, period: 1s}}\n"
		"d: {command: d, depends_on: [a]}");

	w->tree->world.fiber_entry = entry_of;
	world_run_for(w, EFF_MS(1500));
	os_fake_port(w->fake, 80, 0, 0);
	os_fake_socket(w->fake, "/ready", 0, 0);
	world_run_for(w, EFF_MS(1000));
	/* Tried at 100, 300, 700, 1500 and, each second from then on, 2500 ms; then the other begins. */
	EXPECT_STATE(w, "a", "starting");
	world_run_for(w, EFF_MS(1000));
	EXPECT_STATES(w, "a", "0 starting, 2600 up");
	EXPECT_STATES(w, "n", "0 starting, 1700 up");
	EXPECT_TRACE(w, "d", "2600 spawn");
	os_fake_socket(w->fake, "/ready", -ENOENT, 0);
	world_run_for(w, EFF_S(2));

	EXPECT_STATE(w, "a", "starting");
	EXPECT_TRACE(w, "d", "2600 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_heartbeat_is_heard)
{
	struct world *w = world_new("beat: {fiber: heartbeat, with: {every: 2s, text: here}}");

	world_run_for(w, EFF_S(5));

	ck_assert_str_eq(os_fake_stdout(w->fake), "beat | here\nbeat | here\n");
	world_free(w);
}
END_TEST

START_TEST(a_fiber_is_watched_as_a_process_is)
{
	struct world *w = world_new(
		"a: {fiber: {module: x, entry: watched}, watchdog: 5s, restart: no}");

	w->tree->world.fiber_entry = entry_of;
	world_run_for(w, EFF_S(60));

	EXPECT_STATES(w, "a", "0 up, 17000 failed");
	ck_assert_str_eq(world_last_exit(w, "a"), "watchdog");
	world_free(w);
}
END_TEST

/* The words that the checker knows are those that there is something behind. */
START_TEST(every_built_in_that_a_tree_may_name_is_there)
{
	const char *words = field_row(FIELD_FIBER_BUILTIN)->words;
	struct word word;
	char name[32];
	int n = 0;

	while (word_next(&words, &word)) {
		(void)snprintf(name, sizeof(name), "%.*s", (int)word.len, word.text);
		ck_assert_msg(builtin_fiber(name) || web_fiber(name), "%s", name);
		n++;
	}
	ck_assert_int_eq(n, 4);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/task");
	TCase *tcase = tcase_create("fiber_unit");

	tcase_add_test(tcase, a_fiber_is_up_when_it_has_begun_and_done_when_it_succeeds);
	tcase_add_test(tcase, the_end_of_a_fiber_has_a_cause_of_its_own);
	tcase_add_test(tcase, a_fiber_restarts_by_the_same_timetable);
	tcase_add_test(tcase, a_stop_is_an_interruption);
	tcase_add_test(tcase, a_stop_waits_for_a_fibers_finalizing);
	tcase_add_test(tcase, a_fiber_that_does_not_end_is_reported_and_holds_up_nobody);
	tcase_add_test(tcase, a_fiber_with_type_notify_is_up_when_it_says_so_and_reads_its_values);
	tcase_add_test(tcase, a_module_without_the_entry_is_an_exec_error);
	tcase_add_test(tcase, a_fiber_is_a_dependency_and_a_dependant_like_any_other);
	tcase_add_test(tcase, max_runtime_ends_a_fiber_too);
	tcase_add_test(tcase, a_fiber_is_up_when_its_probes_say_so_and_leaves_up_as_a_process_does);
	tcase_add_test(tcase, a_heartbeat_is_heard);
	tcase_add_test(tcase, a_fiber_is_watched_as_a_process_is);
	tcase_add_test(tcase, every_built_in_that_a_tree_may_name_is_there);
	suite_add_tcase(suite, tcase);
	return suite;
}
