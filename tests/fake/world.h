/* SPDX-License-Identifier: MIT */
/* A world for tests: a runtime with a virtual clock and a fixed seed, the fake kernel, and a tree from YAML. Nothing
 * happens until the test lets time pass. A rule that is broken fails the test, with what had happened so far. */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include <eff.h>

#include "base/text.h"
#include "fake/os_fake.h"
#include "tree/tree.h"

struct world {
	struct eff_testclock *clock;
	struct eff_rt *rt;
	struct os_fake *fake;
	struct tree *tree;
	eff_ns wall_zero;
	char *text;        /* of the plan being loaded */
	const char *story; /* told when the test fails; NULL */
	eff_ns mark;
	size_t mark_event;
	struct text out[4]; /* for what is returned as text */
	unsigned next_out;
	bool ended; /* the root's effect has */
	eff_exit end;
	/* The last reload: under way, or how it ended. */
	unsigned reloads_under_way;
	int reload_result;
	struct plan *reload_old;
	struct plan_change *changes;
	uint32_t n_changes;
};

/* `units`: a whole document when it begins with "version:", else what stands under `units:`. */
struct world *world_new(const char *units);
/* Shut the tree down, let all come to rest, and hold that nothing is left. */
void world_free(struct world *w);
/* Load a plan without running it; NULL when it is wrong, then `print` has its diagnostics on stderr. */
struct plan *world_plan(struct world *w, const char *units, bool print);

/* All runs of a program play this; or one after the other, the last one ever after. */
void world_script(struct world *w, const char *program, struct script script);
#define WORLD_SCRIPTS(w, program, ...) \
	os_fake_script((w)->fake, program, (struct script[]){__VA_ARGS__}, \
		sizeof((struct script[]){__VA_ARGS__}) / sizeof(struct script))

/* Let time pass; 0: all that can happen now. */
void world_pass(struct world *w, eff_ns duration);
/* The same, and then everything is looked at. */
void world_run_for(struct world *w, eff_ns duration);
/* Until the tree has ended, or this long. */
bool world_run_to_end(struct world *w, eff_ns most);
/* Since the world began. */
eff_ns world_now(const struct world *w);
/* NULL when all is as it must be, else what is not. */
const char *world_wrong(struct world *w);
void world_check(struct world *w);
/* Fail the test with what had happened. */
void world_fail(struct world *w, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));
/* In this process a failure is not the test's, but calls that, which may not return. NULL: it is the test's again. */
typedef void world_failed(void *context, struct world *w, const char *words);
void world_on_fail(world_failed *failed, void *context);
#define WORLD_ASSERT(w, condition, ...) \
	do { \
		if (!(condition)) \
			world_fail(w, __VA_ARGS__); \
	} while (0)

/* An operator's verbs. They act when time next passes. */
void world_start(struct world *w, const char *unit);
void world_stop(struct world *w, const char *unit);
void world_stop_now(struct world *w, const char *unit);
void world_restart(struct world *w, const char *unit);
void world_reset(struct world *w, const char *unit);
void world_shutdown(struct world *w, bool now);
/* Begin a reload and let it do what it can without time passing. */
void world_reload(struct world *w, const char *units);
/* "web restart; db live": what the last reload did. */
const char *world_changes(struct world *w);

/* Add to a supervisor what stands between the braces of `units: {…}`, or remove a unit. What tree_add(), tree_remove() say;
 * -EINVAL, -EEXIST of plan_add(). */
int world_add(struct world *w, const char *supervisor, const char *units);
int world_remove(struct world *w, const char *unit, bool now);
/* The units of the tree after the root, in their order. */
const char *world_units(const struct world *w);
/* How the world's trees are read. */
struct plan_source world_source(struct world *w);

struct unit *world_unit(struct world *w, const char *unit);
enum unit_state world_state(struct world *w, const char *unit);

/* What happened to the processes of a unit, as "0 spawn, 10 exit 1, 510 spawn, 600 TERM, 600 SIGTERM", times in ms since the
 * world began, or since `world_mark()`. TERM@main: not to the group. SIGCONT and helpers are left out. */
const char *world_trace(struct world *w, const char *unit);
/* The states that a unit was in for some time, and the present one: "0 up, 10 backoff, 510 up". */
const char *world_states(struct world *w, const char *unit);
/* Forget what was. */
void world_mark(struct world *w);
size_t world_spawns(const struct world *w, const char *unit);
/* The time of the n-th spawn (from 0) of a unit. */
eff_ns world_spawn_at(const struct world *w, const char *unit, size_t n);
/* Has there been such an event ("stuck", "left_behind" …) of the unit? Its words; NULL: no. */
const char *world_said(struct world *w, const char *unit, const char *kind);

/* The present cause of a unit, and its last end, as one line each: "" for none. */
const char *world_cause(struct world *w, const char *unit);
const char *world_last_exit(struct world *w, const char *unit);

#define EXPECT_STATE(w, unit, expected) \
	ck_assert_str_eq(state_name(world_state(w, unit)), expected)
#define EXPECT_TRACE(w, unit, expected) ck_assert_str_eq(world_trace(w, unit), expected)
#define EXPECT_STATES(w, unit, expected) ck_assert_str_eq(world_states(w, unit), expected)

#endif
