/* SPDX-License-Identifier: MIT */
/* The supervisor: its children in their order, and its own end. It has no fiber: children act in theirs, and whoever opened
 * it waits for its end and stops it. */
#include <stdlib.h>
#include <string.h>

#include "supervisor.h"

static const struct eff_sup_hooks no_hooks;
static const char no_supervisor[] = "this child is under no supervisor";

/* Its scope has closed: no child has a fiber. */
static void sup_close(void *arg)
{
	struct eff_sup *sup = arg;
	struct eff_child *c, *next;

	for (c = eff__child_first(sup); c; c = next) {
		next = eff__child_next(c);
		eff__child_release(c);
		if (!c->owned)
			continue;
		if (sup->culprit == c)
			sup->culprit = NULL;
		free(c);
	}
	eff_exit_drop(sup->because);
	free(sup->restarts);
	sup->because = eff_ok(NULL);
	sup->restarts = NULL;
}

int eff_sup_open(struct eff_sup *sup, const struct eff_sup_opts *opts)
{
	int r;

	*sup = (struct eff_sup){.scope = eff_scope_current()};
	eff_list_init(&sup->children);
	eff_pulse_init(&sup->changed);
	sup->ending_at = sup->significant_at = sup->placed_at = &sup->children;
	r = eff_sup_change(sup, opts);
	if (r < 0)
		return r;
	eff_defer(sup->scope, &sup->at_close, sup_close, sup);
	return 0;
}

int eff_sup_change(struct eff_sup *sup, const struct eff_sup_opts *opts)
{
	bool counts = opts->period > 0 && opts->max_restarts != UINT32_MAX;
	int r = eff__intensity_resize(sup, counts ? opts->max_restarts : 0);

	if (r < 0)
		return r;
	sup->opts = *opts;
	if (!counts) {
		sup->opts.max_restarts = 0;
		sup->opts.period = 0;
	}
	if (!opts->hooks)
		sup->opts.hooks = &no_hooks;
	/* Who waited for another may wait no more. */
	for (struct eff_child *c = eff__child_first(sup); c; c = eff__child_next(c))
		eff__child_wake(c, EFF__WATCH_MOVE, 0);
	return 0;
}

/* ── its children ── */

static uint32_t place_at(const struct eff_list *node)
{
	return eff_container(node, struct eff_child, link)->place;
}

/* Put it behind the last that does not come after it, looked for from where it is. */
static void sup_place(struct eff_child *c)
{
	struct eff_list *all = &c->sup->children, *at = c->link.prev;

	eff_list_remove(&c->link);
	while (at != all && place_at(at) > c->place)
		at = at->prev;
	while (at->next != all && place_at(at->next) <= c->place)
		at = at->next;
	eff_list_prepend(at, &c->link);
	c->sup->placed_at = &c->link;
}

void eff_sup_add(struct eff_sup *sup, struct eff_child *c)
{
	struct eff_list *last = sup->children.prev;

	if (c->sup)
		eff__misuse("eff_sup_add", "this child is under a supervisor already");
	c->sup = sup;
	c->fiber = NULL;
	c->life = NULL;
	c->other = NULL;
	c->pace = (struct eff_sched_state){0};
	c->up_since = c->next_at = -1;
	c->rest = EFF_REST_STOPPED;
	c->restarted = c->stopping = c->cycling = c->start_again = c->stuck = false;
	c->idle = c->waits = c->unsettled = c->delayed = c->leading = c->held = false;
	c->grouped = c->left_out = c->ending = c->told = false;
	eff_event_init(&c->hurry);
	eff_list_init(&c->watchers);
	if (c->place == 0)
		c->place = last == &sup->children ? 1 : place_at(last) + 1;
	/* Many that are put in between come in their order: each finds its place next to the one before. */
	if (last != &sup->children && c->place < place_at(last))
		last = sup->placed_at;
	eff_list_prepend(last, &c->link);
	sup_place(c);
}

int eff_sup_spawn(struct eff_sup *sup, const char *name, void *arg, struct eff_child **ret_child)
{
	const struct eff_child *template = sup->opts.template;
	size_t len = name ? strlen(name) + 1 : 0;
	struct eff_child *c;
	int r;

	if (!template)
		return -EINVAL;
	c = malloc(sizeof(*c) + len);
	if (!c)
		return -ENOMEM;
	*c = *template;
	c->owned = true;
	c->run.arg = arg;
	c->place = 0;
	if (name)
		c->name = memcpy(c + 1, name, len);
	eff_sup_add(sup, c);
	r = eff_child_start(c);
	if (r < 0)
		eff_sup_remove(c);
	else if (ret_child)
		*ret_child = c;
	return r;
}

static void sup_take_out(struct eff_child *c)
{
	struct eff_sup *sup = c->sup;

	if (!sup || c->fiber)
		eff__misuse("eff_sup_remove", sup ? "this child does not rest" : no_supervisor);
	if (sup->ending_at == &c->link)
		sup->ending_at = c->link.prev;
	if (sup->significant_at == &c->link)
		sup->significant_at = c->link.next;
	if (sup->placed_at == &c->link)
		sup->placed_at = c->link.prev;
	if (sup->culprit == c)
		sup->culprit = NULL;
	eff__child_release(c);
}

void eff_sup_remove(struct eff_child *c)
{
	sup_take_out(c);
	if (c->owned)
		free(c);
}

void eff__sup_forget(struct eff_child *c)
{
	const struct eff_sup_hooks *hooks = c->sup->opts.hooks;
	bool owned = c->owned;

	sup_take_out(c);
	if (hooks->on_forget)
		hooks->on_forget(c);
	if (owned)
		free(c);
}

void eff_sup_move(struct eff_child *c, uint32_t place)
{
	struct eff_sup *sup = c->sup;

	if (place == 0)
		place = place_at(sup->children.prev) + 1;
	if (place == c->place)
		return;
	/* What is being stopped one by one looks anew from the end. */
	sup->ending_at = sup->children.prev;
	c->place = place;
	sup_place(c);
	eff__round_moved(c);
}

struct eff_child *eff_sup_find(const struct eff_sup *sup, const char *name)
{
	for (struct eff_child *c = eff__child_first(sup); c; c = eff__child_next(c))
		if (c->name && strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

int eff_sup_start(struct eff_sup *sup)
{
	int r = eff__order_has_cycle(sup) ? -ELOOP : 0;

	for (struct eff_child *c = eff__child_first(sup); r == 0 && c; c = eff__child_next(c))
		r = eff_child_start(c);
	return r;
}

/* ── its end ── */

void eff__sup_fail(struct eff_sup *sup, enum eff_sup_end end, struct eff_child *child, eff_exit exit)
{
	if (eff__sup_is_over(sup))
		return;
	sup->end = end;
	sup->culprit = child;
	sup->because = eff_exit_keep(exit);
	if (sup->opts.hooks->on_give_up)
		sup->opts.hooks->on_give_up(sup, child, exit);
	eff_pulse_send(&sup->changed);
}

static bool stands_in_the_way(const struct eff_child *c)
{
	return c->policy.significant &&
		(c->fiber || c->rest == EFF_REST_FAILED || c->rest == EFF_REST_MAX_RESTARTS ||
			(c->due && c->rest != EFF_REST_DONE));
}

/* Is one that is significant to run still, or has it failed? It is looked for from the one that was found last on: those
 * that have ended are passed once. */
static bool sup_awaits_significant(struct eff_sup *sup)
{
	struct eff_list *first = sup->significant_at, *at = first;

	do {
		if (at != &sup->children &&
			stands_in_the_way(eff_container(at, struct eff_child, link))) {
			sup->significant_at = at;
			return true;
		}
		at = at->next;
	} while (at != first);
	return false;
}

void eff__sup_weigh(struct eff_child *c, eff_exit exit)
{
	struct eff_sup *sup = c->sup;

	/* Whoever was told of its rest may have started it again: then it rests no more as it did. */
	if (c->policy.critical && (c->rest == EFF_REST_FAILED || c->rest == EFF_REST_MAX_RESTARTS))
		eff__sup_fail(sup, EFF_SUP_CRITICAL, c, exit);
	if (!c->policy.significant || c->rest != EFF_REST_DONE)
		return;
	if (sup->opts.auto_shutdown == EFF_AUTO_ANY ||
		(sup->opts.auto_shutdown == EFF_AUTO_ALL && !sup_awaits_significant(sup)))
		eff__sup_fail(sup, EFF_SUP_DONE, c, exit);
}

int eff_sup_await_up(struct eff_sup *sup)
{
	int r = 0;

	while (r == 0 && !sup->end && (sup->n_unsettled > 0 || sup->rounding))
		r = eff_pulse_await(&sup->changed);
	return r < 0 ? r : sup->end != EFF_SUP_GOES_ON;
}

int eff_sup_await(struct eff_sup *sup)
{
	int r = 0;

	while (r == 0 && !sup->end)
		r = eff_pulse_await(&sup->changed);
	return r;
}

/* The next child that what is done in this scope belongs to; `*scope` is the one around it then. NULL: none. */
static struct eff_child *next_owner(const struct eff_scope **scope)
{
	struct eff_child *c = NULL;

	for (; *scope && !c; *scope = eff__scope_around(*scope))
		c = (*scope)->fiber ? eff__child_of((*scope)->fiber) : NULL;
	return c;
}

/* Does a child of it own the caller, however far down? */
static bool is_of_child(const struct eff_sup *sup)
{
	const struct eff_scope *at = eff_scope_current();
	const struct eff_child *c;

	while ((c = next_owner(&at)))
		if (c->sup == sup)
			return true;
	return false;
}

/* What is left of it cannot be stopped: then it cannot be either, and whoever waits for it goes on. */
static void sup_look_stuck(const struct eff_sup *sup, struct eff_child *owner)
{
	if (owner && sup->n_stuck == sup->n_fibers)
		eff_child_stuck(owner);
}

void eff_sup_stop(struct eff_sup *sup)
{
	const struct eff_scope *at = eff_scope_current();
	struct eff_child *owner = next_owner(&at);
	eff_masked before = eff_mask();

	if (is_of_child(sup))
		eff__misuse("eff_sup_stop", "called by a child of it, which it would wait for");
	sup->stopping = true;
	for (struct eff_child *c = eff__child_first(sup); c; c = eff__child_next(c)) {
		c->start_again = false;
		if (!c->fiber)
			continue;
		c->stopping = true;
		if (c->life && !c->stuck)
			eff__order_add(c);
		else
			eff__child_cut(c);
	}
	eff__order_begin(sup, eff__child_first(sup));
	while (sup->n_fibers > 0) {
		sup_look_stuck(sup, owner);
		(void)eff_pulse_await(&sup->changed);
	}
	eff_unmask(before);
}

static int sup_code(const struct eff_sup *sup)
{
	return sup->because.tag == EFF_FAIL ? sup->because.code : 1;
}

eff_exit eff_sup_exit(const struct eff_sup *sup, int awaited)
{
	const char *name = sup->culprit && sup->culprit->name ? sup->culprit->name : "a child";
	eff_exit exit;

	if (awaited < 0)
		return eff_exit_of(awaited);
	if (sup->end == EFF_SUP_GOES_ON || sup->end == EFF_SUP_DONE)
		return eff_ok(NULL);
	exit = eff_failf(sup_code(sup),
		sup->end == EFF_SUP_CRITICAL ? "%s has failed" : "%s ended: one restart too many",
		name);
	return eff_exit_join(exit, eff_exit_keep(sup->because));
}
