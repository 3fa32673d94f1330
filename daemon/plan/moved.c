/* SPDX-License-Identifier: MIT */
/* Who of those that a new plan begins was there before, under another name or another supervisor. Nothing follows from it but
 * words: for effd they are two units. They are looked for in three rounds, each pair once: the same key and the same
 * definition, with all that is in it; the same definition under another key; the same key and the same program. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/text.h"
#include "plan/changes.h"
#include "plan/fields.h"

static uint64_t hash_vector(uint64_t hash, plan_strv v)
{
	for (; v && *v; v++)
		hash = hash_text(hash, *v);
	return hash;
}

/* What it runs, whatever else is said of it. */
static uint64_t hash_program(const struct plan_unit *unit)
{
	uint64_t hash = HASH_EMPTY ^ unit->kind;

	hash = hash_vector(hash, unit->argv);
	hash = hash_text(hash, unit->builtin);
	hash = hash_text(hash, unit->module);
	return hash_text(hash, unit->entry);
}

/* What it says of itself. Names of others may have changed with its own, and how many replicas there are is not a matter of
 * any of them. */
static uint64_t hash_own(const struct plan_unit *unit)
{
	uint64_t hash = hash_program(unit);

	for (uint32_t i = 0; i < unit->n_values; i++) {
		const struct plan_value *value = &unit->values[i];

		if (value->field == FIELD_DEPENDS_ON || value->field == FIELD_REPLICAS)
			continue;
		hash = hash_bytes(hash, &value->field, sizeof(value->field));
		hash = hash_text(hash, value->text);
	}
	if (unit->kind != PLAN_PROCESS)
		return hash;
	return hash_text(hash_vector(hash, unit->environment), unit->working_dir);
}

/* By row: the unit with all that is in it. What is in a group stands behind it. */
static uint64_t *hashes_new(const struct plan *plan)
{
	uint32_t n = plan_n_units(plan);
	uint64_t *hashes = alloc_new(n * sizeof(*hashes));

	for (uint32_t i = n; hashes && i-- > 0;) {
		const struct plan_unit *unit = plan_unit(plan, i);

		hashes[i] = hash_bytes(hash_own(unit), &hashes[i], sizeof(hashes[i]));
		if (unit->parent != PLAN_NONE)
			hashes[unit->parent] = hash_text(
				hashes[unit->parent] ^ hashes[i], unit->key);
	}
	return hashes;
}

/* One plan of the two, and those of its units that the other has not. */
struct side {
	const struct plan *plan;
	uint64_t *hashes; /* by row */
	uint64_t *keys;   /* by change: what this round goes by */
};

struct search {
	struct plan_change *changes;
	uint32_t n;
	struct side old, new;
	uint32_t *heads, *next; /* chains of stops by their keys; an index of a change and 1 */
	uint32_t room;          /* of heads, a power of 2 */
};

enum round { SAME_KEY, OTHER_KEY, SAME_PROGRAM };

static bool is_stop(const struct plan_change *change)
{
	return change->action == PLAN_DO_STOP && change->after == PLAN_NONE;
}

static bool is_start(const struct plan_change *change)
{
	return change->action == PLAN_DO_START && change->before == PLAN_NONE;
}

/* One replica more or less: the unit itself is in both plans. */
static bool is_one_of_many(const struct side *side, uint32_t row, const struct side *other)
{
	const char *stem = plan_unit(side->plan, row)->stem;
	uint32_t first, n;

	return stem && plan_find_all(other->plan, stem, &first, &n) &&
		(!n || plan_unit(other->plan, first)->stem);
}

/* 0: it takes no part in this round. */
static uint64_t key_of(const struct side *side, uint32_t row, enum round round)
{
	const struct plan_unit *unit = plan_unit(side->plan, row);

	switch (round) {
	case SAME_KEY:
		return hash_text(side->hashes[row], unit->key) | 1;
	case OTHER_KEY:
		return side->hashes[row] | 1;
	case SAME_PROGRAM:
		break;
	}
	/* Of groups it is what they hold that was moved. */
	return unit->kind == PLAN_SUPERVISOR ? 0 : hash_text(hash_program(unit), unit->key) | 1;
}

static void pair_up(struct search *s, struct plan_change *stop, struct plan_change *start)
{
	stop->other = start->unit;
	stop->other_row = start->after;
	start->other = stop->unit;
	start->other_row = stop->before;
	stop->renamed = start->renamed = strcmp(plan_unit(s->old.plan, stop->before)->key,
						 plan_unit(s->new.plan, start->after)->key) != 0;
}

/* From the last on, so that in each chain the first comes first. */
static void chains_make(struct search *s, enum round round)
{
	memset(s->heads, 0, s->room * sizeof(*s->heads));
	for (uint32_t i = s->n; i-- > 0;) {
		const struct plan_change *change = &s->changes[i];
		uint32_t *head;

		if (!is_stop(change) || change->other ||
			is_one_of_many(&s->old, change->before, &s->new))
			continue;
		s->old.keys[i] = key_of(&s->old, change->before, round);
		head = &s->heads[s->old.keys[i] >> 1 & (s->room - 1)];
		s->next[i] = *head;
		*head = i + 1;
	}
}

static void start_match(struct search *s, struct plan_change *start, uint64_t key)
{
	uint32_t *at = &s->heads[key >> 1 & (s->room - 1)];

	while (*at && s->old.keys[*at - 1] != key)
		at = &s->next[*at - 1];
	if (!*at || !key)
		return;
	pair_up(s, &s->changes[*at - 1], start);
	*at = s->next[*at - 1];
}

static void search_round(struct search *s, enum round round)
{
	chains_make(s, round);
	for (uint32_t i = 0; i < s->n; i++)
		if (is_start(&s->changes[i]) && !s->changes[i].other &&
			!is_one_of_many(&s->new, s->changes[i].after, &s->old))
			start_match(s, &s->changes[i], key_of(&s->new, s->changes[i].after, round));
}

static void search_done(struct search *s)
{
	free(s->old.hashes);
	free(s->new.hashes);
	free(s->old.keys);
	free(s->heads);
	free(s->next);
}

int plan_find_moved(
	const struct plan *old, const struct plan *new, struct plan_change *changes, uint32_t n)
{
	struct search s = {.changes = changes, .n = n, .old.plan = old, .new.plan = new, .room = 16};
	bool stops = false, starts = false;

	for (uint32_t i = 0; i < n; i++) {
		stops |= is_stop(&changes[i]);
		starts |= is_start(&changes[i]);
	}
	if (!stops || !starts)
		return 0;
	while (s.room < n)
		s.room *= 2;
	s.old.hashes = hashes_new(old);
	s.new.hashes = hashes_new(new);
	s.old.keys = alloc_new(n * sizeof(*s.old.keys));
	s.heads = alloc_new(s.room * sizeof(*s.heads));
	s.next = alloc_new(n * sizeof(*s.next));
	if (s.old.hashes && s.new.hashes &&s.old.keys &&s.heads &&s.next)
		for (enum round round = SAME_KEY; round <= SAME_PROGRAM; round++)
			search_round(&s, round);
	else
		n = 0;
	search_done(&s);
	return n ? 0 : -ENOMEM;
}

/* The changes of units of the new plan stand in its order, behind those that vanish. */
static const struct plan_change *change_of_row(
	const struct plan_change *changes, uint32_t n, uint32_t row)
{
	uint32_t from = 0, to = n;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2;
		const struct plan_change *change = &changes[middle];

		if (change->after == row && change->action != PLAN_DO_EFFD)
			return change;
		if (change->after == PLAN_NONE || change->action == PLAN_DO_EFFD ||
			change->after < row)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

bool plan_change_words(const struct plan_change *changes, uint32_t n,
	const struct plan_change *change, struct text *to)
{
	bool goes = change->after == PLAN_NONE;
	const struct plan_change *start = goes ? change_of_row(changes, n, change->other_row)
					       : change;

	if (!change->other)
		return false;
	text_printf(to, "%s from %s to %s: %s", change->renamed ? "renamed" : "moved",
		goes ? change->unit : change->other, goes ? change->other : change->unit,
		start && start->action == PLAN_DO_START ? "stopped and started"
							: "stopped, and not started");
	return true;
}
