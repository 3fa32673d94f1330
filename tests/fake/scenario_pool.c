/* SPDX-License-Identifier: MIT */
/* What an operator adds to a random tree: small units with names that come again, some of which depend on others that were
 * added beside them. */
#include "fake/scenario.h"

enum { NAMES = 6 };

static bool takes_children(const struct unit *u)
{
	return u->spec->kind == PLAN_SUPERVISOR && u->spec->strategy == PLAN_SIMPLE_ONE_FOR_ONE;
}

bool scenario_ends_alone(const struct unit *u)
{
	return u->parent &&
		(u->parent->spec->strategy == PLAN_ONE_FOR_ONE || takes_children(u->parent));
}

/* One of those that are such. */
static struct unit *pick(
	struct scenario *s, const struct tree *t, bool (*is_such)(const struct unit *u))
{
	struct unit *found = NULL;
	unsigned n = 0;

	for (uint32_t i = 0; i < t->n_units; i++)
		if (is_such(t->units[i]) && scenario_one_in(s, ++n))
			found = t->units[i];
	return found;
}

struct unit *scenario_pick_added(struct scenario *s, const struct tree *t)
{
	return pick(s, t, unit_was_added);
}

struct unit *scenario_pick_pool(struct scenario *s, const struct tree *t)
{
	return pick(s, t, takes_children);
}

/* One that is there already, to depend on; NULL: none. */
static const struct unit *sibling(struct scenario *s, const struct tree *t, const struct unit *pool)
{
	const struct unit *found = NULL;
	unsigned n = 0;

	for (uint32_t i = 1; i < t->n_units; i++)
		if (t->units[i]->parent == pool && scenario_one_in(s, ++n))
			found = t->units[i];
	return found;
}

static void addition(
	struct scenario *s, const struct tree *t, const struct unit *pool, struct text *units)
{
	const struct unit *other = scenario_one_in(s, 3) ? sibling(s, t, pool) : NULL;
	unsigned replicas = scenario_one_in(s, 8) ? 1 + scenario_below(s, 3) : 0;

	text_add(units, "{");
	if (scenario_one_in(s, 4))
		text_add(units, "restart: no, ");
	if (scenario_one_in(s, 8))
		text_add(units, "activate: manual, ");
	if (scenario_one_in(s, 8))
		text_add(units, "critical: true, ");
	if (scenario_one_in(s, 8))
		text_printf(units, "after: [%s], ", other ? other->spec->key : "");
	else if (other)
		text_printf(units, "depends_on: {%s: {required: %s}}, ", other->spec->key,
			scenario_one_in(s, 3) ? "false" : "true");
	if (replicas)
		text_printf(units, "replicas: %u, ", replicas);
	text_add(units, "x-end: true}");
}

void scenario_additions(
	struct scenario *s, const struct tree *t, const struct unit *pool, struct text *units)
{
	unsigned n = 1 + scenario_below(s, 3), first = scenario_below(s, NAMES);

	for (unsigned i = 0; i < n; i++) {
		text_printf(units, "%sc%u: ", i ? ", " : "", (first + i) % NAMES);
		addition(s, t, pool, units);
	}
}
