/* SPDX-License-Identifier: MIT */
/* A stop in any moment of a life: of a process, a fiber, a supervisor. It ends in `down`, when the table says, nothing of it
 * is left, and nothing comes later: a day passes, and nothing of it happens. With --now it is down in the same moment, and a
 * shutdown --now ends the tree in it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "effd/fiber.h"
#include "fake/world.h"

struct moment {
	const char *name, *unit, *units, *act;
	int at_ms; /* -1: before time passes at all */
	const char *state;
	int down_ms;
};

static const struct moment moments[] = {
#define MOMENT(...) {__VA_ARGS__},
#include "moments.def"
#undef MOMENT
};
enum { N_MOMENTS = sizeof(moments) / sizeof(moments[0]) };

static const struct {
	const char *name;
	struct script first, next;
} programs[] = {
	{"run", {.lives = EFF_FOREVER}, {.lives = EFF_FOREVER}},
	{"slow", {.lives = EFF_FOREVER, .term_takes = EFF_S(2)},
		{.lives = EFF_FOREVER, .term_takes = EFF_S(2)}},
	{"stubborn", {.lives = EFF_FOREVER, .ignores_term = true},
		{.lives = EFF_FOREVER, .ignores_term = true}},
	{"deaf", {.lives = EFF_FOREVER, .ignores_term = true, .ready_after = EFF_FOREVER},
		{.lives = EFF_FOREVER}},
	{"late", {.lives = EFF_FOREVER, .ready_after = EFF_H(30)},
		{.lives = EFF_FOREVER, .ready_after = EFF_H(30)}},
	{"hung", {.exec_takes = EFF_FOREVER}, {.exec_takes = EFF_FOREVER}},
	{"background", {.leaves = EFF_FOREVER}, {.leaves = EFF_FOREVER}},
	{"once", {.exits = 0}, {.exits = 0}},
	{"job", {.lives = EFF_H(1)}, {.lives = EFF_H(1)}},
	{"crash", {.exits = 1}, {.exits = 1}},
	/* Once; the next one is never ready. */
	{"crash1", {.lives = EFF_S(1), .exits = 1},
		{.lives = EFF_FOREVER, .ready_after = EFF_FOREVER}},
	{"no-exec", {.exec_error = ENOENT}, {.exec_error = ENOENT}},
	{"leaves", {.lives = EFF_S(1), .leaves = EFF_FOREVER, .left_ignores_term = true},
		{.lives = EFF_FOREVER}},
	{"hook", {.helper = true, .lives = EFF_S(10)}, {.helper = true, .lives = EFF_S(10)}},
	{"hung-hook", {.helper = true, .exec_takes = EFF_FOREVER},
		{.helper = true, .exec_takes = EFF_FOREVER}},
};

/* A fiber that takes three seconds to end. */
static eff_exit slow(struct effd_fiber *self)
{
	eff_masked before;

	(void)self;
	(void)eff_sleep(EFF_FOREVER);
	before = eff_mask();
	(void)eff_sleep(EFF_S(3));
	eff_unmask(before);
	return eff_interrupted();
}

static int entry_of(const struct plan_unit *spec, eff_fn **ret_entry, const char **ret_reason)
{
	(void)spec;
	(void)ret_reason;
	*ret_entry = (eff_fn *)(void (*)(void))slow;
	return 0;
}

static void act(struct world *w, const struct moment *m)
{
	const char *unit = strchr(m->act, ' ');

	unit = unit ? unit + 1 : "";
	if (strncmp(m->act, "start", 5) == 0) {
		world_start(w, unit);
	} else if (strncmp(m->act, "stop", 4) == 0) {
		world_stop(w, unit);
	} else if (strncmp(m->act, "restart", 7) == 0) {
		world_restart(w, unit);
	} else if (strncmp(m->act, "say", 3) == 0) {
		os_fake_print(w->fake, m->unit, OS_STDOUT, "a word\n");
	} else {
		char *units = strdup(m->units), *value;

		ck_assert_ptr_nonnull(units);
		value = strstr(units, "V: one");
		ck_assert_ptr_nonnull(value);
		value[3] = 'n';
		world_reload(w, units);
		free(units);
	}
}

/* The world of a moment, in it. */
static struct world *moment_world(const struct moment *m)
{
	struct world *w = world_new(m->units);

	w->tree->world.fiber_entry = entry_of;
	w->story = m->name;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		os_fake_script(w->fake, programs[i].name,
			(struct script[]){programs[i].first, programs[i].next}, 2);
	os_fake_port(w->fake, 81, 0, EFF_FOREVER);
	if (m->act) {
		world_run_for(w, EFF_S(1));
		act(w, m);
		/* In one breath with what follows. */
		if (m->at_ms > 1000)
			world_run_for(w, EFF_MS(m->at_ms - 1000));
	} else if (m->at_ms >= 0) {
		world_run_for(w, EFF_MS(m->at_ms));
	}
	WORLD_ASSERT(w, strcmp(state_name(world_state(w, m->unit)), m->state) == 0,
		"it is not in that moment: %s", state_name(world_state(w, m->unit)));
	return w;
}

static bool is_within(const char *name, const char *unit)
{
	size_t len = strlen(unit);

	return strncmp(name, unit, len) == 0 && (name[len] == '\0' || name[len] == '/');
}

/* Of all that there is, what is the other units' own. */
static size_t live_of_others(struct world *w, const char *unit)
{
	size_t n = 0;

	for (uint32_t i = 0; i < w->tree->n_units; i++)
		if (!is_within(w->tree->units[i]->name, unit))
			n += os_fake_live(w->fake, w->tree->units[i]->name);
	return n;
}

/* What has happened to its processes, and to those of its hooks and probes. */
static size_t happened(struct world *w, const char *unit)
{
	size_t n, count = 0;
	const struct fake_event *events = os_fake_events(w->fake, &n);

	for (size_t i = 0; i < n; i++)
		count += is_within(events[i].unit, unit);
	return count;
}

/* No process gets its stop signal twice, however often it is told. */
static void expect_asked_once(struct world *w)
{
	size_t n;
	const struct fake_event *events = os_fake_events(w->fake, &n);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0;
			k < i && events[i].what == FAKE_SIGNAL && events[i].sig == SIGTERM; k++)
			WORLD_ASSERT(w,
				events[k].what != FAKE_SIGNAL || events[k].sig != SIGTERM ||
					events[k].pid != events[i].pid,
				"%s is asked twice", events[i].unit);
}

static void expect_at_rest(struct world *w, const struct unit *u)
{
	WORLD_ASSERT(w, u->state == UNIT_DOWN, "%s is %s", u->name, state_name(u->state));
	WORLD_ASSERT(w,
		!u->child.fiber && !u->clock && !u->process && u->pid == 0 &&
			u->child.next_at < 0 && u->due_at < 0 && !u->stuck && !u->run_queued,
		"something of %s is left", u->name);
}

static void expect_nothing_more(struct world *w, const char *unit)
{
	const struct unit *u = world_unit(w, unit);
	eff_ns since = u->since;
	uint64_t starts = u->starts;
	size_t n = happened(w, unit);

	for (uint32_t i = 0; i < w->tree->n_units; i++)
		if (is_within(w->tree->units[i]->name, unit))
			expect_at_rest(w, w->tree->units[i]);
	WORLD_ASSERT(w, !u->wanted && u->held, "it is wanted");
	WORLD_ASSERT(w, os_fake_live(w->fake, NULL) == live_of_others(w, unit),
		"a process of it is left");
	world_run_for(w, EFF_H(24));
	expect_at_rest(w, u);
	WORLD_ASSERT(w, u->since == since && u->starts == starts && happened(w, unit) == n,
		"something came later");
}

START_TEST(a_stop_in_any_moment_ends_in_down_with_nothing_left_and_nothing_to_come)
{
	const struct moment *m = &moments[_i];
	struct world *w = moment_world(m);
	eff_ns left = EFF_MS(m->down_ms) - world_now(w);

	world_stop(w, m->unit);
	if (left > 0)
		world_run_for(w, left - 1);
	WORLD_ASSERT(w,
		left <= 0 || world_state(w, m->unit) != UNIT_DOWN || strcmp(m->state, "down") == 0,
		"it is down too early");
	world_run_for(w, left > 0);

	expect_nothing_more(w, m->unit);
	expect_asked_once(w);
	world_free(w);
}
END_TEST

/* What cannot be cut short: a fiber's own finalizing. */
static eff_ns takes(const struct moment *m)
{
	return strstr(m->units, "entry: slow") ? EFF_MS(m->down_ms - m->at_ms) : 0;
}

START_TEST(a_stop_now_ends_it_in_that_moment)
{
	const struct moment *m = &moments[_i];
	struct world *w = moment_world(m);

	world_stop_now(w, m->unit);
	world_run_for(w, takes(m));

	expect_nothing_more(w, m->unit);
	world_free(w);
}
END_TEST

START_TEST(a_shutdown_now_ends_the_tree_in_that_moment)
{
	struct world *w = moment_world(&moments[_i]);

	world_shutdown(w, true);
	world_run_for(w, takes(&moments[_i]));

	WORLD_ASSERT(w, w->ended, "the tree goes on");
	WORLD_ASSERT(w, os_fake_live(w->fake, NULL) == 0, "a process is left");
	world_free(w);
}
END_TEST

/* The one who says `start` after a `stop` has the last word, and the other way round. */
START_TEST(of_a_stop_and_a_start_in_one_moment_the_later_one_holds)
{
	const struct moment *m = &moments[_i];
	struct world *w = moment_world(m);

	world_start(w, m->unit);
	world_stop(w, m->unit);
	world_run_for(w, EFF_S(30));
	expect_nothing_more(w, m->unit);
	expect_asked_once(w);
	world_free(w);

	w = moment_world(m);
	world_stop(w, m->unit);
	world_start(w, m->unit);
	world_run_for(w, EFF_S(30));
	WORLD_ASSERT(w, world_unit(w, m->unit)->wanted && world_state(w, m->unit) != UNIT_DOWN,
		"it is %s", state_name(world_state(w, m->unit)));
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/moments");
	TCase *tcase = tcase_create("moments");

	tcase_add_loop_test(tcase,
		a_stop_in_any_moment_ends_in_down_with_nothing_left_and_nothing_to_come, 0,
		N_MOMENTS);
	tcase_add_loop_test(tcase, a_stop_now_ends_it_in_that_moment, 0, N_MOMENTS);
	tcase_add_loop_test(tcase, a_shutdown_now_ends_the_tree_in_that_moment, 0, N_MOMENTS);
	tcase_add_loop_test(
		tcase, of_a_stop_and_a_start_in_one_moment_the_later_one_holds, 0, N_MOMENTS);
	suite_add_tcase(suite, tcase);
	return suite;
}
