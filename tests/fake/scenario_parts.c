/* SPDX-License-Identifier: MIT */
/* The parts of a scenario. One row here makes a field of a node or of a child a part, so it has to be zero when it says
 * nothing. */
#include <stdlib.h>
#include <string.h>

#include "fake/scenario.h"

struct member {
	size_t at;
	unsigned size;
};
#define MEMBER(type, member) \
	{ \
		offsetof(struct type, member), sizeof(((struct type *)NULL)->member) \
	}
#define N(member) MEMBER(scenario_node, member)
#define C(member) MEMBER(scenario_child, member)
#define E(member) MEMBER(scenario_need, member)

static const struct member of_node[] = {N(type), N(policy), N(stop_mode), N(fiber_exit),
	N(backoff_ms), N(jitter_percent), N(max_ms), N(reset_ms), N(start_timeout_ms),
	N(max_runtime_ms), N(watchdog_ms), N(idle_ms), N(stop_ms), N(restarts), N(replicas),
	N(startup), N(readiness), N(liveness), N(succeeds), N(prevents), N(forces), N(remains),
	N(critical), N(significant), N(manual), N(disabled), N(sequential), N(asks), N(strategy),
	N(auto_shutdown), N(within_ms), N(overlap), N(every_ms), N(off_ms), N(idles), N(hurries)};
static const struct member of_need[] = {E(number), E(optional), E(restart), E(bind), E(condition)};
static const struct member of_child[] = {
	C(stays_down), C(manual), C(critical), C(after), C(optional), C(sibling), C(replicas)};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* ── the list ── */

static bool is_zero(const void *bytes, size_t size)
{
	const unsigned char *b = bytes;

	while (size > 0 && !b[size - 1])
		size--;
	return size == 0;
}

static unsigned add(struct parts *parts, struct part part)
{
	if (parts->n == PARTS_MOST)
		abort();
	parts->list[parts->n] = part;
	return parts->n++;
}

static size_t place_of(const struct scenario *s, const void *member)
{
	return (size_t)((const char *)member - (const char *)s);
}

static unsigned add_flag(const struct scenario *s, struct parts *parts, const bool *flag,
	unsigned owner, enum part_kind kind)
{
	return add(parts,
		(struct part){
			.at = place_of(s, flag), .size = sizeof(*flag), .owner = owner, .kind = kind});
}

static void add_members(const struct scenario *s, struct parts *parts, const void *base,
	const struct member *members, unsigned owner)
{
	unsigned n = members == of_node ? COUNT(of_node)
		: members == of_need    ? COUNT(of_need)
					: COUNT(of_child);

	for (unsigned i = 0; i < n; i++)
		if (!is_zero((const char *)base + members[i].at, members[i].size))
			(void)add(parts,
				(struct part){.at = place_of(s, base) + members[i].at,
					.size = members[i].size,
					.owner = owner,
					.kind = PART_DETAIL});
}

static void add_bits(
	const struct scenario *s, struct parts *parts, const uint32_t *bits, unsigned owner)
{
	for (uint32_t left = *bits; left; left &= left - 1)
		(void)add(parts,
			(struct part){.at = place_of(s, bits),
				.size = sizeof(*bits),
				.mask = left & -left,
				.owner = owner,
				.kind = PART_DETAIL});
}

static void add_step(const struct scenario *s, struct parts *parts, const struct scenario_step *step)
{
	unsigned owner = add_flag(s, parts, &step->there, parts->n, PART_STEP);

	for (unsigned i = 0; i < SCENARIO_CHANGES; i++)
		if (step->changes[i].there)
			(void)add_flag(s, parts, &step->changes[i].there, owner, PART_DETAIL);
	for (unsigned i = 0; i < SCENARIO_CHILDREN; i++) {
		const struct scenario_child *child = &step->children[i];

		if (child->there)
			add_members(s, parts, child, of_child,
				add_flag(s, parts, &child->there, owner, PART_DETAIL));
	}
}

static void add_node(const struct scenario *s, struct parts *parts, unsigned index, unsigned *owners)
{
	const struct scenario_node *node = &s->nodes[index];
	unsigned owner = parts->n;

	/* The root stays. */
	if (index > 0)
		owner = add_flag(s, parts, &node->there,
			node->parent ? owners[node->parent] : parts->n, PART_NODE);
	else
		owner = PARTS_MOST;
	owners[index] = owner;
	add_members(s, parts, node, of_node, owner);
	add_bits(s, parts, &node->hooks, owner);
	add_bits(s, parts, &node->acts, owner);
	for (unsigned i = 0; i < SCENARIO_NEEDS; i++) {
		const struct scenario_need *need = &node->needs[i];

		if (need->there)
			add_members(s, parts, need, of_need,
				add_flag(s, parts, &need->there, owner, PART_DETAIL));
	}
}

void parts_of(const struct scenario *s, struct parts *parts)
{
	unsigned owners[SCENARIO_NODES];

	parts->n = 0;
	for (unsigned i = 0; i < s->n_steps; i++)
		if (s->steps[i].there)
			add_step(s, parts, &s->steps[i]);
	for (unsigned i = 0; i < s->n; i++)
		add_node(s, parts, i, owners);
}

/* ── with some of them ── */

void parts_keep(const struct scenario *s, const struct parts *parts, const bool *kept,
	struct scenario *ret_scenario)
{
	*ret_scenario = *s;
	for (unsigned i = 0; i < parts->n; i++) {
		const struct part *part = &parts->list[i];
		char *at = (char *)ret_scenario + part->at;
		uint32_t bits;

		if (kept[i])
			continue;
		if (!part->mask) {
			memset(at, 0, part->size);
			continue;
		}
		memcpy(&bits, at, sizeof(bits));
		bits &= ~part->mask;
		memcpy(at, &bits, sizeof(bits));
	}
}

void parts_text(const struct parts *parts, const bool *kept, struct text *text)
{
	const char *before = "";

	for (unsigned i = 0; i < parts->n; i++) {
		unsigned first = i;

		if (!kept[i])
			continue;
		while (i + 1 < parts->n && kept[i + 1])
			i++;
		text_printf(text, "%s%u", before, first);
		if (i > first)
			text_printf(text, "-%u", i);
		before = ",";
	}
	if (!*before)
		text_add(text, "-");
}

bool parts_parse(const struct parts *parts, const char *text, bool *ret_kept)
{
	memset(ret_kept, 0, parts->n * sizeof(*ret_kept));
	if (!strcmp(text, "-"))
		return true;
	for (;;) {
		char *end;
		unsigned long first = strtoul(text, &end, 10), last = first;

		if (end == text)
			return false;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (first > last || last >= parts->n)
			return false;
		for (unsigned long i = first; i <= last; i++)
			ret_kept[i] = true;
		if (!*end)
			return true;
		if (*end != ',')
			return false;
		text = end + 1;
	}
}
