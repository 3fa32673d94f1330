/* SPDX-License-Identifier: MIT */
/* Random trees: nodes are made depth first, and what a node names always stands before it and is no group around it, so
 * that no tree has a cycle. */
#include <stdio.h>
#include <string.h>

#include "fake/scenario.h"

uint64_t scenario_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

unsigned scenario_below(struct scenario *s, unsigned n)
{
	s->random = scenario_mix(s->random);
	return (unsigned)((s->random >> 16) % n);
}

bool scenario_one_in(struct scenario *s, unsigned n)
{
	return scenario_below(s, n) == 0;
}

unsigned scenario_number(struct scenario *s, const unsigned *list, unsigned n)
{
	return list[scenario_below(s, n)];
}

const char *scenario_word(struct scenario *s, const char *const *list, unsigned n)
{
	return list[scenario_below(s, n)];
}

bool scenario_is_around(const struct scenario *s, unsigned outer, unsigned node)
{
	while (node && node != outer)
		node = s->nodes[node].parent;
	return node == outer;
}

/* ── nodes ── */

static bool is_oneshot(const struct scenario_node *node)
{
	return node->type && !strcmp(node->type, "oneshot");
}

static void add_need(struct scenario *s, unsigned index, struct scenario_need *need)
{
	struct scenario_node *node = &s->nodes[index];
	unsigned on = 1 + scenario_below(s, index > 1 ? index - 1 : 1);
	const struct scenario_node *other = &s->nodes[on];

	if (on >= index || scenario_is_around(s, on, index))
		return;
	for (unsigned i = 0; i < SCENARIO_NEEDS; i++)
		if (node->needs[i].there && node->needs[i].on == on)
			return;
	*need = (struct scenario_need){.there = true,
		.on = on,
		.optional = scenario_one_in(s, 5),
		.restart = scenario_one_in(s, 6),
		.bind = scenario_one_in(s, 6)};
	if (scenario_one_in(s, 4))
		need->edge = PICK(s, EDGE_AFTER, EDGE_BEFORE, EDGE_CONFLICTS);
	if (other->kind == NODE_PROCESS && is_oneshot(other) && scenario_one_in(s, 2))
		need->condition = PICK_WORD(s, "completed", "completed_successfully");
	else if (other->kind == NODE_PROCESS && scenario_one_in(s, 3))
		need->condition = PICK_WORD(s, "started", "ready");
	if (other->replicas > 1 && scenario_one_in(s, 3))
		need->number = 1 + scenario_below(s, other->replicas - 1);
}

/* Of any kind and of one of three things; 0: none. */
static unsigned probe(struct scenario *s)
{
	return scenario_one_in(s, 6) ? 4 * (1 + scenario_below(s, 6)) + 1 + scenario_below(s, 3)
				     : 0;
}

static void make_process(struct scenario *s, struct scenario_node *node)
{
	node->type = PICK_WORD(s, NULL, NULL, "notify", "notify-fd", "oneshot");
	node->stop_mode = PICK_WORD(s, NULL, NULL, NULL, "mixed", "group", "process");
	node->asks = scenario_one_in(s, 14);
	if (node->type && !strcmp(node->type, "oneshot")) {
		node->remains = scenario_one_in(s, 4);
		return;
	}
	if (node->type)
		node->start_timeout_ms = PICK(s, 0, 1000, 3000);
	if (node->type && !strcmp(node->type, "notify") && scenario_one_in(s, 6))
		node->watchdog_ms = 3000;
	node->startup = probe(s);
	node->readiness = probe(s);
	node->liveness = probe(s);
}

void scenario_make_group(struct scenario *s, struct scenario_node *node)
{
	node->strategy = PICK_WORD(s, NULL, NULL, "one_for_all", "rest_for_one");
	node->auto_shutdown = PICK_WORD(s, NULL, NULL, NULL, "any", "all");
	node->most = PICK(s, 0, 1, 3, 10);
	node->within_ms = scenario_one_in(s, 3) ? PICK(s, 100, 3000, 60000) : 0;
}

void scenario_make_schedule(struct scenario *s, struct scenario_node *node)
{
	node->overlap = PICK_WORD(s, "skip", "queue", "kill");
	node->every_ms = PICK(s, 0, 300, 5000, 60000);
	node->off_ms = PICK(s, 0, 0, 200);
}

static void make_policy(struct scenario *s, struct scenario_node *node)
{
	node->policy = is_oneshot(node)
		? PICK_WORD(s, "on-failure", "on-abnormal", "no")
		: PICK_WORD(s, NULL, NULL, "on-failure", "on-abnormal", "no", "on-success");
	node->backoff_ms = PICK(s, 0, 10, 100, 2000);
	node->max_ms = PICK(s, 0, 2000, 5000, 60000);
	node->jitter_percent = PICK(s, 0, 10, 50);
	node->reset_ms = PICK(s, 0, 20000);
	node->restarts = scenario_one_in(s, 3) ? 1 + scenario_below(s, 4) : 0;
	node->succeeds = scenario_one_in(s, 12);
	node->prevents = scenario_one_in(s, 16);
	node->forces = scenario_one_in(s, 16);
}

static void make_kind(struct scenario *s, struct scenario_node *node)
{
	node->kind = node->depth < SCENARIO_DEPTH && scenario_one_in(s, 4) ? NODE_GROUP
		: scenario_one_in(s, 8)                                    ? NODE_FIBER
		: scenario_one_in(s, 8)                                    ? NODE_POOL
									   : NODE_PROCESS;
	if (node->kind == NODE_GROUP)
		return;
	if (node->kind != NODE_FIBER) {
		make_process(s, node);
		node->acts = ACT_ALL;
	}
	node->fiber_exit = node->kind == NODE_FIBER ? PICK_WORD(s, NULL, "fail", "die") : NULL;
	node->idle_ms = node->kind == NODE_FIBER ? PICK(s, 0, 0, 10, 3000) : 0;
	if (node->kind != NODE_POOL && scenario_one_in(s, 4))
		node->replicas = 1 + scenario_below(s, SCENARIO_REPLICAS + 1);
	node->stop_ms = PICK(s, SCENARIO_AT_ONCE, 100, 2000, 0);
	node->max_runtime_ms = scenario_one_in(s, 10) ? 5000 : 0;
	if (scenario_one_in(s, 8))
		scenario_make_schedule(s, node);
}

static void make_node(struct scenario *s, unsigned index, unsigned parent)
{
	struct scenario_node *node = &s->nodes[index];
	char name[sizeof(node->name)];

	*node = (struct scenario_node){
		.there = true, .parent = parent, .depth = s->nodes[parent].depth + 1};
	make_kind(s, node);
	(void)snprintf(node->key, sizeof(node->key), "%c%u", "pfgo"[node->kind], index % 100);
	(void)snprintf(name, sizeof(name), "%.40s%s%.7s", parent ? s->nodes[parent].name : "",
		parent ? "/" : "", node->key);
	memcpy(node->name, name, sizeof(name));
	make_policy(s, node);
	node->critical = scenario_one_in(s, 6);
	node->significant = scenario_one_in(s, 6);
	node->manual = scenario_one_in(s, 8);
	node->disabled = scenario_one_in(s, 20);
	node->sequential = scenario_one_in(s, 3);
	for (unsigned i = 0; i < SCENARIO_HOOKS; i++)
		node->hooks |= (uint32_t)scenario_one_in(s, 14) << i;
	if (node->hooks)
		node->acts |= ACT_HELPERS;
	scenario_make_group(s, node);
	for (unsigned i = scenario_below(s, SCENARIO_NEEDS + 1); i > 0; i--)
		add_need(s, index, &node->needs[i - 1]);
}

static void make_root(struct scenario *s)
{
	struct scenario_node *root = &s->nodes[0];

	*root = (struct scenario_node){.there = true, .kind = NODE_GROUP};
	root->idles = scenario_one_in(s, 2);
	root->hurries = scenario_one_in(s, 6);
	root->sequential = scenario_one_in(s, 4);
	scenario_make_group(s, root);
	/* A tree that ends by itself is soon told: not too often. */
	if (!scenario_one_in(s, 4))
		root->within_ms = 0;
	if (!scenario_one_in(s, 8))
		root->auto_shutdown = NULL;
}

void scenario_make(struct scenario *s, uint64_t seed)
{
	unsigned parent = 0, wanted;

	memset(s, 0, sizeof(*s));
	s->seed = seed;
	s->random = scenario_mix(seed);
	s->n = 1;
	make_root(s);
	wanted = 2 + scenario_below(s, PICK(s, 6, 12, 12, SCENARIO_NODES - 2));
	for (; s->n <= wanted; s->n++) {
		make_node(s, s->n, parent);
		/* Into a new group, or up again. */
		if (s->nodes[s->n].kind == NODE_GROUP)
			parent = s->n;
		else
			while (parent && scenario_one_in(s, 3))
				parent = s->nodes[parent].parent;
	}
	scenario_make_steps(s);
}
