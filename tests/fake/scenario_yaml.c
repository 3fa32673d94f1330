/* SPDX-License-Identifier: MIT */
/* A random tree as a document. What would be refused is left out: what nobody could wait for, or could never count. */
#include <string.h>

#include "fake/scenario.h"

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
		if (s->nodes[i].kind != NODE_GROUP && scenario_is_around(s, index, i) &&
			!is_left_out(s, i))
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

static void yaml_hooks(const struct scenario_node *node, struct text *text)
{
	static const char *const names[SCENARIO_HOOKS] = {
		"pre_start", "on_ready", "post_stop", "on_failure", "on_give_up"};
	const char *before = ", hooks: {";

	for (unsigned i = 0; i < SCENARIO_HOOKS; i++) {
		if (!(node->hooks >> i & 1))
			continue;
		text_printf(text, "%s%s: {command: hook %u, timeout: 700ms}", before, names[i], i);
		before = ", ";
	}
	if (before[2] == '\0')
		text_add(text, "}");
}

static void yaml_schedule(const struct scenario_node *node, struct text *text)
{
	if (!node->overlap)
		return;
	text_printf(text, ", schedule: {overlap: %s, jitter: %ums, ", node->overlap, node->off_ms);
	if (node->every_ms)
		text_printf(text, "every: %ums}", node->every_ms);
	else
		text_add(text, "cron: \"* * * * *\"}");
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
	if (node->significant && is_significant(s, (unsigned)(node - s->nodes)))
		text_add(text, ", significant: true");
	if (node->manual)
		text_add(text, ", activate: manual");
	if (node->disabled)
		text_add(text, ", enabled: false");
	yaml_hooks(node, text);
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
	yaml_schedule(node, text);
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

/* What its children are made from is a process like others. */
static void yaml_pool(const struct scenario *s, const struct scenario_node *node, struct text *text)
{
	struct scenario_node template = *node;

	yaml_common(s, node, text);
	text_printf(text, ", start_order: %s, strategy: simple_one_for_one",
		node->sequential ? "sequential" : "parallel");
	if (node->within_ms)
		text_printf(text, ", intensity: {max_restarts: %u, period: %ums}", node->most,
			node->within_ms);
	template.kind = NODE_PROCESS;
	template.manual = template.disabled = template.significant = false;
	template.n_needs = 0;
	if (template.type && !strcmp(template.type, "oneshot"))
		template.policy = "on-failure";
	text_add(text, ", template: {");
	yaml_leaf(s, &template, text);
	text_add(text, "}");
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
		if (node->kind == NODE_POOL)
			yaml_pool(s, node, text);
		else
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
