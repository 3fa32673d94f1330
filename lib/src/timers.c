/* SPDX-License-Identifier: MIT */
/* The timers: a pairing heap in the timers' own memory, ordered by (at, order of arming).
 *
 * Arming is one comparison; taking the first out pairs its children, from the left, and merges the pairs, from the right.
 * Amortised logarithmic, and any timer can be taken out where it is.
 *
 * A timer is in its fiber's frame, on a page of its own: to compare two is to wait for memory. So where there are many, one
 * that is not near goes into a group: a list, in no order, of what is due in a span of time that is short beside how far off
 * it is. In the heap is the group, by the beginning of its span. When it comes to be the first it is dissolved, into groups of
 * shorter spans and in the end into timers: so the first in the heap is always a timer. A group is what there is memory
 * for: without one a timer is in the heap itself. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum {
	MANY = 256,     /* timers, from which on there are groups */
	N_GROUPS = 256, /* at most; who finds none of them free does without */
	FEW = 16,       /* in a group, that are not worth shorter ones */
	/* Of two, of nanoseconds: a group's span is an eighth of how far off it is, and a sixteenth when it is divided. */
	FARTHER = 3,
	DIVIDED = 4,
	SHORTEST = 14,
	LANES = 8, /* of a group: so many waits for memory go on at once */
};

/* What `armed` says. */
enum { OUT, IN_HEAP, IN_GROUP, IS_GROUP };

struct eff__timer_group {
	struct eff_timer node; /* in the heap; `order` is 0: it comes before what is in it */
	struct eff_timer *lanes[LANES]; /* linked by `next` and `prev`; `child` of each is the node */
	unsigned n;
	unsigned shift; /* its span is so many times doubled */
};

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

static void heap_put(struct eff__timers *timers, struct eff_timer *timer, uint8_t as)
{
	timer->child = timer->next = timer->prev = NULL;
	timer->armed = as;
	timers->root = merge(timers->root, timer);
}

static void heap_take(struct eff__timers *timers, struct eff_timer *timer)
{
	struct eff_timer *rest = merge_children(timer->child);

	timer->armed = OUT;
	if (timer == timers->root) {
		timers->root = rest;
		return;
	}
	if (timer->prev->child == timer)
		timer->prev->child = timer->next;
	else
		timer->prev->next = timer->next;
	if (timer->next)
		timer->next->prev = timer->prev;
	timers->root = merge(timers->root, rest);
	timers->root->next = timers->root->prev = NULL;
}

/* The group of that instant and that span; NULL: there can be none. */
static struct eff__timer_group *group_at(struct eff__timers *timers, eff_ns at, unsigned shift)
{
	uint64_t number = (uint64_t)at >> shift;
	eff_ns begins = (eff_ns)(number << shift);
	struct eff__timer_group *group;

	if (!timers->groups || shift < SHORTEST)
		return NULL;
	group = &timers->groups[(number + 16 * (uint64_t)shift) % N_GROUPS];
	if (!group->n) {
		group->node.at = begins;
		group->shift = shift;
		heap_put(timers, &group->node, IS_GROUP);
	}
	return group->node.at == begins && group->shift == shift ? group : NULL;
}

static void put(struct eff__timers *timers, struct eff_timer *timer, unsigned shift)
{
	struct eff__timer_group *group = group_at(timers, timer->at, shift);
	struct eff_timer **first;

	if (!group) {
		heap_put(timers, timer, IN_HEAP);
		return;
	}
	timer->armed = IN_GROUP;
	timer->child = &group->node;
	timer->prev = NULL;
	first = &group->lanes[group->n++ % LANES];
	timer->next = *first;
	if (*first)
		(*first)->prev = timer;
	*first = timer;
}

static struct eff__timer_group *group_of(struct eff_timer *node)
{
	return eff_container(node, struct eff__timer_group, node);
}

static void leave_group(struct eff__timers *timers, struct eff_timer *timer)
{
	struct eff__timer_group *group = group_of(timer->child);

	timer->armed = OUT;
	if (timer->prev)
		timer->prev->next = timer->next;
	else
		for (int i = 0; i < LANES; i++)
			if (group->lanes[i] == timer)
				group->lanes[i] = timer->next;
	if (timer->next)
		timer->next->prev = timer->prev;
	if (--group->n == 0)
		heap_take(timers, &group->node);
}

static void dissolve(struct eff__timers *timers, struct eff__timer_group *group)
{
	struct eff_timer *lanes[LANES];
	unsigned n = group->n;
	unsigned shift = n > FEW ? group->shift - DIVIDED : 0;

	heap_take(timers, &group->node);
	memcpy(lanes, group->lanes, sizeof(lanes));
	memset(group->lanes, 0, sizeof(lanes));
	group->n = 0;
	for (unsigned i = 0; n; i = (i + 1) % LANES) {
		struct eff_timer *timer = lanes[i];

		if (!timer)
			continue;
		lanes[i] = timer->next;
		__builtin_prefetch(timer->next);
		put(timers, timer, shift);
		n--;
	}
}

static void take_out(struct eff__timers *timers, struct eff_timer *timer)
{
	timers->count--;
	if (timer->armed == IN_GROUP) {
		leave_group(timers, timer);
		return;
	}
	heap_take(timers, timer);
	while (timers->root && timers->root->armed == IS_GROUP)
		dissolve(timers, group_of(timers->root));
}

/* By how far off it is; nothing is known to be nearer than what is first. */
static unsigned shift_of(const struct eff__timers *timers, eff_ns at)
{
	uint64_t off;

	if (!timers->groups || !timers->root || at <= timers->root->at)
		return 0;
	off = (uint64_t)at - (uint64_t)timers->root->at;
	return off >> FARTHER ? 63 - FARTHER - (unsigned)__builtin_clzll(off) : 0;
}

void eff__timer_arm(struct eff__timers *timers, struct eff_timer *timer, eff_ns at)
{
	if (timer->armed)
		take_out(timers, timer);
	if (++timers->count > MANY && !timers->groups)
		timers->groups = calloc(N_GROUPS, sizeof(*timers->groups));
	timer->at = at;
	timer->order = ++timers->order;
	put(timers, timer, shift_of(timers, at));
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

bool eff__timers_are_many(const struct eff__timers *timers)
{
	return timers->count > MANY;
}

void eff__timers_done(struct eff__timers *timers)
{
	free(timers->groups);
}
