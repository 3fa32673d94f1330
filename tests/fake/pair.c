/* SPDX-License-Identifier: MIT */
/* The second tree of a pair: units of the first change, come, go, get other names and other places. Nodes stand depth first,
 * and what is between them is drawn anew where a place has changed: what a node needs stands before it, and is not around it. */
#include <stdio.h>
#include <string.h>

#include "fake/pair.h"

/* So many nodes of a random tree, which are its first. */
enum { NODES = 14 };

static bool is_oneshot(const struct scenario_node *node)
{
	return node->kind == NODE_PROCESS && node->type && !strcmp(node->type, "oneshot");
}

static unsigned end_of(const struct scenario *s, unsigned index)
{
	unsigned end = index + 1;

	while (end < s->n && scenario_is_around(s, index, end))
		end++;
	return end;
}

/* ── what must be so in every tree ── */

static void needs_mend(struct pair *p, struct scenario *s, unsigned index)
{
	struct scenario_node *node = &s->nodes[index];
	struct scenario_need needs[SCENARIO_NEEDS] = {0};
	unsigned n = 0;

	for (unsigned i = 0; i < SCENARIO_NEEDS; i++) {
		struct scenario_need need = node->needs[i];

		if (!need.there || need.on >= index || scenario_is_around(s, need.on, index))
			continue;
		/* Who waits for what comes by a clock waits for good, or not: by who was there first. */
		if (p->steady && s->nodes[need.on].overlap)
			continue;
		if (need.condition && !strcmp(need.condition, "completed") &&
			!is_oneshot(&s->nodes[need.on]))
			need.condition = NULL;
		if (s->nodes[need.on].kind != NODE_PROCESS)
			need.condition = NULL;
		needs[n++] = need;
	}
	memcpy(node->needs, needs, sizeof(needs));
}

/* A probe of a port; 0: none. */
static unsigned probe_of(unsigned port)
{
	return port ? 2 * 4 + port : 0;
}

/* What the rules of pairs know of. */
static void node_simplify(struct scenario_node *node)
{
	node->acts = ACT_ALL;
	node->startup = node->watchdog_ms = 0;
	node->succeeds = node->prevents = node->forces = node->remains = node->asks = false;
	node->readiness = probe_of(node->readiness % 4);
	node->liveness = probe_of(node->liveness % 4);
	if (node->type && !strcmp(node->type, "notify-fd"))
		node->type = "notify";
	if (node->stop_mode && !strcmp(node->stop_mode, "process"))
		node->stop_mode = NULL;
	for (unsigned i = 0; i < SCENARIO_NEEDS; i++) {
		struct scenario_need *need = &node->needs[i];

		need->there &= need->edge == EDGE_NEEDS;
		if (need->condition &&
			(!strcmp(need->condition, "ready") ||
				!strcmp(need->condition, "completed_successfully")))
			need->condition = NULL;
	}
}

static void make_simple(struct scenario *s, uint64_t seed)
{
	scenario_make(s, seed);
	if (s->n > NODES)
		s->n = NODES;
	for (unsigned i = 0; i < s->n; i++)
		node_simplify(&s->nodes[i]);
}

static void node_calm(struct scenario_node *node)
{
	node->max_runtime_ms = node->idle_ms = 0;
	node->auto_shutdown = NULL;
	node->significant = false;
	if (!node->overlap)
		return;
	node->every_ms = 36000000;
	node->off_ms = 0;
}

static void nodes_mend(struct pair *p, struct scenario *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		struct scenario_node *node = &s->nodes[i];

		if (node->type && !strcmp(node->type, "oneshot") &&
			(!node->policy || !strcmp(node->policy, "on-success")))
			node->policy = "on-failure";
		if (is_oneshot(node))
			node->readiness = node->liveness = 0;
		if (node->kind == NODE_FIBER)
			node->stop_mode = NULL;
		if (p->steady)
			node_calm(node);
		if (p->no_turns)
			node->sequential = false;
		needs_mend(p, s, i);
	}
}

/* Parents stand before their children. */
static void nodes_name(struct scenario *s)
{
	for (unsigned i = 1; i < s->n; i++) {
		struct scenario_node *node = &s->nodes[i];
		const struct scenario_node *parent = &s->nodes[node->parent];
		char name[sizeof(node->name)];

		node->depth = parent->depth + 1;
		(void)snprintf(name, sizeof(name), "%.50s%s%.7s",
			node->parent ? parent->name : "", node->parent ? "/" : "", node->key);
		memcpy(node->name, name, sizeof(name));
	}
}

/* ── moving, adding ── */

/* [from, end) goes below `parent`, as its first or its last. */
static void block_move(struct scenario *s, unsigned from, unsigned parent, bool first)
{
	static struct scenario_node nodes[SCENARIO_NODES];
	unsigned end = end_of(s, from), at = first ? parent + 1 : end_of(s, parent), n = 0;
	unsigned place[SCENARIO_NODES] = {0};

	if (at > from && at < end)
		at = from;
	memcpy(nodes, s->nodes, sizeof(nodes));
	for (unsigned i = 0; i <= s->n; i++) {
		for (unsigned k = from; i == at && k < end; k++)
			place[k] = n++;
		if (i < s->n && (i < from || i >= end))
			place[i] = n++;
	}
	nodes[from].parent = parent;
	for (unsigned i = 0; i < s->n; i++) {
		struct scenario_node *node = &s->nodes[place[i]];

		*node = nodes[i];
		node->parent = i ? place[node->parent] : 0;
		for (unsigned k = 0; k < SCENARIO_NEEDS; k++)
			node->needs[k].on = place[node->needs[k].on];
	}
	nodes_name(s);
}

/* A group that is not in [from, end): the root is one. */
static unsigned some_group(struct scenario *s, unsigned from, unsigned end)
{
	unsigned group = scenario_below(s, s->n);

	while ((group >= from && group < end) || s->nodes[group].kind != NODE_GROUP ||
		s->nodes[group].depth > 3)
		group = group ? group - 1 : 0;
	return group;
}

static void move_one(struct scenario *s, unsigned index)
{
	bool among_siblings = scenario_one_in(s, 3);
	unsigned parent = s->nodes[index].parent;

	if (!among_siblings)
		parent = some_group(s, index, end_of(s, index));
	/* Its name may be taken there by one that was added. */
	block_move(s, index, parent, scenario_one_in(s, 2));
}

static void node_key(struct pair *p, struct scenario_node *node)
{
	(void)snprintf(node->key, sizeof(node->key), "n%u", ++p->n_keys % 100000);
}

/* A unit of another tree, or a group with that one in it. */
static void add_one(struct pair *p, struct scenario *s)
{
	static struct scenario donor;
	bool in_group = scenario_one_in(s, 3) && s->n + 2 <= SCENARIO_NODES;
	unsigned leaf = 1;

	if (s->n == SCENARIO_NODES)
		return;
	make_simple(&donor, scenario_below(s, 1000000));
	while (leaf + 1 < donor.n && donor.nodes[leaf].kind == NODE_GROUP)
		leaf++;
	if (donor.nodes[leaf].kind == NODE_GROUP)
		return;
	if (in_group) {
		s->nodes[s->n] = donor.nodes[leaf];
		s->nodes[s->n].kind = NODE_GROUP;
		s->nodes[s->n].replicas = 0;
		s->nodes[s->n].overlap = NULL;
	}
	s->nodes[s->n + in_group] = donor.nodes[leaf];
	for (unsigned i = s->n; i <= s->n + in_group; i++) {
		memset(s->nodes[i].needs, 0, sizeof(s->nodes[i].needs));
		s->nodes[i].parent = i == s->n ? 0 : s->n;
		node_key(p, &s->nodes[i]);
	}
	s->n += 1 + in_group;
	nodes_name(s);
	block_move(s, s->n - 1 - in_group, some_group(s, s->n - 1 - in_group, s->n),
		scenario_one_in(s, 2));
}

/* ── changing ── */

static void need_change(struct scenario *s, unsigned index)
{
	struct scenario_node *node = &s->nodes[index];
	struct scenario_need need = {.there = true,
		.on = scenario_below(s, index),
		.optional = scenario_one_in(s, 4),
		.restart = scenario_one_in(s, 6),
		.bind = scenario_one_in(s, 6)};
	unsigned n = 0;

	while (n < SCENARIO_NEEDS && node->needs[n].there)
		n++;
	if (n > 0 && scenario_one_in(s, 2)) {
		node->needs[n - 1].there = false;
		return;
	}
	for (unsigned i = 0; i < n; i++)
		if (node->needs[i].on == need.on)
			return;
	if (need.on > 0 && n < SCENARIO_NEEDS)
		node->needs[n] = need;
}

static void policy_change(struct scenario *s, struct scenario_node *node)
{
	node->policy = PICK_WORD(s, NULL, "on-failure", "on-abnormal", "no", "on-success");
	node->backoff_ms = PICK(s, 10, 100, 500, 2000);
	node->max_ms = PICK(s, 2000, 5000, 60000);
	node->jitter_percent = PICK(s, 0, 10, 50);
	node->restarts = scenario_one_in(s, 3) ? 1 + scenario_below(s, 4) : 0;
	node->critical = scenario_one_in(s, 4);
	node->significant = scenario_one_in(s, 4);
}

static void live_change(struct scenario *s, struct scenario_node *node)
{
	node->stop_ms = PICK(s, SCENARIO_AT_ONCE, 100, 2000, 0);
	node->stop_mode = PICK_WORD(s, NULL, NULL, "mixed", "group");
	node->readiness = probe_of(scenario_one_in(s, 3) ? 1 + scenario_below(s, 3) : 0);
	node->liveness = probe_of(scenario_one_in(s, 3) ? 1 + scenario_below(s, 3) : 0);
	node->max_runtime_ms = scenario_one_in(s, 5) ? 5000 : 0;
	node->hooks = scenario_below(s, 1U << SCENARIO_HOOKS);
}

static void group_change(struct scenario *s, struct scenario_node *node)
{
	node->strategy = PICK_WORD(s, NULL, "one_for_all", "rest_for_one");
	node->auto_shutdown = PICK_WORD(s, NULL, NULL, "any", "all");
	node->sequential = scenario_one_in(s, 2);
	node->most = PICK(s, 0, 1, 3, 10);
	node->within_ms = scenario_one_in(s, 3) ? PICK(s, 100, 3000, 60000) : 0;
}

static void program_change(struct scenario *s, struct scenario_node *node)
{
	switch (scenario_below(s, 4)) {
	case 0:
		/* Its clock goes on when the tree does: one that is kept is none of a program. */
		if (!node->overlap)
			node->type = PICK_WORD(s, NULL, "notify", "oneshot");
		break;
	case 1:
		node->fiber_exit = PICK_WORD(s, NULL, "fail", "die");
		break;
	case 2:
		if (node->kind <= NODE_FIBER)
			node->kind = node->kind == NODE_FIBER ? NODE_PROCESS : NODE_FIBER;
		break;
	default:
		node->version++;
		break;
	}
}

static void replicas_change(struct scenario *s, struct scenario_node *node)
{
	if (node->kind > NODE_FIBER)
		return;
	node->replicas = scenario_one_in(s, 3) ? 0 : 1 + scenario_below(s, SCENARIO_REPLICAS + 1);
}

static void presence_change(struct pair *p, struct scenario_node *node)
{
	switch (scenario_below(&p->after.made, 4)) {
	case 0:
		node->disabled = !node->disabled;
		break;
	case 1:
		/* Who runs goes on when it becomes manual: the tree that begins so is another. */
		node->manual = !node->manual && !p->steady;
		break;
	default:
		node->gone = !node->gone;
		break;
	}
}

static void defaults_change(struct pair_tree *tree)
{
	if (scenario_one_in(&tree->made, 3))
		tree->environment = scenario_below(&tree->made, 3);
	else
		tree->label = scenario_below(&tree->made, 3);
}

static void change_one(struct pair *p)
{
	struct scenario *s = &p->after.made;
	unsigned index = 1 + scenario_below(s, s->n - 1);
	struct scenario_node *node = &s->nodes[index];

	switch (scenario_below(s, 12)) {
	case 0:
		need_change(s, index);
		break;
	case 1:
		policy_change(s, node);
		break;
	case 2:
		live_change(s, node);
		break;
	case 3:
		group_change(s, scenario_one_in(s, 3) ? &s->nodes[0] : node);
		break;
	case 4:
	case 5:
		program_change(s, node);
		break;
	case 6:
		replicas_change(s, node);
		break;
	case 7:
		presence_change(p, node);
		break;
	case 8:
		node_key(p, node);
		nodes_name(s);
		break;
	case 9:
		move_one(s, index);
		break;
	case 10:
		add_one(p, s);
		break;
	default:
		defaults_change(&p->after);
		break;
	}
	nodes_mend(p, s);
}

void pair_go_on(struct pair *p)
{
	p->before = p->after;
	/* Once in a while nothing at all. */
	for (unsigned i = scenario_below(&p->after.made, 5); i > 0; i--)
		change_one(p);
}

void pair_make(struct pair *p, uint64_t seed, bool steady)
{
	*p = (struct pair){.steady = steady, .no_turns = steady && seed % 2};
	make_simple(&p->after.made, seed);
	nodes_mend(p, &p->after.made);
	pair_go_on(p);
}
