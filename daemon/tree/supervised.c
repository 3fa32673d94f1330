/* SPDX-License-Identifier: MIT */
/* What libeff's supervisors tell of their children: here it becomes their states and causes. */
#include "base/log.h"
#include "tree/internal.h"

static enum eff_verdict group_judge(struct eff_child *child, eff_exit exit)
{
	const struct unit *u = unit_of(child);

	if (ends_contain(&u->spec->rules->prevent_exit, u->last_exit))
		return EFF_AT_REST;
	if (ends_contain(&u->spec->rules->force_exit, u->last_exit))
		return EFF_AGAIN;
	/* After a clean end it waits for the next who comes, whatever its policy. */
	if (u->clock && u->spec->activate == PLAN_ON_DEMAND && eff_is_ok(exit))
		return EFF_AT_REST;
	return EFF_BY_POLICY;
}

static void group_on_backoff(struct eff_child *child, eff_exit exit, eff_ns delay)
{
	struct unit *u = unit_of(child);

	(void)exit;
	(void)delay;
	/* A group that has failed has been stopped: that is over. */
	u->leaving = false;
	unit_enter(u, UNIT_BACKOFF, cause_ref(u->last_exit));
	if (u->spec->kind == PLAN_SUPERVISOR)
		wish_tell(u);
}

static struct cause *round_cause(const struct unit *first)
{
	return cause_new(
		CAUSE_GROUP_RESTART, eff_wall(), first->last_exit, "goes with %s", first->name);
}

/* A round: whatever it was doing, it is to begin anew. */
static void group_on_group(struct eff_child *child, struct eff_child *first, eff_exit exit)
{
	struct cause *why = round_cause(unit_of(first));

	(void)exit;
	if (child->life)
		unit_leave(unit_of(child), why);
	cause_unref(why);
}

static void group_on_round(struct eff_sup *sup, struct eff_child *first, eff_exit exit)
{
	struct unit *group = eff_container(sup, struct unit, sup);

	(void)exit;
	/* One that is on its way up stays on it. */
	if (group->child.up_since >= 0)
		group->in_round = true;
	if (group->in_round)
		unit_enter(group, UNIT_STARTING, round_cause(unit_of(first)));
}

static void group_on_round_over(struct eff_sup *sup)
{
	struct unit *group = eff_container(sup, struct unit, sup);

	if (group->in_round)
		unit_enter(group, UNIT_UP, NULL);
	group->in_round = false;
}

/* What it was told to end for, NULL: nothing; once its run has ended, with how that did: who had to be killed shall not look like
 * one that went. Borrowed. */
static struct cause *told_why(const struct unit *u)
{
	return cause_completes(u->last_exit, u->why) ? u->last_exit : u->why;
}

/* The end that its group goes with, if it was told. Borrowed. */
static struct cause *told_of_round(const struct unit *u)
{
	struct cause *cause = u->why ? told_why(u) : u->state == UNIT_WAITING ? u->cause : NULL;

	return cause && cause->kind == CAUSE_GROUP_RESTART ? cause : NULL;
}

/* It is not its turn yet. Its last run is over; what a reload has put in its place holds from here on. */
static void group_on_wait(struct eff_child *child, struct eff_child *other)
{
	struct unit *u = unit_of(child);
	struct cause *round = cause_ref(told_of_round(u));

	unit_begin(u);
	if (child->turn != EFF_TURN_GROUP) {
		cause_unref(round);
		unit_show_waiting(u, unit_of(other));
		return;
	}
	u->awaits = unit_of(other);
	unit_enter(u, UNIT_WAITING, round ? round : round_cause(unit_of(other)));
}

/* A process or a fiber has said so itself; of a group it is found out here. */
static void group_on_stuck(struct eff_child *child)
{
	struct unit *u = unit_of(child);

	if (u->spec->kind != PLAN_SUPERVISOR)
		return;
	u->stuck = true;
	eff_pulse_send(&u->changed);
}

static struct cause *max_restarts_cause(const struct unit *u)
{
	return cause_new(CAUSE_MAX_RESTARTS, eff_wall(), u->last_exit,
		"gave up after %u restart%s in a row", u->spec->ways->max_restarts,
		u->spec->ways->max_restarts == 1 ? "" : "s");
}

static eff_exit give_up_run(void *arg)
{
	struct unit *u = arg;
	struct tree *t = tree_of(u);

	(void)hook_run_told(u, &u->spec->rules->hooks.on_give_up, "on_give_up", u->cause);
	if (!u->child.fiber)
		unit_close_view(u);
	u->n_users--;
	t->n_give_ups--;
	eff_pulse_send(&u->changed);
	eff_pulse_send(&t->changed);
	return eff_ok(NULL);
}

/* Its own story is over, and its supervisor's may be about to be: so the tree runs what it has to say. */
static void give_up_tell(struct tree *t, struct unit *u)
{
	if (!u->spec->rules->hooks.on_give_up.argv || !t->has_begun || t->shutting_down)
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

/* Why one that was told to stop is down. One that was ending by itself in that moment, as a group does that fails, was not
 * told why. */
static struct cause *stop_cause(const struct unit *u)
{
	struct cause *why = told_why(u);

	if (why || !u->parent || !u->parent->leaving)
		return cause_ref(why);
	return group_word(u->parent);
}

/* It is on demand, and somebody may come again. */
static bool rests_for_more(const struct unit *u)
{
	return u->clock && !u->clock_off && u->spec->activate == PLAN_ON_DEMAND;
}

static void group_on_rest(struct eff_child *child, eff_exit exit, enum eff_rest rest)
{
	struct unit *u = unit_of(child);
	struct tree *t = tree_of(u);

	(void)exit;
	if (u->next_plan)
		unit_adopt(u, u->next_plan, u->next, true);
	/* When all of the tree ends the others' ends come first. */
	if (!t->shutting_down)
		unit_close_kept(u);
	u->leaving = u->kill_now = u->ended = false;
	u->awaits = NULL;
	switch (rest) {
	case EFF_REST_STOPPED:
	case EFF_REST_GROUP:
		unit_enter(u, UNIT_DOWN, stop_cause(u));
		break;
	case EFF_REST_DONE:
		unit_enter(u, rests_for_more(u) ? UNIT_WAITING : UNIT_DONE, cause_ref(u->last_exit));
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
	if (u->spec->kind == PLAN_SUPERVISOR && rest != EFF_REST_STOPPED && !t->shutting_down)
		wish_release(t, u);
	if (u->run_queued && wish_may_act(u)) {
		schedule_run_now(u);
		return;
	}
	added_rests(u);
	if (rest != EFF_REST_STOPPED && rest != EFF_REST_GROUP &&
		(!u->clock || (rests_for_more(u) && u->state == UNIT_FAILED)) &&
		unit_index(u) == plan_daemon(t->plan)->exit_code_from)
		exit_code_unit_rests(u);
}

const struct eff_sup_hooks group_hooks = {
	.on_wait = group_on_wait,
	.on_round = group_on_round,
	.on_round_over = group_on_round_over,
	.on_group = group_on_group,
	.on_stuck = group_on_stuck,
	.judge = group_judge,
	.on_backoff = group_on_backoff,
	.on_rest = group_on_rest,
};
