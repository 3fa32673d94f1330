/* SPDX-License-Identifier: MIT */
/* What happened in a world, as text that a test can compare with. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "fake/fake_parts.h"
#include "fake/world.h"

/* A few texts stay valid at once, so that one comparison can use two. */
static struct text *text_begin(struct world *w)
{
	struct text *text = &w->out[w->next_out++ % (sizeof(w->out) / sizeof(w->out[0]))];

	text_done(text);
	*text = (struct text){0};
	text_add(text, "");
	return text;
}

static const char *text_end(const struct text *text)
{
	return text->bytes ? text->bytes : "";
}

/* Milliseconds with what there is behind the point: "0", "512.25". */
static void add_time(struct text *text, eff_ns at)
{
	char digits[32];
	size_t len;

	(void)snprintf(digits, sizeof(digits), "%lld.%06lld", (long long)(at / EFF_MS(1)),
		(long long)(at % EFF_MS(1)));
	len = strlen(digits);
	while (digits[len - 1] == '0')
		digits[--len] = '\0';
	if (digits[len - 1] == '.')
		digits[--len] = '\0';
	text_printf(text, "%s%s ", text->len ? ", " : "", digits);
}

static void add_event(struct text *text, const struct fake_event *e)
{
	char buf[16];

	switch (e->what) {
	case FAKE_SPAWN:
		text_add(text, "spawn");
		break;
	case FAKE_SIGNAL:
		text_printf(text, "%s%s", signal_text(e->sig, buf) + 3,
			e->whom == OS_MAIN ? "@main" : "");
		break;
	case FAKE_END:
		if (e->end.signal)
			text_printf(text, "%s", signal_text(e->end.signal, buf));
		else
			text_printf(text, "exit %d", e->end.code);
		break;
	case FAKE_EXEC:
	case FAKE_GONE:
		break;
	}
}

const char *world_trace(struct world *w, const char *unit)
{
	struct text *text = text_begin(w);
	const struct fake_event *end = NULL;
	size_t n;
	const struct fake_event *events = os_fake_events(w->fake, &n);

	for (size_t i = w->mark_event; i < n; i++) {
		const struct fake_event *e = &events[i];

		if (e->helper || strcmp(e->unit, unit) != 0 || e->what == FAKE_EXEC)
			continue;
		if (e->what == FAKE_SIGNAL && e->sig == SIGCONT)
			continue;
		/* Gone is told where it is not the same moment as the end. */
		if (e->what == FAKE_GONE && end && end->at == e->at)
			continue;
		end = e->what == FAKE_END ? e : end;
		add_time(text, e->at - w->mark);
		if (e->what == FAKE_GONE)
			text_add(text, "gone");
		else
			add_event(text, e);
	}
	return text_end(text);
}

const char *world_states(struct world *w, const char *unit)
{
	struct text *text = text_begin(w);
	eff_ns zero = w->wall_zero + (w->mark - EFF_S(1000));
	const struct tree_event *last = NULL;

	for (uint64_t seq = tree_oldest_seq(w->tree); seq <= w->tree->last_seq; seq++) {
		const struct tree_event *e = tree_event(w->tree, seq);

		if (!e || !e->is_state || e->wall_at < zero || strcmp(e->unit, unit) != 0)
			continue;
		if (last && last->wall_at < e->wall_at) {
			add_time(text, last->wall_at - zero);
			text_add(text, state_name(last->to));
		}
		last = e;
	}
	if (last) {
		add_time(text, last->wall_at - zero);
		text_add(text, state_name(last->to));
	}
	return text_end(text);
}

void world_mark(struct world *w)
{
	w->mark = eff_now();
	(void)os_fake_events(w->fake, &w->mark_event);
}

size_t world_spawns(const struct world *w, const char *unit)
{
	size_t n;
	size_t count = 0;
	const struct fake_event *events = os_fake_events(w->fake, &n);

	for (size_t i = w->mark_event; i < n; i++)
		count += events[i].what == FAKE_SPAWN && !events[i].helper &&
			!strcmp(events[i].unit, unit);
	return count;
}

eff_ns world_spawn_at(const struct world *w, const char *unit, size_t nth)
{
	size_t n;
	const struct fake_event *events = os_fake_events(w->fake, &n);

	for (size_t i = w->mark_event; i < n; i++)
		if (events[i].what == FAKE_SPAWN && !events[i].helper &&
			!strcmp(events[i].unit, unit) && nth-- == 0)
			return events[i].at - w->mark;
	ck_abort_msg("%s was not started that often", unit);
}

const char *world_said(struct world *w, const char *unit, const char *kind)
{
	for (uint64_t seq = tree_oldest_seq(w->tree); seq <= w->tree->last_seq; seq++) {
		const struct tree_event *e = tree_event(w->tree, seq);

		if (e && !strcmp(e->kind, kind) && !strcmp(e->unit, unit))
			return e->text ? e->text : "";
	}
	return NULL;
}

const char *world_changes(struct world *w)
{
	struct text *text = text_begin(w);

	for (uint32_t i = 0; i < w->n_changes; i++)
		text_printf(text, "%s%s %s", i ? "; " : "", w->changes[i].unit,
			plan_action_name(w->changes[i].action));
	return text_end(text);
}

static const char *cause_text(struct world *w, const struct cause *cause)
{
	struct text *text = text_begin(w);
	char line[200];

	for (const struct cause *c = cause; c; c = c->because) {
		if (c != cause)
			text_add(text, " < ");
		text_add(text, cause_kind_name(c->kind));
		/* A process that never executed has no code worth telling. */
		if (c->kind == CAUSE_EXEC_ERROR)
			continue;
		if (c->code >= 0)
			text_printf(text, " %d", c->code);
		if (c->signal)
			text_printf(text, " %s", signal_text(c->signal, line));
	}
	return text_end(text);
}

const char *world_cause(struct world *w, const char *unit)
{
	return cause_text(w, world_unit(w, unit)->cause);
}

const char *world_last_exit(struct world *w, const char *unit)
{
	return cause_text(w, world_unit(w, unit)->last_exit);
}
