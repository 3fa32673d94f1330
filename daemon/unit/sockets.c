/* SPDX-License-Identifier: MIT */
/* Sockets that effd opens for units and keeps while any unit of the tree names them: who restarts or is stopped loses no
 * connection, for they wait. A plan says which there are; one that the next plan says alike is the same one. Who is about to
 * give it to a process, or opens it, uses it: it is not closed under them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/endpoint.h"
#include "unit/held.h"
#include "unit/internal.h"

/* How long all wait for one that is to be open before they start. */
#define OPEN_WITHIN EFF_S(10)

struct watcher {
	struct watcher *next;
	struct unit *unit;
};

struct held *held_find(struct held *list, const char *name)
{
	while (list && strcmp(list->spec->name, name) != 0)
		list = list->next;
	return list;
}

/* No unit names it. What nobody uses any more is closed; what a run was given is known until that is gone. */
static void held_look(struct unit_world *world, struct held *h)
{
	struct held **at = &world->sockets.gone;

	if (h->n_users > 0)
		return;
	if (h->socket)
		world->os->ops->close_socket(h->socket);
	h->socket = NULL;
	if (h->n_runs > 0)
		return;
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	plan_unref(h->plan);
	free(h);
}

/* They look again. */
static void watchers_end(struct held *h, bool visited)
{
	for (struct watcher *w; (w = h->watchers);) {
		h->watchers = w->next;
		w->unit->visited |= visited;
		eff_pulse_send(&w->unit->changed);
		free(w);
	}
}

static void held_drop(struct unit_world *world, struct held *h)
{
	h->gone = true;
	h->next = world->sockets.gone;
	world->sockets.gone = h;
	watchers_end(h, false);
	held_look(world, h);
}

void held_leave(struct unit_world *world, struct held *h)
{
	h->n_users--;
	if (h->gone)
		held_look(world, h);
}

void held_let_go(struct unit_world *world, struct held *h)
{
	h->n_runs--;
	if (!h->gone || h->n_runs > 0)
		return;
	held_look(world, h);
	eff_pulse_send(&world->sockets.opened);
}

/* ── which there are ── */

static int list_add(struct plan *plan, const struct plan_socket *spec, struct held **list)
{
	struct held *h = held_find(*list, spec->name) ? NULL : alloc_new(sizeof(*h)), **tail = list;

	if (!h)
		return held_find(*list, spec->name) ? 0 : -ENOMEM;
	h->plan = plan_ref(plan);
	h->spec = spec;
	while (*tail)
		tail = &(*tail)->next;
	*tail = h;
	return 0;
}

int sockets_make(struct plan *plan, struct held **ret_list)
{
	struct held *list = NULL;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < plan_n_units(plan); i++) {
		const struct plan_unit *unit = plan_unit(plan, i);
		const struct plan_socket *const *s = unit->enabled ? plan_unit_sockets(unit) : NULL;

		for (; r == 0 && s && *s; s++)
			r = list_add(plan, *s, &list);
	}
	if (r < 0)
		sockets_unmake(list);
	else
		*ret_list = list;
	return r;
}

void sockets_unmake(struct held *list)
{
	for (struct held *next; list; list = next) {
		next = list->next;
		plan_unref(list->plan);
		free(list);
	}
}

/* The one that is there goes on, by what the new plan says of it, which is the same. */
static struct held *held_succeed(struct held *old, struct held *new)
{
	struct plan *before = old->plan;

	old->plan = new->plan;
	old->spec = new->spec;
	plan_unref(before);
	free(new);
	return old;
}

/* Take the one of that name out of a list, if it is said alike. NULL: there is none. */
static struct held *list_claim(struct held **list, const struct plan_socket *spec)
{
	struct held *h;

	while (*list && !plan_socket_equals((*list)->spec, spec))
		list = &(*list)->next;
	h = *list;
	if (h)
		*list = h->next;
	return h;
}

void sockets_take(struct unit_world *world, struct held *list)
{
	struct held *old = world->sockets.list, **at = &list;

	for (; *at; at = &(*at)->next) {
		struct held *next = (*at)->next, *there = list_claim(&old, (*at)->spec);

		if (!there)
			continue;
		*at = held_succeed(there, *at);
		(*at)->next = next;
	}
	world->sockets.list = list;
	for (struct held *next; old; old = next) {
		next = old->next;
		held_drop(world, old);
	}
}

void sockets_close(struct unit_world *world)
{
	sockets_take(world, NULL);
}

/* ── open ── */

static int held_listen(struct unit_world *world, struct held *h, struct os_fault *fault)
{
	const struct plan_socket *spec = h->spec;
	struct os_listen wanted = {.listen = spec->listen,
		.backlog = spec->backlog,
		.mode = spec->mode,
		.user = spec->user,
		.group = spec->group,
		.reuse_port = spec->reuse_port};
	struct plan *plan = plan_ref(h->plan); /* its strings must stay until it listens */
	int r;

	h->opening = true;
	r = world->os->ops->listen(world->os, &wanted, &h->socket, fault);
	h->opening = false;
	plan_unref(plan);
	eff_pulse_send(&world->sockets.opened);
	return r;
}

static bool socket_excludes(const struct plan_socket *a, const struct plan_socket *b)
{
	struct endpoint one, other;

	return !(a->reuse_port && b->reuse_port) && endpoint_parse_any(a->listen, &one) == 0 &&
		endpoint_parse_any(b->listen, &other) == 0 && endpoint_excludes(&one, &other);
}

bool held_is_taken(const struct unit_world *world, const struct held *h)
{
	const struct held *other = h->socket ? NULL : world->sockets.gone;

	while (other && !(other->n_runs > 0 && other != h && socket_excludes(other->spec, h->spec)))
		other = other->next;
	return other;
}

int held_open(struct unit_world *world, struct held *h, struct os_fault *fault)
{
	int r = 0;

	while (r == 0 && (h->opening || held_is_taken(world, h)))
		r = eff_pulse_await(&world->sockets.opened);
	if (r == 0 && !h->socket)
		r = held_listen(world, h, fault);
	return r;
}

static void tell(struct unit *root, const struct plan_socket *spec, const struct os_fault *fault)
{
	struct text words = {0};

	text_printf(&words, "%s: %s: %s (%s): %s", spec->name, fault->stage,
		errno_name(fault->error), strerror(fault->error), spec->listen);
	root->world->hooks->on_event(
		root, "socket_failed", words.bytes ? words.bytes : "out of memory");
	text_done(&words);
}

/* Nobody waits for a user's name for ever that is asked of a network. */
static int open_within(struct unit_world *world, struct held *h, struct os_fault *fault)
{
	struct eff_scope within;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), OPEN_WITHIN));
	r = held_open(world, h, fault);
	if (eff_scope_close(&within) != -ETIMEDOUT || r != -ETIMEDOUT)
		return r;
	*fault = (struct os_fault){.stage = "socket", .error = ETIMEDOUT};
	return -ECHILD;
}

/* The first of those that were not tried yet; they change while one is opened. */
static struct held *held_next(struct sockets *sockets, const struct held *after)
{
	struct held *h = sockets->list;

	if (after && !after->gone)
		h = after->next;
	while (h && h->socket)
		h = h->next;
	return h;
}

int sockets_open(struct unit_world *world, struct unit *root)
{
	struct held *h = held_next(&world->sockets, NULL), *before;
	struct os_fault fault = {0};
	int r = 0;

	while (h && r != -ECANCELED && r != -ETIMEDOUT) {
		h->n_users++;
		r = open_within(world, h, &fault);
		if (r == -ECHILD && !h->gone)
			tell(root, h->spec, &fault);
		before = h;
		/* After one that has gone there is another list, whose taker has it opened. */
		h = before->gone ? NULL : held_next(&world->sockets, before);
		held_leave(world, before);
	}
	return r == -ECANCELED || r == -ETIMEDOUT ? r : 0;
}

bool socket_is_open(const struct unit_world *world, const struct plan_socket *spec)
{
	const struct held *h = held_find(world->sockets.list, spec->name);

	return h && h->socket && plan_socket_equals(h->spec, spec);
}

bool sockets_are_open(const struct unit *u)
{
	const struct plan_socket *const *s = plan_unit_sockets(u->spec);

	while (s && *s && socket_is_open(u->world, *s))
		s++;
	return s && !*s;
}

/* ── who comes ── */

static void held_visited(struct eff_watch *watch)
{
	watchers_end(eff_container(watch, struct held, watch), true);
}

static int held_watch(struct unit_world *world, struct held *h, struct unit *u)
{
	struct watcher *w = h->watchers;

	while (w && w->unit != u)
		w = w->next;
	if (w || !h->socket)
		return 0;
	w = alloc_new(sizeof(*w));
	if (!w)
		return -ENOMEM;
	*w = (struct watcher){h->watchers, u};
	h->watchers = w;
	h->watch.fn = held_visited;
	if (!w->next && world->os->ops->watch_socket(h->socket, &h->watch))
		watchers_end(h, true);
	return 0;
}

int sockets_watch(struct unit *u)
{
	const struct plan_socket *const *s = plan_unit_sockets(u->spec);
	int r = 0;

	for (; r == 0 && s && *s && !u->visited; s++) {
		struct held *h = held_find(u->world->sockets.list, (*s)->name);

		r = h ? held_watch(u->world, h, u) : 0;
	}
	return r;
}

static void held_unwatch(struct unit_world *world, struct held *h, const struct unit *u)
{
	struct watcher **at = &h->watchers, *w;

	while (*at && (*at)->unit != u)
		at = &(*at)->next;
	w = *at;
	if (!w)
		return;
	*at = w->next;
	free(w);
	if (!h->watchers && h->socket)
		(void)world->os->ops->watch_socket(h->socket, NULL);
}

void sockets_unwatch(struct unit *u)
{
	for (struct held *h = u->world->sockets.list; h; h = h->next)
		held_unwatch(u->world, h, u);
}
