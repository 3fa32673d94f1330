/* SPDX-License-Identifier: MIT */
/* The timers: a pairing heap in the timers' own memory, ordered by (at, order of arming).
 *
 * Arming is one comparison; taking the first out pairs its children, from the left, and merges the pairs, from the right.
 * Amortised logarithmic, nothing is allocated, and any timer can be taken out where it is. */
#include "internal.h"

static bool earlier(const struct eff_timer *a, const struct eff_timer *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

/* Two roots become one. Either may be NULL. The result's siblings are the caller's to set. */
static struct eff_timer *merge(struct eff_timer *a, struct eff_timer *b)
{
	struct eff_timer *top;
	struct eff_timer *below;

	if (!a || !b)
		return a ? a : b;
	top = earlier(a, b) ? a : b;
	below = top == a ? b : a;
	below->next = top->child;
	if (top->child)
		top->child->prev = below;
	below->prev = top;
	top->child = below;
	return top;
}

static struct eff_timer *merge_children(struct eff_timer *first)
{
	struct eff_timer *pairs = NULL; /* the last pair first, linked by `next` */
	struct eff_timer *root = NULL;

	while (first) {
		struct eff_timer *a = first;
		struct eff_timer *b = a->next;
		struct eff_timer *pair;

		first = b ? b->next : NULL;
		pair = merge(a, b);
		pair->next = pairs;
		pairs = pair;
	}
	while (pairs) {
		struct eff_timer *pair = pairs;

		pairs = pair->next;
		root = merge(root, pair);
	}
	if (root)
		root->next = root->prev = NULL;
	return root;
}

static void take_out(struct eff__timers *timers, struct eff_timer *timer)
{
	struct eff_timer *rest = merge_children(timer->child);

	if (timer == timers->root) {
		timers->root = rest;
	} else {
		if (timer->prev->child == timer)
			timer->prev->child = timer->next;
		else
			timer->prev->next = timer->next;
		if (timer->next)
			timer->next->prev = timer->prev;
		timers->root = merge(timers->root, rest);
		timers->root->next = timers->root->prev = NULL;
	}
	timer->child = timer->next = timer->prev = NULL;
	timer->armed = 0;
	timers->count--;
}

void eff__timer_arm(struct eff__timers *timers, struct eff_timer *timer, eff_ns at)
{
	if (timer->armed)
		take_out(timers, timer);
	timer->at = at;
	timer->order = timers->order++;
	timer->child = timer->next = timer->prev = NULL;
	timer->armed = 1;
	timers->root = merge(timers->root, timer);
	timers->count++;
}

void eff__timer_disarm(struct eff__timers *timers, struct eff_timer *timer)
{
	if (timer->armed)
		take_out(timers, timer);
}

struct eff_timer *eff__timers_due(struct eff__timers *timers, eff_ns now)
{
	struct eff_timer *first = timers->root;

	if (!first || first->at > now)
		return NULL;
	take_out(timers, first);
	return first;
}
