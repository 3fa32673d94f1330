/* SPDX-License-Identifier: MIT */
/* Explain: why a unit is as it is, from what is known of it anyway: the chain of causes behind its state, what it waits for,
 * and what comes next and when (next.c). */
#include <string.h>

#include "base/cause_words.h"
#include "control/methods.h"

/* Of more children that ail only the number is told. */
enum { AILING_TOLD = 4 };

static const char *condition_name(enum plan_condition condition)
{
	static const char *const names[] = {
		[PLAN_STARTED] = "started",
		[PLAN_READY] = "ready",
		[PLAN_COMPLETED] = "completed",
		[PLAN_COMPLETED_SUCCESSFULLY] = "completed_successfully",
	};

	return names[condition];
}

static void chain_add(struct json *chain, const struct text *text, eff_ns wall_at, const char *kind)
{
	struct json *link = json_object();

	(void)json_set(link, "text", json_text(text->bytes ? text->bytes : ""));
	(void)json_set(link, "at", json_wall(wall_at));
	(void)json_set(link, "kind", kind ? json_text(kind) : json_null());
	(void)json_add(chain, link);
}

static bool cause_is_in(const struct cause *cause, const struct cause *chain)
{
	for (; chain; chain = chain->because)
		if (chain == cause || cause_completes(chain, cause))
			return true;
	return false;
}

/* A cause and those behind it, until one that has been told as part of `told`. */
static void chain_add_causes(struct json *chain, const struct cause *cause, const struct cause *told)
{
	for (; cause && !cause_is_in(cause, told); cause = cause->because) {
		struct text text = {0};

		cause_add_alone(&text, cause);
		chain_add(chain, &text, cause->wall_at, cause_kind_name(cause->kind));
		text_done(&text);
	}
}

static const char *wish_text(const struct unit *u)
{
	if (!u->spec->enabled)
		return "not enabled: it is never started";
	if (u->held)
		return "stopped by hand: nothing automatic starts it";
	if (tree_wants(u))
		return u->by_operator ? "wanted: started by hand" : "wanted";
	return u->spec->activate == PLAN_MANUAL
		? "not wanted: `activate: manual`, and nothing that runs requires it"
		: "not wanted";
}

/* Who makes the health of a group that is up be failing; of one that starts, who has failed. */
static void chain_add_ailing(struct json *chain, const struct tree *t, const struct unit *group)
{
	uint32_t i = tree_index(t, group->name), n = 0;
	struct text text = {0};

	i = i == UINT32_MAX ? PLAN_NONE : plan_unit(t->plan, i)->first_child;
	for (; i != PLAN_NONE; i = plan_unit(t->plan, i)->next_sibling) {
		const struct unit *u = t->units[i];

		if (!tree_ails(u) || (group->state != UNIT_UP && u->state != UNIT_FAILED))
			continue;
		if (++n <= AILING_TOLD)
			text_printf(&text, "%s%s is %s", n > 1 ? ", " : "failing: ", u->name,
				unit_phrase(u));
	}
	if (n > AILING_TOLD)
		text_printf(&text, " and %u more", n - AILING_TOLD);
	if (n > 0)
		chain_add(chain, &text, 0, NULL);
	text_done(&text);
}

static void add_target(struct text *to, const struct unit *u, const struct plan_log_target *target)
{
	static const char *const names[] = {
		[PLAN_LOG_INHERIT] = "effd's stdout",
		[PLAN_LOG_NULL] = "nowhere",
		[PLAN_LOG_RING] = "its ring alone",
		[PLAN_LOG_SYSLOG] = "syslog",
		[PLAN_LOG_JOURNAL] = "the journal",
	};

	if (target->kind == PLAN_LOG_FILE)
		unit_log_path(u, target, to);
	else
		text_add(to, names[target->kind]);
}

/* So much since it was loaded, and where it was to go. The root has no output: it answers for those that were taken away before
 * theirs was written. */
static void chain_add_lost(struct json *chain, const struct unit *u)
{
	struct text text = {0};

	text_printf(&text, "has lost %llu byte%s of ", (unsigned long long)u->log_lost_bytes,
		u->log_lost_bytes == 1 ? "" : "s");
	if (u->parent) {
		text_add(&text, "its output, which goes to ");
		add_target(&text, u, &u->spec->out);
	} else {
		text_add(&text, "the output of units that are gone");
	}
	if (u->parent && u->spec->err.kind != PLAN_LOG_STDOUT) {
		text_add(&text, ", and stderr to ");
		add_target(&text, u, &u->spec->err);
	}
	chain_add(chain, &text, 0, NULL);
	text_done(&text);
}

static void chain_add_event(struct json *chain, const struct tree_event *e, const char *before)
{
	struct text text = {0};

	text_printf(&text, "%s%s", before, e->text);
	chain_add(chain, &text, e->wall_at, NULL);
	text_done(&text);
}

/* Why, since when, and what was said of it last, as far back as the events go. */
static void chain_add_events(struct json *chain, const struct tree *t, const struct unit *u)
{
	const struct tree_event *first_lost = NULL, *last_lost = NULL, *left = NULL;

	for (uint64_t seq = tree_oldest_seq(t); seq <= t->last_seq; seq++) {
		const struct tree_event *e = tree_event(t, seq);

		if (!e || !e->text || strcmp(e->unit, u->name) != 0)
			continue;
		if (!strcmp(e->kind, "left_behind"))
			left = e;
		if (u->log_lost_bytes == 0 || strcmp(e->kind, "log_lost") != 0)
			continue;
		if (first_lost)
			last_lost = e;
		else
			first_lost = e;
	}
	if (u->log_lost_bytes > 0)
		chain_add_lost(chain, u);
	if (first_lost)
		chain_add_event(chain, first_lost, "");
	if (last_lost)
		chain_add_event(chain, last_lost, "");
	if (left)
		chain_add_event(chain, left, "has left behind ");
}

static struct json *explain_chain(const struct tree *t, const struct unit *u)
{
	struct json *chain = json_array();
	struct text text = {0};

	text_add(&text, wish_text(u));
	chain_add(chain, &text, u->since_wall, NULL);
	text_done(&text);
	chain_add_causes(chain, u->cause, NULL);
	if (u->spec->kind == PLAN_SUPERVISOR && (u->state == UNIT_UP || u->state == UNIT_STARTING))
		chain_add_ailing(chain, t, u);
	if (u->state == UNIT_STARTING && u->lacks) {
		text_printf(&text, "not ready: %s", u->lacks);
		chain_add(chain, &text, 0, NULL);
		text_done(&text);
	}
	if (u->stuck) {
		text_add(&text, "something of it has survived the final signal");
		chain_add(chain, &text, 0, NULL);
		text_done(&text);
	}
	chain_add_events(chain, t, u);
	if (u->last_exit && !cause_is_in(u->last_exit, u->cause)) {
		text_add(&text, "its last run ended");
		chain_add(chain, &text, u->last_exit->wall_at, NULL);
		text_done(&text);
		chain_add_causes(chain, u->last_exit, u->cause);
	}
	return chain;
}

static void waits_add(struct json *waits, const struct unit *other, const char *condition)
{
	struct json *need = json_object();

	(void)json_set(need, "unit", json_text(other->name));
	(void)json_set(need, "condition", json_text(condition));
	(void)json_set(need, "state", json_text(state_name(other->state)));
	(void)json_add(waits, need);
}

static void waits_add_needs(struct json *waits, const struct unit *u)
{
	for (uint32_t i = 0; i < u->n_needs; i++)
		if (!need_holds(u->needs[i].need, u->needs[i].unit))
			waits_add(waits, u->needs[i].unit,
				condition_name(u->needs[i].need->condition));
	if (u->child.other)
		waits_add(waits, unit_of(u->child.other),
			u->child.turn == EFF_TURN_GROUP ? "started again" : "up or at rest");
	for (uint32_t i = 0; i < u->n_after; i++) {
		const struct unit *other = u->after[i];

		if (other->wanted && !other->held && other->state != UNIT_UP &&
			!state_rests(other->state))
			waits_add(waits, other, "up or at rest");
	}
	for (uint32_t i = 0; i < u->n_conflicts; i++)
		if (unit_is_active(u->conflicts[i]))
			waits_add(waits, u->conflicts[i], "gone");
}

/* A group is up when nothing has to happen with its children any more. */
static void waits_add_children(struct json *waits, const struct tree *t, const struct unit *group)
{
	uint32_t i = tree_index(t, group->name);

	i = i == UINT32_MAX ? PLAN_NONE : plan_unit(t->plan, i)->first_child;
	for (; i != PLAN_NONE; i = plan_unit(t->plan, i)->next_sibling) {
		const struct unit *u = t->units[i];

		if (u->wanted && !u->held && u->spec->enabled && u->state != UNIT_UP &&
			!unit_rests(u) && !unit_awaits_schedule(u))
			waits_add(waits, u, "up or at rest");
	}
}

/* Only one that has to wait waits: a need that has ended since does not matter to one that is up, nor to one that stops. */
static struct json *explain_waits(const struct tree *t, const struct unit *u)
{
	struct json *waits = json_array();

	if (u->state == UNIT_WAITING || u->state == UNIT_BACKOFF)
		waits_add_needs(waits, u);
	if (u->state == UNIT_STARTING && u->spec->kind == PLAN_SUPERVISOR)
		waits_add_children(waits, t, u);
	return waits;
}

static struct json *explain(struct tree *t, struct unit *u)
{
	struct json *parameters = json_object();

	(void)json_set(parameters, "unit", json_text(u->name));
	(void)json_set(parameters, "state", json_text(state_name(u->state)));
	(void)json_set(parameters, "since", json_wall(u->since_wall));
	(void)json_set(parameters, "chain", explain_chain(t, u));
	(void)json_set(parameters, "waits_for", explain_waits(t, u));
	(void)json_set(parameters, "next", json_next_of(t, u));
	return parameters;
}

/* Of several the one that there is most to say of: the first that is not up. */
static uint32_t explain_which(const struct tree *t, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++)
		if (t->units[i]->state != UNIT_UP)
			return i;
	return first;
}

/* The name of a unit with replicas stands for each of them, of which there may be none. */
void m_explain(struct request *req)
{
	const char *name = json_get_text(req->parameters, "unit", "");
	struct tree *t = req->tree;
	uint32_t first, n;

	if (!plan_find_all(t->plan, name, &first, &n)) {
		select_missing(req, name);
		return;
	}
	if (n == 0) {
		request_reply(req, json_object());
		return;
	}
	if (!req->more)
		first = explain_which(t, first, n);
	else
		for (; n > 1; n--)
			if (request_continue(req, explain(t, t->units[first++])) < 0)
				return;
	request_reply(req, explain(t, t->units[first]));
}
