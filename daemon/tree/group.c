/* SPDX-License-Identifier: MIT */
/* A group's life. The story is that of any unit: wait for needs, start, up, await the end, stop, judge; only that to start is
 * to start the children, and that it ends when its supervisor has. A group's start is a new beginning for its children. */
#include <errno.h>

#include "base/log.h"
#include "base/text.h"
#include "tree/internal.h"

/* As the tree's order has it; all replicas of a unit share the place of the first. */
static uint32_t place_of(const struct plan_unit *row)
{
	return row->index + 1 - (row->replica ? row->replica - 1 : 0);
}

void group_add(struct unit *parent, struct unit *u)
{
	u->child.run = (eff){.fn = u->spec->kind == PLAN_SUPERVISOR ? group_run : unit_run,
		.arg = u,
		.name = u->name};
	u->child.place = place_of(u->next ? u->next : u->spec);
	eff_sup_add(parent->sup, &u->child);
}

static struct eff_sup_opts group_opts(const struct unit *group)
{
	static const enum eff_strategy strategies[] = {
		[PLAN_ONE_FOR_ONE] = EFF_ONE_FOR_ONE,
		[PLAN_ONE_FOR_ALL] = EFF_ONE_FOR_ALL,
		[PLAN_REST_FOR_ONE] = EFF_REST_FOR_ONE,
		/* They have an order, that in which they were added: it may be asked for. */
		[PLAN_SIMPLE_ONE_FOR_ONE] = EFF_ONE_FOR_ONE,
	};
	static const enum eff_auto_shutdown shutdowns[] = {
		[PLAN_AUTO_NEVER] = EFF_AUTO_NEVER,
		[PLAN_AUTO_ANY] = EFF_AUTO_ANY,
		[PLAN_AUTO_ALL] = EFF_AUTO_ALL,
	};
	const struct plan_unit *spec = group->spec;

	return (struct eff_sup_opts){
		.strategy = strategies[spec->ways->strategy],
		.order = spec->ways->start_order == PLAN_SEQUENTIAL ? EFF_SEQUENTIAL : EFF_PARALLEL,
		.auto_shutdown = shutdowns[spec->ways->auto_shutdown],
		.max_restarts = spec->ways->intensity.max_restarts,
		.period = spec->ways->intensity.period_ns,
		.hooks = &group_hooks,
	};
}

void group_change(struct unit *group)
{
	struct eff_sup_opts opts = group_opts(group);

	if (eff_sup_change(group->sup, &opts) < 0)
		log_error("%s: cannot take on its new values: out of memory", group->name);
}

static void group_start_children(struct unit *group)
{
	struct tree *t = tree_of(group);
	uint32_t first = plan_unit(t->plan, unit_index(group))->first_child;

	for (uint32_t i = first; i != PLAN_NONE; i = plan_unit(t->plan, i)->next_sibling) {
		struct unit *u = t->units[i];

		group_add(group, u);
		if (u->spec->enabled && !u->held && (plan_unit_boots(u->spec) || wish_is_pulled(u)))
			wish_want(u);
	}
	for (uint32_t i = first; i != PLAN_NONE; i = plan_unit(t->plan, i)->next_sibling) {
		wish_pull(t, t->units[i]);
		wish_act(t->units[i]);
	}
	/* What ran for those whose wish ended with the last run. */
	if (group->starts > 1)
		wish_release(t, group);
}

/* Those who share a place keep their order in it. */
static void place_move(struct tree *t, const struct plan_unit *row)
{
	if (row->replica > 1)
		return;
	for (uint32_t i = row->index; i < row->index + row->n_replicas; i++)
		if (t->units[i]->child.sup)
			eff_sup_move(&t->units[i]->child, place_of(plan_unit(t->plan, i)));
}

/* Is it on its way, with all around it? Then what is new in it is wanted, and who requires it is heard, before it opens. */
static bool group_comes(const struct unit *group)
{
	for (; group; group = group->parent)
		if (!wish_holds(group) || group->state == UNIT_FAILED || group->state == UNIT_DONE)
			return false;
	return true;
}

bool tree_wants(const struct unit *u)
{
	if (u->held || !u->spec->enabled)
		return false;
	return u->wanted ||
		(u->parent && !u->parent->group_open && plan_unit_boots(u->spec) &&
			!u->removed && group_comes(u->parent));
}

/* From the last on, since most move back: then nobody has to be passed. The new ones all take their places before any of
 * them is set going, for one may pull in another. */
void groups_place(struct tree *t)
{
	for (uint32_t i = t->n_units - 1; i > 0; i--)
		place_move(t, plan_unit(t->plan, i));
	for (uint32_t i = 1; i < t->n_units; i++) {
		struct unit *u = t->units[i];

		bool boots = plan_unit_boots(u->spec);

		if (!u->child.sup && u->parent->group_open) {
			group_add(u->parent, u);
			u->wanted |= boots;
		} else if (u->plan == t->plan) {
			u->wanted |= boots && group_comes(u->parent);
		}
	}
}

/* Is a unit of the group wanted that cannot begin yet, for one of its name has not gone? */
static bool group_awaits_burial(const struct unit *group)
{
	struct tree *t = tree_of(group);
	uint32_t first;

	/* One that is in the graveyard itself has no row any more. */
	if (eff_list_empty(&t->graveyard) || group->removed)
		return false;
	first = plan_unit(t->plan, unit_index(group))->first_child;
	for (uint32_t i = first; i != PLAN_NONE; i = plan_unit(t->plan, i)->next_sibling)
		if (wish_holds(t->units[i]) && tree_grave_of(t, t->units[i]->name))
			return true;
	return false;
}

/* Until all wanted children are up, done, or failed without being critical. 0; 1 when the supervisor has ended;
 * -ECANCELED. */
static int group_await_up(struct unit *group)
{
	int r = eff_sup_await_up(group->sup);

	while (r == 0 && group_awaits_burial(group)) {
		r = eff_pulse_await(&group->sup->changed);
		if (r == 0)
			r = eff_sup_await_up(group->sup);
	}
	return r;
}

/* Its supervisor has ended: it has failed, or, by auto_shutdown, is done. Returns how, if that is a clean end. */
static struct cause *group_end(struct unit *group)
{
	const struct eff_sup *sup = group->sup;
	const struct plan_intensity *most = &group->spec->ways->intensity;
	/* One that a reload took away meanwhile is not there to ask. */
	struct unit *u = sup->culprit ? unit_of(sup->culprit) : group;
	struct cause *end = NULL;
	char period[32];

	switch (sup->end) {
	case EFF_SUP_CRITICAL:
		unit_fault(group,
			unit_cause(group, CAUSE_CRITICAL, u->cause, "%s has failed", u->name));
		break;
	case EFF_SUP_INTENSITY:
		unit_fault(group,
			unit_cause(group, CAUSE_INTENSITY_EXCEEDED, u->last_exit,
				"%s ended, and restarts are more than %u in %s", u->name,
				most->max_restarts, duration_text(most->period_ns, period)));
		break;
	case EFF_SUP_DONE:
		end = unit_cause(group, CAUSE_EXIT, u->last_exit, "%s is done", u->name);
		if (end)
			end->code = 0;
		break;
	case EFF_SUP_GOES_ON:
		break;
	}
	return end;
}

struct cause *group_word(struct unit *group)
{
	struct cause *because = group->why;

	if (group->why && group->why->kind == CAUSE_STOP_REQUESTED)
		return cause_ref(group->why);
	/* One that is done has neither been told to end nor failed. */
	if (!because)
		because = group->fault ? group->fault : group->cause;
	return unit_cause(group, CAUSE_DEPENDENCY, because, "%s stops", group->name);
}

static void group_stop(struct unit *group, struct cause *end)
{
	struct eff_list *all = &group->sup->children, *l;
	eff_masked before = eff_mask();
	struct cause *word;

	group->leaving = true;
	group->ending = !group->why;
	unit_await_dependants(group);
	if (group->why || group->fault)
		end = group->why ? group->why : group->fault;
	unit_enter(group, UNIT_STOPPING, cause_ref(end));
	word = group_word(group);
	for (l = all->next; l != all; l = l->next) {
		struct unit *u = unit_of(eff_container(l, struct eff_child, link));

		if (group->kill_now)
			unit_kill_now(u);
		if (!u->leaving)
			unit_leave(u, word);
	}
	eff_sup_stop(group->sup);
	group->stuck = false;
	group->group_open = false;
	for (l = all->next; l != all; l = l->next)
		schedule_stop(unit_of(eff_container(l, struct eff_child, link)));
	while (!eff_list_empty(all)) {
		struct unit *u = unit_of(eff_container(all->next, struct eff_child, link));

		/* A wish that only a hand or another unit had for it ends with the group. */
		if (u->spec->activate == PLAN_MANUAL)
			u->wanted = u->by_operator = false;
		if (u->state != UNIT_DOWN)
			unit_enter(u, UNIT_DOWN, cause_ref(word));
		u->leaving = false;
		eff_sup_remove(&u->child);
	}
	added_forget_all(group, word);
	cause_unref(word);
	eff_unmask(before);
}

/* It is up: until a critical child has failed, or it is told to end. */
static int group_await_failure(struct unit *group)
{
	unit_enter(group, UNIT_UP, NULL);
	if (group->spec->rules->hooks.on_ready.argv &&
		eff_fork(EFF(hook_when_ready, group), NULL) < 0)
		group->world->hooks->on_event(group, "hook_failed", "on_ready: ENOMEM");
	return eff_sup_await(group->sup);
}

/* Its children's life, from their start to their end. Returns how it ended, if it is done. */
static struct cause *group_live(struct unit *group)
{
	struct cause *end = NULL;
	struct eff_sup_opts opts = group_opts(group);
	int r = eff_sup_open(group->sup, &opts);

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
		end = group_end(group);
	group_stop(group, end);
	return end;
}

eff_exit group_run(void *arg)
{
	struct unit *group = arg;
	struct cause *end = NULL;
	struct eff_scope run;
	eff_exit exit;

	unit_begin(group);
	if (unit_await_needs(group) < 0)
		return eff_interrupted();
	eff_scope_open(&run);
	unit_count_start(group);
	unit_enter(group, UNIT_STARTING, NULL);
	if (hook_before_start(group) == 0)
		end = group_live(group);
	(void)eff_scope_close(&run);
	group->in_round = false;
	hook_after_stop(group, group->why ? group->why : group->fault ? group->fault : end);
	exit = unit_end(group, end, false);
	cause_unref(end);
	if (!group->why && !eff_is_ok(exit))
		hook_after_failure(group);
	return exit;
}
