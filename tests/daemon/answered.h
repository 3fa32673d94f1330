/* SPDX-License-Identifier: MIT */
/* What must be true of each answer in the moment in which it comes, and of each request that is not answered yet.
 *
 * Who waits may wait as long as what it waits for may come. A bound: its own timeout, and the end of effd; a while after it is
 * so it is told so; and when all has been quiet for long, nothing is waited for that rests, whoever is in between. */
#ifndef TESTS_DAEMON_ANSWERED_H
#define TESTS_DAEMON_ANSWERED_H

#include <stdarg.h>

#include "asked.h"
#include "tree/internal.h"

__attribute__((format(printf, 3, 4))) static inline void asked_wrong(
	struct asking *all, const struct ask *a, const char *format, ...)
{
	char words[250];
	va_list args;

	if (all->wrong[0])
		return;
	va_start(args, format);
	(void)vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	(void)snprintf(all->wrong, sizeof(all->wrong), "%s: %s", a->words, words);
}

/* ── answers ── */

/* Nothing has happened to it in this moment: what is seen of it was so when the answer was made. */
static inline bool is_stable(const struct unit *u)
{
	return u && u->since < eff_now();
}

/* What kind the result is of: what goes with it may say another. */
static inline enum ask_kind result_kind(const struct ask *a, const struct json *one)
{
	const char *verb = json_get_text(one, "verb", "");

	if (!strcmp(verb, "start"))
		return ASK_START;
	if (!strcmp(verb, "stop"))
		return ASK_STOP;
	return a->kind == ASK_ADD ? ASK_START : a->kind == ASK_REMOVE ? ASK_STOP : a->kind;
}

static inline bool is_stuck(const struct tree *t)
{
	bool stuck = false;

	for (uint32_t i = 0; i < t->n_units; i++)
		stuck = stuck || t->units[i]->stuck;
	return stuck || !eff_list_empty(&t->graveyard);
}

static inline void check_done(struct asking *all, const struct ask *a,
	const struct asked_unit *asked, const struct unit *u, const struct json *one)
{
	const char *state = json_get_text(one, "state", "");
	enum ask_kind kind = result_kind(a, one);
	struct os_fake *fake = all->s->w->fake;

	if (kind == ASK_STOP && asked && strcmp(state, "down") != 0)
		asked_wrong(all, a, "%s is stopped, and %s", u->name, state);
	if (kind == ASK_STOP && asked && is_stable(u) && os_fake_live(fake, u->name) > 0 &&
		!tree_grave_of(all->s->w->tree, u->name))
		asked_wrong(all, a, "%s is stopped, and something of it is there", u->name);
	if ((kind != ASK_START && kind != ASK_RESTART) || !asked)
		return;
	if (!strcmp(state, "up") && is_stable(u) && u->spec->kind == PLAN_PROCESS &&
		!u->spec->ways->remain_after_exit && !os_fake_runs(fake, u->name))
		asked_wrong(all, a, "%s is up, and does not run", u->name);
	if (strcmp(state, "up") != 0 && strcmp(state, "done") != 0 && u->ends == asked->ends)
		asked_wrong(all, a, "%s has started, and is %s", u->name, state);
}

/* "waits for X, which is …": that one must not be what it is to be. */
static inline void check_named(struct asking *all, const struct ask *a, const char *text)
{
	static const char begins[] = "waits for ";
	const struct unit *other;
	char name[80];
	size_t len;

	if (strncmp(text, begins, sizeof(begins) - 1) != 0)
		return;
	text += sizeof(begins) - 1;
	len = strcspn(text, ",");
	(void)snprintf(name, sizeof(name), "%.*s", (int)(len < 79 ? len : 79), text);
	other = tree_find(all->s->w->tree, name);
	if (!other)
		asked_wrong(all, a, "it waits for %s, which is not there", name);
	else if (is_stable(other) && (other->state == UNIT_UP || other->state == UNIT_STARTING))
		asked_wrong(all, a, "it waits for %s, which is %s", name, state_name(other->state));
}

/* One that is ended with another that fails again and again is told to have failed with it. */
static inline bool goes_with_failing(const struct unit *u)
{
	for (uint32_t i = 0; i < u->n_needs; i++)
		if ((u->needs[i].need->restart || u->needs[i].need->bind) &&
			eff_child_failures(&u->needs[i].unit->child) > 0)
			return true;
	return false;
}

static inline void check_failed(struct asking *all, const struct ask *a,
	const struct asked_unit *asked, const struct unit *u, const struct json *one)
{
	const char *text = json_get_text(json_get(one, "cause"), "text", "");
	const char *kind = json_get_text(json_get(one, "cause"), "kind", "");
	bool starts = result_kind(a, one) == ASK_START || result_kind(a, one) == ASK_RESTART;

	/* It may have ended since, in this very moment. */
	if (is_stuck(all->s->w->tree) || strstr(text, "does not end"))
		return;
	if (!strcmp(kind, "dependency"))
		check_named(all, a, text);
	else if (starts && asked && u->ends == asked->ends && !state_rests(u->state) &&
		is_stable(u) && !goes_with_failing(u))
		asked_wrong(all, a, "%s has failed, and has not ended since, and is %s",
			u->name, state_name(u->state));
	else if (result_kind(a, one) == ASK_STOP)
		asked_wrong(all, a, "the stop of %s has failed, and nothing is stuck", u->name);
}

/* One result, in its moment. */
static inline void check_result(struct asking *all, const struct ask *a, const struct json *one)
{
	const char *name = json_get_text(one, "name", ""),
		   *outcome = json_get_text(one, "outcome", "");
	const char *state = json_get_text(one, "state", "");
	const struct unit *u = tree_find(all->s->w->tree, name);
	const struct asked_unit *asked = NULL;
	const struct touch *touch = touch_of(all, name);

	all->n_answers++;
	for (unsigned i = 0; i < a->n; i++)
		if (!strcmp(a->units[i].name, name))
			asked = &a->units[i];
	if (!strcmp(outcome, "timeout") && eff_now() < a->until)
		asked_wrong(all, a, "%s is late before its time", name);
	if (!strcmp(outcome, "superseded") && u && touch && touch->number <= a->number &&
		a->n == 1 && a->generation == all->s->w->tree->generation)
		asked_wrong(all, a, "%s is superseded by nothing", name);
	if (!a->waits || !u || a->kind == ASK_OWN_RELOAD ||
		a->generation != all->s->w->tree->generation)
		return;
	if (is_stable(u) && strcmp(state, state_name(u->state)) != 0)
		asked_wrong(all, a, "%s is said to be %s, and is %s", name, state,
			state_name(u->state));
	if (!strcmp(outcome, "done"))
		check_done(all, a, asked, u, one);
	if (!strcmp(outcome, "failed"))
		check_failed(all, a, asked, u, one);
	if (!strcmp(outcome, "unchanged") && (a->kind == ASK_START || a->kind == ASK_STOP) &&
		strcmp(state, a->kind == ASK_START ? "up" : "down") != 0)
		asked_wrong(all, a, "%s is as it was, and %s", name, state);
}

static inline void check_wait(struct asking *all, const struct ask *a, const struct json *reply)
{
	const char *error = json_get_text(reply, "error", "");
	const char *state = reply_text(reply, "parameters.state");
	const struct unit *u = tree_find(all->s->w->tree, a->units[0].name);
	bool met = !strcmp(state, state_name(a->state)) ||
		(a->state == UNIT_UP && !strcmp(state, "done") &&
			(!u || u->spec->type == PLAN_ONESHOT));

	if (!*error && !met)
		asked_wrong(all, a, "it is so, and %s", state);
	else if (strstr(error, "AtRest") && met && u)
		asked_wrong(all, a, "it rests otherwise, and is %s", state);
	else if (strstr(error, "TimedOut") && eff_now() < a->until)
		asked_wrong(all, a, "it is late before its time");
	else if (strstr(error, "NoSuchUnit") && u && a->generation == all->s->w->tree->generation)
		asked_wrong(all, a, "it is not there, and is");
	else if ((!*error || strstr(error, "AtRest")) && is_stable(u) &&
		strcmp(state, state_name(u->state)) != 0)
		asked_wrong(all, a, "it is said to be %s, and is %s", state, state_name(u->state));
}

/* What became of a reload: of one change alone it is said in the moment in which it is so. */
static inline void check_changes(struct asking *all, const struct ask *a, const struct json *reply)
{
	const struct json *changes = reply_at(reply, "parameters.changes");
	const struct json *one = json_first(changes);
	const char *name = json_get_text(one, "unit", ""),
		   *action = json_get_text(one, "action", "");
	const char *outcome = json_get_text(one, "outcome", "");
	const struct unit *u = tree_find(all->s->w->tree, name);

	for (const struct json *v = one; v; v = json_next(v))
		if (a->waits && !json_get_text(v, "outcome", NULL))
			asked_wrong(all, a, "nobody says what became of %s",
				json_get_text(v, "unit", ""));
	if (!one || json_next(one) || strcmp(outcome, "done") != 0)
		return;
	if (!strcmp(action, "stop") && !u && os_fake_live(all->s->w->fake, name) > 0 &&
		!tree_grave_of(all->s->w->tree, name))
		asked_wrong(all, a, "%s is gone, and something of it is there", name);
	/* What waits for what rests until its schedule is where it is wanted. */
	if ((!strcmp(action, "start") || !strcmp(action, "restart")) && is_stable(u) &&
		u->spec->kind == PLAN_PROCESS && !unit_awaits_schedule(u) &&
		u->parent->group_open && u->state != UNIT_WAITING && u->state != UNIT_UP &&
		u->state != UNIT_DONE && !u->ended_well)
		asked_wrong(all, a, "%s has started, and is %s", name, state_name(u->state));
}

static inline void check_reply(struct asking *all, struct ask *a, const struct json *reply)
{
	bool goes_on = json_get_bool(reply, "continues", false);
	const struct json *results = reply_at(reply, "parameters.units");
	bool timely = a->more ? goes_on : json_next(json_first(results)) == NULL;

	if (a->kind == ASK_WAIT)
		check_wait(all, a, reply);
	if (a->kind == ASK_RELOAD)
		check_changes(all, a, reply);
	if (strstr(json_get_text(reply, "error", ""), "InvalidTree") ||
		strstr(json_get_text(reply, "error", ""), "InvalidParameter"))
		asked_wrong(all, a, "that was no good request: %s",
			json_get_text(reply, "error", ""));
	for (const struct json *v = json_first(results); v && a->kind != ASK_WAIT;
		v = json_next(v)) {
		for (unsigned i = 0; i < a->n; i++)
			if (!strcmp(a->units[i].name, json_get_text(v, "name", "")) &&
				!json_get_text(v, "verb", NULL))
				a->units[i].told = true;
		if (timely)
			check_result(all, a, v);
	}
	a->active = goes_on;
}

/* ── what is not answered ── */

static inline void check_late(struct asking *all, const struct ask *a, const struct asked_unit *asked)
{
	const struct unit *u = tree_find(all->s->w->tree, asked->name);
	eff_ns early = eff_now() - EFF_MS(300);

	if (!u || asked->told || !is_stable(u))
		return;
	if (a->kind == ASK_STOP && u->state == UNIT_DOWN && u->since < early && !u->child.fiber)
		asked_wrong(all, a, "%s is down, and nobody says so", u->name);
	if (a->kind == ASK_START && u->state == UNIT_UP && u->since < early &&
		!unit_is_leaving(u) && u->spec->kind != PLAN_SUPERVISOR)
		asked_wrong(all, a, "%s is up, and nobody says so", u->name);
	if (a->kind == ASK_WAIT && u->state == a->state)
		asked_wrong(all, a, "it is so, and nobody says so");
}

/* So long after the last verb all that does not still run or wait has come to its end. */
static inline void check_quiet(
	struct asking *all, const struct ask *a, const struct asked_unit *asked)
{
	const struct unit *u = tree_find(all->s->w->tree, asked->name), *other = u;
	bool begins = a->kind == ASK_START || a->kind == ASK_RESTART;

	if (asked->told)
		return;
	if (!u || (!begins && a->kind != ASK_WAIT)) {
		asked_wrong(all, a, "it is never answered: %s is %s", asked->name,
			u ? state_name(u->state) : "gone");
		return;
	}
	/* Whom it waits for, and whom that one waits for: what is in a group that does not run comes with the group. */
	for (int hops = 0; hops < 99; hops++) {
		while (state_rests(other->state) && !unit_awaits_schedule(other) && other->parent &&
			(!other->parent->group_open || unit_is_leaving(other->parent)))
			other = other->parent;
		if (!begins || other->state != UNIT_WAITING || unit_awaits_schedule(other) ||
			!unit_first_awaited(other))
			break;
		other = unit_first_awaited(other);
	}
	if (begins && (u->state == UNIT_UP || u->state == UNIT_BACKOFF))
		asked_wrong(all, a, "it is never answered: %s is %s", u->name, state_name(u->state));
	if (state_rests(other->state) && !unit_is_leaving(other) && !unit_awaits_schedule(other))
		asked_wrong(all, a, "it is never answered: it waits for %s, which is %s",
			other->name, state_name(other->state));
}

/* Take what has come; true: something has. */
static inline bool asked_receive(struct asking *all, struct ask *a)
{
	struct json_error error = {0};
	bool any = false;
	char *end;

	client_receive(a->c);
	while (a->active && (end = memchr(a->c->bytes, '\0', a->c->n))) {
		struct json *reply;

		ck_assert(json_parse(a->c->bytes, (size_t)(end - a->c->bytes), 0, &reply,
				  &error) == 0);
		a->c->n -= (size_t)(end + 1 - a->c->bytes);
		memmove(a->c->bytes, end + 1, a->c->n);
		check_reply(all, a, reply);
		json_free(reply);
		any = true;
	}
	if (a->active && a->c->ended)
		asked_wrong(all, a, "the server hung up");
	return any;
}

/* After each moment. */
static inline void asked_look(struct asking *all, bool is_quiet)
{
	for (unsigned i = 0; i < ASKED_CLIENTS; i++) {
		struct ask *a = &all->asks[i];

		if (!a->active)
			continue;
		(void)asked_receive(all, a);
		if (a->active && a->until != EFF_FOREVER && eff_now() > a->until + EFF_MS(1))
			asked_wrong(all, a, "its time is over");
		for (unsigned k = 0; a->active && k < a->n; k++) {
			if (!a->more && a->kind != ASK_WAIT)
				continue; /* Others, which go with it, may still be on their way. */
			check_late(all, a, &a->units[k]);
			if (is_quiet)
				check_quiet(all, a, &a->units[k]);
		}
	}
	if (all->wrong[0])
		world_fail(all->s->w, "%s", all->wrong);
}

#endif
