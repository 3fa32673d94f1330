/* SPDX-License-Identifier: MIT */
/* Requests of several clients, drawn by chance: who asks, for how long, and whom that touches. What must be true of the answers
 * is in answered.h. */
#ifndef TESTS_DAEMON_ASKED_H
#define TESTS_DAEMON_ASKED_H

#include "control_world.h"
#include "fake/scenario_run.h"

enum { ASKED_CLIENTS = 5, ASKED_UNITS = 2, ASKED_TOUCHES = 1024, ASKED_TURNS = 6 };

#define ASKED_ROWS(X) \
	X(START, "Start") \
	X(STOP, "Stop") \
	X(RESTART, "Restart") \
	X(RESET, "Reset") \
	X(WAIT, "Wait") \
	X(OWN_RELOAD, "Reload") \
	X(RELOAD, "Reload") \
	X(ADD, "Add") \
	X(REMOVE, "Remove")
#define ASKED_ENUM(symbol, name) ASK_##symbol,
enum ask_kind { ASKED_ROWS(ASKED_ENUM) ASK_KINDS };

struct ask {
	struct client *c; /* NULL: it has not come yet, or has hung up */
	bool active, more, waits;
	enum ask_kind kind;
	uint64_t number, generation; /* in the order of requests; of the tree */
	eff_ns at, until;
	enum unit_state state; /* of a wait */
	unsigned n;
	struct asked_unit {
		char name[64];
		bool told;
		uint64_t starts, ends;
	} units[ASKED_UNITS];
	char words[200];
};

struct asking {
	struct server *s;
	struct scenario *dice; /* numbers */
	const struct run_opts *opts;
	struct ask asks[ASKED_CLIENTS];
	uint64_t n_asked, n_answers;
	/* By unit: the last request that was about it. */
	struct touch {
		char name[64];
		uint64_t number;
		bool starts; /* it has made it wanted, in the tree of this generation */
		uint64_t generation;
	} touches[ASKED_TOUCHES];
	unsigned n_touches;
	char wrong[500]; /* the first thing that is not true; "" */
};

/* Whoever is told what is done hears it. */
static inline void asked_tell(const struct asking *all, const char *what)
{
	const struct run_opts *opts = all->opts;
	char line[500];

	if (!opts->tell)
		return;
	(void)snprintf(line, sizeof(line), "%lld ms: %s\n",
		(long long)(world_now(all->s->w) / EFF_MS(1)), what);
	opts->tell(opts->tell_context, line);
}

/* ── who is touched by whom ── */

static inline struct touch *touch_of(struct asking *all, const char *name)
{
	for (unsigned i = 0; i < all->n_touches; i++)
		if (!strcmp(all->touches[i].name, name))
			return &all->touches[i];
	if (all->n_touches == ASKED_TOUCHES)
		return NULL;
	(void)snprintf(all->touches[all->n_touches].name, sizeof(all->touches[0].name), "%s", name);
	return &all->touches[all->n_touches++];
}

static inline void touch(struct asking *all, const struct unit *u, uint64_t number)
{
	struct touch *touch = touch_of(all, u->name);

	if (!touch)
		return;
	touch->number = number;
	touch->starts = false;
}

/* Once each. */
static inline unsigned list_put(const struct unit **list, unsigned n, const struct unit *u)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i] == u)
			return n;
	list[n] = u;
	return n + 1;
}

/* A start takes all that is required with it, and what is in conflict with any of that is stopped. */
static inline void asked_touch(
	struct asking *all, const struct unit *first, uint64_t number, bool starts)
{
	enum { MOST = 512 };
	const struct unit *list[MOST] = {first};
	unsigned n = 1;

	for (unsigned i = 0; i < n && n + 40 < MOST; i++) {
		const struct unit *u = list[i];

		touch(all, u, number);
		for (uint32_t k = 0; starts && k < u->n_conflicts; k++)
			touch(all, u->conflicts[k], number);
		for (uint32_t k = 0; starts && k < u->n_needs; k++)
			if (u->needs[k].need->required)
				n = list_put(list, n, u->needs[k].unit);
		if (starts && u->parent)
			n = list_put(list, n, u->parent);
	}
}

/* ── asking ── */

static inline void ask_hang_up(struct ask *a)
{
	if (a->c)
		client_free(a->c);
	*a = (struct ask){0};
}

/* One that has time, or hangs up for it. */
static inline struct ask *ask_client(struct asking *all)
{
	unsigned first = scenario_below(all->dice, ASKED_CLIENTS);
	struct ask *a = &all->asks[first];

	for (unsigned i = 0; i < ASKED_CLIENTS && a->active; i++)
		a = &all->asks[(first + i) % ASKED_CLIENTS];
	if (a->active) {
		asked_tell(all, "one hangs up");
		ask_hang_up(a);
	}
	if (!a->c)
		a->c = client_new(all->s);
	return a;
}

static inline void ask_name(struct ask *a, const struct unit *u)
{
	struct asked_unit *asked = &a->units[a->n++];

	*asked = (struct asked_unit){.starts = u->starts, .ends = u->ends};
	(void)snprintf(asked->name, sizeof(asked->name), "%.63s", u->name);
}

static inline struct ask *ask_new(struct asking *all, enum ask_kind kind)
{
	struct ask *a = ask_client(all);
	struct client *c = a->c;

	*a = (struct ask){.c = c,
		.active = true,
		.kind = kind,
		.number = ++all->n_asked,
		.generation = all->s->w->tree->generation,
		.at = eff_now(),
		.until = EFF_FOREVER,
		.more = kind != ASK_WAIT && !scenario_one_in(all->dice, 4),
		.waits = kind == ASK_WAIT || !scenario_one_in(all->dice, 10)};
	if (scenario_one_in(all->dice, 3))
		a->until = eff_now() + EFF_MS(PICK(all->dice, 0, 10, 1000, 30000));
	return a;
}

/* Send it: `parameters` are its own, with no braces. All that happens at once, does. */
static inline void ask_send(struct asking *all, struct ask *a, const char *parameters)
{
#define NAME(symbol, name) name,
	static const char *const names[] = {ASKED_ROWS(NAME)};
	struct text text = {0};

	text_printf(&text, "{%s", parameters);
	for (unsigned i = 0; i < a->n; i++)
		text_printf(&text, "%s\"%s\"%s",
			i                     ? ","
				: *parameters ? ",\"units\":["
					      : "\"units\":[",
			a->units[i].name, i + 1 == a->n ? "]" : "");
	if (a->until != EFF_FOREVER)
		text_printf(&text, "%s\"timeout_s\":%g", text.len > 1 ? "," : "",
			(double)(a->until - a->at) / 1e9);
	if (!a->waits)
		text_printf(&text, "%s\"wait\":false", text.len > 1 ? "," : "");
	text_add(&text, "}");
	(void)snprintf(a->words, sizeof(a->words), "%llu. %s%.150s%s",
		(unsigned long long)a->number, names[a->kind], text.bytes, a->more ? " more" : "");
	asked_tell(all, a->words);
	client_call(a->c, names[a->kind], text.bytes, a->more);
	text_done(&text);
	for (int i = 0; i < ASKED_TURNS; i++)
		world_pass(all->s->w, 0);
}

#endif
