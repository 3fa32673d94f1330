/* SPDX-License-Identifier: MIT */
/* Is anything still to come of a unit, and when is it time to look again? A verb or a wait ends when nothing is. A start that was begun shows in the state
 * only at the next turn; until then the unit has a fiber, or its group is about to give it one. */
#include "control/methods.h"

/* So many units are looked at after each change. A look at one takes about a tenth of the pause that it is worth. */
enum { FEW = 64 };
#define LOOK_EVERY EFF_US(1)

/* Is a group above it on its way up, so that it will start what it wants? One that rests itself comes only with its own, and
 * only if it was neither stopped nor has ended. */
static bool group_is_coming(const struct unit *group)
{
	for (; group; group = group->parent) {
		bool boots = group->parent && group->spec->activate != PLAN_MANUAL;

		/* It ends by itself, and whether it comes again is not judged yet. */
		if (group->state == UNIT_STOPPING && !group->why && !unit_is_leaving(group->parent))
			return true;
		/* A round starts whom it stopped, and nobody else; and not whose policy is `no`. */
		if (unit_is_left_out(group))
			return false;
		if (group->state == UNIT_UP || group->state == UNIT_STOPPING || group->in_round)
			return false;
		if (group->child.fiber && !group->child.stopping)
			return true;
		if (group->state != UNIT_DOWN || group->held || !(group->wanted || boots))
			return false;
	}
	return false;
}

/* Is a group above it being stopped to be started again? Then what is in it begins anew, also what is done or has failed. */
static bool group_begins_anew(const struct unit *group)
{
	for (; group; group = group->parent)
		if ((group->child.cycling || group->child.start_again) && group->wanted &&
			!group->held)
			return true;
	return false;
}

/* Between two runs it rests for a while only. On demand it may rest for ever. */
static bool is_to_run_again(const struct unit *u)
{
	return unit_awaits_schedule(u) && u->due_at >= 0 && u->due_at != EFF_FOREVER;
}

bool unit_rests(const struct unit *u)
{
	if (!state_rests(u->state) || u->child.fiber || is_to_run_again(u))
		return false;
	if (u->held || u->removed || !u->spec->enabled || !u->parent || unit_is_left_out(u))
		return true;
	/* A group that opens wants what is to start with it. */
	if (!u->wanted && (u->spec->activate == PLAN_MANUAL || u->parent->group_open))
		return true;
	if (group_begins_anew(u->parent))
		return false;
	return u->state != UNIT_DOWN || !group_is_coming(u->parent);
}

eff_ns look_pause(uint32_t n)
{
	return n <= FEW ? 0 : LOOK_EVERY * n;
}

int changes_await(struct tree *t, uint32_t n)
{
	int r = eff_pulse_await(&t->changed);

	return r < 0 || n <= FEW ? r : eff_sleep(look_pause(n));
}
