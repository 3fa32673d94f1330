/* SPDX-License-Identifier: MIT */
/* What is done to a random tree: words of operators, trees to reload, children to add and remove, processes killed by somebody,
 * doors that open and close to probes, and time. */
#include <signal.h>
#include <string.h>

#include "fake/scenario.h"

/* Children have few names, so that names come again. */
enum { NAMES = 6 };

const char *scenario_verb_name(enum scenario_verb verb)
{
#define NAME(symbol, name) name,
	static const char *const names[] = {SCENARIO_VERB_ROWS(NAME)};

	return names[verb];
}

static void make_changes(struct scenario *s, struct scenario_step *step)
{
	static const enum scenario_change_what often[] = {
		CHANGE_VERSION, CHANGE_VERSION, CHANGE_GONE, CHANGE_REPLICAS};

	for (unsigned i = 1 + scenario_below(s, SCENARIO_CHANGES); i > 0; i--) {
		unsigned node = 1 + scenario_below(s, s->n - 1);

		step->changes[i - 1] = (struct scenario_change){.there = true,
			.what = scenario_one_in(s, 2) ? often[scenario_below(s, 4)]
						      : scenario_below(s, SCENARIO_N_CHANGES),
			.node = node,
			.to = scenario_below(s, 1U << 30)};
	}
}

static void make_children(struct scenario *s, struct scenario_step *step)
{
	unsigned n = 1 + scenario_below(s, SCENARIO_CHILDREN), first = scenario_below(s, NAMES);

	for (unsigned i = 0; i < n; i++)
		step->children[i] = (struct scenario_child){.there = true,
			.name = (first + i) % NAMES,
			.stays_down = scenario_one_in(s, 4),
			.manual = scenario_one_in(s, 8),
			.critical = scenario_one_in(s, 8),
			.after = scenario_one_in(s, 3),
			.optional = scenario_one_in(s, 3),
			.sibling = scenario_one_in(s, 3) ? 1 + scenario_below(s, NAMES) : 0,
			.replicas = scenario_one_in(s, 8) ? 1 + scenario_below(s, 3) : 0};
}

static unsigned pick_node(struct scenario *s, unsigned kind)
{
	unsigned found = 0, n = 0;

	for (unsigned i = 1; i < s->n; i++)
		if (s->nodes[i].kind == kind && scenario_one_in(s, ++n))
			found = i;
	return found;
}

static void make_step(struct scenario *s, struct scenario_step *step)
{
	static const enum scenario_verb verbs[] = {DO_START, DO_START, DO_STOP, DO_STOP,
		DO_STOP_NOW, DO_RESTART, DO_RESTART_NOW, DO_RESET, DO_KILL, DO_RELOAD,
		DO_RELOAD, DO_ADD, DO_REMOVE, DO_REMOVE_NOW, DO_DIE, DO_OPEN, DO_CLOSE};

	*step = (struct scenario_step){.there = true,
		.verb = verbs[scenario_below(s, sizeof(verbs) / sizeof(verbs[0]))],
		.node = 1 + scenario_below(s, s->n - 1),
		.number = scenario_below(s, 60),
		.time = EFF_MS(PICK(s, 0, 0, 0, 2000)),
		.sig = (int)PICK(s, SIGKILL, SIGTERM)};
	if (step->verb == DO_RELOAD)
		make_changes(s, step);
	if (step->verb == DO_ADD || step->verb == DO_REMOVE || step->verb == DO_REMOVE_NOW)
		step->node = pick_node(s, NODE_POOL);
	if (step->verb == DO_ADD)
		make_children(s, step);
	/* One without a pool has more of the rest. */
	if (!step->node)
		*step = (struct scenario_step){.there = true, .verb = DO_START, .node = 1};
}

void scenario_make_steps(struct scenario *s)
{
	s->steps[s->n_steps] = (struct scenario_step){.there = !scenario_one_in(s, 10)};
	s->n_steps += s->steps[0].there;
	for (unsigned i = 0; i < SCENARIO_VERBS; i++) {
		make_step(s, &s->steps[s->n_steps++]);
		if (!scenario_one_in(s, 4))
			s->steps[s->n_steps++] = (struct scenario_step){.there = true,
				.time = EFF_MS(PICK(s, 0, 0, 1, 50, 500, 3000, 20000, 100000))};
	}
}

/* ── reloads ── */

static void drop_need(struct scenario_node *node)
{
	for (unsigned i = SCENARIO_NEEDS; i > 0; i--) {
		if (!node->needs[i - 1].there)
			continue;
		node->needs[i - 1].there = false;
		return;
	}
}

void scenario_change(struct scenario *s, const struct scenario_change *change)
{
	struct scenario_node *node = &s->nodes[change->node];

	s->random = scenario_mix(change->to);
	switch (change->what) {
	case CHANGE_VERSION:
		node->version++;
		break;
	case CHANGE_GONE:
		node->gone = !node->gone;
		break;
	case CHANGE_ENABLED:
		node->disabled = !node->disabled;
		break;
	case CHANGE_NEEDS:
		drop_need(node);
		break;
	case CHANGE_HOOKS:
		node->hooks = scenario_below(s, 1U << SCENARIO_HOOKS);
		break;
	case CHANGE_SCHEDULE:
		if (node->overlap)
			node->overlap = NULL;
		else if (node->kind != NODE_GROUP)
			scenario_make_schedule(s, node);
		break;
	case CHANGE_STOP:
		node->stop_ms = PICK(s, SCENARIO_AT_ONCE, 100, 2000, 0);
		node->critical = !node->critical;
		break;
	case CHANGE_GROUP:
		scenario_make_group(s, node);
		break;
	case CHANGE_REPLICAS:
		if (node->replicas)
			node->replicas = 1 + scenario_below(s, SCENARIO_REPLICAS + 1);
		break;
	case SCENARIO_N_CHANGES:
		break;
	}
}
