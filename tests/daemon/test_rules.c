/* SPDX-License-Identifier: MIT */
/* Rules that hold for every reason there is, each reason by itself: what an operator's stop outlives, when a bound unit
 * stops, when one is restarted with another, and what is no failure. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "fake/world.h"

#define STEADY ((struct script){.lives = EFF_FOREVER})
/* Ends after two seconds, once. */
#define CRASH2 \
	{ \
		.lives = EFF_S(2), .exits = 1 \
	}
#define PLAIN "defaults: {restart: {backoff: {initial: 1s, jitter: 0}}}\n"

static struct world *rules_world(const char *units)
{
	char *text = malloc(strlen(units) + 200);
	struct world *w;

	ck_assert_ptr_nonnull(text);
	(void)sprintf(text, "version: 1\nname: test\n" PLAIN "units:\n%s", units);
	w = world_new(text);
	free(text);
	WORLD_SCRIPTS(w, "crash2", CRASH2, STEADY);
	WORLD_SCRIPTS(w, "once2", {.lives = EFF_S(2)}, STEADY);
	return w;
}

/* "restart x", "stop x", "start x", "reset x", "lose" (the port), "reload": V becomes another; "reload back". */
static void act(struct world *w, const char *units, const char *what)
{
	const char *unit = strchr(what, ' ') ? strchr(what, ' ') + 1 : "";
	char text[1000], *value;

	if (strncmp(what, "restart", 7) == 0) {
		world_restart(w, unit);
	} else if (strncmp(what, "stop", 4) == 0) {
		world_stop(w, unit);
	} else if (strncmp(what, "start", 5) == 0) {
		world_start(w, unit);
	} else if (strncmp(what, "reset", 5) == 0) {
		world_reset(w, unit);
	} else if (strcmp(what, "lose") == 0) {
		os_fake_port(w->fake, 80, -ECONNREFUSED, 0);
	} else {
		(void)snprintf(text, sizeof(text),
			"version: 1\nname: test\n" PLAIN "units:\n%s", units);
		value = strstr(text, "V: a");
		ck_assert_ptr_nonnull(value);
		value[3] = strcmp(what, "reload") == 0 ? 'b' : 'a';
		world_reload(w, text);
	}
}

/* ── an operator's stop ── */

/* `u` is stopped at 1 s; what would bring back any other does not bring it back. */
static const struct {
	const char *units, *then; /* at 10 s; NULL: it happens by itself */
} brings_back[] = {
	{"  u: {command: u}\n", "reset u"},
	{"  u: {command: u, environment: {V: a}}\n", "reload"},
	{"  db: {command: crash2}\n  u: {command: u, depends_on: {db: {restart: true}}}\n", NULL},
	{"  db: {command: crash2}\n  u: {command: u, depends_on: {db: {bind: true}}}\n", NULL},
	{"  db: {command: db}\n  u: {command: u, depends_on: [db]}\n", "restart db"},
	{"  u: {command: u}\n  d: {command: d, environment: {V: a}, depends_on: [u]}\n", "reload"},
	{"  u: {command: u}\n  d: {command: crash2, restart: always, depends_on: {u: {required: false}}}\n",
		NULL},
	{"  u: {command: u, schedule: {every: 3s}}\n", NULL},
	{"  u: {command: crash2}\n", NULL},
	{"  u: {fiber: idle, with: {for: 2s}}\n", NULL},
	{"  g: {strategy: one_for_all, units: {a: {command: crash2}, u: {command: u}}}\n", NULL},
	{"  g: {strategy: rest_for_one, units: {a: {command: crash2}, u: {command: u}}}\n", NULL},
	{"  g: {units: {a: {command: crash2, restart: no, critical: true}, u: {command: u}}}\n", NULL},
	{"  g: {units: {a: {command: a}, u: {command: u}}}\n", "restart g"},
	{"  u: {units: {x: {command: x}}}\n", "reset u"},
	{"  u: {units: {x: {command: x, environment: {V: a}}}}\n", "reload"},
	{"  g: {strategy: one_for_all, units: {a: {command: crash2}, u: {units: {x: {command: x}}}}}\n",
		NULL},
};

START_TEST(an_operators_stop_outlives_all_that_happens_by_itself)
{
	const char *units = brings_back[_i].units;
	struct world *w = rules_world(units);
	const char *unit = strncmp(units, "  g:", 4) == 0 ? "g/u" : "u";
	uint64_t starts;

	world_run_for(w, EFF_S(1));
	world_stop(w, unit);
	world_run_for(w, EFF_S(9));
	starts = world_unit(w, unit)->starts;
	if (brings_back[_i].then)
		act(w, units, brings_back[_i].then);
	world_run_for(w, EFF_H(1));

	EXPECT_STATE(w, unit, "down");
	ck_assert_uint_eq(world_unit(w, unit)->starts, starts);
	ck_assert(world_unit(w, unit)->held);
	ck_assert_uint_eq(os_fake_live(w->fake, unit), 0);
	/* And the operator does. */
	world_start(w, unit);
	world_run_for(w, EFF_S(5));
	ck_assert(world_unit(w, unit)->wanted);
	ck_assert_int_ne(world_state(w, unit), UNIT_DOWN);
	world_free(w);
}
END_TEST

/* ── bound, and restarted with another ── */

/* `x` leaves up at 2 s, and comes back 1 s later by itself or by hand, or at once. */
static const struct {
	const char *why, *x;
	const char *then; /* at 2 s */
	const char *back; /* at 3 s */
	int back_ms;      /* when it is up again */
	bool ends_with_it; /* an operator stops x: whoever requires it goes, and comes back, with it */
	const char *cause; /* what the bound one's last run ended for */
} leavings[] = {
	{"it ends", "x: {command: crash2}", NULL, NULL, 3000, false, "dependency SIGTERM < exit 1"},
	{"it ends well", "x: {command: once2}", NULL, NULL, 3000, false,
		"dependency SIGTERM < exit 0"},
	{"it is restarted", "x: {command: x}", "restart x", NULL, 2000, false,
		"dependency SIGTERM < stop_requested"},
	{"it is replaced", "x: {command: x, environment: {V: a}}", "reload", NULL, 2000, false, NULL},
	{"it is stopped", "x: {command: x}", "stop x", "start x", 3000, true,
		"dependency SIGTERM < stop_requested"},
	{"it is not ready",
		"x: {command: x, readiness_probe: {tcp: {port: 80}, period: 950ms, failure_threshold: 1}}",
		"lose", NULL, 3900, false, "dependency SIGTERM < probe"},
	{"its group's round",
		"x: {strategy: one_for_all, units: {a: {command: crash2}, b: {command: b}}}",
		NULL, NULL, 3000, false, "dependency SIGTERM < group_restart < exit 1"},
	{"its group fails", "x: {units: {a: {command: crash2, restart: no, critical: true}}}",
		NULL, NULL, 3000, false, "dependency SIGTERM < critical < exit 1"},
	{"a fiber dies", "x: {fiber: idle, with: {for: 2s, exit: die}}", NULL, NULL, 3000,
		false, "dependency SIGTERM < fiber_died"},
};
enum { N_LEAVINGS = sizeof(leavings) / sizeof(leavings[0]) };

START_TEST(a_bound_unit_stops_whenever_the_other_leaves_up_and_one_restarted_with_it_when_it_is_back)
{
	char units[600], bound[100], with[100];
	struct world *w;
	int back = leavings[_i].back_ms, left = _i == 5 ? 2950 : 2000;

	(void)snprintf(units, sizeof(units),
		"  %s\n  bound: {command: b, restart: {policy: no}, depends_on: {x: {bind: true}}}\n"
		"  with: {command: r, restart: {policy: no}, depends_on: {x: {restart: true}}}\n"
		"  neither: {command: n, depends_on: [x]}\n",
		leavings[_i].x);
	w = rules_world(units);
	w->story = leavings[_i].why;
	os_fake_port(w->fake, 80, 0, 0);
	world_run_for(w, EFF_S(2));
	if (leavings[_i].then)
		act(w, units, leavings[_i].then);
	world_run_for(w, EFF_S(1));
	os_fake_port(w->fake, 80, 0, 0);
	if (leavings[_i].back)
		act(w, units, leavings[_i].back);
	world_run_for(w, EFF_MS(990));

	(void)snprintf(bound, sizeof(bound), "%d spawn, %d TERM, %d SIGTERM, %d spawn",
		_i == 5 ? 100 : 0, left, left, back);
	EXPECT_TRACE(w, "bound", bound);
	if (leavings[_i].cause)
		ck_assert_str_eq(world_last_exit(w, "bound"), leavings[_i].cause);
	(void)snprintf(with, sizeof(with), "%d spawn, %d TERM, %d SIGTERM, %d spawn",
		_i == 5 ? 100 : 0, leavings[_i].ends_with_it ? left : back,
		leavings[_i].ends_with_it ? left : back, back);
	EXPECT_TRACE(w, "with", with);
	ck_assert_uint_eq(world_spawns(w, "neither"), 1 + (size_t)leavings[_i].ends_with_it);
	ck_assert_uint_eq(world_unit(w, "bound")->restarts + world_unit(w, "with")->restarts, 0);
	world_free(w);
}
END_TEST

/* ── the wish, and what is no failure ── */

START_TEST(an_end_changes_no_wish)
{
	struct world *w = rules_world(
		"  done: {command: once2, restart: no}\n  failed: {command: crash2, restart: no}\n"
		"  gave-up: {command: bad, restart: {max_restarts: 1}}\n  again: {command: crash2}\n"
		"  job: {command: job, type: oneshot}\n  fiber: {fiber: idle, with: {for: 2s, exit: die}, restart: no}\n"
		"  g: {restart: no, units: {a: {command: crash2, restart: no, critical: true}, b: {command: b}}}\n"
		"  hand: {command: once2, activate: manual, restart: no}\n");

	world_script(w, "bad", (struct script){.exec_error = ENOENT});
	world_script(w, "job", (struct script){.exits = 0});
	world_run_for(w, 0);
	world_start(w, "hand");
	world_run_for(w, EFF_S(60));

	for (uint32_t i = 0; i < w->tree->n_units; i++)
		ck_assert_msg(w->tree->units[i]->wanted, "%s", w->tree->units[i]->name);
	EXPECT_STATE(w, "gave-up", "failed");
	EXPECT_STATE(w, "g", "failed");
	EXPECT_STATE(w, "hand", "done");
	world_free(w);
}
END_TEST

static size_t n_failures_told(const struct world *w)
{
	size_t n, count = 0;
	const struct fake_event *events = os_fake_events(w->fake, &n);

	for (size_t i = 0; i < n; i++)
		count += events[i].what == FAKE_SPAWN && strcmp(events[i].program, "tell") == 0;
	return count;
}

/* Each twice: the first run ends with a code that is no good, the second has to be killed. */
static const char *const ended_by[] = {"stop g/u", "restart g/u", "reload", "stop g/db",
	"restart g/db", "stop g", "restart g", "round"};

START_TEST(what_ends_because_it_is_to_is_no_failure_however_it_ends)
{
	static const char units[] =
		"  g:\n    strategy: one_for_all\n    intensity: {max_restarts: 2, period: 1h}\n    units:\n"
		"      a: {command: a}\n      db: {command: db}\n"
		"      u: {command: u, environment: {V: a}, depends_on: {db: {restart: true}}, critical: true,\n"
		"        hooks: {on_failure: tell}, stop: {timeout: 1s}, restart: {max_restarts: 0, prevent_exit: [9, KILL]}}\n";
	const char *what = ended_by[_i];
	struct world *w = rules_world(units);

	world_script(w, "tell", (struct script){.helper = true});
	WORLD_SCRIPTS(w, "u", {.lives = EFF_FOREVER, .term_exits = true, .term_code = 9},
		{.lives = EFF_FOREVER, .ignores_term = true}, STEADY);
	world_run_for(w, EFF_S(1));
	for (int i = 0; i < 2; i++) {
		if (strcmp(what, "round") == 0)
			os_fake_kill(w->fake, "g/a", SIGSEGV);
		else
			act(w, units, i == 1 && strcmp(what, "reload") == 0 ? "reload back" : what);
		world_run_for(w, EFF_S(5));
		if (strncmp(what, "stop", 4) == 0)
			world_start(w, what + 5);
		world_run_for(w, EFF_S(5));
	}

	ck_assert_uint_eq(world_unit(w, "g/u")->starts, 3);
	ck_assert_uint_eq(n_failures_told(w), 0);
	ck_assert_uint_eq(world_unit(w, "g/u")->ends, 0);
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "g/u")->child), 0);
	EXPECT_STATE(w, "g/u", "up");
	EXPECT_STATE(w, "g", "up");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/rules");
	TCase *tcase = tcase_create("rules");

	tcase_add_loop_test(tcase, an_operators_stop_outlives_all_that_happens_by_itself, 0,
		sizeof(brings_back) / sizeof(brings_back[0]));
	tcase_add_loop_test(tcase,
		a_bound_unit_stops_whenever_the_other_leaves_up_and_one_restarted_with_it_when_it_is_back,
		0, N_LEAVINGS);
	tcase_add_test(tcase, an_end_changes_no_wish);
	tcase_add_loop_test(tcase, what_ends_because_it_is_to_is_no_failure_however_it_ends, 0, 7);
	suite_add_tcase(suite, tcase);
	return suite;
}
