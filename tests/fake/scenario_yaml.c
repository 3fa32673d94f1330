/* SPDX-License-Identifier: MIT */
/* A random tree as a document, as short as it can be: what is 0 is not said. What would be refused is left out: what nobody
 * could wait for, or could never count. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fake/scenario.h"

/* ── mappings: begun with the first of their fields, so that none is empty ── */

struct map {
	struct text *text;
	struct map *in; /* that it is a field of; NULL */
	const char *name, *between;
	unsigned n;
};

static void map_next(struct map *m)
{
	if (m->n++ > 0) {
		text_add(m->text, m->between);
		return;
	}
	if (!m->in)
		return;
	map_next(m->in);
	text_printf(m->text, "%s: {", m->name);
}

static void map_end(struct map *m)
{
	if (m->in && m->n > 0)
		text_add(m->text, "}");
}

static struct map map_in(struct map *in, const char *name)
{
	return (struct map){.text = in->text, .in = in, .name = name, .between = ", "};
}

__attribute__((format(printf, 2, 3))) static void say(struct map *m, const char *format, ...)
{
	char words[200];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	map_next(m);
	text_add(m->text, words);
}

static void say_word(struct map *m, const char *name, const char *word)
{
	if (word)
		say(m, "%s: %s", name, word);
}

static void say_ms(struct map *m, const char *name, unsigned ms)
{
	if (ms)
		say(m, "%s: %ums", name, ms);
}

static void say_true(struct map *m, const char *name, bool is)
{
	if (is)
		say(m, "%s: true", name);
}

/* ── what is there, and makes sense ── */

static bool is_left_out(const struct scenario *s, unsigned index)
{
	for (unsigned i = index; i; i = s->nodes[i].parent)
		if (!s->nodes[i].there || s->nodes[i].gone)
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

	return node->significant && node->policy && node->replicas != 1 && !is_gone(s, index);
}

/* Its auto_shutdown, as far as that makes sense. */
static const char *shutdown_of(const struct scenario *s, unsigned group)
{
	for (unsigned i = 1; i < s->n; i++)
		if (s->nodes[i].parent == group && may_be_significant(s, i))
			return s->nodes[group].auto_shutdown;
	return NULL;
}

static bool is_required(const struct scenario *s, unsigned index)
{
	for (unsigned i = index + 1; i < s->n; i++)
		for (unsigned k = 0; k < SCENARIO_NEEDS; k++) {
			const struct scenario_need *need = &s->nodes[i].needs[k];

			if (need->there && need->on == index && need->edge == EDGE_NEEDS)
				return true;
		}
	return false;
}

/* Two that conflict must not have to run both: of one that nobody starts or requires, and that requires nobody, that is sure. */
static bool may_conflict(const struct scenario *s, unsigned index, unsigned other)
{
	if (!s->nodes[index].manual || s->nodes[index].kind > NODE_FIBER ||
		s->nodes[other].kind > NODE_FIBER || is_required(s, index))
		return false;
	for (unsigned i = index; i; i = s->nodes[i].parent)
		for (unsigned k = 0; k < SCENARIO_NEEDS; k++)
			if (s->nodes[i].needs[k].there && s->nodes[i].needs[k].edge == EDGE_NEEDS)
				return false;
	return true;
}

/* ── the fields of a unit ── */

static void yaml_needs(const struct scenario *s, const struct scenario_node *node, struct map *unit)
{
	struct map needs = map_in(unit, "depends_on");

	for (unsigned i = 0; i < SCENARIO_NEEDS; i++) {
		const struct scenario_need *need = &node->needs[i];
		const struct scenario_node *other = &s->nodes[need->on];
		struct map edge;
		char name[80];

		if (!need->there || need->edge != EDGE_NEEDS || is_gone(s, need->on))
			continue;
		(void)snprintf(name, sizeof(name), "%s", other->name);
		if (need->number > 0 && need->number < other->replicas)
			(void)snprintf(name, sizeof(name), "%s@%u", other->name, need->number);
		edge = map_in(&needs, name);
		if (need->optional || is_disabled(s, need->on))
			say(&edge, "required: false");
		say_true(&edge, "restart", need->restart);
		say_true(&edge, "bind", need->bind);
		say_word(&edge, "condition", need->condition);
		if (!edge.n)
			say(&needs, "%s: {}", name);
		map_end(&edge);
	}
	map_end(&needs);
}

/* Lists of names: after, conflicts; and before, which is said by the one that comes first. */
static void yaml_order(
	const struct scenario *s, unsigned index, struct map *unit, enum scenario_edge kind)
{
	static const char *const names[] = {
		[EDGE_AFTER] = "after", [EDGE_BEFORE] = "before", [EDGE_CONFLICTS] = "conflicts"};
	bool begun = false;

	for (unsigned i = 0; i < s->n * SCENARIO_NEEDS; i++) {
		unsigned from = i / SCENARIO_NEEDS;
		const struct scenario_need *need = &s->nodes[from].needs[i % SCENARIO_NEEDS];
		unsigned by = kind == EDGE_BEFORE ? need->on : from;
		unsigned other = kind == EDGE_BEFORE ? from : need->on;

		if (!need->there || need->edge != kind || by != index || is_gone(s, other))
			continue;
		if (kind == EDGE_CONFLICTS && !may_conflict(s, index, other))
			continue;
		if (!begun)
			say(unit, "%s: [", names[kind]);
		text_printf(unit->text, "%s%s", begun ? ", " : "", s->nodes[other].name);
		begun = true;
	}
	if (begun)
		text_add(unit->text, "]");
}

/* Replicas have paths of their own. */
static void yaml_probe(
	struct map *unit, const char *name, const struct scenario_node *node, unsigned probe)
{
	static const char *const kinds[] = {"", "exec: {command: probe ",
		"tcp: {port: ", "unix: {path: \"/door/", "http_get: {port: ", "log",
		"file: {path: \"/door/"};
	enum { TCP = 2, UNIX = 3, LOG = 5, A_FILE = 6 };
	unsigned kind = probe / 4;
	bool path = kind == UNIX || kind == A_FILE, alone = node->kind != NODE_POOL;
	struct map map = map_in(unit, name);
	char which[20];

	/* A line comes once: it says nothing of being alive. Children may have replicas, or none. */
	if ((kind == LOG && !strcmp(name, "liveness_probe")) || (path && !alone))
		kind = TCP;
	path = path && alone;
	(void)snprintf(which, sizeof(which), "%u", probe % 4);
	if (kind == LOG)
		say(&map, "log: {match: line}");
	else if (kind)
		say(&map, "%s%s%s}, period: 1s, timeout: 500ms, failure_threshold: 2", kinds[kind],
			path && node->replicas ? "${INSTANCE}" : which, path ? "\"" : "");
	map_end(&map);
}

static void yaml_hooks(const struct scenario_node *node, struct map *unit)
{
	static const char *const names[SCENARIO_HOOKS] = {
		"pre_start", "on_ready", "post_stop", "on_failure", "on_give_up"};
	struct map hooks = map_in(unit, "hooks");

	for (unsigned i = 0; i < SCENARIO_HOOKS; i++)
		if (node->hooks >> i & 1)
			say(&hooks, "%s: {command: hook, timeout: 700ms}", names[i]);
	map_end(&hooks);
}

static void yaml_restart(const struct scenario_node *node, struct map *unit)
{
	struct map restart = map_in(unit, "restart"), backoff = map_in(&restart, "backoff");

	say_word(&restart, "policy", node->policy);
	say_ms(&backoff, "initial", node->backoff_ms);
	/* Not less than the first delay. */
	if (node->max_ms >= node->backoff_ms)
		say_ms(&backoff, "max", node->max_ms);
	if (node->jitter_percent)
		say(&backoff, "jitter: %u%%", node->jitter_percent);
	say_ms(&backoff, "reset_after", node->reset_ms);
	map_end(&backoff);
	if (node->restarts)
		say(&restart, "max_restarts: %u", node->restarts - 1);
	if (node->prevents)
		say(&restart, "prevent_exit: [3]");
	if (node->forces)
		say(&restart, "force_exit: [1]");
	map_end(&restart);
}

/* Of every kind of unit; `stands`: not a template. */
static void yaml_common(const struct scenario *s, unsigned index, struct map *unit, bool stands)
{
	const struct scenario_node *node = &s->nodes[index];

	yaml_restart(node, unit);
	say_true(unit, "critical", node->critical);
	yaml_hooks(node, unit);
	if (!stands)
		return;
	say_true(unit, "significant",
		may_be_significant(s, index) && shutdown_of(s, node->parent) != NULL);
	say_word(unit, "activate", node->manual ? "manual" : NULL);
	say_word(unit, "enabled", node->disabled ? "false" : NULL);
	yaml_needs(s, node, unit);
	yaml_order(s, index, unit, EDGE_AFTER);
	yaml_order(s, index, unit, EDGE_BEFORE);
	yaml_order(s, index, unit, EDGE_CONFLICTS);
}

static void yaml_runs(const struct scenario_node *node, struct map *unit)
{
	struct map schedule = map_in(unit, "schedule"), stop = map_in(unit, "stop");

	if (node->replicas)
		say(unit, "replicas: %u", node->replicas - 1);
	if (node->overlap) {
		say(&schedule, "overlap: %s", node->overlap);
		say_ms(&schedule, "jitter", node->off_ms);
		say_ms(&schedule, "every", node->every_ms);
		say_word(&schedule, "cron", node->every_ms ? NULL : "\"* * * * *\"");
	}
	map_end(&schedule);
	say_word(unit, "success_exit", node->succeeds ? "[0, 3]" : NULL);
	say_ms(unit, "start_timeout", node->start_timeout_ms);
	say_ms(unit, "max_runtime", node->max_runtime_ms);
	if (node->stop_ms == SCENARIO_AT_ONCE)
		say(&stop, "timeout: 0");
	else
		say_ms(&stop, "timeout", node->stop_ms);
	if (node->kind != NODE_FIBER) {
		say_word(&stop, "mode", node->stop_mode);
		say_word(&stop, "command", node->asks ? "hook" : NULL);
	}
	map_end(&stop);
}

static void yaml_fiber(const struct scenario_node *node, struct map *unit)
{
	struct map with = map_in(unit, "with");

	say(unit, "fiber: idle");
	say_word(&with, "exit", node->fiber_exit);
	say_ms(&with, "for", node->idle_ms);
	if (node->version)
		say(&with, "x-version: %u", node->version);
	map_end(&with);
}

static void yaml_process(const struct scenario_node *node, struct map *unit)
{
	if (node->version)
		say(unit, "command: prog %u", node->version);
	else
		say(unit, "command: prog");
	say_word(unit, "type", node->type);
	say_true(unit, "remain_after_exit", node->remains);
	say_ms(unit, "watchdog", node->watchdog_ms);
	yaml_probe(unit, "startup_probe", node, node->startup);
	yaml_probe(unit, "readiness_probe", node, node->readiness);
	yaml_probe(unit, "liveness_probe", node, node->liveness);
}

/* How a group keeps its units. */
static void yaml_supervisor(const struct scenario *s, unsigned index, struct map *unit)
{
	const struct scenario_node *node = &s->nodes[index];
	bool pool = node->kind == NODE_POOL;

	say_word(unit, "start_order", node->sequential ? "sequential" : NULL);
	say_word(unit, "strategy", pool ? "simple_one_for_one" : node->strategy);
	say_word(unit, "auto_shutdown", pool ? NULL : shutdown_of(s, index));
	if (node->within_ms)
		say(unit, "intensity: {max_restarts: %u, period: %ums}", node->most,
			node->within_ms);
}

static void yaml_unit(const struct scenario *s, unsigned index, struct map *unit)
{
	const struct scenario_node *node = &s->nodes[index];

	if (node->kind == NODE_PROCESS)
		yaml_process(node, unit);
	if (node->kind == NODE_FIBER)
		yaml_fiber(node, unit);
	yaml_common(s, index, unit, true);
	if (node->kind <= NODE_FIBER)
		yaml_runs(node, unit);
	else
		yaml_supervisor(s, index, unit);
	if (node->kind == NODE_POOL) {
		/* What its children are made from is a process like others. */
		struct map template = map_in(unit, "template");

		yaml_process(node, &template);
		yaml_common(s, index, &template, false);
		yaml_runs(node, &template);
		map_end(&template);
	}
}

/* ── the tree ── */

void scenario_yaml(const struct scenario *s, struct text *text)
{
	struct map root = {.text = text, .between = "\n"};
	unsigned open = 0, n[SCENARIO_NODES + 1] = {0};

	say(&root, "version: 1\nname: test");
	yaml_supervisor(s, 0, &root);
	say_word(&root, "daemon", s->nodes[0].idles ? "{on_give_up: idle}" : NULL);
	say(&root, "units:%s", is_gone(s, 0) ? " {}" : "");
	/* Nodes stand depth first: a group ends before the first node that is no deeper. */
	for (unsigned i = 1; i < s->n; i++) {
		const struct scenario_node *node = &s->nodes[i];
		struct map unit = {.text = text, .between = ", "};
		unsigned depth = node->depth;

		if (is_gone(s, i))
			continue;
		for (; open >= depth; open--)
			text_add(text, "}}");
		text_add(text, depth == 1 ? "\n  " : n[depth] ? ", " : "");
		text_printf(text, "%s: {", node->key);
		n[depth]++;
		yaml_unit(s, i, &unit);
		if (node->kind == NODE_GROUP) {
			say(&unit, "units: {");
			open = depth;
			n[depth + 1] = 0;
		} else {
			text_add(text, "}");
		}
	}
	for (; open > 0; open--)
		text_add(text, "}}");
	text_add(text, "\n");
}
