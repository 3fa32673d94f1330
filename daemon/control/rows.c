/* SPDX-License-Identifier: MIT */
/* Most of a unit's status changes seldom, so it is printed once, with a hole for the one thing that moves with each look, a
 * time; what it has used is put in its place when the kernel is asked for it. A row is as good as its key: all that its text
 * says, or what stands for it: a cause never changes and is kept from being freed, a unit's words are counted, its name and needs
 * stay as long as the tree's plan. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "control/rows.h"
#include "control/status.h"
#include "tree/tree.h"

struct key {
	const struct unit *unit;
	const struct plan_unit *spec;
	eff_ns since_wall;
	uint64_t starts, restarts, log_lost_bytes, sockets;
	struct cause *cause, *last_exit; /* referenced */
	struct counts counts;
	enum unit_state state;
	pid_t pid;
	uint32_t n_words;
	enum unit_health health;
	bool wanted;
};

/* More sockets than there are bits: such a one is printed anew. */
#define TOO_MANY UINT64_MAX

/* What is put into a row's text. */
struct part {
	uint32_t at, len;
};

enum { PART_BYTES = 24 }; /* at most */

struct row {
	struct key key;
	char *text; /* NULL: not yet */
	uint32_t len, room;
	uint32_t hole; /* a byte: the uptime of one that is up, of others the time to the next start */
	struct part cpu, memory;
	eff_ns used_at; /* when the kernel was asked for those two; -1: never */
};

static void row_clear(struct row *row)
{
	cause_unref(row->key.cause);
	cause_unref(row->key.last_exit);
	free(row->text);
	*row = (struct row){.used_at = -1};
}

void rows_done(struct rows *rows)
{
	for (uint32_t i = 0; i < rows->n; i++)
		row_clear(&rows->list[i]);
	free(rows->list);
	plan_unref(rows->plan);
	*rows = (struct rows){0};
}

/* The row of a unit; NULL: out of memory. */
static struct row *row_of(struct rows *rows, const struct tree *t, uint32_t index)
{
	if (rows->plan == t->plan && rows->n == t->n_units)
		return &rows->list[index];
	rows_done(rows);
	rows->list = alloc_new(t->n_units * sizeof(*rows->list));
	if (!rows->list)
		return NULL;
	rows->n = t->n_units;
	rows->plan = plan_ref(t->plan);
	for (uint32_t i = 0; i < rows->n; i++)
		rows->list[i].used_at = -1;
	return &rows->list[index];
}

static bool counts_are(const struct counts *a, const struct counts *b)
{
	return a->failures == b->failures && a->children == b->children && a->active == b->active &&
		a->restarts_in_period == b->restarts_in_period && a->ails == b->ails;
}

/* Which of its sockets are open, a bit each, and whether who comes to them starts it. */
static uint64_t sockets_of(const struct unit *u)
{
	const struct plan_socket *const *s = plan_unit_sockets(u->spec);
	uint64_t state = s && unit_activates(u);
	unsigned n = 0;

	for (; s && *s && n < 63; s++)
		state |= (uint64_t)socket_is_open(u->world, *s) << ++n;
	return s && *s ? TOO_MANY : state;
}

static bool key_is(const struct key *key, const struct unit *u, const struct counts *counts)
{
	return key->unit == u && key->spec == u->spec && key->since_wall == u->since_wall &&
		key->starts == u->starts && key->restarts == u->restarts &&
		key->log_lost_bytes == u->log_lost_bytes && key->cause == u->cause &&
		key->last_exit == u->last_exit && key->state == u->state &&
		key->pid == u->pid && key->health == u->health && key->wanted == tree_wants(u) &&
		key->n_words == u->n_words && key->sockets == sockets_of(u) &&
		key->sockets != TOO_MANY && counts_are(&key->counts, counts);
}

static struct key key_of(const struct unit *u, const struct counts *counts)
{
	return (struct key){
		.unit = u,
		.spec = u->spec,
		.since_wall = u->since_wall,
		.starts = u->starts,
		.restarts = u->restarts,
		.log_lost_bytes = u->log_lost_bytes,
		.sockets = sockets_of(u),
		.cause = cause_ref(u->cause),
		.last_exit = cause_ref(u->last_exit),
		.counts = *counts,
		.state = u->state,
		.pid = u->pid,
		.n_words = u->n_words,
		.health = u->health,
		.wanted = tree_wants(u),
	};
}

static struct part hole_find(const char *text, uint32_t from)
{
	struct part hole = {.at = from + (uint32_t)strcspn(text + from, HOLE)};

	hole.len = (uint32_t)strspn(text + hole.at, HOLE);
	return hole;
}

static bool row_make(
	struct row *row, const struct tree *t, uint32_t index, const struct counts *counts)
{
	const struct unit *u = t->units[index];

	row_clear(row);
	row->text = status_print(t, index, counts);
	if (!row->text)
		return false;
	row->key = key_of(u, counts);
	row->len = row->room = (uint32_t)strlen(row->text);
	row->hole = hole_find(row->text, 0).at;
	row->cpu = hole_find(row->text, row->hole + 1);
	row->memory = hole_find(row->text, row->cpu.at + row->cpu.len);
	return true;
}

/* Another text for a part. False: out of memory, and it is as it was. */
static bool row_put(struct row *row, struct part *part, const char *text, size_t len)
{
	size_t to = part->at + len, from = part->at + part->len, all = row->len - part->len + len;

	if (all > row->room) {
		char *more = alloc_grow(row->text, all);

		if (!more)
			return false;
		row->text = more;
		row->room = (uint32_t)all;
	}
	memmove(row->text + to, row->text + from, row->len - from);
	memcpy(row->text + part->at, text, len);
	row->len = (uint32_t)all;
	part->len = (uint32_t)len;
	return true;
}

/* Ask the kernel what a unit has used. False: out of memory. */
static bool row_use(struct row *row, const struct unit *u, eff_ns now)
{
	struct os_usage usage;
	bool is_used = unit_usage(u, &usage);
	char text[PART_BYTES], *end = stpcpy(text, "null");
	uint32_t len = row->cpu.len;

	if (is_used)
		end = seconds_write(text, (eff_ns)(usage.cpu_s * 1e9));
	if (!row_put(row, &row->cpu, text, (size_t)(end - text)))
		return false;
	row->memory.at += row->cpu.len - len;
	/* None has none: it is not known then. */
	if (is_used && usage.memory_bytes > 0)
		end = number_write(text, usage.memory_bytes);
	else
		end = stpcpy(text, "null");
	if (!row_put(row, &row->memory, text, (size_t)(end - text)))
		return false;
	row->used_at = now;
	return true;
}

/* Asking the kernel costs more than all the rest. */
static bool usage_is_good(const struct row *row, const struct look *look)
{
	return row->used_at >= 0 && look->now - row->used_at < look->usage_age;
}

/* The row of a unit, made true. NULL: out of memory. */
static struct row *row_see(struct rows *rows, const struct tree *t, uint32_t index, struct look *look)
{
	const struct unit *u = t->units[index];
	struct counts counts = counts_of(t, index);
	struct row *row = row_of(rows, t, index);
	bool is_true = row && row->text && key_is(&row->key, u, &counts);

	if (!row || (is_true && usage_is_good(row, look)))
		return row;
	look->n_made++;
	if (!is_true && !row_make(row, t, index, &counts))
		return NULL;
	if (!usage_is_good(row, look) && !row_use(row, u, look->now))
		return NULL;
	return row;
}

/* ── what moves ── */

/* Of one in backoff, and of one that rests until its schedule. */
static char *next_start_write(char *to, const struct unit *u, eff_ns now)
{
	bool scheduled = u->state != UNIT_BACKOFF && unit_awaits_schedule(u);
	eff_ns at = scheduled ? u->due_at : u->child.next_at;

	if ((u->state != UNIT_BACKOFF && !scheduled) || at < 0 || at == EFF_FOREVER)
		return stpcpy(to, "null");
	return seconds_write(to, at - now);
}

static char *moving_write(char *to, const struct unit *u, eff_ns now)
{
	return u->state == UNIT_UP ? seconds_write(to, now - u->since)
				   : next_start_write(to, u, now);
}

int rows_renew(struct rows *rows, struct tree *t, const uint32_t *index, uint32_t n)
{
	/* Of a plan that has gone, another may have the address. */
	uint64_t generation = t->generation;
	int r = eff_await_turn();
	uint32_t i = 0;

	while (i < n && r == 0 && t->generation == generation) {
		struct look look = {.now = eff_now(), .usage_age = LOOK_NEW};

		for (; i < n && look.n_made < ROWS_A_TURN; i++)
			if (!row_see(rows, t, index[i], &look))
				return -ENOMEM;
		r = eff_await_turn();
	}
	return r;
}

void status_add(
	struct text *text, struct rows *rows, struct tree *t, uint32_t index, struct look *look)
{
	const struct unit *u = t->units[index];
	const struct row *row = row_see(rows, t, index, look);
	char *begin = row ? text_room(text, row->len + PART_BYTES) : NULL;
	char *to;

	if (!begin) {
		text->failed = true;
		return;
	}
	to = mempcpy(begin, row->text, row->hole);
	to = moving_write(to, u, look->now);
	to = mempcpy(to, row->text + row->hole + 1, row->len - row->hole - 1);
	text_wrote(text, (size_t)(to - begin));
}
