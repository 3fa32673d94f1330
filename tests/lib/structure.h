/* SPDX-License-Identifier: MIT */
/* The world of a random program: what it draws, what it leaves as a trace, and what holds of its owners and tasks. */
#ifndef TESTS_LIB_STRUCTURE_H
#define TESTS_LIB_STRUCTURE_H

#include <errno.h>
#include <stdint.h>

#include <eff/context.h>
#include <eff/effect.h>
#include <eff/event.h>
#include <eff/local.h>
#include <eff/scope.h>

#include "internal.h"
#include "run.h"

enum { FIBERS_MOST = 200, RACERS_MOST = 60, HELD_MOST = 64, FIRST_CODE = 1000 };

/* What forks fibers in a scope; all that runs in that scope finds it as a service. */
struct owner {
	struct eff_env env;
	int live; /* fibers that it owns and that have not ended */
};

struct task {
	int number, forker;
	struct owner *owner;
	struct owner body;
	bool started, ended;
	bool failed;        /* with a code of its own: FIRST_CODE + its number */
	int n_seen, n_told; /* by who awaited it; to the hook */
};

static struct {
	uint64_t seed, state;
	uint64_t hash;
	struct task tasks[FIBERS_MOST];
	int n_tasks, n_ended, n_deferred, n_run, n_racers;
	struct eff_fiber *held[HELD_MOST];
	int n_held;
	struct eff_event event;
	struct eff_pulse pulse;
	eff_ns last;
} world;

static const struct eff_key owner_key = {"owner"};
static const struct eff_local number = {.initial = NULL};

/* A ck_assert() tells its place to another process each time it is passed; here only a failure does. */
#define ck_holds(claim) \
	do { \
		if (!(claim)) \
			ck_abort_msg("seed %llu: %s", (unsigned long long)world.seed, #claim); \
	} while (0)

__attribute__((unused)) static unsigned draw(unsigned n)
{
	world.state = world.state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(world.state >> 33) % n;
}

/* What happened, and when, as a number. */
__attribute__((unused)) static void trace(int what, int64_t detail)
{
	eff_ns now = eff_now();

	ck_holds(now >= world.last);
	world.last = now;
	world.hash = (world.hash ^ (uint64_t)what) * 0x100000001b3u;
	world.hash = (world.hash ^ (uint64_t)detail) * 0x100000001b3u;
	world.hash = (world.hash ^ (uint64_t)now) * 0x100000001b3u;
}

/* Of the innermost scope. */
__attribute__((unused)) static void owner_init(struct owner *owner)
{
	owner->live = 0;
	eff_env_with(eff_scope_current(), &owner->env, &owner_key, owner);
}

/* What is a number in a local; set and copied as a pointer. */
__attribute__((unused)) static int local_number(void)
{
	return (int)(intptr_t)eff_local_get(&number);
}

/* A result is one of three, and "cancelled" is level-triggered: unless the wait was fulfilled, asking again says so. */
__attribute__((unused)) static void check_result(int r)
{
	ck_holds(r == 0 || r == -ECANCELED || r == -ETIMEDOUT);
	if (r < 0)
		ck_holds(eff_check() < 0);
	trace('r', r);
}

__attribute__((unused)) static struct eff_fiber *any_held(void)
{
	return world.n_held ? world.held[draw((unsigned)world.n_held)] : NULL;
}

/* The task that ended so; NULL: none, or it did not fail. */
__attribute__((unused)) static struct task *failed_task(eff_exit exit)
{
	return exit.code > FIRST_CODE ? &world.tasks[exit.code - FIRST_CODE - 1] : NULL;
}

/* Never without a limit: two that await each other behind masks would wait for ever. */
__attribute__((unused)) static int await_within(struct eff_fiber *fiber)
{
	eff_exit exit = eff_ok(NULL);
	struct eff_scope within;
	struct task *task;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_now() + EFF_MS(20));
	r = eff_await(fiber, &exit);
	task = failed_task(exit);
	if (task) {
		ck_holds(task->failed && task->ended);
		task->n_seen++;
	}
	eff_exit_drop(exit);
	ck_holds(r >= 0 || eff_check() == r);
	(void)eff_scope_close(&within);
	return r < 0 ? eff_check() : r;
}

__attribute__((unused)) static void wait_somehow(void)
{
	struct eff_fiber *other = any_held();
	int r;

	switch (draw(6)) {
	case 0:
		r = eff_yield();
		break;
	case 1:
		r = eff_event_await(&world.event);
		break;
	case 2:
		r = eff_pulse_await(&world.pulse);
		break;
	case 3:
		if (other && other != eff_self()) {
			r = await_within(other);
			break;
		}
		__attribute__((fallthrough));
	default:
		r = eff_sleep(EFF_MS(draw(50)));
	}
	check_result(r);
}

__attribute__((unused)) static void act(void)
{
	struct eff_fiber *other = any_held();

	switch (draw(4)) {
	case 0:
		if (other)
			eff_interrupt_async(other);
		break;
	case 1:
		eff_event_set(&world.event);
		break;
	case 2:
		eff_event_reset(&world.event);
		break;
	default:
		eff_pulse_send(&world.pulse);
	}
}

#endif
