/* SPDX-License-Identifier: MIT */
/* The tree itself: made from a plan, run as one effect, asked for a unit by name, for whether it has settled, for the code
 * that effd ends with. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree/internal.h"
#include "tree/tree.h"

struct unit *tree_unit_new(
	struct tree *t, struct plan *plan, const struct plan_unit *spec, struct unit *parent)
{
	return unit_new(&t->world, plan, spec, parent);
}

int tree_new(struct os *os, struct plan *plan, const char *log_dir, struct tree **ret_tree)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->world = (struct unit_world){.os = os, .hooks = &tree_hooks, .log_dir = log_dir};
	logs_init(&t->world);
	eff_list_init(&t->world.unwritten);
	eff_pulse_init(&t->world.output);
	eff_pulse_init(&t->world.sockets.opened);
	eff_event_init(&t->ended);
	eff_pulse_init(&t->changed);
	eff_pulse_init(&t->reloaded);
	eff_pulse_init(&t->plan_free);
	eff_pulse_init(&t->top.changed);
	eff_list_init(&t->graveyard);
	t->plan = plan_ref(plan);
	t->lasting = plan_lasting_new(plan);
	t->units = calloc(plan_n_units(plan), sizeof(struct unit *));
	if (!t->units || !t->lasting)
		goto fail;
	for (uint32_t i = 0; i < plan_n_units(plan); i++) {
		const struct plan_unit *spec = plan_unit(plan, i);

		t->units[i] = tree_unit_new(t, plan, spec,
			spec->parent == PLAN_NONE ? NULL : t->units[spec->parent]);
		if (!t->units[i])
			goto fail;
		t->n_units++;
	}
	t->world.root = t->units[0];
	if (link_units(t->units, plan) < 0 || sockets_make(plan, &t->world.sockets.list) < 0)
		goto fail;
	t->units[0]->wanted = true;
	if (events_init(t) < 0)
		goto fail;
	*ret_tree = t;
	return 0;
fail:
	tree_free(t);
	return -ENOMEM;
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	graves_free(t);
	logs_done(&t->world);
	for (uint32_t i = 0; i < t->n_units; i++)
		unit_free(t->units[i]);
	free(t->units);
	sockets_close(&t->world);
	archives_done(&t->world.archives);
	events_done(t);
	plan_unref(t->plan);
	plan_lasting_free(t->lasting);
	free(t);
}

/* Is the story over? With on_give_up: idle a failed root waits for a word; a root that was stopped by hand does too. */
static bool tree_is_over(const struct tree *t)
{
	const struct unit *root = t->units[0];

	if (root->child.fiber)
		return false;
	if (t->shutting_down || root->state == UNIT_DONE)
		return true;
	return root->state == UNIT_FAILED && plan_daemon(t->plan)->on_give_up == PLAN_GIVE_UP_EXIT;
}

/* What units have said is to be in their logs; a disk that does not answer holds up no end. */
static void tree_end_logs(struct tree *t)
{
	struct eff_scope within;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), EFF_S(1)));
	(void)logs_await(&t->world);
	(void)eff_scope_close(&within);
	t->world.beside = NULL;
}

eff_exit tree_run(void *arg)
{
	struct tree *t = arg;
	struct unit *root = t->units[0];
	int r = eff_sup_open(&t->top, &(struct eff_sup_opts){.hooks = &group_hooks});

	root->child.run = EFF_NAMED("/", group_run, root);
	eff_sup_add(&t->top, &root->child);
	t->has_begun = true;
	t->world.beside = eff_scope_current();
	/* Who starts first finds all others' doors open. */
	if (r == 0)
		r = sockets_open(&t->world, root);
	if (r == 0 && !t->shutting_down && wish_holds(root))
		r = eff_child_start(&root->child);
	while (r == 0 && !tree_is_over(t)) {
		r = eff_pulse_await(&t->top.changed);
		/* What they have to say of the end is heard, within their time; a start meanwhile takes over. */
		while (r == 0 && tree_is_over(t) && t->n_give_ups > 0 && !root->kill_now)
			r = eff_pulse_await(&t->changed);
	}
	t->has_begun = false;
	tree_end_logs(t);
	eff_event_set(&t->ended);
	eff_pulse_send(&t->changed);
	if (r == -ENOMEM)
		return eff_failf(1, "out of memory");
	return root->state == UNIT_FAILED ? eff_fail(1) : eff_ok(NULL);
}

struct unit *tree_find(struct tree *t, const char *name)
{
	const struct plan_unit *spec = plan_find(t->plan, name);

	return spec ? t->units[spec->index] : NULL;
}

bool tree_has(const struct tree *t, const struct unit *u)
{
	for (uint32_t i = 0; i < t->n_units; i++)
		if (t->units[i] == u)
			return true;
	return false;
}

int tree_signal(struct tree *t, struct unit *u, int sig)
{
	(void)t;
	if (!u->process || u->pid == 0)
		return -ESRCH;
	return u->world->os->ops->signal(u->process, sig, OS_MAIN);
}

/* Rests until the calendar says so, be that months away. One on demand has its sockets for others, or is about to. */
static bool unit_rests_until_its_hour(const struct unit *u)
{
	return unit_awaits_schedule(u) && u->spec->rules->schedule.is_there;
}

/* Waits for one that has settled: then nobody can say when it will go on. */
static bool unit_waits_in_vain(const struct unit *u)
{
	for (int hops = 0; u && hops < 1000; hops++) {
		if (state_has_failed(u->state) || unit_rests_until_its_hour(u))
			return true;
		/* One that is done may have let its dependants go in this very moment: they have not settled yet. */
		if (u->state == UNIT_DOWN && (!wish_holds(u) || unit_is_left_out(u)))
			return true;
		/* It comes with its group. */
		if (u->state == UNIT_DOWN && u->parent && !u->parent->group_open)
			u = u->parent;
		else if (u->state == UNIT_WAITING)
			u = u->awaits;
		else
			return false;
	}
	return false;
}

static bool unit_has_settled(const struct unit *u)
{
	for (; u; u = u->parent) {
		if (u->settled || u->held || !u->spec->enabled || unit_awaits_schedule(u))
			return true;
		if (u->state == UNIT_WAITING)
			return unit_waits_in_vain(u->awaits);
		/* A child of a group that does not run yet has settled when its group has. */
		if (!u->parent || u->parent->group_open)
			return !wish_holds(u) || unit_is_left_out(u);
	}
	return false;
}

bool tree_is_settled(struct tree *t)
{
	while (!t->is_settled && t->n_settled_seen < t->n_units) {
		struct unit *u = t->units[t->n_settled_seen];
		bool boots = plan_unit_boots(u->spec);

		/* A group has settled when its children have. */
		if (boots && u->spec->kind != PLAN_SUPERVISOR && !unit_has_settled(u))
			return false;
		t->n_settled_seen++;
	}
	t->is_settled = true;
	return true;
}

int tree_await_settled(struct tree *t)
{
	while (!tree_is_settled(t)) {
		int r = eff_pulse_await(&t->changed);

		if (r < 0)
			return r;
	}
	return 0;
}

static const struct unit *tree_first_ailing(const struct tree *t)
{
	for (uint32_t i = 1; i < t->n_units; i++)
		if (state_has_failed(t->units[i]->state))
			return t->units[i];
	return NULL;
}

bool tree_ails(const struct unit *u)
{
	if (u->state == UNIT_UP || unit_is_left_out(u))
		return false;
	if (state_has_failed(u->state))
		return true;
	return u->wanted && !u->held && u->spec->enabled && u->state != UNIT_DONE &&
		!unit_awaits_schedule(u);
}

/* "4 s", "250 ms": for a line that people read in passing. */
static const char *soon_text(eff_ns ns, char buf[static 32])
{
	if (ns >= EFF_S(1))
		(void)snprintf(buf, 32, "%lld s", (long long)((ns + EFF_S(1) - 1) / EFF_S(1)));
	else
		(void)snprintf(buf, 32, "%lld ms", (long long)((ns + EFF_MS(1) - 1) / EFF_MS(1)));
	return buf;
}

const char *tree_summary(struct tree *t, char *buf, size_t size)
{
	const struct unit *ailing = tree_first_ailing(t);
	uint32_t n = 0, up = 0;
	char words[128], in[32];
	int len;

	for (uint32_t i = 1; i < t->n_units; i++) {
		const struct unit *u = t->units[i];

		/* One on demand that rests is as it should be, and so is one that a round has left out. */
		if (u->spec->kind == PLAN_SUPERVISOR || !wish_holds(u) || unit_is_left_out(u) ||
			(u->listens && unit_awaits_schedule(u)))
			continue;
		n++;
		up += u->state == UNIT_UP || u->state == UNIT_DONE;
	}
	len = snprintf(buf, size, "%u of %u up", up, n);
	if (!ailing || len < 0 || (size_t)len >= size)
		return buf;
	(void)cause_line(ailing->last_exit, words, sizeof(words));
	if (ailing->child.next_at >= 0 && ailing->child.next_at != EFF_FOREVER)
		(void)snprintf(buf + len, size - (size_t)len, "; %s: %s, next try in %s",
			ailing->name, words, soon_text(ailing->child.next_at - eff_now(), in));
	else
		(void)snprintf(buf + len, size - (size_t)len, "; %s: %s", ailing->name, words);
	return buf;
}

static int exit_code_of(const struct unit *u)
{
	const struct cause *end = u->last_exit;

	if (u->starts == 0 || !end)
		return 0;
	if (end->kind == CAUSE_EXEC_ERROR)
		return strstr(end->text, "ENOENT") ? 127 : 126;
	if (end->signal > 0)
		return 128 + end->signal;
	/* What failed without a process that could say how has failed all the same; and no code is 0 but 0. */
	if (end->code < 0)
		return cause_kind_class(end->kind) != CAUSE_CLASS_NEITHER;
	return end->code < 256 ? end->code : 255;
}

int tree_exit_code(const struct tree *t, eff_exit end)
{
	uint32_t from = plan_daemon(t->plan)->exit_code_from;

	if (from != PLAN_NONE)
		return exit_code_of(t->units[from]);
	return eff_is_ok(end) ? 0 : 1;
}
