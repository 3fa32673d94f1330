/* SPDX-License-Identifier: MIT */
/* What was added to a tree while it ran: texts with `units:` in them, one for each addition, kept with the plan as long as
 * a unit of it is there. Each reading of the tree reads them too, so that an added unit is made, checked and compared like
 * any other. */
#include <errno.h>
#include <string.h>

#include "plan/load.h"
#include "plan/sealed.h"

/* One text while the tree is being read. */
struct added {
	const struct plan_batch *batch; /* in the new plan's memory */
	const struct plan_batch *of;    /* in that of the present one; NULL: it is added now */
	struct node *units;             /* NULL: there are none to be had */
	struct added *next;
};

bool plan_is_new(const struct plan_unit *unit)
{
	return unit->added && unit->added->is_new;
}

static const struct plan_batch *batch_keep(struct load *load, const struct plan_batch *from)
{
	struct plan_batch *batch = keep_alloc(load, sizeof(*batch));
	char *text = keep_alloc(load, from->size + 1);

	if (!batch || !text)
		return NULL;
	*batch = *from;
	if (from->size)
		memcpy(text, from->text, from->size);
	batch->text = text;
	batch->supervisor = keep_strdup(load, from->supervisor);
	batch->file = keep_strdup(load, from->file);
	return load->failed ? NULL : batch;
}

/* The top of the text: nothing but `units`, and what any file may say. */
static void keys_check(struct load *load, const struct node *document)
{
	struct node *node;

	for (node = document->first; node; node = node->next) {
		if (strcmp(node->key, "units") == 0 || strncmp(node->key, "x-", 2) == 0 ||
			(strcmp(node->key, "version") == 0 && node->kind == NODE_SCALAR &&
				strcmp(node->text, "1") == 0))
			continue;
		diag_help(load->diags,
			fault_key(load, node, "E218", "`%s` is not for what is added", node->key),
			"it has `units` alone, a mapping of names to units");
	}
}

static struct node *text_units(struct load *load, struct file *file)
{
	struct plan_place nowhere = {file->path, 0, 0};
	uint32_t errors = diags_errors(load->diags);
	struct node *document = yaml_read(load, file), *units;

	if (!document || node_is_null(document)) {
		if (!load->failed && diags_errors(load->diags) == errors)
			(void)fault_at(load, nowhere, "E107", "the file is empty");
		return NULL;
	}
	if (document->kind != NODE_MAP) {
		(void)fault(load, document, "E204",
			"what is added is a mapping, and this is %s", node_kind_text(document));
		return NULL;
	}
	keys_check(load, document);
	units = node_find(load, document, "units");
	if (!units)
		(void)fault_at(load, document->at, "E203", "`units` is missing");
	else if (units->kind != NODE_MAP)
		(void)fault(load, units, "E204", "`units` needs a mapping, and this is %s",
			node_kind_text(units));
	else if (!units->first)
		(void)fault_key(load, units, "E203", "`units` has nothing in it");
	return units && units->kind == NODE_MAP ? units : NULL;
}

static void text_read(
	struct load *load, const struct plan_batch *from, const struct plan_batch *present)
{
	struct added *added = scratch_alloc(load, sizeof(*added));
	struct file *file = scratch_alloc(load, sizeof(*file));
	const struct plan_batch *batch = batch_keep(load, from);

	if (!added || !file || !batch)
		return;
	added->batch = batch;
	added->of = present;
	*load->added_tail = added;
	load->added_tail = &added->next;
	file->path = batch->file;
	if (batch->size > TREE_MAX_BYTES - load->tree_bytes) {
		(void)fault_at(load, (struct plan_place){file->path, 0, 0}, "E107",
			"cannot take it: %s", read_error_text(-EFBIG));
		return;
	}
	load->tree_bytes += batch->size;
	file->bytes = batch->text;
	file->size = batch->size;
	added->units = text_units(load, file);
}

static void present_read(struct load *load, const struct plan *present)
{
	uint32_t i;

	for (i = 0; i < present->n_units && !load->failed; i++) {
		const struct plan_batch *batch = present->units[i].added;
		void **seen = batch ? table_at(&load->keys, batch, "") : NULL;
		struct plan_batch old;

		if (!batch || (seen && *seen))
			continue;
		if (!seen) {
			load->failed = true;
			return;
		}
		*seen = (void *)batch;
		old = *batch;
		old.is_new = false;
		text_read(load, &old, batch);
	}
}

void added_read(struct load *load)
{
	const struct plan_addition *more = load->addition;

	load->added_tail = &load->added;
	if (load->present)
		present_read(load, load->present);
	if (more && !load->failed)
		text_read(load,
			&(struct plan_batch){
				more->supervisor, more->file, more->text, more->size, true},
			NULL);
}

/* ── the units of one supervisor ── */

static const char *name_below(struct load *load, const char *supervisor, const char *key)
{
	const char *name = key;

	if (strcmp(supervisor, "/") != 0)
		name = arena_printf(load->scratch, "%s/%s", supervisor, key);
	if (!name)
		load->failed = true;
	return name;
}

/* One that was removed since is in the text still. */
static bool is_there_still(struct load *load, const struct added *added, const char *key)
{
	const char *name = name_below(load, added->batch->supervisor, key);
	uint32_t first, n;

	return name && plan_find_all(load->present, name, &first, &n) && n > 0 &&
		plan_unit(load->present, first)->added == added->of;
}

static void taken_note(struct load *load, const struct added *added, const char *key)
{
	const char *name = name_below(load, added->batch->supervisor, key);

	if (!name || !load->addition || load->addition->taken)
		return;
	load->addition->taken = strdup(name);
	if (!load->addition->taken)
		load->failed = true;
}

/* The units of a supervisor while they are gathered. */
struct gathering {
	struct node *map, **tail;
};

static void unit_gather(
	struct load *load, struct gathering *g, const struct added *added, struct node *unit)
{
	struct node *copy;

	if (strncmp(unit->key, "x-", 2) == 0 ||
		(added->of && !is_there_still(load, added, unit->key)))
		return;
	if (node_find(load, g->map, unit->key)) {
		taken_note(load, added, unit->key);
		return;
	}
	copy = node_copy(load, unit);
	if (!copy)
		return;
	copy->batch = added->batch;
	node_put(load, g->map, &g->tail, copy);
}

struct node *added_units(struct load *load, const char *supervisor)
{
	struct gathering g = {0};
	const struct added *added;
	struct node *unit;

	for (added = load->added; added && !load->failed; added = added->next) {
		if (!added->units || strcmp(added->batch->supervisor, supervisor) != 0)
			continue;
		if (!g.map) {
			g.map = node_new(load, NODE_MAP, added->units->at);
			g.tail = g.map ? &g.map->first : NULL;
		}
		for (unit = added->units->first; unit && !load->failed; unit = unit->next)
			unit_gather(load, &g, added, unit);
	}
	return g.map;
}
