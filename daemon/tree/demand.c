/* SPDX-License-Identifier: MIT */
/* Units on demand: while such a one rests, somebody who comes to one of its sockets starts it. A fiber keeps that, as one
 * keeps a schedule: it has the sockets opened, watches them only while the unit rests, and starts it. A clean end brings it
 * back to rest; a failure goes by policy, and one that has failed stays so: who has come waits until it is started or reset
 * by hand.
 *
 * One that ends clean and takes nobody would be started again at once, and so on: it is started so often in a while at
 * most, and then when the first of these starts is long enough ago. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "tree/internal.h"

enum { BURST = 20 };
#define BURST_WITHIN EFF_S(2)

struct demand {
	struct unit *unit;
	eff_ns starts[BURST]; /* a ring of the last ones; n_starts counts all */
	uint64_t n_starts;
	eff_ns delay; /* before its sockets are tried again; 0: they could be opened */
	bool told;    /* that it is started too often */
};

static const struct plan_unit *row_of(const struct unit *u)
{
	return u->next ? u->next : u->spec;
}

static bool is_kept(const struct unit *u)
{
	return !u->clock_off && row_of(u)->activate == PLAN_ON_DEMAND;
}

/* Somebody who comes starts it. */
static bool is_at_rest(const struct unit *u)
{
	return !u->child.fiber && u->state == UNIT_WAITING && wish_may_act(u);
}

/* Until something is different with the unit, or its sockets, or until then. 0, -ECANCELED. */
static int await_change(struct unit *u, eff_ns until)
{
	struct eff_scope within;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, until);
	r = eff_pulse_await(&u->changed);
	(void)eff_scope_close(&within);
	return r == -ECANCELED ? r : 0;
}

/* ── its sockets ── */

static void listen_failed(struct demand *d, const struct os_fault *fault)
{
	const struct plan_backoff *backoff = &row_of(d->unit)->ways->backoff;
	eff_ns next = d->delay ? eff_ns_scale(d->delay, backoff->factor) : backoff->initial_ns;

	d->delay = next < backoff->max_ns ? next : backoff->max_ns;
	/* Never at once. */
	if (d->delay < EFF_MS(1))
		d->delay = EFF_MS(1);
	if (is_at_rest(d->unit))
		unit_enter(d->unit, UNIT_WAITING,
			unit_cause(d->unit, CAUSE_EXEC_ERROR, NULL, "%s: %s (%s): %s", fault->stage,
				errno_name(fault->error), strerror(fault->error), fault->what));
}

/* As sockets_ensure(), and say what it could not. */
static int demand_open(struct demand *d)
{
	/* The row must stay until all are open, and its words are said. */
	struct plan *plan = plan_ref(d->unit->plan);
	struct os_fault fault = {0};
	int r = sockets_ensure(d->unit, &fault);

	if (r == -ECHILD)
		listen_failed(d, &fault);
	plan_unref(plan);
	return r;
}

/* Have them opened, or wait before that is tried again. 0 or -ECANCELED. */
static int demand_listen(struct demand *d)
{
	struct unit *u = d->unit;
	int r = demand_open(d);
	eff_ns until;

	if (r == 0) {
		if (d->delay && is_at_rest(u))
			unit_enter(u, UNIT_WAITING, NULL);
		d->delay = 0;
		u->listens = true;
		eff_pulse_send(&u->changed);
		return 0;
	}
	if (r != -ECHILD)
		return r;
	until = eff_ns_add(eff_now(), d->delay);
	while (r != -ECANCELED && is_kept(u) && eff_now() < until && !sockets_are_open(u))
		r = await_change(u, until);
	return r == -ECANCELED ? r : 0;
}

/* ── somebody has come ── */

/* When it may be started again. */
static eff_ns start_at(const struct demand *d)
{
	return d->n_starts < BURST ? 0 : eff_ns_add(d->starts[d->n_starts % BURST], BURST_WITHIN);
}

static void tell_too_often(struct demand *d)
{
	char words[96];

	if (d->told)
		return;
	d->told = true;
	(void)snprintf(words, sizeof(words),
		"%d times in %d s it has ended, and somebody was there still", BURST,
		(int)(BURST_WITHIN / EFF_S(1)));
	d->unit->world->hooks->on_event(d->unit, "started_too_often", words);
}

static void demand_start(struct demand *d)
{
	struct unit *u = d->unit;

	/* After a while of peace it is told again. */
	if (d->n_starts && eff_now() - d->starts[(d->n_starts - 1) % BURST] > BURST_WITHIN)
		d->told = false;
	d->starts[d->n_starts++ % BURST] = eff_now();
	schedule_run_now(u);
	wish_pull(tree_of(u), u);
}

/* One look, and one wait or start. 0 or -ECANCELED. */
static int demand_look(struct demand *d)
{
	struct unit *u = d->unit;
	int r = 0;

	u->listens = u->listens && sockets_are_open(u);
	/* A run goes on with the sockets that it was given; other ones are for when it has ended. */
	if (!u->listens && !u->next)
		return demand_listen(d);
	if (is_at_rest(u) && !u->visited && sockets_watch(u) < 0)
		log_error("%s: cannot watch its sockets: out of memory", u->name);
	if (!is_at_rest(u) || !u->visited) {
		r = await_change(u, EFF_FOREVER);
	} else if (start_at(d) > eff_now()) {
		tell_too_often(d);
		r = await_change(u, start_at(d));
	} else {
		demand_start(d);
	}
	if (is_at_rest(u))
		return r;
	/* Who comes while it runs is its own to take. */
	sockets_unwatch(u);
	u->visited = false;
	return r;
}

void demand_run(struct unit *u)
{
	struct demand d = {.unit = u};
	int r = 0;

	while (r == 0 && is_kept(u))
		r = demand_look(&d);
	sockets_unwatch(u);
	u->listens = u->visited = false;
}
