/* SPDX-License-Identifier: MIT */
/* Random programs of forks, waits, masks, interrupts, limits, scopes, brackets, races, channels and supervisors, in virtual
 * time. Whatever they do: every fiber ends once, whoever owns ends after what is owned, what was deferred runs once and last
 * first and is shown the exit, what was acquired is released, a failure is seen by who awaits it or told to the hook, a
 * message arrives once, a run that began ends, a service is the one of the owner, time never runs backwards, nothing is
 * left; and the same seed gives the same trace. A failure names its seed; EFF_SEED repeats one program, EFF_PROGRAMS is
 * the count. */
#include <stdlib.h>

#include "leak.h"
#include "structure_parts.h"

Suite *test_suite(void);

enum { DEPTH_MOST = 4, STEPS_MOST = 12, PROGRAMS = 2400, BATCHES = 8, MANY = 4 };

static void steps(int depth, struct owner *owner);

/* ── fibers ── */

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

static eff_exit task_main(void *arg)
{
	struct task *task = arg;

	ck_holds(!task->started);
	ck_holds(eff_check() == 0);
	ck_holds(eff_get(&owner_key) == task->owner);
	ck_holds(local_number() == task->forker);
	task->started = true;
	ck_holds(eff_local_set(&number, (void *)(intptr_t)task->number) == 0);
	owner_init(&task->body);
	trace('b', task->number);
	steps(0, &task->body);
	ck_holds(local_number() == task->number);
	task->failed = !draw(4);
	if (task->failed)
		return eff_failf(FIRST_CODE + task->number, "task %d", task->number);
	return draw(3) ? eff_ok(NULL) : eff_exit_of(eff_check());
}

static void fork_one(struct eff_scope *scope, struct owner *owner)
{
	struct task *task = &world.tasks[world.n_tasks];
	struct eff_fiber *fiber;

	if (world.n_tasks == FIBERS_MOST)
		return;
	*task = (struct task){.number = world.n_tasks + 1, .forker = local_number(), .owner = owner};
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

/* ── scopes ── */

struct deferred {
	struct eff_finalizer node;
	int *last;
	int number;
	bool fails;
	int shown; /* the code of the scope's exit */
	struct owner *owner;
};

static void run_deferred(void *arg)
{
	struct deferred *deferred = arg;

	/* Last first, and after all that the scope owned. */
	ck_holds(deferred->number == *deferred->last - 1);
	ck_holds(!deferred->owner->live);
	ck_holds(eff_get(&owner_key) == deferred->owner);
	*deferred->last = deferred->number;
	world.n_run++;
	trace('d', deferred->number);
	if (draw(2))
		ck_holds(eff_sleep(EFF_MS(draw(5))) == 0);
}

static eff_exit run_deferred_exit(void *arg, eff_exit exit)
{
	struct deferred *deferred = arg;

	ck_holds(exit.code == deferred->shown);
	run_deferred(arg);
	return deferred->fails ? eff_failf(100 + deferred->number, "deferred") : eff_ok(NULL);
}

/* An exit is the body's, or in place of an OK the first failure of what was deferred. */
static void end_scope(struct eff_scope *scope, struct deferred *deferred, int n)
{
	int code = (int)draw(3);
	int want = code;
	eff_exit exit;

	for (int i = n; i--;) {
		deferred[i].shown = code;
		if (!want && deferred[i].fails)
			want = 100 + i;
	}
	exit = eff_scope_end(scope, code ? eff_fail(code) : eff_ok(NULL));
	ck_holds(exit.tag == (want ? EFF_FAIL : EFF_OK) && exit.code == want);
	eff_exit_drop(exit);
	trace('s', eff_scope_reason(scope));
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded. */
static void in_scope(int depth)
{
	struct eff_scope scope;
	struct owner owner;
	struct deferred deferred[3];
	int n = (int)draw(4);
	int last = n;

	eff_scope_open(&scope);
	owner_init(&owner);
	if (draw(2))
		eff_scope_limit(&scope, eff_now() + EFF_MS(draw(60)));
	for (int i = 0; i < n; i++) {
		deferred[i] = (struct deferred){.last = &last, .number = i, .owner = &owner};
		if (draw(2)) {
			eff_defer(&scope, &deferred[i].node, run_deferred, &deferred[i]);
		} else {
			deferred[i].fails = draw(2);
			eff_defer_exit(&scope, &deferred[i].node, run_deferred_exit, &deferred[i]);
		}
		world.n_deferred++;
	}
	steps(depth + 1, &owner);
	if (!draw(5))
		eff_scope_cancel(&scope);
	end_scope(&scope, deferred, n);
	ck_holds(!last && !owner.live);
	ck_holds(eff_list_empty(&scope.fibers) && !scope.limit.armed);
}

/* ── masks ── */

struct restored {
	int depth;
	struct owner *owner;
	bool ran;
};

static eff_exit restored_main(void *arg)
{
	struct restored *restored = arg;

	restored->ran = true;
	ck_holds(eff_check() == 0);
	steps(restored->depth + 1, restored->owner);
	return eff_ok(NULL);
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded. */
static void in_mask(int depth, struct owner *owner)
{
	struct restored restored = {.depth = depth, .owner = owner};
	eff_masked masked = eff_mask();
	bool refused = false;
	eff_exit exit;

	ck_holds(eff_check() == 0);
	switch (draw(3)) {
	case 0:
		ck_holds(eff_sleep(EFF_MS(draw(9))) == 0);
		in_scope(depth);
		break;
	case 1:
		exit = eff_restore(masked, EFF(restored_main, &restored));
		/* It ran, or at the boundary there was what the mask had hidden. */
		refused = !restored.ran;
		ck_holds(refused == !eff_is_ok(exit));
		ck_holds(eff_check() == 0);
		break;
	default:
		steps(depth + 1, owner);
	}
	eff_unmask(masked);
	ck_holds(!refused || eff_check() < 0);
}

/* ── many ── */

struct racer {
	int depth;
	struct owner body;
	struct eff_finalizer node;
	bool started, ended;
};

static void racer_ended(void *arg)
{
	struct racer *racer = arg;

	ck_holds(racer->started && !racer->ended && !racer->body.live);
	racer->ended = true;
}

static eff_exit racer_main(void *arg)
{
	struct racer *racer = arg;

	ck_holds(!racer->started);
	racer->started = true;
	eff_defer(eff_scope_current(), &racer->node, racer_ended, racer);
	owner_init(&racer->body);
	steps(racer->depth + 1, &racer->body);
	return draw(3) ? eff_exit_of(eff_check()) : eff_failf(1, "lost");
}

static void check_all(const eff *effects, const struct racer *racers, unsigned n)
{
	unsigned flags = draw(2) ? EFF_COLLECT : 0;
	eff_exit outs[MANY];
	eff_exit exit = eff_all(effects, n, draw(MANY), outs, flags);

	trace('a', exit.tag);
	for (unsigned i = 0; i < n; i++) {
		ck_holds(racers[i].started || outs[i].tag == EFF_INTERRUPT);
		ck_holds(!eff_is_ok(exit) || eff_is_ok(outs[i]));
		trace('o', outs[i].tag);
		eff_exit_drop(outs[i]);
	}
	eff_exit_drop(exit);
}

static void check_race(const eff *effects, const struct racer *racers, unsigned n)
{
	bool first = draw(2);
	size_t winner = n;
	eff_exit exit = (first ? eff_race_first : eff_race)(effects, n, &winner);

	ck_holds(!eff_is_ok(exit) || winner < n);
	ck_holds(winner == n || racers[winner].ended || exit.tag == EFF_INTERRUPT);
	ck_holds(first || winner == n || eff_is_ok(exit));
	trace('w', (int64_t)winner);
	eff_exit_drop(exit);
}

static void in_many(int depth)
{
	struct racer racers[MANY];
	eff effects[MANY];
	unsigned n = 1 + draw(MANY);

	if (world.n_racers + (int)n > RACERS_MOST)
		return;
	world.n_racers += (int)n;
	for (unsigned i = 0; i < n; i++) {
		racers[i] = (struct racer){.depth = depth};
		effects[i] = EFF(racer_main, &racers[i]);
	}
	if (draw(2))
		check_all(effects, racers, n);
	else
		check_race(effects, racers, n);
	for (unsigned i = 0; i < n; i++)
		ck_holds(racers[i].ended == racers[i].started);
}

/* ── programs ── */

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded. */
static void steps(int depth, struct owner *owner)
{
	unsigned n = draw(STEPS_MOST);
	eff_masked before = eff_self()->mask;

	for (unsigned i = 0; i < n; i++) {
		ck_holds(eff_self()->mask == before);
		switch (draw(depth < DEPTH_MOST ? 10 : 5)) {
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
			exchange();
			break;
		case 5:
			in_scope(depth);
			break;
		case 6:
			in_bracket(depth + 1, steps);
			break;
		case 7:
			in_many(depth);
			break;
		case 8:
			in_supervisor(depth + 1, steps);
			break;
		default:
			in_mask(depth, owner);
		}
	}
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
	struct owner owner;
	struct eff_fiber *waker = forked(wake_all, arg);

	eff_scope_open(&scope);
	owner_init(&owner);
	for (unsigned n = 1 + draw(5); n; n--)
		fork_one(&scope, &owner);
	check_result(eff_sleep(EFF_MS(draw(500))));
	(void)eff_scope_close(&scope);
	ck_holds(!owner.live);
	ck_assert_int_eq(eff_interrupt(waker, NULL), 0);
	eff_fiber_unref(waker);
	return eff_ok(NULL);
}

static void on_unhandled(void *context, const char *name, eff_exit exit)
{
	struct task *task = failed_task(exit);

	(void)context;
	(void)name;
	if (task)
		task->n_told++;
}

/* One that failed was seen by who awaited it; else it was told, once. */
static void check_told(void)
{
	for (int i = 0; i < world.n_tasks; i++) {
		const struct task *task = &world.tasks[i];

		ck_holds(task->ended);
		ck_holds(task->n_told == (task->failed && !task->n_seen));
	}
}

static uint64_t run_program(uint64_t seed)
{
	struct eff_rt_stats stats;

	memset(&world, 0, sizeof(world));
	world.seed = seed;
	world.state = seed * 0x9e3779b97f4a7c15u;
	eff_event_init(&world.event);
	eff_pulse_init(&world.pulse);
	parts_init();
	run_setup();
	run_rt->hooks.on_unhandled = on_unhandled;
	run_ok(root_main, NULL);
	for (int i = 0; i < world.n_held; i++)
		eff_fiber_unref(world.held[i]);
	ck_holds(world.n_ended == world.n_tasks);
	check_told();
	parts_check();
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
	const char *one = getenv("EFF_SEED");
	const char *programs = getenv("EFF_PROGRAMS");
	uint64_t n = (programs ? strtoull(programs, NULL, 10) : PROGRAMS) / BATCHES;
	uint64_t first = one ? strtoull(one, NULL, 10) : (uint64_t)_i * n;

	if (one)
		n = _i == 0;
	for (uint64_t seed = first; seed < first + n; seed++) {
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
	tcase_add_loop_test(tcase,
		whatever_a_program_does_its_structure_holds_and_it_does_it_again, 0, BATCHES);
	suite_add_tcase(suite, tcase);
	return suite;
}
