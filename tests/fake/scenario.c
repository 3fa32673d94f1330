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
static bool is_around(const struct scenario *s, unsigned outer, unsigned node)
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

	if (on >= index || is_around(s, on, index))
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
							      : NODE_PROCESS;
	(void)snprintf(node->key, sizeof(node->key), "%c%u", "pfg"[node->kind], index % 100);
	(void)snprintf(name, sizeof(name), "%.40s%s%.7s", parent ? s->nodes[parent].name : "",
		parent ? "/" : "", node->key);
	memcpy(node->name, name, sizeof(name));
	if (node->kind == NODE_PROCESS)
		node_make_process(s, node);
	if (node->kind != NODE_GROUP && scenario_one_in(s, 4))
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
	switch (scenario_below(s, 6)) {
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
	default:
		node->stop_ms = PICK(s, 0, 100, 2000, 10000);
		node->critical = !node->critical;
		node_make_group(s, node);
		break;
	}
}

/* ── as text ── */

static bool is_left_out(const struct scenario *s, unsigned index)
{
	for (unsigned i = index; i; i = s->nodes[i].parent)
		if (s->nodes[i].gone)
			return true;
	return false;
}

/* Is it left out, or a group without anything in it? */
static bool is_gone(const struct scenario *s, unsigned index)
{
	if (is_left_out(s, index))
		return true;
	for (unsigned i = index; i < s->n; i++)
		if (s->nodes[i].kind != NODE_GROUP && is_around(s, index, i) && !is_left_out(s, i))
			return false;
	return true;
}

static bool is_disabled(const struct scenario *s, unsigned index)
{
	for (unsigned i = index; i; i = s->nodes[i].parent)
		if (s->nodes[i].disabled)
			return true;
	return false;
}

/* Could it end for good, and is there anything of it? */
static bool may_be_significant(const struct scenario *s, unsigned index)
{
	const struct scenario_node *node = &s->nodes[index];

	return node->significant && strcmp(node->policy, "always") != 0 &&
		node->replicas != 0 && !is_gone(s, index);
}

/* Its auto_shutdown, as far as that makes sense. */
static const char *shutdown_of(const struct scenario *s, unsigned group)
{
	for (unsigned i = 1; i < s->n; i++)
		if (s->nodes[i].parent == group && may_be_significant(s, i))
			return s->nodes[group].auto_shutdown;
	return "never";
}

static bool is_significant(const struct scenario *s, unsigned index)
{
	return may_be_significant(s, index) &&
		strcmp(shutdown_of(s, s->nodes[index].parent), "never") != 0;
}

static void yaml_needs(const struct scenario *s, const struct scenario_node *node, struct text *text)
{
	const char *before = ", depends_on: {";

	for (unsigned i = 0; i < node->n_needs; i++) {
		const struct scenario_need *need = &node->needs[i];

		if (is_gone(s, need->on))
			continue;
		text_printf(text, "%s%s", before, s->nodes[need->on].name);
		if (need->number > 0 && (int)need->number <= s->nodes[need->on].replicas)
			text_printf(text, "@%u", need->number);
		text_printf(text, ": {required: %s, restart: %s, bind: %s",
			need->required && !is_disabled(s, need->on) ? "true" : "false",
			need->restart ? "true" : "false", need->bind ? "true" : "false");
		if (need->condition)
			text_printf(text, ", condition: %s", need->condition);
		text_add(text, "}");
		before = ", ";
	}
	if (before[2] == '\0')
		text_add(text, "}");
}

static void yaml_probe(struct text *text, const char *name, unsigned port)
{
	if (port)
		text_printf(text,
			", %s: {tcp: {port: %u}, period: 1s, timeout: 500ms, failure_threshold: 2}",
			name, port);
}

static void yaml_common(const struct scenario *s, const struct scenario_node *node, struct text *text)
{
	text_printf(text,
		"restart: {policy: %s, backoff: {initial: %ums, max: %ums, jitter: %u%%, reset_after: 20s}",
		node->policy, node->backoff_ms, node->max_ms, node->jitter_percent);
	if (node->max_restarts >= 0)
		text_printf(text, ", max_restarts: %d", node->max_restarts);
	text_add(text, "}");
	if (node->critical)
		text_add(text, ", critical: true");
	if (is_significant(s, (unsigned)(node - s->nodes)))
		text_add(text, ", significant: true");
	if (node->manual)
		text_add(text, ", activate: manual");
	if (node->disabled)
		text_add(text, ", enabled: false");
	yaml_needs(s, node, text);
}

static void yaml_leaf(const struct scenario *s, const struct scenario_node *node, struct text *text)
{
	if (node->kind == NODE_FIBER) {
		text_printf(text, "fiber: idle, with: {exit: %s", node->exit);
		if (node->idle_ms)
			text_printf(text, ", for: %ums", node->idle_ms);
		text_printf(text, ", x-version: %u}, ", node->version);
	} else {
		text_printf(text, "command: prog %u, ", node->version);
		if (node->type)
			text_printf(text, "type: %s, ", node->type);
	}
	yaml_common(s, node, text);
	if (node->replicas >= 0)
		text_printf(text, ", replicas: %d", node->replicas);
	if (node->start_timeout_ms)
		text_printf(text, ", start_timeout: %ums", node->start_timeout_ms);
	if (node->max_runtime_ms)
		text_printf(text, ", max_runtime: %ums", node->max_runtime_ms);
	yaml_probe(text, "readiness_probe", node->readiness_port);
	yaml_probe(text, "liveness_probe", node->liveness_port);
	text_printf(text, ", stop: {timeout: %s%.0u%s", node->stop_ms ? "" : "0", node->stop_ms,
		node->stop_ms ? "ms" : "");
	if (node->stop_mode)
		text_printf(text, ", mode: %s", node->stop_mode);
	text_add(text, "}");
}

/* How a group keeps its units, each field followed by `end`. */
static void yaml_supervisor(
	const struct scenario *s, unsigned index, struct text *text, const char *end)
{
	const struct scenario_node *node = &s->nodes[index];

	text_printf(text, "start_order: %s%s", node->sequential ? "sequential" : "parallel", end);
	text_printf(text, "strategy: %s%s", node->strategy, end);
	text_printf(text, "auto_shutdown: %s%s", shutdown_of(s, index), end);
	if (node->within_ms)
		text_printf(text, "intensity: {max_restarts: %u, period: %ums}%s", node->most,
			node->within_ms, end);
}

/* What stands before its units, of a group. */
static void yaml_group(const struct scenario *s, const struct scenario_node *node, struct text *text)
{
	yaml_common(s, node, text);
	text_add(text, ", ");
	yaml_supervisor(s, (unsigned)(node - s->nodes), text, ", ");
	text_add(text, "units: {");
}

/* Nodes stand depth first: a group ends before the first node that is no deeper. */
static void yaml_nodes(const struct scenario *s, struct text *text)
{
	unsigned depth = 1;
	const char *before = "";

	for (unsigned i = 1; i < s->n; i++) {
		const struct scenario_node *node = &s->nodes[i];

		if (is_gone(s, i))
			continue;
		for (; depth > node->depth; depth--)
			text_add(text, "}}");
		text_printf(text, "%s%s: {", depth == 1 ? "\n  " : before, node->key);
		before = ", ";
		if (node->kind == NODE_GROUP) {
			yaml_group(s, node, text);
			depth++;
			before = "";
			continue;
		}
		yaml_leaf(s, node, text);
		text_add(text, "}");
	}
	for (; depth > 1; depth--)
		text_add(text, "}}");
	text_add(text, "\n");
}

void scenario_yaml(const struct scenario *s, struct text *text)
{
	text_add(text, "version: 1\nname: test\n");
	yaml_supervisor(s, 0, text, "\n");
	text_printf(text, "daemon: {on_give_up: %s}\nunits:%s", s->idles ? "idle" : "exit",
		is_gone(s, 0) ? " {}" : "");
	yaml_nodes(s, text);
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
