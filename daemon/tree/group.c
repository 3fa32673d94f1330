/* SPDX-License-Identifier: MIT */
/* A group's life, and what its supervisor tells of its children. The story is that of any unit: wait for needs, start, up,
 * await the end, stop, judge; only that to start is to start the children, and that it ends when a critical one has
 * failed. A group's start is a new beginning for its children. */
#include <errno.h>

#include "base/log.h"
#include "tree/internal.h"

static enum eff_verdict group_judge(struct eff_child *child, eff_exit exit)
{
	const struct unit *u = unit_of(child);

	(void)exit;
	if (ends_contain(&u->spec->prevent_exit, u->last_exit))
		return EFF_AT_REST;
	if (ends_contain(&u->spec->force_exit, u->last_exit))
		return EFF_AGAIN;
	return EFF_BY_POLICY;
}

static void group_on_backoff(struct eff_child *child, eff_exit exit, eff_ns delay)
{
	struct unit *u = unit_of(child);

	(void)exit;
	(void)delay;
	unit_enter(u, UNIT_BACKOFF, cause_ref(u->last_exit));
}

/* It is not its turn yet. Its last run is over; what a reload has put in its place holds from here on. */
static void group_on_wait(struct eff_child *child, struct eff_child *other)
{
	struct unit *u = unit_of(child);

	unit_begin(u);
	unit_show_waiting(u, unit_of(other));
}

static struct cause *max_restarts_cause(const struct unit *u)
{
	return cause_new(CAUSE_MAX_RESTARTS, eff_wall(), u->last_exit,
		"gave up after %u restart%s in a row", u->spec->max_restarts,
		u->spec->max_restarts == 1 ? "" : "s");
}

static eff_exit give_up_run(void *arg)
{
	struct unit *u = arg;
	struct tree *t = tree_of(u);

	(void)hook_run_told(u, &u->spec->hooks.on_give_up, "on_give_up", u->cause);
	u->n_users--;
	t->n_give_ups--;
	eff_pulse_send(&u->changed);
	eff_pulse_send(&t->changed);
	return eff_ok(NULL);
}

/* Its own story is over, and its supervisor's may be about to be: so the tree runs what it has to say. */
static void give_up_tell(struct tree *t, struct unit *u)
{
	if (!u->spec->hooks.on_give_up.argv || !t->has_begun || t->shutting_down)
		return;
	u->n_users++;
	t->n_give_ups++;
	if (eff_fork_in(t->top.scope, EFF(give_up_run, u), NULL) == 0)
		return;
	u->n_users--;
	t->n_give_ups--;
	u->world->hooks->on_event(u, "hook_failed", "on_give_up: ENOMEM");
}

/* The tree is there for this unit: with it all ends, because of how it did. */
static void exit_code_unit_rests(struct unit *u)
{
	struct tree *t = tree_of(u);
	struct cause *why = cause_new(CAUSE_STOP_REQUESTED, eff_wall(), u->cause,
		"%s has ended, and exit_code_from names it", u->name);

	if (!t->shutting_down)
		log_info("%s has ended, and exit_code_from names it: stopping", u->name);
	wish_end_all(t, why);
	cause_unref(why);
}

static void group_on_rest(struct eff_child *child, eff_exit exit, enum eff_rest rest)
{
	struct unit *u = unit_of(child);
	struct tree *t = tree_of(u);

	(void)exit;
	if (u->next_plan)
		unit_adopt(u, u->next_plan, u->next, true);
	u->leaving = u->kill_now = false;
	u->awaits = NULL;
	switch (rest) {
	case EFF_REST_STOPPED:
	case EFF_REST_GROUP:
		unit_enter(u, UNIT_DOWN, cause_ref(u->why));
		break;
	case EFF_REST_DONE:
		unit_enter(u, UNIT_DONE, cause_ref(u->last_exit));
		break;
	case EFF_REST_FAILED:
		unit_enter(u, UNIT_FAILED, cause_ref(u->last_exit));
		break;
	case EFF_REST_MAX_RESTARTS:
		unit_enter(u, UNIT_FAILED, max_restarts_cause(u));
		break;
	}
	if (u->state == UNIT_FAILED)
		give_up_tell(t, u);
	if (u->spec->kind == PLAN_SUPERVISOR)
		wish_tell(u);
	if (u->run_queued && wish_may_act(u)) {
		schedule_run_now(u);
		return;
	}
	if (rest != EFF_REST_STOPPED && rest != EFF_REST_GROUP && !u->clock &&
		unit_index(u) == plan_daemon(t->plan)->exit_code_from)
		exit_code_unit_rests(u);
}

const struct eff_sup_hooks group_hooks = {
	.on_wait = group_on_wait,
	.judge = group_judge,
	.on_backoff = group_on_backoff,
	.on_rest = group_on_rest,
};

void group_add(struct unit *parent, struct unit *u)
{
	u->child.run = (eff){.fn = u->spec->kind == PLAN_SUPERVISOR ? group_run : unit_run,
		.arg = u,
		.name = u->name};
	u->child.place = unit_index(u) + 1;
	eff_sup_add(&parent->sup, &u->child);
}

static struct eff_sup_opts group_opts(const struct unit *group)
{
	return (struct eff_sup_opts){
		.order = group->spec->start_order == PLAN_SEQUENTIAL ? EFF_SEQUENTIAL : EFF_PARALLEL,
		.hooks = &group_hooks,
	};
}

void group_change(struct unit *group)
{
	struct eff_sup_opts opts = group_opts(group);

	if (eff_sup_change(&group->sup, &opts) < 0)
		log_error("%s: cannot take on its new values: out of memory", group->name);
}

static void group_start_children(struct unit *group)
{
	struct tree *t = tree_of(group);
	uint32_t first = plan_unit(t->plan, unit_index(group))->first_child;

	for (uint32_t i = first; i != PLAN_NONE; i = plan_unit(t->plan, i)->next_sibling) {
		struct unit *u = t->units[i];

		group_add(group, u);
		if (u->spec->activate == PLAN_BOOT && u->spec->enabled && !u->held)
			u->wanted = true;
	}
	for (uint32_t i = first; i != PLAN_NONE; i = plan_unit(t->plan, i)->next_sibling) {
		wish_pull(t, t->units[i]);
		wish_act(t->units[i]);
	}
}

/* From the last on, since most move back: then nobody has to be passed. The new ones all take their places before any of
 * them is set going, for one may pull in another. */
void groups_place(struct tree *t)
{
	for (uint32_t i = t->n_units - 1; i > 0; i--)
		if (t->units[i]->child.sup)
			eff_sup_move(&t->units[i]->child, i + 1);
	for (uint32_t i = 1; i < t->n_units; i++) {
		struct unit *u = t->units[i];

		if (u->child.sup || !u->parent->group_open)
			continue;
		group_add(u->parent, u);
		if (u->spec->enabled && u->spec->activate == PLAN_BOOT)
			u->wanted = true;
	}
}

/* Is a unit of the group wanted that cannot begin yet, for one of its name has not gone? */
static bool group_awaits_burial(const struct unit *group)
{
	struct tree *t = tree_of(group);
	uint32_t first = plan_unit(t->plan, unit_index(group))->first_child;

	if (eff_list_empty(&t->graveyard))
		return false;
	for (uint32_t i = first; i != PLAN_NONE; i = plan_unit(t->plan, i)->next_sibling)
		if (wish_holds(t->units[i]) && tree_grave_of(t, t->units[i]->name))
			return true;
	return false;
}

/* Until all wanted children are up, done, or failed without being critical. 0; 1 when the supervisor has ended;
 * -ECANCELED. */
static int group_await_up(struct unit *group)
{
	int r = eff_sup_await_up(&group->sup);

	while (r == 0 && group_awaits_burial(group)) {
		r = eff_pulse_await(&group->sup.changed);
		if (r == 0)
			r = eff_sup_await_up(&group->sup);
	}
	return r;
}

static void group_fail(struct unit *group)
{
	struct unit *u = unit_of(group->sup.culprit);

	unit_fault(group, unit_cause(group, CAUSE_CRITICAL, u->cause, "%s has failed", u->name));
}

/* For its children it is a stop by whoever stopped the group, or the consequence of its failure. */
static struct cause *group_word(struct unit *group)
{
	if (group->why && group->why->kind == CAUSE_STOP_REQUESTED)
		return cause_ref(group->why);
	return unit_cause(group, CAUSE_DEPENDENCY, group->why ? group->why : group->fault,
		"%s stops", group->name);
}

static void group_stop(struct unit *group)
{
	struct eff_list *all = &group->sup.children, *l;
	eff_masked before = eff_mask();
	struct cause *word;

	group->leaving = true;
	unit_await_dependants(group);
	unit_enter(group, UNIT_STOPPING, cause_ref(group->why ? group->why : group->fault));
	word = group_word(group);
	for (l = all->next; l != all; l = l->next) {
		struct unit *u = unit_of(eff_container(l, struct eff_child, link));

		if (group->kill_now)
			unit_kill_now(u);
		if (!u->leaving)
			unit_leave(u, word);
	}
	eff_sup_stop(&group->sup);
	group->group_open = false;
	for (l = all->next; l != all; l = l->next)
		schedule_stop(unit_of(eff_container(l, struct eff_child, link)));
	while (!eff_list_empty(all)) {
		struct unit *u = unit_of(eff_container(all->next, struct eff_child, link));

		/* A wish that only a hand or another unit had for it ends with the group. */
		if (u->spec->activate != PLAN_BOOT)
			u->wanted = u->by_operator = false;
		if (u->state != UNIT_DOWN)
			unit_enter(u, UNIT_DOWN, cause_ref(word));
		u->leaving = false;
		eff_sup_remove(&u->child);
	}
	cause_unref(word);
	eff_unmask(before);
}

/* It is up: until a critical child has failed, or it is told to end. */
static int group_await_failure(struct unit *group)
{
	unit_enter(group, UNIT_UP, NULL);
	if (group->spec->hooks.on_ready.argv && eff_fork(EFF(hook_when_ready, group), NULL) < 0)
		group->world->hooks->on_event(group, "hook_failed", "on_ready: ENOMEM");
	return eff_sup_await(&group->sup);
}

/* Its children's life, from their start to their end. */
static void group_live(struct unit *group)
{
	struct eff_sup_opts opts = group_opts(group);
	int r = eff_sup_open(&group->sup, &opts);

	group->group_open = true;
	if (r == 0) {
		group_start_children(group);
		r = group_await_up(group);
	}
	if (r == 0)
		r = group_await_failure(group);
	if (r == -ENOMEM)
		unit_fault(group, unit_cause(group, CAUSE_LOST, NULL, "out of memory"));
	else if (r >= 0)
		group_fail(group);
	group_stop(group);
}

eff_exit group_run(void *arg)
{
	struct unit *group = arg;
	struct eff_scope run;
	eff_exit exit;

	unit_begin(group);
	if (unit_await_needs(group) < 0)
		return eff_interrupted();
	eff_scope_open(&run);
	group->starts++;
	if (group->child.restarted)
		group->restarts++;
	unit_enter(group, UNIT_STARTING, NULL);
	if (hook_before_start(group) == 0)
		group_live(group);
	(void)eff_scope_close(&run);
	hook_after_stop(group, NULL);
	exit = unit_end(group, NULL, false);
	if (!group->why && !eff_is_ok(exit))
		hook_after_failure(group);
	return exit;
}
