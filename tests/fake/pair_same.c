/* SPDX-License-Identifier: MIT */
/* What is the same in both trees of a pair, by how they were made. Whoever is not sure says no. */
#include <stdlib.h>
#include <string.h>

#include "fake/pair.h"

void pair_yaml(const struct pair_tree *tree, struct text *text)
{
	struct text made = {0};
	const char *units;

	scenario_yaml(&tree->made, &made);
	units = made.bytes ? strstr(made.bytes, "\nunits:") : NULL;
	text->failed |= !units;
	if (!units)
		return;
	text_add_bytes(text, made.bytes, (size_t)(units - made.bytes));
	text_add(text, "\ndefaults: {description: made");
	if (tree->label)
		text_printf(text, ", labels: {made: \"%u\"}", tree->label);
	if (tree->environment)
		text_printf(text, ", environment: {MADE: \"%u\"}", tree->environment);
	text_printf(text, "}%s", units);
	text_done(&made);
}

const struct scenario_node *pair_node(const struct pair_tree *tree, const char *name)
{
	size_t len = strcspn(name, "@");

	for (unsigned i = 1; i < tree->made.n; i++) {
		const struct scenario_node *node = &tree->made.nodes[i];

		if (strncmp(node->name, name, len) == 0 && node->name[len] == '\0' &&
			(name[len] == '@' ? atoi(name + len + 1) < (int)node->replicas
					  : !node->replicas))
			return node;
	}
	return NULL;
}

static bool words_differ(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) != 0 : a != b;
}

static bool same_program(const struct scenario_node *a, const struct scenario_node *b)
{
	return a->kind == b->kind && a->version == b->version && !words_differ(a->type, b->type) &&
		!words_differ(a->fiber_exit, b->fiber_exit) && a->idle_ms == b->idle_ms;
}

bool pair_keeps_program(const struct pair *p, const char *name)
{
	const struct scenario_node *a = pair_node(&p->before, name);
	const struct scenario_node *b = pair_node(&p->after, name);

	return a && b && same_program(a, b) && p->before.environment == p->after.environment;
}

/* It, or a group around it. */
static bool is_disabled(const struct pair_tree *tree, const struct scenario_node *node)
{
	while (node != tree->made.nodes && !node->disabled)
		node = &tree->made.nodes[node->parent];
	return node->disabled;
}

static bool is_left_out(const struct pair_tree *tree, const struct scenario_node *node)
{
	while (node != tree->made.nodes && !node->gone)
		node = &tree->made.nodes[node->parent];
	return node->gone;
}

/* A group with nothing in it is gone too. */
static bool is_gone(const struct pair_tree *tree, const struct scenario_node *node)
{
	unsigned index = (unsigned)(node - tree->made.nodes);

	for (unsigned i = index; i < tree->made.n; i++)
		if (tree->made.nodes[i].kind != NODE_GROUP &&
			scenario_is_around(&tree->made, index, i) &&
			!is_left_out(tree, &tree->made.nodes[i]))
			return false;
	return true;
}

/* What is written of a need tells of what it names too. */
static bool same_need(
	const struct pair *p, const struct scenario_need *a, const struct scenario_need *b)
{
	const struct scenario_node *on_a = &p->before.made.nodes[a->on];
	const struct scenario_node *on_b = &p->after.made.nodes[b->on];

	if (strcmp(on_a->name, on_b->name) != 0 || on_a->kind != on_b->kind ||
		words_differ(on_a->type, on_b->type) || on_a->replicas != on_b->replicas ||
		is_gone(&p->before, on_a) || is_gone(&p->after, on_b) ||
		is_disabled(&p->before, on_a) != is_disabled(&p->after, on_b))
		return false;
	return a->number == b->number && a->optional == b->optional && a->restart == b->restart &&
		a->bind == b->bind && !words_differ(a->condition, b->condition);
}

static bool same_needs(
	const struct pair *p, const struct scenario_node *a, const struct scenario_node *b)
{
	for (unsigned i = 0; i < SCENARIO_NEEDS; i++)
		if (a->needs[i].there != b->needs[i].there ||
			(a->needs[i].there && !same_need(p, &a->needs[i], &b->needs[i])))
			return false;
	return true;
}

static bool same_policy(const struct scenario_node *a, const struct scenario_node *b)
{
	return !words_differ(a->policy, b->policy) && a->backoff_ms == b->backoff_ms &&
		a->max_ms == b->max_ms && a->jitter_percent == b->jitter_percent &&
		a->restarts == b->restarts && a->critical == b->critical &&
		a->significant == b->significant;
}

static bool same_life(const struct scenario_node *a, const struct scenario_node *b)
{
	return a->stop_ms == b->stop_ms && !words_differ(a->stop_mode, b->stop_mode) &&
		a->readiness == b->readiness && a->liveness == b->liveness &&
		a->start_timeout_ms == b->start_timeout_ms &&
		a->max_runtime_ms == b->max_runtime_ms && a->hooks == b->hooks &&
		a->manual == b->manual && a->disabled == b->disabled &&
		!words_differ(a->overlap, b->overlap) && a->every_ms == b->every_ms &&
		a->off_ms == b->off_ms;
}

bool pair_keeps_all(const struct pair *p, const char *name)
{
	const struct scenario_node *a = pair_node(&p->before, name);
	const struct scenario_node *b = pair_node(&p->after, name);

	/* Of a group, and of what counts for one, more stands in the tree than in the node. */
	return pair_keeps_program(p, name) && !is_gone(&p->before, a) &&
		a->kind <= NODE_FIBER && same_policy(a, b) && !a->significant &&
		same_life(a, b) && same_needs(p, a, b) && p->before.label == p->after.label &&
		is_disabled(&p->before, a) == is_disabled(&p->after, b);
}

static bool node_is_bound(const struct scenario_node *node)
{
	for (unsigned i = 0; node && i < SCENARIO_NEEDS; i++)
		if (node->needs[i].there && (node->needs[i].bind || node->needs[i].restart))
			return true;
	return false;
}

/* In it, or in a group around it. */
static bool is_bound_in(const struct pair_tree *tree, const char *name)
{
	const struct scenario_node *node = pair_node(tree, name);
	bool bound = node_is_bound(node);

	while (node && node->parent && !bound) {
		node = &tree->made.nodes[node->parent];
		bound = node_is_bound(node);
	}
	return bound;
}

bool pair_is_bound(const struct pair *p, const char *name)
{
	return is_bound_in(&p->before, name) || is_bound_in(&p->after, name);
}
