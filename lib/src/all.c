/* SPDX-License-Identifier: MIT */
/* Many effects side by side: all of them, or the first of them.
 *
 * They are the fibers of one scope. Each end is heard in on_end(), before anyone else runs: it keeps the exit and, when
 * that decides the whole, interrupts the others at once. The caller only forks the next ones and waits; closing the scope
 * awaits those who unwind. Nothing is allocated: the scope, which owns the fibers, is how their ends find their way here. */
#include <eff/effect.h>
#include <eff/scope.h>

#include "internal.h"

struct group {
	struct eff_scope scope;
	struct eff_pulse changed;
	const eff *effects;
	eff_exit *outs; /* NULL */
	size_t n, n_begun, n_live, most_live;
	bool ok_decides, failure_decides;
	bool decided;
	size_t decided_by; /* n: by none */
	eff_exit exit;     /* so far: what failed, or what decided */
};

static void interrupt_the_rest(struct group *group)
{
	struct eff_list *node = &group->scope.fibers;

	while ((node = node->next) != &group->scope.fibers)
		eff_interrupt_async(eff_container(node, struct eff_fiber, owned));
}

/* The i-th has ended. Returns whether its exit has been seen to. */
static bool one_ended(struct group *group, size_t i, eff_exit exit)
{
	bool ok = eff_is_ok(exit);
	bool seen = true;

	if (group->outs)
		group->outs[i] = eff_exit_keep(exit);
	if (!group->decided && (ok ? group->ok_decides : group->failure_decides)) {
		group->decided = true;
		group->decided_by = i;
		eff_exit_drop(group->exit);
		group->exit = eff_exit_keep(exit);
		interrupt_the_rest(group);
	} else if (ok || (group->decided && exit.tag == EFF_INTERRUPT)) {
		/* It says nothing that was not known. */
	} else if (group->decided && eff_is_ok(group->exit)) {
		/* It lost a race, and unwinding it went wrong: no part of the winner's exit, but not to be lost either. */
		seen = false;
	} else {
		group->exit = eff__exit_then(group->exit, eff_exit_keep(exit));
	}
	eff_pulse_send(&group->changed);
	return seen;
}

static void on_end(struct eff_fiber *fiber, void *context)
{
	struct group *group = eff_container(fiber->owner, struct group, scope);
	const eff *e = context;

	group->n_live--;
	fiber->awaited = one_ended(group, (size_t)(e - group->effects), fiber->exit);
}

static void begin_next(struct group *group)
{
	size_t i = group->n_begun++;
	struct eff_fiber *fiber;
	int r = eff_fork_in_from(&group->scope, &group->effects[i], &fiber);

	if (r < 0) {
		(void)one_ended(group, i, eff_fail(-r));
		return;
	}
	group->n_live++;
	fiber->on_end = on_end;
	fiber->on_end_context = (void *)&group->effects[i];
	eff_fiber_unref(fiber);
}

static bool is_done(const struct group *group)
{
	return group->decided || (group->n_begun == group->n && !group->n_live);
}

/* Run them and return the exit. */
static eff_exit run(struct group *group)
{
	int r = 0;

	group->exit = eff_ok(NULL);
	group->decided_by = group->n;
	for (size_t i = 0; group->outs && i < group->n; i++)
		group->outs[i] = eff_interrupted();
	eff_pulse_init(&group->changed);
	eff_scope_open(&group->scope);
	while (r >= 0 && !is_done(group)) {
		if (group->n_begun < group->n && group->n_live < group->most_live)
			begin_next(group);
		else
			r = eff_pulse_await(&group->changed);
	}
	/* What was decided before the caller could see that it is interrupted counts. */
	if (!is_done(group)) {
		group->decided = true;
		group->exit = eff__exit_then(eff_exit_of(r), group->exit);
	}
	(void)eff_scope_close(&group->scope);
	return group->exit;
}

eff_exit eff_all(const eff *effects, size_t n, size_t most_live, eff_exit *outs, unsigned flags)
{
	struct group group = {
		.effects = effects,
		.outs = outs,
		.n = n,
		.most_live = most_live ? most_live : n,
		.failure_decides = !(flags & EFF_COLLECT),
	};

	return run(&group);
}

static eff_exit race(struct group *group, size_t *ret_winner)
{
	eff_exit exit;

	if (!group->n)
		return eff_failf(EINVAL, "a race of none");
	exit = run(group);
	if (ret_winner && group->decided_by < group->n)
		*ret_winner = group->decided_by;
	return exit;
}

eff_exit eff_race(const eff *effects, size_t n, size_t *ret_winner)
{
	struct group group = {
		.effects = effects,
		.n = n,
		.most_live = n,
		.ok_decides = true,
	};

	return race(&group, ret_winner);
}

eff_exit eff_race_first(const eff *effects, size_t n, size_t *ret_winner)
{
	struct group group = {
		.effects = effects,
		.n = n,
		.most_live = n,
		.ok_decides = true,
		.failure_decides = true,
	};

	return race(&group, ret_winner);
}
