/* SPDX-License-Identifier: MIT */
/* simple_one_for_one: a supervisor whose children are added while it runs. Each is what was added, laid over the
 * supervisor's template, and that over its `defaults`. A template is read once for itself, so that what is wrong in it is
 * said before there is a child. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "plan/draft.h"

void template_keep(struct decoder *decoder, struct node *template)
{
	struct load *load = decoder->load;
	struct value value = {.load = load,
		.field = field_row(FIELD_TEMPLATE),
		.node = template,
		.as_written = true};

	if (template->kind != NODE_MAP || !canonical_node(&value, template)) {
		value_done(&value);
		return;
	}
	decoder->values[decoder->n_values] = (struct plan_value){
		(uint16_t)FIELD_TEMPLATE, keep_text(load, &value.text), template->at};
	decoder->nodes[decoder->n_values++] = template;
}

static int template_kinds(struct load *load, struct node *template)
{
	enum plan_kind kind;

	if (!kind_find(load, template, &kind))
		return ANY_UNIT;
	return kind == PLAN_SUPERVISOR ? SUPERVISOR : kind == PLAN_FIBER ? FIBER : PROCESS;
}

static void template_fill(struct decoder *decoder, struct node *template,
	const struct layer *below, const char *unit)
{
	struct load *load = decoder->load;

	decoder->made = (struct layer){0};
	layer_fill(load, &decoder->made, template, template_kinds(load, template), unit);
	if (below)
		layer_inherit(load, &decoder->made, below, ANY_UNIT);
}

static void template_try(struct decoder *decoder, uint32_t index, struct node *template)
{
	struct load *load = decoder->load;
	struct plan_unit *unit = scratch_alloc(load, sizeof(*unit));

	if (!unit)
		return;
	*unit = decoder->preset;
	unit->name = load->units[index].name;
	template_fill(decoder, template, load->drafts[index].below, unit->name);
	slots_read(decoder, unit, &decoder->made);
	decoder->n_values = 0;
}

static void strategy_check(struct load *load, const struct layer *layer, bool simple)
{
	struct node *units = layer->slots[FIELD_UNITS], *template = layer->slots[FIELD_TEMPLATE];
	struct node *strategy = layer->slots[FIELD_STRATEGY];
	struct diag *diag;

	if (simple && units) {
		diag = fault_key(load, units, "E308",
			"`units` is not for `strategy: simple_one_for_one`: its units are added at run time");
		diag_note(load->diags, diag, strategy->at, "`strategy` is here");
		diag_help(load->diags, diag, "say in `template` what they are made from");
	} else if (simple && !template) {
		diag_help(load->diags,
			fault(load, strategy, "E203",
				"`strategy: simple_one_for_one` needs `template`"),
			"say in `template` what the units that `effctl add` brings are made from");
	} else if (!simple && template) {
		diag_help(load->diags,
			fault_key(load, template, "E308",
				"`template` is for `strategy: simple_one_for_one` alone"),
			"say `strategy: simple_one_for_one`, or give `defaults` to `units`");
	}
}

void children_open(struct decoder *decoder, uint32_t index, const struct layer *layer)
{
	struct load *load = decoder->load;
	struct node *template = layer->slots[FIELD_TEMPLATE], *units = layer->slots[FIELD_UNITS];
	bool simple = load->units[index].ways->strategy == PLAN_SIMPLE_ONE_FOR_ONE;

	strategy_check(load, layer, simple);
	if (template && template->kind != NODE_MAP) {
		(void)fault(load, template, "E204",
			"`template` needs a mapping, and this is %s", node_kind_text(template));
		template = NULL;
	}
	if (template) {
		load->has_template = true;
		load->drafts[index].template = template;
		template_try(decoder, index, template);
	}
	units_open(decoder, index, simple ? added_units(load, load->units[index].name) : units);
}

const struct layer *template_layer(struct decoder *decoder, uint32_t supervisor, const char *unit)
{
	const struct draft *draft = &decoder->load->drafts[supervisor];

	if (!draft->template)
		return draft->below;
	template_fill(decoder, draft->template, draft->below, unit);
	return &decoder->made;
}

/* ── checks ── */

/* What a template names has to be there before any child is. What a variable is part of is seen with the child. */
static void name_try(struct load *load, uint32_t index, struct node *node, const char *name)
{
	if (name && !strchr(name, '$'))
		(void)reference_find(load, index, node, name, "be ordered against");
}

static void names_try(struct load *load, uint32_t index, struct node *node)
{
	struct node *item;

	if (node->kind == NODE_SCALAR && !node_is_null(node))
		name_try(load, index, node, node->text);
	for (item = node->first; item && !load->failed; item = item->next) {
		struct node at = *item;

		if (node->kind == NODE_LIST && item->kind == NODE_SCALAR) {
			name_try(load, index, item, item->text);
		} else if (node->kind == NODE_MAP && strncmp(item->key, "x-", 2) != 0) {
			/* A complaint about a name is about the key. */
			at.at = item->key_at;
			at.width = item->key_width;
			name_try(load, index, &at, item->key);
			item->told = at.told;
		}
	}
}

static void template_names_check(struct load *load, uint32_t index, struct node *template)
{
	static const char *const keys[] = {"depends_on", "after", "before", "conflicts"};
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct node *node = node_find(load, template, keys[i]);

		if (node)
			names_try(load, index, node);
	}
}

void templates_check(struct load *load)
{
	uint32_t i;

	for (i = 0; i < load->n_units && !load->failed; i++)
		if (load->drafts[i].template)
			template_names_check(load, i, load->drafts[i].template);
}

/* ── names of what may go ── */

static void naming_add(struct load *load, uint32_t named, uint32_t by)
{
	uint32_t room = load->room_namings ? load->room_namings * 2 : 32;
	struct naming *namings;

	if (load->n_namings == load->room_namings) {
		namings = alloc_grow(load->namings, room * sizeof(*namings));
		if (!namings) {
			load->failed = true;
			return;
		}
		load->namings = namings;
		load->room_namings = room;
	}
	load->namings[load->n_namings++] = (struct naming){named, by};
}

static void namings_add(struct load *load, struct range named, uint32_t by)
{
	for (uint32_t i = 0; i < named.n && !load->failed; i++)
		naming_add(load, named.first + i, by);
}

static int by_named(const void *left, const void *right)
{
	const struct naming *a = left, *b = right;

	if (a->named != b->named)
		return a->named < b->named ? -1 : 1;
	return a->by < b->by ? -1 : a->by > b->by;
}

void namings_make(struct load *load)
{
	uint32_t *by = keep_alloc(load, load->n_namings * sizeof(*by));
	uint32_t i;

	if (!by || !load->n_namings)
		return;
	qsort(load->namings, load->n_namings, sizeof(*load->namings), by_named);
	for (i = 0; i < load->n_namings; i++) {
		struct plan_unit *unit = &load->units[load->namings[i].named];

		by[i] = load->namings[i].by;
		if (!unit->n_named_by)
			unit->named_by = &by[i];
		unit->n_named_by++;
	}
}

bool reference_lasts(struct load *load, uint32_t from, struct node *node, struct range others)
{
	const struct plan_unit *units = load->units;
	uint32_t at, group;

	for (at = others.n ? others.first : 0; at != 0; at = group) {
		group = units[at].parent;
		if (!units[at].added)
			continue;
		namings_add(load, others, from);
		if (group < from && from < units[group].end)
			continue;
		(void)fault(load, node, "E319",
			"`%s` was added at run time and may go: only what was added beside it can name it",
			units[others.first].name);
		return false;
	}
	return true;
}
