/* SPDX-License-Identifier: MIT */
/* Players for tests of supervisors: children that act by a script, and what they do as a trace. The test itself is a fiber
 * of virtual time; to let time pass it sleeps.
 *
 *   a+  a run begins     a-  it ended by itself   a.  it was ended        a~  it will run again after a delay
 *   (a  a round begins   )   all are up again     a<b it goes with b's round
 *   a=done, failed, stopped, max, group: it rests   a!  it is stuck   a/  it is forgotten   END a: the supervisor's end */
#ifndef TESTS_LIB_SUPERVISED_H
#define TESTS_LIB_SUPERVISED_H

#include <errno.h>

#include <eff/event.h>
#include <eff/supervise.h>

#include "run.h"

/* One run. */
struct part {
	eff_ns up_after; /* -1: it is never up */
	eff_ns lives;    /* from then on */
	eff_exit ends;
	eff_ns stop_takes;
	bool says_so; /* told to stop it ends as `ends` says all the same */
};

struct player {
	struct eff_child child;
	const struct part *parts; /* the last one ever after */
	unsigned n_parts;
	unsigned n_runs, n_judged;
	bool running; /* never two at once */
};

static bool player_is_quiet; /* then only runs are told */

__attribute__((unused)) static eff_exit player_run(void *arg)
{
	struct player *p = arg;
	const struct part *part = &p->parts[p->n_runs < p->n_parts ? p->n_runs : p->n_parts - 1];
	int r = 0;

	ck_assert(!p->running);
	p->running = true;
	p->n_runs++;
	say("%s+", p->child.name);
	if (part->up_after > 0)
		r = eff_sleep(part->up_after);
	if (r == 0 && part->up_after >= 0)
		eff_child_up(&p->child);
	if (r == 0)
		r = eff_sleep(part->lives);
	if (r < 0 && part->stop_takes) {
		eff_masked before = eff_mask();

		(void)eff_sleep(part->stop_takes);
		eff_unmask(before);
	}
	say("%s%c", p->child.name, r < 0 ? '.' : '-');
	p->running = false;
	return r < 0 && !part->says_so ? eff_interrupted() : part->ends;
}

#define PLAYER(title, ...) \
	(struct player) \
	{ \
		.child = {.name = (title), \
			.policy = {.backoff = eff_spaced(EFF_S(1)), \
				.reset_after = EFF_H(1), \
				.max_restarts = UINT32_MAX}}, \
		.parts = (const struct part[]){__VA_ARGS__}, \
		.n_parts = sizeof((const struct part[]){__VA_ARGS__}) / sizeof(struct part), \
	}
#define STEADY \
	{ \
		.lives = EFF_FOREVER \
	}
#define FAILS_AFTER(t) \
	{ \
		.lives = (t), .ends = {.tag = EFF_FAIL, .code = 1 } \
	}
#define DIES_AFTER(t) \
	{ \
		.lives = (t), .ends = {.tag = EFF_DIE } \
	}
#define ENDS_AFTER(t) \
	{ \
		.lives = (t) \
	}

__attribute__((unused)) static struct player *player_of(struct eff_child *child)
{
	return eff_container(child, struct player, child);
}

static enum eff_verdict player_judge(struct eff_child *child, eff_exit exit)
{
	(void)exit;
	player_of(child)->n_judged++;
	return EFF_BY_POLICY;
}

static void player_backoff(struct eff_child *child, eff_exit exit, eff_ns delay)
{
	(void)exit;
	(void)delay;
	if (!player_is_quiet)
		say("%s~", child->name);
}

static void player_round(struct eff_sup *sup, struct eff_child *first, eff_exit exit)
{
	(void)sup;
	(void)exit;
	if (!player_is_quiet)
		say("(%s", first->name);
}

static void player_round_over(struct eff_sup *sup)
{
	(void)sup;
	if (!player_is_quiet)
		say(")");
}

static void player_group(struct eff_child *child, struct eff_child *first, eff_exit exit)
{
	(void)exit;
	if (!player_is_quiet)
		say("%s<%s", child->name, first->name);
}

static void player_stuck(struct eff_child *child)
{
	say("%s!", child->name);
}

static void player_rest(struct eff_child *child, eff_exit exit, enum eff_rest rest)
{
	static const char *const words[] = {"stopped", "done", "failed", "max", "group"};

	(void)exit;
	if (!player_is_quiet)
		say("%s=%s", child->name, words[rest]);
}

static void player_forget(struct eff_child *child)
{
	say("%s/", child->name);
}

static void player_give_up(struct eff_sup *sup, struct eff_child *child, eff_exit exit)
{
	(void)sup;
	(void)exit;
	say("END %s", child->name);
}

static const struct eff_sup_hooks player_hooks = {
	.judge = player_judge,
	.on_backoff = player_backoff,
	.on_round = player_round,
	.on_round_over = player_round_over,
	.on_group = player_group,
	.on_stuck = player_stuck,
	.on_rest = player_rest,
	.on_forget = player_forget,
	.on_give_up = player_give_up,
};

__attribute__((unused)) static void players_add(
	struct eff_sup *sup, struct player *players, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		players[i].child.run = EFF_NAMED(players[i].child.name, player_run, &players[i]);
		eff_sup_add(sup, &players[i].child);
	}
}

static struct eff_scope stage;

/* Open a supervisor with these players in a scope of its own, and start them all. */
#define PLAY(sup, players, ...) \
	do { \
		eff_scope_open(&stage); \
		ck_assert_int_eq( \
			eff_sup_open(sup, \
				&(struct eff_sup_opts){.hooks = &player_hooks, ##__VA_ARGS__}), \
			0); \
		players_add(sup, players, sizeof(players) / sizeof((players)[0])); \
		ck_assert_int_eq(eff_sup_start(sup), 0); \
	} while (0)

/* Stop it and close its scope: players and supervisor are of the caller's frame. */
__attribute__((unused)) static eff_exit played(struct eff_sup *sup)
{
	player_is_quiet = true;
	eff_sup_stop(sup);
	ck_assert_uint_eq(sup->n_fibers, 0);
	(void)eff_scope_close(&stage);
	ck_assert(eff_list_empty(&sup->children));
	return eff_ok(NULL);
}

/* What has happened since the last look. */
#define EXPECT(trace) \
	do { \
		ck_assert_str_eq(run_trace, trace); \
		run_trace[0] = '\0'; \
	} while (0)

/* A test whose body is the root fiber. */
#define FIBER_TEST(title) \
	static eff_exit title##_body(void *arg); \
	START_TEST(title) \
	{ \
		player_is_quiet = false; \
		run_ok(title##_body, NULL); \
	} \
	END_TEST \
	static eff_exit title##_body(__attribute__((unused)) void *arg)

#endif
