/* SPDX-License-Identifier: MIT */
/* Probes held against the tree: whether they notice in time, and whether one asks whom it should. */
#include <string.h>

#include "plan/draft.h"

/* Steps that looking for what units wait for may take in all: beyond that a tree is believed. */
#define STEPS_MOST 2000000

/* Of a probe that has passed: how long until it is known that it does so no more. */
static eff_ns notice_ns(const struct plan_probe *probe)
{
	eff_ns ns;

	if (probe->kind == PLAN_PROBE_NONE ||
		__builtin_mul_overflow(probe->period_ns, (eff_ns)probe->failure_threshold, &ns))
		return PLAN_FOREVER;
	return ns;
}

/* What its numbers were written as; NULL: they are those by default. */
static struct node *numbers_node(const struct load *load, uint32_t unit, enum field_id probe)
{
	struct node *node = draft_node(load, unit, probe + (enum field_id)PROBE_PERIOD);

	return node ? node : draft_node(load, unit, probe + (enum field_id)PROBE_FAILURE);
}

/* A dependant that begins while the other hangs is given up, and blamed, before anybody knows whose fault it is. */
static void notice_check(
	struct load *load, const struct plan_unit *unit, const struct plan_need *need)
{
	const struct plan_unit *other = &load->units[need->unit];
	eff_ns alive = notice_ns(&other->rules->liveness),
	       ready = notice_ns(&other->rules->readiness);
	eff_ns notice = alive < ready ? alive : ready;
	enum field_id probe = alive < ready ? FIELD_LIVENESS : FIELD_READINESS;
	struct node *numbers, *timeout;
	char after[32], limit[32];
	struct diag *diag;

	if (need->condition != PLAN_READY || notice == PLAN_FOREVER ||
		notice <= unit->ways->start_timeout_ns)
		return;
	numbers = numbers_node(load, other->index, probe);
	timeout = draft_node(load, unit->index, FIELD_START_TIMEOUT);
	if (!numbers && !timeout)
		return;
	diag = fault(load, numbers ? numbers : timeout, "W403",
		"`%s` notices after %s that `%s` is dead, and a start of `%s`, which needs it, has failed after %s",
		field_row(probe)->face.name, duration_text(notice, after), other->name,
		unit->name, duration_text(unit->ways->start_timeout_ns, limit));
	if (numbers && timeout)
		diag_note(load->diags, diag, timeout->at, "its `start_timeout` is here");
	else
		diag_note(load->diags, diag, numbers ? unit->at : other->at, "`%s` is here",
			numbers ? unit->name : other->name);
	diag_help(load->diags, diag,
		"give the probe a shorter `period`, or `%s` a `start_timeout` longer than %s",
		unit->name, after);
}

/* One that is not asked before its time is over. */
static void delay_check(struct load *load, const struct plan_unit *unit, enum field_id probe,
	const struct plan_probe *asked)
{
	struct node *delay = draft_node(load, unit->index, probe + (enum field_id)PROBE_KINDS_END);
	struct node *timeout = draft_node(load, unit->index, FIELD_START_TIMEOUT);
	char first[32], limit[32];
	struct diag *diag;

	if (!delay || asked->kind == PLAN_PROBE_NONE ||
		asked->initial_delay_ns < unit->ways->start_timeout_ns)
		return;
	diag = fault(load, delay, "W403",
		"`%s` does not ask before %s, and a start of `%s` has failed after %s",
		field_row(probe)->face.name, duration_text(asked->initial_delay_ns, first),
		unit->name, duration_text(unit->ways->start_timeout_ns, limit));
	if (timeout)
		diag_note(load->diags, diag, timeout->at, "its `start_timeout` is here");
	diag_help(load->diags, diag,
		"write a `start_timeout` longer than %s, or leave `initial_delay` out: until a probe has passed once it asks often",
		first);
}

/* ── who is asked ── */

/* What a probe asks; NULL: nothing that another could be. */
static const char *address_of(struct load *load, const struct plan_probe *probe)
{
	const char *host = probe->host && strcmp(probe->host, "localhost") == 0 ? "127.0.0.1"
										: probe->host;
	char *address;

	if (probe->kind == PLAN_PROBE_FILE)
		address = arena_printf(load->scratch, "file %s", probe->path_file);
	else if (probe->kind == PLAN_PROBE_TCP || (probe->kind == PLAN_PROBE_HTTP && probe->port))
		address = arena_printf(load->scratch, "tcp %s %u", host, probe->port);
	else if (probe->kind == PLAN_PROBE_UNIX || probe->kind == PLAN_PROBE_HTTP)
		address = arena_printf(load->scratch, "unix %s", probe->path_unix);
	else
		return NULL;
	if (!address)
		load->failed = true;
	return address;
}

/* Whose address it is: of those that ask it to know whether they are there the first. */
static void **owner_at(struct load *load, const struct plan_probe *probe)
{
	const char *address = address_of(load, probe);
	void **at = address ? table_at(&load->paths, &load->edges, address) : NULL;

	if (address && !at)
		load->failed = true;
	return at;
}

static void owner_put(struct load *load, struct plan_unit *unit, const struct plan_probe *probe)
{
	void **at = owner_at(load, probe);

	if (at && !*at)
		*at = unit;
}

/* Does it, or a supervisor above, wait for that one or for a supervisor above that? */
static bool depends(const struct load *load, uint32_t unit, uint32_t other, uint64_t *steps)
{
	const struct plan_unit *units = load->units;
	uint32_t i;

	for (; unit != PLAN_NONE && *steps < STEPS_MOST; unit = units[unit].parent)
		for (i = 0; i < units[unit].n_needs && ++*steps < STEPS_MOST; i++) {
			uint32_t need = units[unit].needs[i].unit;

			if (need <= other && other < units[need].end)
				return true;
		}
	return false;
}

static struct node *asked_node(const struct load *load, const struct plan_unit *unit)
{
	static const int rows[] = {
		PROBE_TCP + 1, PROBE_UNIX + 1, PROBE_HTTP + 1, PROBE_HTTP + 2, PROBE_FILE + 1};
	struct node *node = NULL;

	for (size_t i = 0; !node && i < sizeof(rows) / sizeof(rows[0]); i++)
		node = draft_node(load, unit->index, FIELD_LIVENESS + (enum field_id)rows[i]);
	return node;
}

/* When what it asks fails, it is restarted for nothing, and again, and in the end it has failed too. */
static void asked_check(struct load *load, const struct plan_unit *unit, uint64_t *steps)
{
	void **at = owner_at(load, &unit->rules->liveness);
	const struct plan_unit *owner = at ? *at : NULL;
	struct node *node = asked_node(load, unit);
	struct diag *diag;

	if (!owner || !node || load->drafts[owner->index].map == load->drafts[unit->index].map ||
		!depends(load, unit->index, owner->index, steps))
		return;
	diag = fault(load, node, "W408",
		"`liveness_probe` asks `%s`, on which `%s` depends: when that is down, this is killed",
		owner->name, unit->name);
	diag_note(load->diags, diag, owner->at, "`%s` is here", owner->name);
	diag_help(load->diags, diag,
		"ask `%s` itself; to stop it with the other, `depends_on: {%s: {bind: true}}`",
		unit->name, owner->name);
}

void probes_check(struct load *load)
{
	struct plan_unit *units = load->units;
	uint64_t steps = 0;
	uint32_t i, k;

	for (i = 1; i < load->n_units && !load->failed; i++) {
		owner_put(load, &units[i], &units[i].rules->startup);
		owner_put(load, &units[i], &units[i].rules->readiness);
		delay_check(load, &units[i], FIELD_STARTUP, &units[i].rules->startup);
		delay_check(load, &units[i], FIELD_READINESS, &units[i].rules->readiness);
		for (k = 0; k < units[i].n_needs; k++)
			notice_check(load, &units[i], &units[i].needs[k]);
	}
	for (i = 1; i < load->n_units && !load->failed; i++)
		owner_put(load, &units[i], &units[i].rules->liveness);
	for (i = 1; i < load->n_units && !load->failed; i++)
		if (units[i].rules->liveness.kind != PLAN_PROBE_NONE)
			asked_check(load, &units[i], &steps);
}
