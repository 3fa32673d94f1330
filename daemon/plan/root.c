/* SPDX-License-Identifier: MIT */
/* The root: a supervisor without a name of its own, and effd's settings. */
#include "plan/draft.h"
#include "plan/suggest.h"

static void readers_decode(struct decoder *decoder, struct node *readers)
{
	struct load *load = decoder->load;
	struct value value = {.load = load, .field = field_row(FIELD_DAEMON_READERS), .unit = "/"};
	struct words words = {0};
	struct plan_pair *pairs;
	struct node *item;
	uint32_t i;

	if (readers->kind == NODE_SCALAR)
		words_add(load, &words, value_fill(&value, readers));
	for (item = readers->first; item && item->kind == NODE_SCALAR; item = item->next)
		words_add(load, &words, value_fill(&value, item));
	pairs = keep_alloc(load, words.n * sizeof(*pairs));
	if (!pairs)
		return;
	for (i = 0; i < words.n; i++)
		pairs[i].name = words.items[i];
	load->daemon->readers = pairs;
	load->daemon->n_readers = words.n;
}

struct node *daemon_node(const struct load *load, enum field_id id)
{
	uint32_t i;

	for (i = 0; i < load->daemon->n_values; i++)
		if (load->daemon->values[i].field == id)
			return load->daemon_nodes[i];
	return NULL;
}

static void daemon_decode(struct decoder *decoder, const struct layer *layer)
{
	struct load *load = decoder->load;
	struct node *readers = layer->slots[FIELD_DAEMON_READERS];
	enum field_id id;

	for (id = FIELD_DAEMON + 1; id <= FIELD_DAEMON_SIGNALS && !load->failed; id++)
		if (layer->slots[id])
			slot_read(decoder, &load->units[0], id, layer->slots[id]);
	load->exit_code_from = layer->slots[FIELD_DAEMON_EXIT_CODE_FROM];
	load->signals = layer->slots[FIELD_DAEMON_SIGNALS];
	load->daemon->has_socket_mode = layer->slots[FIELD_DAEMON_SOCKET_MODE];
	load->daemon_nodes = values_keep(decoder, &load->daemon->values, &load->daemon->n_values);
	if (readers && readers->kind != NODE_MAP && !load->failed)
		readers_decode(decoder, readers);
}

void root_decode(struct decoder *decoder, struct node *root)
{
	struct load *load = decoder->load;
	struct layer *layer = scratch_alloc(load, sizeof(*layer));
	uint32_t index = layer ? unit_add(decoder, root) : PLAN_NONE;
	struct plan_unit *unit;

	if (index == PLAN_NONE)
		return;
	unit = &load->units[index];
	unit->name = "/";
	unit->kind = PLAN_SUPERVISOR;
	unit->at = root->at;
	layer_fill(load, layer, root, ROOT, "/");
	slots_read(decoder, unit, layer);
	supervisor_settle(decoder, layer);
	rules_keep(decoder, unit);
	load->drafts[0].nodes = values_keep(decoder, &unit->values, &unit->n_values);
	daemon_decode(decoder, layer);
	if (load->failed)
		return;
	if (!node_find(load, root, "version"))
		diag_help(load->diags, fault(load, root, "E203", "`version` is missing"),
			"write `version: 1`");
	if (!node_find(load, root, "units") && !node_find(load, root, "services") &&
		!node_find(load, root, "processes") && !node_find(load, root, "apps") &&
		!node_find(load, root, "template") && unit->ways->strategy != PLAN_SIMPLE_ONE_FOR_ONE)
		advise_form(load, fault_at(load, root->at, "E203", "`units` is missing"),
			field_row(FIELD_UNITS));
	defaults_lay(decoder, 0, layer->slots[FIELD_DEFAULTS], NULL);
	children_open(decoder, 0, layer);
}
