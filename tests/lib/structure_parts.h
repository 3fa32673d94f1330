/* SPDX-License-Identifier: MIT */
/* What random programs are made of besides fibers and scopes: brackets, channels, and supervisors whose children are
 * programs again. */
#ifndef TESTS_LIB_STRUCTURE_PARTS_H
#define TESTS_LIB_STRUCTURE_PARTS_H

#include <eff/channel.h>
#include <eff/effect.h>
#include <eff/supervise.h>

#include "structure.h"

enum { MESSAGES_MOST = 4000, PERMITS = 3, CHILDREN_MOST = 3, RUNS_MOST = 60 };

typedef void steps_fn(int depth, struct owner *owner);

/* ── brackets ── */

struct bracket {
	steps_fn *steps;
	int depth;
	struct owner owner;
	bool fails, acquired, used, released;
	eff_ns naps;
};

static eff_exit acquire(void *arg)
{
	struct bracket *bracket = arg;

	ck_holds(!bracket->acquired);
	ck_holds(eff_sleep(bracket->naps) == 0);
	bracket->acquired = !bracket->fails;
	return bracket->fails ? eff_fail(1) : eff_ok(NULL);
}

static eff_exit use(void *arg)
{
	struct bracket *bracket = arg;

	ck_holds(bracket->acquired && !bracket->used);
	ck_holds(eff_check() == 0);
	bracket->used = true;
	owner_init(&bracket->owner);
	bracket->steps(bracket->depth, &bracket->owner);
	return eff_exit_of(eff_check());
}

static eff_exit release(void *arg, eff_exit exit)
{
	struct bracket *bracket = arg;

	ck_holds(bracket->acquired && !bracket->released && !bracket->owner.live);
	ck_holds(bracket->used || !eff_is_ok(exit));
	ck_holds(eff_sleep(bracket->naps) == 0);
	bracket->released = true;
	return eff_ok(NULL);
}

__attribute__((unused)) static void in_bracket(int depth, steps_fn *steps)
{
	struct bracket bracket = {
		.steps = steps, .depth = depth, .fails = !draw(4), .naps = EFF_MS(draw(9))};
	eff_exit exit = eff_bracket(acquire, use, release, &bracket);

	ck_holds(bracket.released == bracket.acquired);
	ck_holds(bracket.used || !eff_is_ok(exit));
	trace('k', exit.tag);
	eff_exit_drop(exit);
}

/* ── channels ── */

static struct {
	struct eff_queue queue;
	struct eff_sem sem;
	struct eff_mutex mutex;
	int ring[2];
	int n_messages, n_sent, n_received;
	bool received[MESSAGES_MOST];
	uint64_t held;
	int n_inside;
	int n_runs;
} parts;

__attribute__((unused)) static void parts_init(void)
{
	memset(&parts, 0, sizeof(parts));
	eff_queue_init(&parts.queue, parts.ring, sizeof(int), 2, EFF_FULL_WAITS);
	eff_sem_init(&parts.sem, PERMITS);
	eff_mutex_init(&parts.mutex);
}

static void send_one(void)
{
	int message = parts.n_messages;
	int r;

	if (message == MESSAGES_MOST)
		return;
	parts.n_messages++;
	r = eff_queue_send(&parts.queue, &message);
	/* Handed over is handed over, whatever has happened to the sender meanwhile. */
	parts.n_sent += r == 0;
	ck_holds(r == 0 || !parts.received[message]);
	check_result(r);
}

static void receive_one(void)
{
	int message = -1;
	int r = eff_queue_receive(&parts.queue, &message);

	ck_holds((r == 0) == (message >= 0));
	if (r == 0) {
		ck_holds(!parts.received[message]);
		parts.received[message] = true;
		parts.n_received++;
		trace('m', message);
	}
	check_result(r);
}

static void hold_permits(void)
{
	uint64_t n = 1 + draw(PERMITS);
	int r = eff_sem_acquire(&parts.sem, n);

	check_result(r);
	if (r < 0)
		return;
	parts.held += n;
	ck_holds(parts.held <= PERMITS);
	check_result(eff_sleep(EFF_MS(draw(9))));
	parts.held -= n;
	eff_sem_release(&parts.sem, n);
}

static void hold_mutex(void)
{
	int r = eff_mutex_lock(&parts.mutex);

	check_result(r);
	if (r < 0)
		return;
	ck_holds(!parts.n_inside++);
	check_result(eff_sleep(EFF_MS(draw(9))));
	parts.n_inside--;
	eff_mutex_unlock(&parts.mutex);
}

/* Never without a limit: there may be nobody at the other end. */
__attribute__((unused)) static void exchange(void)
{
	static void (*const ways[])(void) = {send_one, receive_one, hold_permits, hold_mutex};
	struct eff_scope within;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_now() + EFF_MS(20));
	ways[draw(4)]();
	(void)eff_scope_close(&within);
}

/* Nobody is left: what was sent was received, or is there still. */
__attribute__((unused)) static void parts_check(void)
{
	ck_holds((size_t)(parts.n_sent - parts.n_received) == parts.queue.count);
	ck_holds(eff_list_empty(&parts.queue.senders) && eff_list_empty(&parts.queue.receivers));
	ck_holds(!parts.held && parts.sem.permits == PERMITS && eff_list_empty(&parts.sem.waiters));
	ck_holds(!parts.n_inside && !parts.mutex.owner && eff_list_empty(&parts.mutex.waiters));
}

/* ── supervisors ── */

struct actor {
	struct eff_child child;
	struct eff_finalizer at_end;
	struct owner owner;
	steps_fn *steps;
	int depth;
	bool running, rests;
	int n_begun, n_ended;
};

static struct actor *actor_of(struct eff_child *child)
{
	return eff_container(child, struct actor, child);
}

/* What a run owned is gone when its scope is left. */
static void run_ended(void *arg)
{
	struct actor *actor = arg;

	ck_holds(actor->running && !actor->owner.live);
	actor->n_ended++;
	actor->running = false;
	trace('-', actor->n_ended);
}

static eff_exit actor_run(void *arg)
{
	struct actor *actor = arg;

	ck_holds(actor->running && eff_child_self() == &actor->child);
	eff_defer(eff_scope_current(), &actor->at_end, run_ended, actor);
	if (draw(2))
		eff_child_up(&actor->child);
	owner_init(&actor->owner);
	actor->steps(actor->depth, &actor->owner);
	switch (draw(4)) {
	case 0:
		return eff_fail(1);
	case 1:
		return (eff_exit){.tag = EFF_DIE};
	default:
		return eff_exit_of(eff_check());
	}
}

static void on_start(struct eff_child *child)
{
	struct actor *actor = actor_of(child);

	ck_holds(!actor->running);
	actor->running = true;
	actor->rests = false;
	actor->n_begun++;
	parts.n_runs++;
	trace('+', actor->n_begun);
}

static enum eff_verdict on_judge(struct eff_child *child, eff_exit exit)
{
	(void)exit;
	ck_holds(!actor_of(child)->running);
	return parts.n_runs < RUNS_MOST ? EFF_BY_POLICY : EFF_AT_REST;
}

static void on_group(struct eff_child *child, struct eff_child *first, eff_exit exit)
{
	(void)exit;
	ck_holds(child != first && child->sup == first->sup);
	trace('g', actor_of(child)->n_begun);
}

static void on_rest(struct eff_child *child, eff_exit exit, enum eff_rest rest)
{
	(void)exit;
	ck_holds(!actor_of(child)->running);
	actor_of(child)->rests = true;
	trace('=', (int64_t)rest);
}

static const struct eff_sup_hooks actor_hooks = {
	.on_start = on_start, .judge = on_judge, .on_group = on_group, .on_rest = on_rest};

static void actor_make(struct actor *actor, int depth, steps_fn *steps)
{
	*actor = (struct actor){.depth = depth, .steps = steps, .rests = true};
	actor->child = (struct eff_child){.name = "actor",
		.run = EFF(actor_run, actor),
		.policy = {.restart = (enum eff_restart)draw(5),
			.backoff = eff_spaced(EFF_MS(draw(9))),
			.reset_after = EFF_FOREVER,
			.max_restarts = draw(3),
			.critical = !draw(6)}};
}

static void tell_somebody(struct actor *actor)
{
	switch (draw(4)) {
	case 0:
		(void)eff_child_start(&actor->child);
		break;
	case 1:
		eff_child_stop_async(&actor->child);
		break;
	case 2:
		/* Its run is cut short and begins anew without being judged. */
		if (parts.n_runs < RUNS_MOST)
			eff_child_cycle(&actor->child);
		break;
	default:
		check_result(eff_child_await_rest(&actor->child));
	}
}

__attribute__((unused)) static void in_supervisor(int depth, steps_fn *steps)
{
	struct eff_sup_opts opts = {.strategy = (enum eff_strategy)draw(3),
		.order = draw(2) ? EFF_PARALLEL : EFF_SEQUENTIAL,
		.hooks = &actor_hooks};
	struct actor actors[CHILDREN_MOST];
	struct eff_scope scope;
	struct eff_sup sup;
	unsigned n = 1 + draw(CHILDREN_MOST);

	if (parts.n_runs >= RUNS_MOST)
		return;
	eff_scope_open(&scope);
	eff_scope_limit(&scope, eff_now() + EFF_MS(60));
	ck_holds(eff_sup_open(&sup, &opts) == 0);
	for (unsigned i = 0; i < n; i++) {
		actor_make(&actors[i], depth, steps);
		eff_sup_add(&sup, &actors[i].child);
	}
	ck_holds(eff_sup_start(&sup) == 0);
	for (unsigned i = draw(4); i; i--) {
		check_result(eff_sleep(EFF_MS(draw(20))));
		tell_somebody(&actors[draw(n)]);
	}
	check_result(eff_sup_await(&sup));
	if (draw(2)) {
		eff_sup_stop(&sup);
		ck_holds(!sup.n_fibers);
	}
	(void)eff_scope_close(&scope);
	for (unsigned i = 0; i < n; i++) {
		ck_holds(!actors[i].running && actors[i].rests && !actors[i].child.fiber);
		ck_holds(actors[i].n_begun == (int)actors[i].child.runs);
		ck_holds(actors[i].n_begun == actors[i].n_ended);
	}
}

#endif
