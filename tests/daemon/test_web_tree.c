/* SPDX-License-Identifier: MIT */
/* What the pages of a tree say: whether it is well, and the figures of its units. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "leak.h"
#include "web_world.h"

Suite *test_suite(void);

/* Ready is what all that is wanted is; what is not wanted, and what waits for its hour, holds nothing back. */
START_TEST(ready_is_when_all_that_is_wanted_is_well)
{
	struct world *w = world_with("health",
		"web: {command: web, restart: {backoff: {initial: 10s, jitter: 0}}}\n"
		"slow: {type: oneshot, command: slow}\n"
		"manual: {command: x, activate: manual}\n"
		"nightly: {type: oneshot, command: x, schedule: {every: 1h}}\n"
		"group: {units: {last: {command: x, depends_on: [slow]}}}\n");

	world_script(w, "slow", (struct script){.lives = EFF_S(20)});
	WORLD_SCRIPTS(w, "web", {.lives = EFF_S(5), .exits = 3}, {.lives = EFF_FOREVER});

	world_run_for(w, EFF_S(1));
	ck_assert_int_eq(got(w, "/readyz"), 503);
	ck_assert_str_eq(body(),
		"slow: starting\n"
		"group/last: waiting: dependency: waits for slow, which is starting\n");

	world_run_for(w, EFF_S(5));
	ck_assert_int_eq(got(w, "/readyz"), 503);
	ck_assert_str_eq(body(),
		"web: in backoff: exit 3\nslow: starting\n"
		"group/last: waiting: dependency: waits for slow, which is starting\n");

	world_run_for(w, EFF_S(30));
	ck_assert_int_eq(got(w, "/readyz"), 200);
	ck_assert_str_eq(body(), "ready\n");
	world_free(w);
}
END_TEST

START_TEST(a_tree_that_is_going_is_not_ready_and_still_alive)
{
	struct world *w = world_with(
		"health", "web: {command: web, after: [door], stop: {timeout: 1m}}");

	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .ignores_term = true});
	world_run_for(w, EFF_S(1));
	tree_shutdown(w->tree, &(struct asker){0}, false);
	world_run_for(w, EFF_S(1));

	ck_assert_int_eq(got(w, "/livez"), 200);
	ck_assert_int_eq(got(w, "/readyz"), 503);
	ck_assert_str_eq(body(), "shutting down\n");
	world_free(w);
}
END_TEST

START_TEST(figures_are_families_one_after_the_other)
{
	struct world *w = world_with(
		"metrics", "web: {command: web, restart: {backoff: {jitter: 0}}}");

	WORLD_SCRIPTS(w, "web", {.lives = EFF_S(1), .exits = 3}, {.lives = EFF_FOREVER});
	world_run_for(w, EFF_MS(3500));

	ck_assert_int_eq(got(w, "/metrics"), 200);

	ck_assert_ptr_nonnull(strstr(answer,
		"Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
	ck_assert_ptr_nonnull(strstr(body(),
		"# TYPE effd_unit_restarts counter\n"
		"# HELP effd_unit_restarts Starts after an end by itself.\n"
		"effd_unit_restarts_total{unit=\"/\"} 0\n"
		"effd_unit_restarts_total{unit=\"door\"} 0\n"
		"effd_unit_restarts_total{unit=\"web\"} 1\n"
		"# TYPE effd_unit_uptime_seconds gauge\n# UNIT effd_unit_uptime_seconds seconds\n"));
	ck_assert_ptr_nonnull(strstr(body(), "effd_unit_uptime_seconds{unit=\"web\"} 2\n"));
	ck_assert_ptr_nonnull(
		strstr(body(), "effd_unit_state{unit=\"web\",effd_unit_state=\"up\"} 1\n"));
	ck_assert_ptr_nonnull(
		strstr(body(), "effd_unit_state{unit=\"web\",effd_unit_state=\"backoff\"} 0\n"));
	ck_assert_str_eq(strstr(body(), "# EOF"), "# EOF\n");
	world_free(w);
}
END_TEST

START_TEST(of_many_units_every_one_is_told)
{
	struct text units = {0};
	struct world *w;
	size_t n = 0;

	for (int i = 0; i < 1000; i++)
		text_printf(&units, "u%d: {command: x, activate: manual}\n", i);
	w = world_up("metrics", units.bytes);

	ck_assert_int_eq(got(w, "/metrics"), 200);

	for (const char *at = body(); (at = strstr(at, "effd_unit_starts_total{")); at++)
		n++;
	ck_assert_uint_eq(n, 1002);
	text_done(&units);
	world_free(w);
}
END_TEST

/* More than one turn's worth, and as many again of which half come before and between them. */
static void units_print(struct text *to, bool are_more)
{
	text_add(to, "runs: {command: x}\n");
	for (int i = 0; i < 600; i++) {
		if (are_more && i % 2 == 0)
			text_printf(to, "more%d: {command: x, activate: manual}\n", i);
		text_printf(to, "u%d: {command: x, activate: manual}\n", i);
	}
}

/* How often the answer has a row of that unit in one family. */
static int rows_of(const char *unit)
{
	char row[64];
	int n = 0;

	(void)snprintf(row, sizeof(row), "effd_unit_starts_total{unit=\"%s\"}", unit);
	for (const char *at = body(); (at = strstr(at, row)); at++)
		n++;
	return n;
}

/* A reload in the midst of an answer: when the kernel is asked about the first process. */
static struct {
	const struct os_ops *real;
	struct os_ops ops;
	struct eff_event asked;
	struct world *w;
	struct plan *plan;
} amid;

static bool usage_asked(struct os_child *child, struct os_usage *ret_usage)
{
	eff_event_set(&amid.asked);
	return amid.real->usage(child, ret_usage);
}

static eff_exit reload_amid(void *arg)
{
	const struct asker by = {.uid = 1000};
	struct tree_reloaded done = {0};

	(void)arg;
	ck_assert_int_eq(eff_event_await(&amid.asked), 0);
	ck_assert_int_eq(tree_reload(amid.w->tree, amid.plan, &by, &done), 0);
	tree_reloaded_done(&done);
	return eff_ok(NULL);
}

static void amid_begin(struct world *w, const char *units)
{
	amid.w = w;
	amid.plan = world_plan(w, with_door("metrics", units), true);
	ck_assert_ptr_nonnull(amid.plan);
	amid.real = w->tree->world.os->ops;
	amid.ops = *amid.real;
	amid.ops.usage = usage_asked;
	w->tree->world.os->ops = &amid.ops;
	eff_event_init(&amid.asked);
	ck_assert_int_eq(eff_fork_daemon(EFF(reload_amid, NULL), NULL), 0);
}

START_TEST(units_that_come_and_go_meanwhile_change_no_other_ones_rows)
{
	struct text few = {0}, many = {0};
	struct world *w;
	char unit[16];

	units_print(&few, false);
	units_print(&many, true);
	w = world_up("metrics", _i ? many.bytes : few.bytes);
	amid_begin(w, _i ? few.bytes : many.bytes);

	ck_assert_int_eq(got(w, "/metrics"), 200);

	ck_assert(amid.asked.set);
	for (int i = 0; i < 600; i++) {
		(void)snprintf(unit, sizeof(unit), "u%d", i);
		ck_assert_int_eq(rows_of(unit), 1);
	}
	w->tree->world.os->ops = amid.real;
	plan_unref(amid.plan);
	text_done(&few);
	text_done(&many);
	world_free(w);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/control/web_tree");
	TCase *tcase = tcase_create("web_tree");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, place_make, place_remove);
	tcase_add_test(tcase, ready_is_when_all_that_is_wanted_is_well);
	tcase_add_test(tcase, a_tree_that_is_going_is_not_ready_and_still_alive);
	tcase_add_test(tcase, figures_are_families_one_after_the_other);
	tcase_add_test(tcase, of_many_units_every_one_is_told);
	tcase_add_loop_test(tcase, units_that_come_and_go_meanwhile_change_no_other_ones_rows, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
