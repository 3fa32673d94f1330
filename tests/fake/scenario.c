/* SPDX-License-Identifier: MIT */
/* Random trees: nodes are made depth first, and what a node depends on always stands before it and is no group around it,
 * so that no tree has a cycle. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "fake/scenario.h"

static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

unsigned scenario_below(struct scenario *s, unsigned n)
{
	s->random = mix(s->random);
	return (unsigned)((s->random >> 16) % n);
}

bool scenario_one_in(struct scenario *s, unsigned n)
{
	return scenario_below(s, n) == 0;
}

static unsigned pick_number(struct scenario *s, const unsigned *list, unsigned n)
{
	return list[scenario_below(s, n)];
}
#define PICK(s, ...) \
	pick_number(s, (const unsigned[]){__VA_ARGS__}, \
		sizeof((unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

static const char *pick_word(struct scenario *s, const char *const *list, unsigned n)
{
	return list[scenario_below(s, n)];
}
#define PICK_WORD(s, ...) \
	pick_word(s, (const char *const[]){__VA_ARGS__}, \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* ── nodes ── */

/* Is it `outer`, or in it? */
bool scenario_is_around(const struct scenario *s, unsigned outer, unsigned node)
{
	while (node && node != outer)
		node = s->nodes[node].parent;
	return node == outer;
}

static bool is_oneshot(const struct scenario_node *node)
{
	return node->kind == NODE_PROCESS && node->type && !strcmp(node->type, "oneshot");
}

static void node_add_need(struct scenario *s, unsigned index)
{
	struct scenario_node *node = &s->nodes[index];
	unsigned on = 1 + scenario_below(s, index > 1 ? index - 1 : 1);
	struct scenario_need *need = &node->needs[node->n_needs];

	if (on >= index || scenario_is_around(s, on, index))
		return;
	for (unsigned i = 0; i < node->n_needs; i++)
		if (node->needs[i].on == on)
			return;
	*need = (struct scenario_need){.on = on,
		.required = !scenario_one_in(s, 5),
		.restart = scenario_one_in(s, 6),
		.bind = scenario_one_in(s, 6)};
	if (is_oneshot(&s->nodes[on]) && scenario_one_in(s, 3))
		need->condition = "completed";
	else if (s->nodes[on].kind == NODE_PROCESS && scenario_one_in(s, 4))
		need->condition = "started";
	if (s->nodes[on].replicas > 0 && scenario_one_in(s, 3))
		need->number = 1 + scenario_below(s, (unsigned)s->nodes[on].replicas);
	node->n_needs++;
}

static void node_make_process(struct scenario *s, struct scenario_node *node)
{
	node->type = PICK_WORD(s, NULL, NULL, "notify", "notify", "oneshot");
	node->stop_mode = PICK_WORD(s, NULL, NULL, NULL, "mixed", "group");
	if (node->type && !strcmp(node->type, "notify"))
		node->start_timeout_ms = PICK(s, 0, 1000, 3000);
	if (node->type && !strcmp(node->type, "oneshot"))
		return;
	node->readiness_port = scenario_one_in(s, 6) ? 1 + scenario_below(s, 3) : 0;
	node->liveness_port = scenario_one_in(s, 6) ? 1 + scenario_below(s, 3) : 0;
}

static void node_make_group(struct scenario *s, struct scenario_node *node)
{
	node->strategy = PICK_WORD(s, "one_for_one", "one_for_one", "one_for_all", "rest_for_one");
	node->auto_shutdown = PICK_WORD(s, "never", "never", "never", "any", "all");
	node->most = PICK(s, 0, 1, 3, 10);
	node->within_ms = scenario_one_in(s, 3) ? PICK(s, 100, 3000, 60000) : 0;
}

static void node_make_schedule(struct scenario *s, struct scenario_node *node)
{
	node->overlap = PICK_WORD(s, "skip", "queue", "kill");
	node->every_ms = PICK(s, 0, 300, 5000, 60000);
	node->off_ms = PICK(s, 0, 0, 200);
}

static void node_make(struct scenario *s, unsigned index, unsigned parent)
{
	struct scenario_node *node = &s->nodes[index];
	char name[sizeof(node->name)];

	*node = (struct scenario_node){.parent = parent,
		.depth = s->nodes[parent].depth + 1,
		.max_restarts = -1,
		.replicas = -1};
	node->kind = node->depth < 3 && scenario_one_in(s, 4) ? NODE_GROUP
		: scenario_one_in(s, 8)                       ? NODE_FIBER
		: scenario_one_in(s, 8)                       ? NODE_POOL
							      : NODE_PROCESS;
	(void)snprintf(node->key, sizeof(node->key), "%c%u", "pfgo"[node->kind], index % 100);
	(void)snprintf(name, sizeof(name), "%.40s%s%.7s", parent ? s->nodes[parent].name : "",
		parent ? "/" : "", node->key);
	memcpy(node->name, name, sizeof(name));
	if (node->kind == NODE_PROCESS || node->kind == NODE_POOL)
		node_make_process(s, node);
	if (node->kind <= NODE_FIBER && scenario_one_in(s, 4))
		node->replicas = (int)scenario_below(s, SCENARIO_REPLICAS + 1);
	node->policy = is_oneshot(node) ? PICK_WORD(s, "on-failure", "on-abnormal", "no")
					: PICK_WORD(s, "always", "always", "on-failure",
						  "on-abnormal", "no", "on-success");
	node->backoff_ms = PICK(s, 10, 100, 500, 2000);
	node->max_ms = PICK(s, 2000, 5000, 60000);
	node->jitter_percent = PICK(s, 0, 10, 50);
	node->max_restarts = scenario_one_in(s, 3) ? (int)scenario_below(s, 4) : -1;
	node->stop_ms = PICK(s, 0, 100, 2000, 10000);
	node->max_runtime_ms = scenario_one_in(s, 10) ? 5000 : 0;
	node->exit = PICK_WORD(s, "success", "fail", "die");
	node->idle_ms = PICK(s, 0, 0, 10, 3000);
	node->critical = scenario_one_in(s, 6);
	node->significant = scenario_one_in(s, 6);
	node->manual = scenario_one_in(s, 8);
	node->disabled = scenario_one_in(s, 20);
	node->sequential = scenario_one_in(s, 3);
	for (unsigned i = 0; i < SCENARIO_HOOKS; i++)
		node->hooks |= (unsigned)scenario_one_in(s, 14) << i;
	if (node->kind != NODE_GROUP && scenario_one_in(s, 8))
		node_make_schedule(s, node);
	node_make_group(s, node);
	for (unsigned i = scenario_below(s, SCENARIO_NEEDS + 1); i > 0; i--)
		node_add_need(s, index);
}

void scenario_make(struct scenario *s, uint64_t seed)
{
	unsigned parent = 0;

	*s = (struct scenario){.seed = seed, .random = mix(seed), .n = 1};
	s->idles = scenario_one_in(s, 2);
	s->nodes[0].kind = NODE_GROUP;
	s->nodes[0].sequential = scenario_one_in(s, 4);
	node_make_group(s, &s->nodes[0]);
	/* A tree that ends by itself is soon told: not too often. */
	if (!scenario_one_in(s, 4))
		s->nodes[0].within_ms = 0;
	if (!scenario_one_in(s, 8))
		s->nodes[0].auto_shutdown = "never";
	for (unsigned wanted = 2 + scenario_below(s, SCENARIO_NODES - 3); s->n <= wanted; s->n++) {
		node_make(s, s->n, parent);
		/* Into a new group (so that none is empty), or up again. */
		if (s->nodes[s->n].kind == NODE_GROUP && s->n < wanted)
			parent = s->n;
		else
			while (parent && scenario_one_in(s, 2))
				parent = s->nodes[parent].parent;
	}
	if (s->nodes[s->n - 1].kind == NODE_GROUP) {
		s->nodes[s->n - 1].kind = NODE_PROCESS;
		s->nodes[s->n - 1].type = NULL;
		s->nodes[s->n - 1].replicas = -1;
	}
}

void scenario_mutate(struct scenario *s)
{
	struct scenario_node *node = &s->nodes[1 + scenario_below(s, s->n - 1)];

	if (node->replicas >= 0 && scenario_one_in(s, 2)) {
		node->replicas = (int)scenario_below(s, SCENARIO_REPLICAS + 1);
		return;
	}
	switch (scenario_below(s, 7)) {
	case 0:
	case 1:
		node->version++;
		break;
	case 2:
		node->gone = !node->gone;
		break;
	case 3:
		node->disabled = !node->disabled;
		break;
	case 4:
		if (node->n_needs > 0)
			node->n_needs--;
		break;
	case 5:
		node->hooks = scenario_below(s, 1U << SCENARIO_HOOKS);
		if (node->overlap && scenario_one_in(s, 2))
			node->overlap = NULL;
		else if (node->kind != NODE_GROUP)
			node_make_schedule(s, node);
		break;
	default:
		node->stop_ms = PICK(s, 0, 100, 2000, 10000);
		node->critical = !node->critical;
		node_make_group(s, node);
		break;
	}
}

/* ── processes ── */

struct script scenario_play(void *context, const char *unit, unsigned n)
{
	const struct scenario *made = context;
	struct scenario s = {.random = mix(made->seed ^ mix(n))};
	struct script script = {0};

	for (const char *c = unit; *c; c++)
		s.random = mix(s.random ^ (unsigned char)*c);
	script.exec_takes = EFF_MS(PICK(&s, 0, 0, 0, 50, 300));
	if (scenario_one_in(&s, 40))
		script.exec_takes = EFF_FOREVER;
	if (scenario_one_in(&s, 15))
		script.exec_error = 2;
	if (scenario_one_in(&s, 60))
		script.exec_stage = "fork";
	script.ready_after = EFF_MS(PICK(&s, 0, 0, 100, 1000, 5000));
	script.lives = EFF_MS(PICK(&s, 0, 10, 1000, 10000, 30000));
	if (scenario_one_in(&s, 2))
		script.lives = EFF_FOREVER;
	script.exits = (int)PICK(&s, 0, 0, 1, 3);
	script.dies_by = scenario_one_in(&s, 5) ? SIGSEGV : 0;
	script.ignores_term = scenario_one_in(&s, 8);
	script.term_takes = EFF_MS(PICK(&s, 0, 0, 0, 70, 1500));
	script.term_exits = scenario_one_in(&s, 2);
	script.unkillable_for = scenario_one_in(&s, 25) ? EFF_MS(PICK(&s, 300, 8000)) : 0;
	script.leaves = scenario_one_in(&s, 12) ? EFF_MS(PICK(&s, 200, 20000, 100000000)) : 0;
	script.left_ignores_term = scenario_one_in(&s, 2);
	script.prints = scenario_one_in(&s, 3) ? "a line\nand half" : NULL;
	return script;
}

struct script scenario_hook(void *context, const char *unit, unsigned n)
{
	const struct scenario *made = context;
	struct scenario s = {.random = mix(made->seed ^ mix(n + 1000))};
	struct script script = {.helper = true};

	for (const char *c = unit; *c; c++)
		s.random = mix(s.random ^ (unsigned char)*c);
	script.exec_takes = EFF_MS(PICK(&s, 0, 0, 0, 50));
	if (scenario_one_in(&s, 20))
		script.exec_error = 2;
	script.lives = EFF_MS(PICK(&s, 0, 0, 10, 300, 3000));
	if (scenario_one_in(&s, 12))
		script.lives = EFF_FOREVER;
	script.exits = (int)PICK(&s, 0, 0, 0, 1);
	script.ignores_term = scenario_one_in(&s, 4);
	script.unkillable_for = scenario_one_in(&s, 25) ? EFF_MS(PICK(&s, 300, 8000)) : 0;
	return script;
}
