/* SPDX-License-Identifier: MIT */
/* A look inside: every fiber, who owns it, what it waits for and what stack it has used; one by one, as a listing, as a tree.
 *
 * Who owns whom is known from below only: each fiber has its owner scope, and that its fiber. For the tree all are sorted
 * by owner, so that what one owns is found by halving. Nothing here suspends. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "internal.h"

/* ── one fiber ── */

static size_t stack_used(const struct eff_fiber *fiber)
{
	const struct eff__stack *stack = &fiber->stack;
	const char *sp = fiber->context.sp;

	if (fiber->state != EFF__BEGUN)
		return 0;
	if (fiber == fiber->rt->current)
		sp = __builtin_frame_address(0);
	return (size_t)((const char *)stack->top + sizeof(void *) - sp);
}

static uint64_t owner_of(const struct eff_fiber *fiber)
{
	return fiber->owner->fiber ? fiber->owner->fiber->id : 0;
}

static eff_ns nearest_limit(const struct eff_fiber *fiber)
{
	eff_ns nearest = EFF_FOREVER;

	for (const struct eff_scope *s = fiber->scope; s && s->depth > fiber->mask; s = s->outer)
		if (s->limit.armed && s->limit.at < nearest)
			nearest = s->limit.at;
	return nearest;
}

static const char *state_of(const struct eff_fiber *fiber)
{
	if (fiber->state != EFF__BEGUN)
		return fiber->state == EFF__NEW ? "new" : "ended";
	if (fiber->wait)
		return "waiting";
	if (fiber == fiber->rt->current || fiber == fiber->rt->main_caller)
		return "running";
	return "ready";
}

void eff_fiber_info(const struct eff_fiber *fiber, struct eff_fiber_info *ret_info)
{
	const struct eff__wait *wait = fiber->wait;
	bool ended = fiber->state == EFF__ENDED;

	*ret_info = (struct eff_fiber_info){
		.id = fiber->id,
		.parent_id = fiber->parent_id,
		.name = eff_fiber_name(fiber),
		.state = state_of(fiber),
		.waits_for = wait ? wait->what : NULL,
		.waits_on = -1,
		.wakes_at = EFF_FOREVER,
		.limit_at = ended ? EFF_FOREVER : nearest_limit(fiber),
		.born_at = fiber->born_at,
		.stack_bytes = fiber->e.stack_bytes,
		.stack_used = stack_used(fiber),
	};
	/* When it has ended its owner may have, too. */
	if (!ended)
		ret_info->owner_id = owner_of(fiber);
	if (wait && wait->on == EFF__ON_INSTANT)
		ret_info->wakes_at = wait->number;
	else if (wait && wait->on != EFF__ON_NOTHING)
		ret_info->waits_on = wait->number;
}

size_t eff_fiber_stack_peak(const struct eff_fiber *fiber)
{
	return fiber->state == EFF__BEGUN ? eff__stack_touched(&fiber->stack) : 0;
}

void eff_rt_each(struct eff_rt *rt,
	void (*each)(void *context, const struct eff_fiber_info *info), void *context)
{
	struct eff_fiber_info info;
	struct eff_list *node;

	for (node = rt->all.next; node != &rt->all; node = node->next) {
		eff_fiber_info(eff_container(node, struct eff_fiber, all), &info);
		each(context, &info);
	}
}

/* ── the tree ── */

static int by_owner(const void *a, const void *b)
{
	const struct eff_fiber *x = *(struct eff_fiber *const *)a;
	const struct eff_fiber *y = *(struct eff_fiber *const *)b;
	uint64_t owner_x = owner_of(x);
	uint64_t owner_y = owner_of(y);

	if (owner_x != owner_y)
		return owner_x < owner_y ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* All fibers, by owner and then by birth. */
struct tree {
	struct eff_fiber **fibers;
	size_t n;
};

/* Where `id`, or the next one, is among what `owner` owns. */
static size_t tree_find(const struct tree *tree, uint64_t owner, uint64_t id)
{
	size_t from = 0;
	size_t to = tree->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		const struct eff_fiber *fiber = tree->fibers[middle];

		if (owner_of(fiber) < owner || (owner_of(fiber) == owner && fiber->id < id))
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* What it owns, else its next sibling, else that of its owner, and so on; tree->n: that was the last. */
static size_t tree_next(const struct tree *tree, size_t i, unsigned *depth)
{
	const struct eff_fiber *fiber = tree->fibers[i];
	size_t next = tree_find(tree, fiber->id, 0);

	if (next < tree->n && owner_of(tree->fibers[next]) == fiber->id) {
		++*depth;
		return next;
	}
	for (;; --*depth) {
		uint64_t owner = owner_of(tree->fibers[i]);

		if (i + 1 < tree->n && owner_of(tree->fibers[i + 1]) == owner)
			return i + 1;
		if (!owner)
			return tree->n;
		fiber = tree->fibers[i]->owner->fiber;
		i = tree_find(tree, owner_of(fiber), fiber->id);
	}
}

/* Returns false when there is no memory for it. */
static bool tree_make(struct tree *tree, const struct eff_rt *rt)
{
	const struct eff_list *node;

	tree->n = 0;
	tree->fibers = malloc((rt->stats.fibers_live + 1) * sizeof(*tree->fibers));
	if (!tree->fibers)
		return false;
	for (node = rt->all.next; node != &rt->all; node = node->next)
		tree->fibers[tree->n++] = eff_container(node, struct eff_fiber, all);
	qsort(tree->fibers, tree->n, sizeof(*tree->fibers), by_owner);
	return true;
}

/* ── lines ── */

struct line {
	char text[320];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
	size_t room = sizeof(line->text) - line->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line->text + line->len, room, format, args);
	va_end(args);
	if (n > 0)
		line->len += (size_t)n < room ? (size_t)n : room - 1;
}

/* A name is anybody's. */
static void add_name(struct line *line, const char *name)
{
	size_t from = line->len;

	add(line, "%.64s", *name ? name : "?");
	for (; from < line->len; from++)
		if ((unsigned char)line->text[from] < 0x20 || line->text[from] == 0x7f)
			line->text[from] = ' ';
}

static void add_seconds(struct line *line, const char *before, eff_ns ns, const char *after)
{
	if (ns < 0)
		ns = 0;
	add(line, "%s%lld.%03d s%s", before, (long long)(ns / EFF_S(1)),
		(int)(ns % EFF_S(1) / EFF_MS(1)), after);
}

static void add_wait(struct line *line, const struct eff_fiber *fiber)
{
	const struct eff__wait *wait = fiber->wait;
	eff_ns now = eff__now(fiber->rt);
	eff_ns limit_at = nearest_limit(fiber);

	if (wait)
		add(line, " for %s", wait->what ? wait->what : "?");
	if (wait && wait->on == EFF__ON_FIBER)
		add(line, " #%lld", (long long)wait->number);
	if (wait && wait->on == EFF__ON_NUMBER)
		add(line, " %lld", (long long)wait->number);
	if (wait && wait->on == EFF__ON_INSTANT && wait->number != EFF_FOREVER)
		add_seconds(line, ", wakes in ", wait->number - now, "");
	if (limit_at != EFF_FOREVER)
		add_seconds(line, ", limit in ", limit_at - now, "");
}

static void add_fiber(struct line *line, const struct eff_fiber *fiber, bool with_owner)
{
	struct eff_fiber_info info;

	eff_fiber_info(fiber, &info);
	add(line, "#%llu ", (unsigned long long)info.id);
	add_name(line, info.name);
	add(line, ": %s", info.state);
	add_wait(line, fiber);
	add_seconds(line, ", ", eff__now(fiber->rt) - info.born_at, " old");
	if (with_owner && info.owner_id)
		add(line, ", owned by #%llu", (unsigned long long)info.owner_id);
	if (info.parent_id != info.owner_id && info.parent_id)
		add(line, ", forked by #%llu", (unsigned long long)info.parent_id);
	add(line, ", stack %zu of %zu, touched %zu", info.stack_used, info.stack_bytes,
		eff_fiber_stack_peak(fiber));
}

static void dump_list(struct eff_rt *rt, eff_dump_fn *fn, void *context)
{
	struct eff_list *node;

	for (node = rt->all.next; node != &rt->all; node = node->next) {
		struct line line = {.len = 0};

		add_fiber(&line, eff_container(node, struct eff_fiber, all), true);
		fn(context, line.text);
	}
}

static void dump_tree(const struct tree *tree, eff_dump_fn *fn, void *context)
{
	enum { DEEPEST = 40 };
	unsigned depth = 0;

	for (size_t i = 0; i < tree->n; i = tree_next(tree, i, &depth)) {
		struct line line = {.len = 0};

		add(&line, "%*s", (int)(2 * (depth < DEEPEST ? depth : DEEPEST)), "");
		add_fiber(&line, tree->fibers[i], false);
		fn(context, line.text);
	}
}

void eff_rt_dump(struct eff_rt *rt, enum eff_dump how, eff_dump_fn *fn, void *context)
{
	struct line line = {.len = 0};
	struct tree tree;

	add(&line, "%llu fibers", (unsigned long long)rt->stats.fibers_live);
	fn(context, line.text);
	if (how == EFF_DUMP_LIST || !tree_make(&tree, rt)) {
		dump_list(rt, fn, context);
		return;
	}
	dump_tree(&tree, fn, context);
	free(tree.fibers);
}

void eff_dump_stderr(void *context, const char *line)
{
	(void)context;
	/* Nothing is to be done about a line that cannot be written. */
	(void)dprintf(STDERR_FILENO, "%s\n", line);
}
