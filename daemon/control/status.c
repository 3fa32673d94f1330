/* SPDX-License-Identifier: MIT */
/* A unit's status as JSON. */
#include <stdlib.h>
#include <string.h>

#include "control/methods.h"
#include "control/status.h"

static double seconds(eff_ns ns)
{
	/* To the millisecond: what is below is noise to people and digits to machines. */
	eff_ns ms = (ns + EFF_MS(1) / 2) / EFF_MS(1);

	return (double)ms / 1e3;
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

static void count_children(const struct tree *t, uint32_t index, struct counts *c)
{
	uint32_t i = plan_unit(t->plan, index)->first_child;

	for (; i != PLAN_NONE; i = plan_unit(t->plan, i)->next_sibling) {
		const struct unit *u = t->units[i];

		c->children++;
		if (u->spec->kind == PLAN_SUPERVISOR)
			c->active += u->state == UNIT_STARTING || u->state == UNIT_UP;
		else
			c->active += unit_is_active(u) &&
				(u->spec->kind == PLAN_FIBER || u->pid != 0);
		c->ails = c->ails || tree_ails(u);
	}
}

struct counts counts_of(const struct tree *t, uint32_t index)
{
	const struct unit *u = t->units[index];
	struct counts c = {.failures = eff_child_failures(&u->child)};

	if (u->spec->kind != PLAN_SUPERVISOR)
		return c;
	count_children(t, index, &c);
	c.restarts_in_period = u->group_open ? eff_sup_restarts(u->sup) : 0;
	return c;
}

static struct json *json_health(const struct unit *u, const struct counts *counts)
{
	static const char *const names[] = {
		[UNIT_HEALTH_UNKNOWN] = "unknown",
		[UNIT_HEALTH_PASSING] = "passing",
		[UNIT_HEALTH_FAILING] = "failing",
	};

	if (u->spec->kind == PLAN_SUPERVISOR) {
		if (u->state != UNIT_UP && u->state != UNIT_STARTING)
			return json_null();
		return json_text(names[counts->ails ? UNIT_HEALTH_FAILING : UNIT_HEALTH_PASSING]);
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

bool unit_activates(const struct unit *u)
{
	return u->listens && u->state == UNIT_WAITING && unit_awaits_schedule(u);
}

static struct json *json_sockets(const struct unit *u)
{
	const struct plan_socket *const *s = plan_unit_sockets(u->spec);
	struct json *sockets = s ? json_array() : json_null();

	for (; s && *s; s++) {
		struct json *one = json_object();

		(void)json_set(one, "name", json_text((*s)->name));
		(void)json_set(one, "listen", json_text((*s)->listen));
		(void)json_set(one, "open", json_bool(socket_is_open(u->world, *s)));
		(void)json_set(one, "activates", json_bool(unit_activates(u)));
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

/* Who is up waits for no start, and nobody else has an uptime. */
static void status_of_life(struct json *s, const struct unit *u, const struct counts *counts)
{
	bool is_up = u->state == UNIT_UP;

	(void)json_set(s, "pid", u->pid ? json_int(u->pid) : json_null());
	(void)json_set(s, "since", json_wall(u->since_wall));
	(void)json_set(s, "uptime_s", is_up ? json_raw(HOLE) : json_null());
	(void)json_set(s, "starts", json_int((int64_t)u->starts));
	(void)json_set(s, "restarts", json_int((int64_t)u->restarts));
	(void)json_set(s, "failures", json_int(counts->failures));
	(void)json_set(s, "next_start_s", is_up ? json_null() : json_raw(HOLE));
	(void)json_set(s, "last_exit", json_cause(u->last_exit));
	(void)json_set(s, "cause", json_cause(u->cause));
}

static void status_of_group(struct json *s, const struct unit *u, const struct counts *counts)
{
	(void)json_set(s, "children", json_int(counts->children));
	(void)json_set(s, "active", json_int(counts->active));
	(void)json_set(s, "intensity", json_intensity(&u->spec->ways->intensity));
	(void)json_set(s, "restarts_in_period", json_int(counts->restarts_in_period));
}

char *status_print(const struct tree *t, uint32_t index, const struct counts *counts)
{
	const struct unit *u = t->units[index];
	struct json *s = json_object();
	char *text;

	(void)json_set(s, "name", json_text(u->name));
	(void)json_set(s, "description", json_text(u->spec->description));
	(void)json_set(s, "kind", json_text(kind_name(u->spec->kind)));
	(void)json_set(s, "state", json_text(state_name(u->state)));
	(void)json_set(s, "wanted", json_bool(tree_wants(u)));
	status_of_life(s, u, counts);
	(void)json_set(s, "health", json_health(u, counts));
	(void)json_set(s, "status_text", json_text(u->status_text));
	(void)json_set(s, "depends_on", json_depends_on(t, index));
	(void)json_set(s, "sockets", json_sockets(u));
	(void)json_set(s, "cpu_s", json_raw(HOLE_OF_TEN));
	(void)json_set(s, "memory_bytes", json_raw(HOLE_OF_TEN));
	(void)json_set(s, "log_lost_bytes", json_int((int64_t)u->log_lost_bytes));
	if (u->spec->kind == PLAN_SUPERVISOR)
		status_of_group(s, u, counts);
	text = json_print(s);
	json_free(s);
	return text;
}
