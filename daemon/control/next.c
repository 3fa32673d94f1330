/* SPDX-License-Identifier: MIT */
/* What comes next of a unit, and when, if nobody does anything: one answer for each state. */
#include "control/methods.h"

static struct json *next_new(const char *action, eff_ns in_ns, const struct text *text)
{
	struct json *next = json_object();

	(void)json_set(next, "action", json_text(action));
	(void)json_set(next, "in_s",
		in_ns >= 0 && in_ns != EFF_FOREVER ? json_number((double)in_ns / 1e9)
						   : json_null());
	(void)json_set(next, "text", json_text(text->bytes ? text->bytes : ""));
	return next;
}

static eff_ns until(const struct eff_scope *scope)
{
	eff_ns now = eff_now();

	if (!scope || scope->limit_at == EFF_FOREVER)
		return -1;
	return scope->limit_at > now ? scope->limit_at - now : 0;
}

/* Nothing comes by itself, for one that does not come; NULL: something does. */
static struct json *next_of_hopeless(struct tree *t, struct unit *u)
{
	struct text text = {0};
	struct unit *hopeless;
	struct hope hope;
	struct json *next;

	hope_begin(&hope, t);
	hopeless = unit_hopeless_for(&hope, u);
	hope_end(&hope);
	if (!hopeless)
		return NULL;
	text_printf(&text, "nothing by itself: %s is %s; effctl start %s", hopeless->name,
		unit_phrase(hopeless), hopeless->name);
	next = next_new("none", -1, &text);
	text_done(&text);
	return next;
}

static struct json *next_of_waiting(const struct unit *u)
{
	struct unit *unmet = unit_first_awaited(u);
	struct text text = {0};
	struct json *next;

	if (unmet) {
		text_printf(&text, "as soon as %s lets it; that one is %s", unmet->name,
			unit_phrase(unmet));
		next = next_new("start", -1, &text);
	} else {
		text_add(&text, "at once");
		next = next_new("start", 0, &text);
	}
	text_done(&text);
	return next;
}

static struct json *next_plain(const char *action, eff_ns in_ns, const char *words)
{
	struct text text = {0};
	struct json *next;

	text_add(&text, words);
	next = next_new(action, in_ns, &text);
	text_done(&text);
	return next;
}

static struct json *next_of_backoff(const struct unit *u)
{
	eff_ns now = eff_now(), at = u->child.next_at;
	eff_ns in = at == EFF_FOREVER ? -1 : at > now ? at - now : 0;
	uint32_t failures = eff_child_failures(&u->child);
	struct text text = {0};
	struct json *next;

	if (at < 0)
		return next_plain("start", -1,
			"starts again when its group has stopped, and after its delay");
	text_printf(&text, "restart %u in a row", failures);
	if (u->spec->ways->max_restarts != PLAN_UNLIMITED)
		text_printf(&text, " of at most %u", u->spec->ways->max_restarts);
	text_printf(&text, "; at once by effctl start %s", u->name);
	next = next_new("start", in, &text);
	text_done(&text);
	return next;
}

/* By start_timeout, which is the outermost limit of a start; -1: by none. */
static eff_ns start_left(const struct unit *u)
{
	const struct limit *l = u->limited;

	/* What bounds one that was up already is max_runtime, which says nothing of its start. */
	if (u->health == UNIT_HEALTH_FAILING)
		return -1;
	while (l && l->outer)
		l = l->outer;
	return until(l ? &l->within : NULL);
}

static struct json *next_of_starting(const struct unit *u)
{
	eff_ns left = start_left(u);

	if (u->spec->kind == PLAN_SUPERVISOR)
		return next_plain("up", -1, "as soon as none of its children has to be waited for");
	if (left < 0)
		return next_plain("up", -1,
			u->spec->type == PLAN_ONESHOT ? "done, as soon as it has ended well"
						      : "as soon as it is ready");
	return next_plain("start_timeout", left, "unless it is ready before");
}

static struct json *next_of_stopping(const struct unit *u)
{
	eff_ns left = until(u->grace);

	if (u->stuck)
		return next_plain("none", -1, "is not started again until all of it is gone");
	if (left >= 0 && u->says_stopping)
		return next_plain("stop", left, "its stop signal, unless it has ended before");
	if (left >= 0)
		return next_plain("kill", left, "the final signal, unless it has ended before");
	if (!tree_wants(u) || (u->parent && unit_is_leaving(u->parent)))
		return next_plain("down", -1, "as soon as all of it is gone");
	return next_plain("end", -1, "as soon as all of it is gone; it is still wanted");
}

/* Down or done. */
static struct json *next_of_resting(const struct unit *u)
{
	const struct unit *group = u->parent;
	struct text text = {0};
	struct json *next;

	if (!u->spec->enabled)
		return next_plain("none", -1, "nothing: it is not enabled");
	if (!unit_rests(u))
		return next_plain("start", -1, "with its supervisor");
	if (u->wanted && !u->held && unit_is_left_out(u))
		return next_plain("none", -1,
			"nothing by itself: its group was restarted, and with `restart: no` it is not; "
			"effctl start starts it");
	if (u->state == UNIT_DONE || !u->wanted || u->held || !group || group->group_open)
		return next_plain("none", -1, "nothing by itself; effctl start starts it");
	while (group->parent && state_rests(group->parent->state))
		group = group->parent;
	text_printf(&text, "nothing by itself: its supervisor %s is %s; effctl start %s",
		group->name, unit_phrase(group), group->name);
	next = next_new("none", -1, &text);
	text_done(&text);
	return next;
}

struct json *json_next_of(struct tree *t, struct unit *u)
{
	bool is_on_demand = u->spec->activate == PLAN_ON_DEMAND;
	struct json *none;

	if (unit_awaits_schedule(u) && is_on_demand && u->state == UNIT_WAITING)
		return next_plain("start", -1,
			u->listens ? "when somebody comes to one of its sockets"
				   : "its sockets are tried again");
	if (unit_awaits_schedule(u) && !is_on_demand)
		return next_plain("start", u->due_at == EFF_FOREVER ? -1 : u->due_at - eff_now(),
			u->due_at == EFF_FOREVER ? "its schedule names no moment any more"
						 : "runs by its schedule");
	none = next_of_hopeless(t, u);
	if (none)
		return none;
	switch (u->state) {
	case UNIT_WAITING:
		return next_of_waiting(u);
	case UNIT_STARTING:
		return next_of_starting(u);
	case UNIT_STOPPING:
		return next_of_stopping(u);
	case UNIT_BACKOFF:
		return next_of_backoff(u);
	case UNIT_FAILED:
		return next_plain("none", -1,
			"nothing by itself; effctl start tries again, effctl reset forgets");
	case UNIT_DOWN:
	case UNIT_DONE:
		return next_of_resting(u);
	default:
		return json_null();
	}
}
