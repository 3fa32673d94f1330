/* SPDX-License-Identifier: MIT */
/* Random programs of forks, waits, masks, interrupts, limits and scopes, in virtual time. Whatever they do: every fiber
 * ends once, whoever owns ends after what is owned, what was deferred runs once and last first, time never runs
 * backwards, nothing is left; and the same seed gives the same trace. A failure names its seed. */
#include <errno.h>
#include <stdlib.h>

#include <eff/event.h>
#include <eff/scope.h>

#include "internal.h"
#include "leak.h"
#include "run.h"

Suite *test_suite(void);

enum { FIBERS_MOST = 200, DEPTH_MOST = 4, STEPS_MOST = 12, PROGRAMS = 150, HELD_MOST = 64 };

struct owner {
	int live; /* fibers that it owns and that have not ended */
};

struct task {
	int number;
	struct owner *owner;
	struct owner body;
	bool started, ended;
};

static struct {
	uint64_t seed, state;
	uint64_t hash;
	struct task tasks[FIBERS_MOST];
	int n_tasks, n_ended, n_deferred, n_run;
	struct eff_fiber *held[HELD_MOST];
	int n_held;
	struct eff_event event;
	struct eff_pulse pulse;
	eff_ns last;
} world;

/* A ck_assert() tells its place to another process each time it is passed; here only a failure does. */
#define ck_holds(claim) \
	do { \
		if (!(claim)) \
			ck_abort_msg("seed %llu: %s", (unsigned long long)world.seed, #claim); \
	} while (0)

static unsigned draw(unsigned n)
{
	world.state = world.state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(world.state >> 33) % n;
}

/* What happened, and when, as a number. */
static void trace(int what, int64_t detail)
{
	eff_ns now = eff_now();

	ck_holds(now >= world.last);
	world.last = now;
	world.hash = (world.hash ^ (uint64_t)what) * 0x100000001b3u;
	world.hash = (world.hash ^ (uint64_t)detail) * 0x100000001b3u;
	world.hash = (world.hash ^ (uint64_t)now) * 0x100000001b3u;
}

static void task_ended(struct eff_fiber *fiber, void *context)
{
	struct task *task = context;

	(void)fiber;
	ck_holds(!task->ended);
	ck_holds(!task->body.live);
	ck_holds(task->owner->live > 0);
	task->ended = true;
	task->owner->live--;
	world.n_ended++;
	trace('e', task->number);
}

static eff_exit task_main(void *arg);

static void fork_one(struct eff_scope *scope, struct owner *owner)
{
	struct task *task = &world.tasks[world.n_tasks];
	struct eff_fiber *fiber;

	if (world.n_tasks == FIBERS_MOST)
		return;
	*task = (struct task){.number = world.n_tasks, .owner = owner};
	if (eff_fork_in(scope, EFF(task_main, task), &fiber) < 0) {
		ck_holds(scope->closing);
		return;
	}
	world.n_tasks++;
	owner->live++;
	fiber->on_end = task_ended;
	fiber->on_end_context = task;
	trace('f', task->number);
	if (world.n_held < HELD_MOST && draw(2))
		world.held[world.n_held++] = fiber;
	else
		eff_fiber_unref(fiber);
}

/* A result is one of three, and "cancelled" is level-triggered: unless the wait was fulfilled, asking again says so. */
static void check_result(int r)
{
	ck_holds(r == 0 || r == -ECANCELED || r == -ETIMEDOUT);
	if (r < 0)
		ck_holds(eff_check() < 0);
	trace('r', r);
}

static struct eff_fiber *any_held(void)
{
	return world.n_held ? world.held[draw((unsigned)world.n_held)] : NULL;
}

/* Never without a limit: two that await each other behind masks would wait for ever. */
static int await_within(struct eff_fiber *fiber)
{
	struct eff_scope within;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_now() + EFF_MS(20));
	r = eff_await(fiber, NULL);
	ck_holds(r >= 0 || eff_check() == r);
	(void)eff_scope_close(&within);
	return r < 0 ? eff_check() : r;
}

static void wait_somehow(void)
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

static void act(void)
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

struct deferred {
	struct eff_finalizer node;
	int *last;
	int number;
	struct owner *owner;
};

static void run_deferred(void *arg)
{
	struct deferred *deferred = arg;

	/* Last first, and after all that the scope owned. */
	ck_holds(deferred->number == *deferred->last - 1);
	ck_holds(!deferred->owner->live);
	*deferred->last = deferred->number;
	world.n_run++;
	trace('d', deferred->number);
	if (draw(2))
		ck_holds(eff_sleep(EFF_MS(draw(5))) == 0);
}

static void steps(int depth, struct owner *owner);

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded. */
static void in_scope(int depth)
{
	struct eff_scope scope;
	struct owner owner = {0};
	struct deferred deferred[3];
	int n = (int)draw(4);
	int last = n;

	eff_scope_open(&scope);
	if (draw(2))
		eff_scope_limit(&scope, eff_now() + EFF_MS(draw(60)));
	for (int i = 0; i < n; i++) {
		deferred[i] = (struct deferred){.last = &last, .number = i, .owner = &owner};
		eff_defer(&scope, &deferred[i].node, run_deferred, &deferred[i]);
		world.n_deferred++;
	}
	steps(depth + 1, &owner);
	if (!draw(5))
		eff_scope_cancel(&scope);
	trace('s', eff_scope_close(&scope));
	ck_holds(!last && !owner.live);
	ck_holds(eff_list_empty(&scope.fibers) && !scope.limit.armed);
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded. */
static void in_mask(int depth, struct owner *owner)
{
	eff_masked masked = eff_mask();

	ck_holds(eff_check() == 0);
	if (draw(2)) {
		ck_holds(eff_sleep(EFF_MS(draw(9))) == 0);
		in_scope(depth);
	} else {
		steps(depth + 1, owner);
	}
	eff_unmask(masked);
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded. */
static void steps(int depth, struct owner *owner)
{
	unsigned n = draw(STEPS_MOST);

	for (unsigned i = 0; i < n; i++) {
		switch (draw(depth < DEPTH_MOST ? 6 : 4)) {
		case 0:
			fork_one(eff_scope_current(), owner);
			break;
		case 1:
		case 2:
			wait_somehow();
			break;
		case 3:
			act();
			break;
		case 4:
			in_scope(depth);
			break;
		default:
			in_mask(depth, owner);
		}
	}
}

static eff_exit task_main(void *arg)
{
	struct task *task = arg;

	ck_holds(!task->started);
	ck_holds(eff_check() == 0);
	task->started = true;
	trace('b', task->number);
	steps(0, &task->body);
	return draw(3) ? eff_ok(NULL) : eff_exit_of(eff_check());
}

/* Wakes whoever would wait for ever. */
static eff_exit wake_all(void *arg)
{
	(void)arg;
	while (eff_sleep(EFF_MS(7)) == 0) {
		eff_event_set(&world.event);
		eff_pulse_send(&world.pulse);
	}
	return eff_ok(NULL);
}

static eff_exit root_main(void *arg)
{
	struct eff_scope scope;
	struct owner owner = {0};
	struct eff_fiber *waker = forked(wake_all, arg);

	eff_scope_open(&scope);
	for (unsigned n = 1 + draw(5); n; n--)
		fork_one(&scope, &owner);
	check_result(eff_sleep(EFF_MS(draw(500))));
	(void)eff_scope_close(&scope);
	ck_holds(!owner.live);
	ck_assert_int_eq(eff_interrupt(waker, NULL), 0);
	eff_fiber_unref(waker);
	return eff_ok(NULL);
}

static uint64_t run_program(uint64_t seed)
{
	struct eff_rt_stats stats;

	memset(&world, 0, sizeof(world));
	world.seed = seed;
	world.state = seed * 0x9e3779b97f4a7c15u;
	eff_event_init(&world.event);
	eff_pulse_init(&world.pulse);
	run_setup();
	run_ok(root_main, NULL);
	for (int i = 0; i < world.n_held; i++)
		eff_fiber_unref(world.held[i]);
	ck_holds(world.n_ended == world.n_tasks);
	ck_holds(world.n_run == world.n_deferred);
	ck_holds(eff_list_empty(&world.event.waiters) && eff_list_empty(&world.pulse.waiters));
	eff_rt_stats(run_rt, &stats);
	ck_holds(!stats.fibers_live && !stats.timers_armed);
	trace('n', (int64_t)stats.switches);
	run_teardown();
	return world.hash;
}

START_TEST(whatever_a_program_does_its_structure_holds_and_it_does_it_again)
{
	uint64_t first = (uint64_t)_i * PROGRAMS;

	for (uint64_t seed = first; seed < first + PROGRAMS; seed++) {
		uint64_t hash = run_program(seed);

		ck_assert_msg(run_program(seed) == hash, "seed %llu gave another trace",
			(unsigned long long)seed);
	}
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("structure");
	TCase *tcase = tcase_create("structure");

	test_leak_guard(tcase);
	tcase_add_loop_test(
		tcase, whatever_a_program_does_its_structure_holds_and_it_does_it_again, 0, 8);
	suite_add_tcase(suite, tcase);
	return suite;
}
