/* SPDX-License-Identifier: MIT */
/* What random scenarios have had in them: of trees what was loaded, of what happened the tree's own record. */
#include <string.h>

#include "fake/scenario_tally.h"

#define WORD(...) ((const char *const[]){__VA_ARGS__}[n])

static const char *probe_name(unsigned n)
{
	return WORD("none", "exec", "tcp", "unix", "http_get", "log", "file");
}

static void tally_group(struct tally *t, const struct plan_unit *row)
{
	t->strategies[row->ways->strategy]++;
	t->orders[row->ways->start_order]++;
	t->shutdowns[row->ways->auto_shutdown]++;
	t->rest[5] += row->ways->intensity.period_ns > 0;
}

static void tally_runs(struct tally *t, const struct plan_unit *row)
{
	const struct plan_schedule *schedule = &row->rules->schedule;

	t->types[row->type]++;
	t->modes[row->ways->stop.mode]++;
	t->startup[row->rules->startup.kind]++;
	t->readiness[row->rules->readiness.kind]++;
	t->liveness[row->rules->liveness.kind]++;
	if (schedule->is_there)
		t->schedules[schedule->overlap + (schedule->by_cron ? 3 : 0)]++;
	t->edges[6] += row->n_replicas > 1;
	t->rest[6] += row->ways->watchdog_ns > 0;
}

static void tally_edges(struct tally *t, const struct plan_unit *row)
{
	for (uint32_t i = 0; i < row->n_needs; i++) {
		const struct plan_need *need = &row->needs[i];

		t->conditions[need->condition]++;
		t->edges[need->required ? 0 : 1]++;
		t->edges[2] += need->restart;
		t->edges[3] += need->bind;
	}
	t->edges[4] += row->n_after;
	t->edges[5] += row->n_conflicts;
}

static void tally_unit(struct tally *t, const struct plan_unit *row)
{
	const struct plan_hook *hooks[SCENARIO_HOOKS] = {&row->rules->hooks.pre_start,
		&row->rules->hooks.on_ready, &row->rules->hooks.post_stop,
		&row->rules->hooks.on_failure, &row->rules->hooks.on_give_up};

	t->kinds[row->kind]++;
	t->policies[row->restart]++;
	for (unsigned i = 0; i < SCENARIO_HOOKS; i++)
		t->hooks[i] += hooks[i]->argv != NULL;
	t->rest[0] += row->critical;
	t->rest[1] += row->significant;
	t->rest[2] += row->activate == PLAN_MANUAL;
	t->rest[3] += !row->enabled;
	t->rest[4] += row->ways->max_restarts != PLAN_UNLIMITED;
	tally_edges(t, row);
	if (row->kind == PLAN_SUPERVISOR)
		tally_group(t, row);
	else
		tally_runs(t, row);
}

void tally_plan(struct tally *t, const struct plan *plan)
{
	uint32_t n = plan_n_units(plan), size = n / 10;

	t->sizes[size < 3 ? size : 3]++;
	for (uint32_t i = 0; i < n; i++) {
		const struct plan_unit *row = plan_unit(plan, i);
		unsigned depth = 0;

		for (const struct plan_unit *at = row; at->parent != PLAN_NONE; depth++)
			at = plan_unit(plan, at->parent);
		t->depths[depth <= SCENARIO_DEPTH ? depth : SCENARIO_DEPTH]++;
		tally_unit(t, row);
	}
}

void tally_events(struct tally *t, struct world *w)
{
	const struct tree *tree = w->tree;

	while (t->seen_seq < tree->last_seq) {
		const struct tree_event *e = tree_event(tree, ++t->seen_seq);

		if (!e || !e->is_state)
			continue;
		t->states[e->to]++;
		if (e->cause)
			t->causes[e->cause->kind]++;
	}
}

/* What cannot be in these worlds: a kernel that is short of memory; and a line that says that a process is alive. */
static bool is_beyond(const char *row, const char *name)
{
	static const char *const beyond[][2] = {{"causes", "oom"}, {"causes", "lost"},
		{"causes", "interrupted"}, {"liveness", "log"}};

	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		if (!strcmp(row, beyond[i][0]) && !strcmp(name, beyond[i][1]))
			return true;
	return false;
}

static void lacks(const char *row, const char *name, const unsigned long *count, struct text *text)
{
	if (!is_beyond(row, name))
		text_printf(text, "%s %s: %lu times\n", row, name, *count);
}

void tally_lacks(const struct tally *t, unsigned long least, struct text *text)
{
	text_add(text, "");
#define LACKS(member, count, name) \
	for (unsigned n = 0; n < (count); n++) \
		if (t->member[n] < least) \
			lacks(#member, name, &t->member[n], text);
	TALLY_ROWS(LACKS)
}
