/* SPDX-License-Identifier: MIT */
/* What happened: the last events, numbered without a gap, in a ring of fixed size; and what follows from a change of a
 * unit's state for those that are bound to it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "tree/internal.h"

/* One that never comes to rest would fill the log that is for all: so many changes of a unit's state are said within this time. */
enum { SAID_MOST = 60 };
#define SAID_WITHIN EFF_M(1)

const struct tree_event *tree_event(const struct tree *t, uint64_t seq)
{
	const struct tree_event *e = &t->events[seq % TREE_EVENTS];

	return seq > 0 && e->seq == seq ? e : NULL;
}

uint64_t tree_oldest_seq(const struct tree *t)
{
	return t->last_seq >= TREE_EVENTS ? t->last_seq - TREE_EVENTS + 1 : 1;
}

static void event_clear(struct tree_event *e)
{
	free(e->unit);
	free(e->labels);
	free(e->text);
	cause_unref(e->cause);
	*e = (struct tree_event){0};
}

/* ── the log ── */

static void event_log(const struct tree_event *e)
{
	enum log_level level = state_has_failed(e->to) ? LOG_LEVEL_WARN : LOG_LEVEL_INFO;
	const char *from = state_name(e->from), *to = state_name(e->to);
	char words[256];

	if (e->cause)
		log_line(level, "%s: %s -> %s: %s", e->unit, from, to,
			cause_line(e->cause, words, sizeof(words)));
	else
		log_line(level, "%s: %s -> %s", e->unit, from, to);
}

/* Lines about states are written once a turn, all together, when what those states have led to is done: a child that begins does
 * not wait for them. Whatever else is logged comes behind them. */
static void events_say(void *arg)
{
	struct tree *t = arg;

	if (t->said_seq == t->last_seq)
		return;
	log_gather();
	while (t->said_seq < t->last_seq) {
		const struct tree_event *e = tree_event(t, ++t->said_seq);

		if (e->is_said && e->unit)
			event_log(e);
	}
	log_write_gathered();
}

static void turn_end(void *arg)
{
	struct tree *t = arg;

	events_say(t);
	if (t->on_turn)
		t->on_turn(t->on_turn_arg);
}

void tree_on_turn(struct tree *t, void (*fn)(void *arg), void *arg)
{
	t->on_turn = fn;
	t->on_turn_arg = arg;
}

int events_init(struct tree *t)
{
	t->events = alloc_pages(TREE_EVENTS * sizeof(*t->events));
	if (!t->events)
		return -ENOMEM;
	eff_rt_on_turn(eff_rt_current(), turn_end, t);
	log_before(events_say, t);
	return 0;
}

void events_done(struct tree *t)
{
	events_say(t);
	log_before(NULL, NULL);
	if (eff_rt_current())
		eff_rt_on_turn(eff_rt_current(), NULL, NULL);
	/* Pages that no event has reached are left alone. */
	for (uint64_t seq = tree_oldest_seq(t); seq <= t->last_seq; seq++)
		event_clear(&t->events[seq % TREE_EVENTS]);
	alloc_pages_free(t->events, TREE_EVENTS * sizeof(*t->events));
}

/* ── what happened ── */

/* Is the tree's plan nothing to ask about it, now or soon? What was added may be forgotten with its end. */
static bool may_be_gone(const struct unit *u)
{
	return u->removed || unit_was_added(u);
}

/* Its own labels, and those of what it is in that goes with it. NULL: none. */
static char *labels_of(const struct unit *u)
{
	struct text text = {0};

	for (; u && may_be_gone(u); u = u->parent)
		for (uint32_t i = 0; i < u->spec->n_labels; i++) {
			text_printf(&text, "%s=%s", u->spec->labels[i].name,
				u->spec->labels[i].value);
			text_add_bytes(&text, "", 1);
		}
	if (text.failed)
		text_done(&text);
	return text.bytes;
}

void events_keep_labels(struct tree *t, const struct plan *plan, struct unit *const *dead)
{
	for (uint64_t seq = tree_oldest_seq(t); seq <= t->last_seq; seq++) {
		struct tree_event *e = &t->events[seq % TREE_EVENTS];
		const struct plan_unit *row = e->unit && !e->labels ? plan_find(plan, e->unit)
								    : NULL;

		if (row && dead[row->index])
			e->labels = labels_of(dead[row->index]);
	}
}

static struct tree_event *event_new(struct unit *u, const char *kind)
{
	struct tree *t = tree_of(u);
	struct tree_event *e = &t->events[(t->last_seq + 1) % TREE_EVENTS];

	/* The ring is full of what was not said yet. */
	if (t->last_seq - t->said_seq >= TREE_EVENTS - 1)
		eff_deep(events_say, t);
	event_clear(e);
	e->seq = ++t->last_seq;
	e->wall_at = eff_wall();
	e->unit = strdup(u->name);
	e->labels = labels_of(u);
	e->kind = kind;
	e->pid = u->pid;
	return e;
}

/* Is it to be in the log? Where a unit comes to rest always is. */
static bool is_said(struct unit *u, enum unit_state to)
{
	eff_ns now = eff_now();

	if (!u->n_said || now - u->said_since >= SAID_WITHIN) {
		if (u->n_said > SAID_MOST)
			log_warn("%s: %u further changes of its state were not shown", u->name,
				u->n_said - SAID_MOST);
		u->said_since = now;
		u->n_said = 0;
	}
	if (to == UNIT_DOWN || to == UNIT_DONE || to == UNIT_FAILED)
		return true;
	u->n_said++;
	if (u->n_said == SAID_MOST + 1)
		log_warn("%s: its state changes too often to be shown here; effctl events has it all",
			u->name);
	return u->n_said <= SAID_MOST;
}

/* End the run of `d` for the sake of `u`: it begins anew at once, and waits if it has to. */
static void dependant_cycle(struct unit *d, struct unit *u, const char *ties, const char *became)
{
	struct cause *why = cause_new(CAUSE_DEPENDENCY, eff_wall(), u->cause,
		"%s %s, which is %s", ties, u->name, became);

	unit_leave(d, why);
	eff_child_cycle(&d->child);
	cause_unref(why);
}

/* Is it up again, for one that has run all the while? One of those that a name without a number stands for: when all are. */
static bool is_up_again(const struct unit *u, const struct plan_need *need, const struct unit *d)
{
	bool left = u->left_up > d->began;

	for (uint32_t i = 0; need->all_of != PLAN_NONE && i < d->n_needs; i++) {
		const struct unit *other = d->needs[i].unit;

		if (d->needs[i].need->all_of != need->all_of)
			continue;
		if (other->state != UNIT_UP)
			return false;
		left |= other->left_up > d->began;
	}
	return left;
}

static void act_on_dependants(struct unit *u, enum unit_state from, enum unit_state to)
{
	/* Of one that a reload has taken away nobody has a need any more. */
	for (uint32_t i = 0; i < u->n_needed_by && !u->removed; i++) {
		struct unit *d = u->needed_by[i].unit;
		const struct plan_need *need = u->needed_by[i].need;

		/* Whose run is over already is judged by how it ended. */
		if (!unit_is_active(d) || unit_is_leaving(d) || d->ending)
			continue;
		if (need->bind && from == UNIT_UP)
			dependant_cycle(d, u, "it is bound to", "up no more");
		else if (need->restart && to == UNIT_UP && is_up_again(u, need, d))
			dependant_cycle(d, u, "to be restarted with", "up again");
	}
}

void event_state(struct unit *u, enum unit_state from, enum unit_state to)
{
	bool said = is_said(u, to);
	struct tree *t = tree_of(u);
	struct tree_event *e = event_new(u, "state");

	e->is_state = true;
	e->is_said = said;
	e->from = from;
	e->to = to;
	e->cause = cause_ref(u->cause);
	if (to == UNIT_UP || to == UNIT_DONE || state_has_failed(to))
		u->settled = true;
	if (from == UNIT_UP)
		u->left_up = e->seq;
	else if (to == UNIT_STARTING)
		u->began = e->seq;
	act_on_dependants(u, from, to);
	eff_pulse_send(&t->changed);
}

void event_words(struct unit *u, const char *kind, const char *text)
{
	struct tree_event *e = event_new(u, kind);

	e->text = strdup(text);
	/* That it reloads has no words, and nothing is wrong with it. */
	if (*text)
		log_warn("%s: %s: %s", u->name, kind, text);
	else
		log_info("%s: %s", u->name, kind);
	eff_pulse_send(&tree_of(u)->changed);
}

/* No event, but a change: who waits for a reload's work looks at more than states. */
static void event_begin(struct unit *u)
{
	eff_pulse_send(&tree_of(u)->changed);
}

const struct unit_hooks tree_hooks = {
	.on_state = event_state, .on_begin = event_begin, .on_event = event_words};
