/* SPDX-License-Identifier: MIT */
/* Units that a reload, or an operator, took out of the tree and that do not rest yet. Nobody finds them by name any more; they
 * are in their groups until they rest, and only then may another one of their name begin. */
#include <stdlib.h>

#include "tree/internal.h"

struct unit *tree_grave_of(const struct tree *t, const char *name)
{
	for (struct eff_list *l = t->graveyard.next; l != &t->graveyard; l = l->next) {
		const struct grave *g = eff_container(l, struct grave, link);
		const struct plan_unit *row = plan_find(g->plan, name);
		struct unit *dead = row ? g->dead[row->index] : NULL;

		if (dead && dead->child.fiber)
			return dead;
	}
	return NULL;
}

void grave_free(struct grave *g)
{
	if (!g)
		return;
	for (uint32_t i = g->n; i-- > 0;)
		unit_free(g->dead[i]);
	free(g->dead);
	free(g->lent);
	plan_unref(g->plan);
	free(g);
}

void graves_free(struct tree *t)
{
	struct eff_list *l, *next;

	for (l = t->graveyard.next; l != &t->graveyard; l = next) {
		next = l->next;
		grave_free(eff_container(l, struct grave, link));
	}
	eff_list_init(&t->graveyard);
}

/* The group that it is in, which lived on when it was taken out, and may be taken out itself before this one has gone; NULL: it
 * went with it. */
static struct unit *group_of_dead(const struct grave *g, uint32_t i)
{
	uint32_t parent = g->dead[i] ? plan_unit(g->plan, i)->parent : PLAN_NONE;

	return parent == PLAN_NONE || g->dead[parent] ? NULL : g->dead[i]->parent;
}

void grave_hold_groups(const struct grave *g)
{
	for (uint32_t i = 0; i < g->n; i++)
		if (group_of_dead(g, i))
			group_of_dead(g, i)->n_users++;
}

static void grave_leave_groups(const struct grave *g)
{
	for (uint32_t i = 0; i < g->n; i++) {
		struct unit *group = group_of_dead(g, i);

		if (!group)
			continue;
		group->n_users--;
		eff_pulse_send(&group->changed);
	}
}

/* Whoever waits for one of these, or is shown to, waits for it no more. The edges of those that are in the tree were drawn anew
 * when these were taken out; those of others that are taken out as well were not. */
static void grave_unlink(const struct grave *g)
{
	struct tree *t = g->tree;
	uint64_t gone = ++t->last_set;

	for (uint32_t i = 0; i < g->n; i++)
		if (g->dead[i])
			g->dead[i]->in_set = gone;
	for (uint32_t i = 0; i < t->n_units; i++)
		if (t->units[i]->awaits && t->units[i]->awaits->in_set == gone)
			t->units[i]->awaits = NULL;
	for (struct eff_list *l = t->graveyard.next; l != &t->graveyard; l = l->next) {
		const struct grave *other = eff_container(l, struct grave, link);

		for (uint32_t i = 0; i < other->n; i++)
			if (other->dead[i])
				unlink_unit(other->dead[i], gone);
	}
}

eff_exit grave_keep(void *arg)
{
	struct grave *g = arg;
	struct tree *t = g->tree;
	eff_masked before = eff_mask();

	for (uint32_t i = 0; i < g->n; i++)
		if (g->dead[i] && g->dead[i]->child.sup)
			(void)eff_child_await_rest(&g->dead[i]->child);
	for (uint32_t i = 0; i < g->n; i++)
		while (g->dead[i] && g->dead[i]->n_users > 0)
			(void)eff_pulse_await(&g->dead[i]->changed);
	eff_unmask(before);
	eff_list_remove(&g->link);
	grave_leave_groups(g);
	grave_unlink(g);
	for (uint32_t i = 0; i < g->n; i++) {
		struct unit *successor = g->dead[i] ? tree_find(t, g->dead[i]->name) : NULL;

		if (g->dead[i] && g->dead[i]->child.sup)
			eff_sup_remove(&g->dead[i]->child);
		if (successor)
			wish_act(successor);
	}
	grave_free(g);
	eff_pulse_send(&t->changed);
	return eff_ok(NULL);
}

/* Those of the present tree that `plan` does not have. */
struct grave *grave_make(struct tree *t, struct plan *plan)
{
	struct grave *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->tree = t;
	g->plan = plan_ref(t->plan);
	eff_list_init(&g->link);
	g->dead = calloc(t->n_units, sizeof(struct unit *));
	g->lent = calloc(t->n_units, sizeof(struct unit *));
	if (!g->dead || !g->lent) {
		grave_free(g);
		return NULL;
	}
	g->n = t->n_units;
	for (uint32_t i = 0; i < t->n_units; i++)
		if (!row_lives_on(t->units[i]->next ? t->units[i]->next : t->units[i]->spec,
			    plan_find(plan, t->units[i]->name)))
			g->dead[i] = t->units[i];
		else if (wish_is_lent(t->units[i]))
			g->lent[g->n_lent++] = t->units[i];
	return g;
}

/* At rest, or stuck; a group, when something in it is. */
static bool dead_has_arrived(const struct grave *g, uint32_t i)
{
	const struct unit *dead = g->dead[i];

	if (!dead || !dead->child.fiber || dead->stuck)
		return true;
	for (uint32_t k = i + 1; k < plan_unit(g->plan, i)->end; k++)
		if (g->dead[k] && g->dead[k]->stuck)
			return true;
	return false;
}

static struct grave *grave_of(struct tree *t, const struct plan *replaced)
{
	for (struct eff_list *l = t->graveyard.next; l != &t->graveyard; l = l->next)
		if (eff_container(l, struct grave, link)->plan == replaced)
			return eff_container(l, struct grave, link);
	return NULL;
}

int tree_await_burial(struct tree *t, const struct plan *replaced)
{
	const struct grave *g = grave_of(t, replaced);
	uint32_t n = g ? g->n : 0;
	bool stuck = false;
	int r = 0;

	/* What is in a group goes before the group. */
	while (r == 0 && g && !t->ended.set) {
		for (; n > 0 && dead_has_arrived(g, n - 1); n--)
			stuck |= g->dead[n - 1] && g->dead[n - 1]->child.fiber;
		if (n == 0 && stuck)
			break;
		r = eff_pulse_await(&t->changed);
		g = grave_of(t, replaced);
	}
	return r;
}
