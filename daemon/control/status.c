/* SPDX-License-Identifier: MIT */
/* A unit's status: most of it changes seldom, so it is printed once, with holes for what moves with each look: the times,
 * processor time and memory. A row is as good as its key: all that its text says, or what stands for it: a cause never
 * changes and is kept from being freed, a unit's name and needs stay as long as the tree's plan. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "control/methods.h"
#include "control/status.h"

#define HOLE "\1" /* JSON has no such byte, in texts neither */

struct key {
	const struct unit *unit;
	const struct plan_unit *spec;
	eff_ns since_wall;
	uint64_t starts, restarts, log_lost_bytes;
	struct cause *cause, *last_exit; /* referenced */
	enum unit_state state;
	uint32_t failures;
	pid_t pid;
	enum unit_health health;
	bool wanted, held;
};

/* What fills the holes, in their order. */
enum { UPTIME, NEXT_START, CPU, MEMORY, MOVING_N, MOVING_BYTES = 24 };

struct row {
	struct key key;
	char *text; /* with holes; NULL: not yet */
	size_t len;
	uint32_t pieces[MOVING_N]; /* how long the text before each hole is, from the one before */
	bool keeps;                /* the text is good for as long as the key is */
	struct os_usage usage;
	eff_ns used_at; /* when that was so */
	bool is_used;   /* it has used something */
};

static double seconds(eff_ns ns)
{
	/* To the millisecond: what is below is noise to people and digits to machines. */
	return (double)((ns + EFF_MS(1) / 2) / EFF_MS(1)) / 1e3;
}

static const char *kind_name(enum plan_kind kind)
{
	static const char *const names[] = {
		[PLAN_PROCESS] = "process",
		[PLAN_FIBER] = "fiber",
		[PLAN_SUPERVISOR] = "supervisor",
	};

	return names[kind];
}

struct children {
	uint32_t n, active;
	bool ails;
};

static struct children children_of(const struct tree *t, uint32_t index)
{
	struct children c = {0};
	uint32_t i = plan_unit(t->plan, index)->first_child;

	for (; i != PLAN_NONE; i = plan_unit(t->plan, i)->next_sibling) {
		const struct unit *u = t->units[i];

		c.n++;
		if (u->spec->kind == PLAN_SUPERVISOR)
			c.active += u->state == UNIT_STARTING || u->state == UNIT_UP;
		else
			c.active += unit_is_active(u) &&
				(u->spec->kind == PLAN_FIBER || u->pid != 0);
		c.ails = c.ails || tree_ails(u);
	}
	return c;
}

static struct json *json_health(const struct unit *u, const struct children *children)
{
	static const char *const names[] = {
		[UNIT_HEALTH_UNKNOWN] = "unknown",
		[UNIT_HEALTH_PASSING] = "passing",
		[UNIT_HEALTH_FAILING] = "failing",
	};

	if (u->spec->kind == PLAN_SUPERVISOR) {
		if (u->state != UNIT_UP && u->state != UNIT_STARTING)
			return json_null();
		return json_text(names[children->ails ? UNIT_HEALTH_FAILING : UNIT_HEALTH_PASSING]);
	}
	return u->health == UNIT_HEALTH_NONE ? json_null() : json_text(names[u->health]);
}

static struct json *json_depends_on(const struct tree *t, uint32_t index)
{
	const struct plan_unit *spec = plan_unit(t->plan, index);
	struct json *names = json_array();

	for (uint32_t i = 0; i < spec->n_needs; i++)
		(void)json_add(names, json_text(t->units[spec->needs[i].unit]->name));
	return names;
}

static struct json *json_sockets(const struct unit *u)
{
	const struct plan_socket *const *s = plan_unit_sockets(u->spec);
	struct json *sockets = s ? json_array() : json_null();
	bool activates = u->listens && u->state == UNIT_WAITING && unit_awaits_schedule(u);

	for (; s && *s; s++) {
		struct json *one = json_object();

		(void)json_set(one, "name", json_text((*s)->name));
		(void)json_set(one, "listen", json_text((*s)->listen));
		(void)json_set(one, "open", json_bool(socket_is_open(u->world, *s)));
		(void)json_set(one, "activates", json_bool(activates));
		(void)json_add(sockets, one);
	}
	return sockets;
}

static struct json *json_intensity(const struct plan_intensity *intensity)
{
	struct json *s;

	if (intensity->period_ns == 0)
		return json_null();
	s = json_object();
	(void)json_set(s, "max_restarts", json_int(intensity->max_restarts));
	(void)json_set(s, "period_s", json_number(seconds(intensity->period_ns)));
	return s;
}

/* ── what is printed once ── */

static struct json *hole(void)
{
	return json_raw(HOLE);
}

static void status_of_life(struct json *s, const struct unit *u, uint32_t failures)
{
	(void)json_set(s, "pid", u->pid ? json_int(u->pid) : json_null());
	(void)json_set(s, "since", json_wall(u->since_wall));
	(void)json_set(s, "uptime_s", hole());
	(void)json_set(s, "starts", json_int((int64_t)u->starts));
	(void)json_set(s, "restarts", json_int((int64_t)u->restarts));
	(void)json_set(s, "failures", json_int(failures));
	(void)json_set(s, "next_start_s", hole());
	(void)json_set(s, "last_exit", json_cause(u->last_exit));
	(void)json_set(s, "cause", json_cause(u->cause));
}

static void status_of_group(struct json *s, const struct unit *u, const struct children *children)
{
	(void)json_set(s, "children", json_int(children->n));
	(void)json_set(s, "active", json_int(children->active));
	(void)json_set(s, "intensity", json_intensity(&u->spec->intensity));
	(void)json_set(s, "restarts_in_period",
		json_int(u->group_open ? eff_sup_restarts(u->sup) : 0));
}

static bool is_wanted(const struct unit *u)
{
	return u->wanted && !u->held && u->spec->enabled;
}

/* With holes. NULL: out of memory. */
static char *status_print(const struct tree *t, uint32_t index, uint32_t failures)
{
	const struct unit *u = t->units[index];
	struct children children = children_of(t, index);
	struct json *s = json_object();
	char *text;

	(void)json_set(s, "name", json_text(u->name));
	(void)json_set(s, "description", json_text(u->spec->description));
	(void)json_set(s, "kind", json_text(kind_name(u->spec->kind)));
	(void)json_set(s, "state", json_text(state_name(u->state)));
	(void)json_set(s, "wanted", json_bool(is_wanted(u)));
	status_of_life(s, u, failures);
	(void)json_set(s, "health", json_health(u, &children));
	(void)json_set(s, "status_text", json_text(u->status_text));
	(void)json_set(s, "depends_on", json_depends_on(t, index));
	(void)json_set(s, "sockets", json_sockets(u));
	(void)json_set(s, "cpu_s", hole());
	(void)json_set(s, "memory_bytes", hole());
	(void)json_set(s, "log_lost_bytes", json_int((int64_t)u->log_lost_bytes));
	if (u->spec->kind == PLAN_SUPERVISOR)
		status_of_group(s, u, &children);
	text = json_print(s);
	json_free(s);
	return text;
}

/* ── rows ── */

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

static bool key_is(const struct key *key, const struct unit *u, uint32_t failures)
{
	return key->unit == u && key->spec == u->spec && key->since_wall == u->since_wall &&
		key->starts == u->starts && key->restarts == u->restarts &&
		key->log_lost_bytes == u->log_lost_bytes && key->cause == u->cause &&
		key->last_exit == u->last_exit && key->state == u->state &&
		key->failures == failures && key->pid == u->pid && key->health == u->health &&
		key->wanted == u->wanted && key->held == u->held;
}

static struct key key_of(const struct unit *u, uint32_t failures)
{
	return (struct key){
		.unit = u,
		.spec = u->spec,
		.since_wall = u->since_wall,
		.starts = u->starts,
		.restarts = u->restarts,
		.log_lost_bytes = u->log_lost_bytes,
		.cause = cause_ref(u->cause),
		.last_exit = cause_ref(u->last_exit),
		.state = u->state,
		.failures = failures,
		.pid = u->pid,
		.health = u->health,
		.wanted = u->wanted,
		.held = u->held,
	};
}

/* What a supervisor says is made of its children, a unit's own words may be others at the same place, and sockets come and
 * go by themselves. */
static bool may_be_kept(const struct unit *u)
{
	return u->spec->kind != PLAN_SUPERVISOR && !u->status_text && !plan_unit_sockets(u->spec);
}

static void row_measure(struct row *row)
{
	const char *rest = row->text;

	for (int which = 0; which < MOVING_N; which++) {
		row->pieces[which] = (uint32_t)strcspn(rest, HOLE);
		rest += row->pieces[which] + 1;
	}
	row->len = (size_t)(rest - row->text) + strlen(rest);
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
	uint32_t failures = eff_child_failures(&u->child);
	struct row *row = row_of(rows, t, index);
	bool is_true = row && row->keeps && !u->status_text && key_is(&row->key, u, failures);

	if (!row || (is_true && usage_is_good(row, look)))
		return row;
	look->n_made++;
	if (!is_true) {
		row_clear(row);
		row->text = status_print(t, index, failures);
		if (!row->text)
			return NULL;
		row->key = key_of(u, failures);
		row->keeps = may_be_kept(u);
		row_measure(row);
	}
	if (!usage_is_good(row, look)) {
		row->is_used = unit_usage(u, &row->usage);
		row->used_at = look->now;
	}
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

static char *moving_write(
	char *to, int which, const struct row *row, const struct unit *u, eff_ns now)
{
	if (which == UPTIME && u->state == UNIT_UP)
		return seconds_write(to, now - u->since);
	if (which == NEXT_START)
		return next_start_write(to, u, now);
	if (which == CPU && row->is_used)
		return seconds_write(to, (eff_ns)(row->usage.cpu_s * 1e9));
	/* None has none: it is not known then. */
	if (which == MEMORY && row->is_used && row->usage.memory_bytes > 0)
		return number_write(to, row->usage.memory_bytes);
	return stpcpy(to, "null");
}

int rows_renew(struct rows *rows, struct tree *t, const uint32_t *index, uint32_t n)
{
	const struct plan *plan = t->plan;
	int r = eff_await_turn();
	uint32_t i = 0;

	while (i < n && r == 0 && t->plan == plan) {
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
	char *begin = row ? text_room(text, row->len + (size_t)MOVING_N * MOVING_BYTES) : NULL;
	const char *from;
	char *to = begin;

	if (!to) {
		text->failed = true;
		return;
	}
	from = row->text;
	for (int which = 0; which < MOVING_N; which++) {
		to = mempcpy(to, from, row->pieces[which]);
		to = moving_write(to, which, row, u, look->now);
		from += row->pieces[which] + 1;
	}
	to = mempcpy(to, from, (size_t)(row->text + row->len - from));
	text_wrote(text, (size_t)(to - begin));
}
