/* SPDX-License-Identifier: MIT */
/* The walk over all `units`: each mapping becomes a unit, or as many as it has replicas, tied into the tree and known by
 * its name. Supervisors within supervisors are walked with a stack of their own. */
#include <string.h>

#include "plan/draft.h"

static void name_check(struct load *load, struct node *node)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	struct diag *diag;
	size_t len = strlen(node->key);

	if (len >= 1 && len <= 63 && strspn(node->key, chars) == len && !strchr("_.-", node->key[0]))
		return;
	diag = fault_key(load, node, "E213", "`%s` cannot be the name of a unit", node->key);
	diag_help(load->diags, diag,
		"a name begins with a letter or a digit and has at most 63 of A-Z a-z 0-9 _ . -");
}

/* "fetch" below "workers" is "workers/fetch". */
static const char *name_below(struct load *load, uint32_t above, const char *key)
{
	const char *name = above == 0
		? keep_strdup(load, key)
		: arena_printf(load->arena, "%s/%s", load->units[above].name, key);

	if (!name)
		load->failed = true;
	return name;
}

/* Ties a new unit into the tree below its supervisor. */
static void unit_join(struct decoder *decoder, uint32_t index)
{
	struct load *load = decoder->load;
	uint32_t above = decoder->levels[decoder->depth - 1].unit,
		 last = decoder->levels[decoder->depth - 1].last;

	if (last == PLAN_NONE)
		load->units[above].first_child = index;
	else
		load->units[last].next_sibling = index;
	load->units[above].n_children++;
	decoder->levels[decoder->depth - 1].last = index;
}

/* Makes the name known: it stands for `n` units from the next one on. */
static void name_put(struct decoder *decoder, struct node *node, uint32_t n)
{
	struct load *load = decoder->load;
	uint32_t above = decoder->levels[decoder->depth - 1].unit;
	void **sibling, **any;

	node->unit = load->n_units;
	node->n_units = n;
	sibling = table_at(&load->names, load->drafts[above].map, node->key);
	if (sibling)
		*sibling = node;
	any = sibling ? table_at(&load->names, NULL, node->key) : NULL;
	if (!any)
		load->failed = true;
	else if (!*any)
		*any = node;
}

/* The name of all replicas, which is known from here on. NULL: out of memory, noted. */
static const char *stem_put(struct load *load, uint32_t above, const struct node *node)
{
	const char *stem = name_below(load, above, node->key);
	struct range *all = keep_alloc(load, sizeof(*all));
	void **at = stem && all ? table_at(&load->stems, NULL, stem) : NULL;

	if (!at) {
		load->failed = true;
		return NULL;
	}
	*all = (struct range){node->unit, node->n_units};
	*at = all;
	return stem;
}

/* One unit that `node` says; `replica` is its number, 0 when it has none. */
static void unit_read(struct decoder *decoder, struct node *node, uint32_t replica, const char *stem)
{
	struct load *load = decoder->load;
	uint32_t above = decoder->levels[decoder->depth - 1].unit, index;
	struct plan_unit *unit;
	const char *key;

	index = unit_add(decoder, node);
	if (index == PLAN_NONE)
		return;
	unit = &load->units[index];
	load->drafts[index].is_shared = load->drafts[above].is_shared;
	unit->parent = above;
	unit->added = node->batch;
	unit->enabled = true;
	unit->replica = replica;
	unit->stem = stem;
	key = replica ? arena_printf(load->scratch, "%s@%u", node->key, replica) : node->key;
	unit->name = key ? name_below(load, above, key) : NULL;
	if (!unit->name) {
		load->failed = true;
		return;
	}
	unit->key = unit->name + strlen(unit->name) - strlen(key);
	if (node->n_units > 0)
		unit_join(decoder, index);
	unit_decode(decoder, index);
	load->units[index].enabled &= load->units[above].enabled;
	load->units[index].end = load->n_units;
}

/* Of a unit with no replicas nothing stays but that its name is known; what it says is read all the same. */
static void units_read(struct decoder *decoder, struct node *node)
{
	struct load *load = decoder->load;
	uint32_t above = decoder->levels[decoder->depth - 1].unit, n, i;
	const char *stem = NULL;
	bool numbered;

	n = replicas_read(load, node, template_layer(decoder, above, node->key), &numbered);
	name_put(decoder, node, n);
	if (numbered)
		stem = stem_put(load, above, node);
	if (load->failed)
		return;
	for (i = 0; (i < n || i == 0) && !load->failed; i++)
		unit_read(decoder, node, numbered ? i + 1 : 0, stem);
	load->n_units = n ? load->n_units : node->unit;
}

void units_decode(struct decoder *decoder)
{
	struct load *load = decoder->load;

	while (decoder->depth > 0 && !load->failed) {
		struct node *node = decoder->levels[decoder->depth - 1].next;
		uint32_t above = decoder->levels[decoder->depth - 1].unit;

		if (!node) {
			load->units[above].end = load->n_units;
			decoder->depth--;
			continue;
		}
		decoder->levels[decoder->depth - 1].next = node->next;
		if (strncmp(node->key, "x-", 2) == 0)
			continue;
		name_check(load, node);
		/* By a template, others may be made from the very same mapping. */
		if (load->drafts[above].is_shared)
			node = node_copy(load, node);
		if (node)
			units_read(decoder, node);
	}
}
