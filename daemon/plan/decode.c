/* SPDX-License-Identifier: MIT */
/* From the root mapping to struct plan_unit, depth first in declared order. A unit begins as a copy of the presets, its
 * empty slots are filled from the `defaults` above, and each slot is read by its type. */
#include <string.h>

#include "base/alloc.h"
#include "plan/draft.h"
#include "plan/suggest.h"

struct node *draft_node(const struct load *load, uint32_t unit, enum field_id id)
{
	const struct plan_unit *u = &load->units[unit];
	uint32_t i;

	for (i = 0; i < u->n_values; i++)
		if (u->values[i].field == id)
			return load->drafts[unit].nodes[i];
	return NULL;
}

static int kind_bit(enum plan_kind kind)
{
	return kind == PLAN_SUPERVISOR ? SUPERVISOR : kind == PLAN_FIBER ? FIBER : PROCESS;
}

/* `last`, if that is the same. NULL: out of memory, noted. */
static const void *keep_once(struct load *load, const void *last, const void *now, size_t size)
{
	void *kept;

	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): were they told apart in vain, it would cost some bytes. */
	if (last && memcmp(last, now, size) == 0)
		return last;
	kept = keep_alloc(load, size);
	if (kept)
		memcpy(kept, now, size);
	return kept;
}

void rules_keep(struct decoder *decoder, struct plan_unit *unit)
{
	const struct plan_rules *rules = keep_once(
		decoder->load, decoder->kept_rules, &decoder->rules, sizeof(decoder->rules));
	const struct plan_ways *ways = keep_once(
		decoder->load, decoder->kept_ways, &decoder->ways, sizeof(decoder->ways));

	/* Without memory it has the presets. */
	if (!rules || !ways)
		return;
	unit->rules = decoder->kept_rules = rules;
	unit->ways = decoder->kept_ways = ways;
}

/* Where the value of a row goes, of a unit or of effd. */
static char *struct_of(struct decoder *decoder, struct plan_unit *unit, const struct field *row)
{
	if (row->where == IN_DAEMON)
		return (char *)decoder->load->daemon;
	if (row->where == IN_RULES)
		return (char *)&decoder->rules;
	if (row->where == IN_WAYS)
		return (char *)&decoder->ways;
	return row->where == IN_PROCESS ? (char *)&decoder->process : (char *)unit;
}

/* Presets of fields that are one text; the few others are said here. */
static void preset_fill(struct decoder *decoder)
{
	struct load *load = decoder->load;
	struct plan_unit *preset = &decoder->preset;
	struct node node = {.kind = NODE_SCALAR, .quoted = true, .verbatim = true};
	struct value value = {.load = load, .node = &node, .unit = ""};
	enum field_id id;

	for (id = 0; id < N_FIELDS && !load->failed; id++) {
		const struct field *row = field_row(id);

		if (!row->face.preset || row->size == 0 || row->type == TYPE_ENDS ||
			row->type == TYPE_SIGNALS || row->where == IN_NEED ||
			row->where == IN_PROCESS || row->where == IN_SOCKET)
			continue;
		node.text = row->face.preset;
		value.field = row;
		value.to = struct_of(decoder, preset, row) + row->offset;
		(void)value_read(&value);
		value_done(&value);
	}
	decoder->rules.success_exit.codes[0] = 1;
	rules_keep(decoder, preset);
	preset->next_sibling = preset->first_child = preset->parent = PLAN_NONE;
	load->daemon->exit_code_from = PLAN_NONE;
	signals_preset(load->daemon);
}

uint32_t unit_add(struct decoder *decoder, struct node *map)
{
	struct load *load = decoder->load;
	uint32_t room = load->room_units ? load->room_units * 2 : 64, index = load->n_units;
	struct plan_unit *units;
	struct draft *drafts;

	if (load->n_units == load->room_units) {
		units = alloc_grow(load->units, room * sizeof(*units));
		if (units)
			load->units = units;
		drafts = units ? alloc_grow(load->drafts, room * sizeof(*drafts)) : NULL;
		if (!drafts) {
			load->failed = true;
			return PLAN_NONE;
		}
		load->drafts = drafts;
		load->room_units = room;
	}
	load->n_units++;
	load->units[index] = decoder->preset;
	load->units[index].index = index;
	load->units[index].at = map->key_at;
	load->drafts[index] = (struct draft){.map = map};
	return index;
}

/* A command that another has said, word by word: then it is that one. So what else such units say alike is seen to be the same,
 * too. */
static void command_share(
	struct load *load, const struct field *row, const char *text, plan_strv *argv)
{
	void **at = text && *argv ? table_at(&load->texts, row, text) : NULL;
	plan_strv known = at ? *at : NULL;
	size_t i = 0;

	if (at && !known)
		*at = (void *)*argv;
	load->failed |= text && *argv && !at;
	/* Texts are kept once. */
	while (known && known[i] && known[i] == (*argv)[i])
		i++;
	if (known && known[i] == (*argv)[i])
		*argv = known;
}

/* Takes a slot's value, for the unit or for effd. */
void slot_read(struct decoder *decoder, struct plan_unit *unit, enum field_id id, struct node *node)
{
	struct load *load = decoder->load;
	const struct field *row = field_row(id);
	struct value value = {.load = load, .field = row, .node = node, .unit = unit->name};
	const char *text;
	bool good;

	if (row->where == IN_PROCESS)
		decoder->has_process = true;
	if (id == FIELD_WITH)
		value.builtin = unit->builtin;
	value.to = row->size ? struct_of(decoder, unit, row) + row->offset : NULL;
	good = value_read(&value);
	if (good && id == FIELD_LABELS)
		unit->labels = pairs_of(&value, node, &unit->n_labels);
	if (good && id == FIELD_WITH)
		unit->with = pairs_of(&value, node, &unit->n_with);
	if (good && id == FIELD_NAME)
		load->name = value.filled;
	if (!good || load->failed) {
		value_done(&value);
		return;
	}
	text = keep_text(load, &value.text);
	if (row->type == TYPE_COMMAND || row->type == TYPE_SHELL)
		command_share(load, row, text, (plan_strv *)value.to);
	decoder->values[decoder->n_values] = (struct plan_value){(uint16_t)id, text, node->at};
	decoder->nodes[decoder->n_values++] = node;
}

/* The values read so far, for a unit or for effd. */
struct node **values_keep(
	struct decoder *decoder, const struct plan_value **ret_values, uint32_t *ret_n)
{
	struct load *load = decoder->load;
	size_t n = decoder->n_values;
	struct plan_value *values = keep_alloc(load, n * sizeof(*values));
	struct node **nodes = scratch_alloc(load, n * sizeof(*nodes));

	if (!values || !nodes)
		return NULL;
	if (n) {
		memcpy(values, decoder->values, n * sizeof(*values));
		memcpy(nodes, decoder->nodes, n * sizeof(*nodes));
	}
	*ret_values = values;
	*ret_n = (uint32_t)n;
	decoder->n_values = 0;
	return nodes;
}

void slots_read(struct decoder *decoder, struct plan_unit *unit, const struct layer *layer)
{
	enum field_id id;

	decoder->rules = *decoder->preset.rules;
	decoder->ways = *decoder->preset.ways;
	memset(&decoder->process, 0, sizeof(decoder->process));
	decoder->has_process = false;
	for (id = 0; id < N_FIELDS && !decoder->load->failed; id++) {
		const struct field *row = field_row(id);

		if (layer->slots[id] && row->type != TYPE_SECTION && row->type != TYPE_RAW &&
			!(id > FIELD_DAEMON && id <= FIELD_DAEMON_SIGNALS))
			slot_read(decoder, unit, id, layer->slots[id]);
		else if (layer->slots[id] && id == FIELD_TEMPLATE)
			template_keep(decoder, layer->slots[id]);
	}
}

static void schedule_settle(
	struct load *load, struct plan_schedule *settled, const struct layer *layer)
{
	struct node *schedule = layer->slots[FIELD_SCHEDULE];

	settled->is_there = schedule != NULL;
	settled->by_cron = layer->slots[FIELD_SCHEDULE_CRON] != NULL;
	if (schedule && !settled->by_cron && !layer->slots[FIELD_SCHEDULE_EVERY])
		diag_help(load->diags,
			fault_key(load, schedule, "E203", "`schedule` needs `every` or `cron`"),
			"write {every: 1h}, or {cron: \"30 2 * * *\"}");
}

void supervisor_settle(struct decoder *decoder, const struct layer *layer)
{
	struct plan_ways *ways = &decoder->ways;
	struct load *load = decoder->load;
	struct node *intensity = layer->slots[FIELD_INTENSITY];

	ways->start_timeout_ns = ways->max_runtime_ns = PLAN_FOREVER;
	if (ways->strategy == PLAN_REST_FOR_ONE && !layer->slots[FIELD_START_ORDER])
		ways->start_order = PLAN_SEQUENTIAL;
	if (intensity &&
		(!layer->slots[FIELD_INTENSITY_MAX] || !layer->slots[FIELD_INTENSITY_PERIOD]))
		diag_help(load->diags,
			fault_key(load, intensity, "E203",
				"`intensity` needs `max_restarts` and `period`"),
			"write {max_restarts: 5, period: 1m}");
}

/* What depends on more than one field. */
static void unit_settle(struct decoder *decoder, struct plan_unit *unit, const struct layer *layer)
{
	struct load *load = decoder->load;
	const struct plan_place *at = &unit->at;

	if (!unit->working_dir && unit->more && unit->more->root_dir)
		unit->working_dir = "/";
	if (!unit->working_dir)
		unit->working_dir = path_from(load, at->file ? at->file : "", ".");
	if (unit->kind == PLAN_SUPERVISOR) {
		supervisor_settle(decoder, layer);
		return;
	}
	schedule_settle(load, &decoder->rules.schedule, layer);
	if (decoder->rules.schedule.is_there && !layer->slots[FIELD_RESTART_POLICY])
		unit->restart = PLAN_NO;
	else if (unit->type == PLAN_ONESHOT && !layer->slots[FIELD_RESTART_POLICY])
		unit->restart = PLAN_ON_FAILURE;
	if (unit->type == PLAN_ONESHOT && !layer->slots[FIELD_START_TIMEOUT])
		decoder->ways.start_timeout_ns = PLAN_FOREVER;
	probes_decode(load, &decoder->rules, layer);
}

static void fiber_settle(struct load *load, struct plan_unit *unit, const struct layer *layer)
{
	struct node *fiber = layer->slots[FIELD_FIBER];
	bool named = layer->slots[FIELD_FIBER_BUILTIN],
	     module = layer->slots[FIELD_FIBER_MODULE], entry = layer->slots[FIELD_FIBER_ENTRY];

	if (unit->kind != PLAN_FIBER)
		return;
	if (!fiber) {
		unit->builtin = "idle";
		return;
	}
	if (named && (module || entry))
		(void)fault_key(load, fiber, "E217", "`fiber` is either a built-in or a module");
	else if (!named && (!module || !entry))
		diag_help(load->diags,
			fault_key(load, fiber, "E203",
				"`fiber` needs a name, or both `module` and `entry`"),
			"write `fiber: heartbeat`, or `fiber: {module: PATH, entry: NAME}`");
}

/* `defaults` are read once for themselves, so that what is wrong in them is said even if no unit inherits it. */
static void defaults_try(struct decoder *decoder, const struct layer *layer, const char *name)
{
	struct plan_unit *unit = scratch_alloc(decoder->load, sizeof(*unit));

	if (!unit)
		return;
	*unit = decoder->preset;
	/* Whether those who inherit it have a number is theirs to say. */
	unit->name = arena_printf(decoder->load->scratch, "%s@1", name);
	if (!unit->name) {
		decoder->load->failed = true;
		return;
	}
	slots_read(decoder, unit, layer);
	decoder->n_values = 0;
}

void defaults_lay(struct decoder *decoder, uint32_t index, struct node *defaults,
	const struct layer *above)
{
	struct load *load = decoder->load;
	struct layer *layer = defaults ? scratch_alloc(load, sizeof(*layer)) : NULL;

	load->drafts[index].below = above;
	if (!layer)
		return;
	layer_defaults(load, layer, defaults, load->units[index].name);
	defaults_try(decoder, layer, load->units[index].name);
	if (above)
		layer_inherit(load, layer, above, ANY_UNIT);
	load->drafts[index].below = layer;
}

/* Opens the `units` of a supervisor, for the walk to go on with. */
void units_open(struct decoder *decoder, uint32_t index, struct node *units)
{
	struct load *load = decoder->load;

	if (!units)
		return;
	if (units->kind != NODE_MAP) {
		advise_form(load,
			fault(load, units, "E204", "`units` needs a mapping, and this is %s",
				node_kind_text(units)),
			field_row(FIELD_UNITS));
		return;
	}
	if (decoder->depth == UNITS_DEEP)
		return;
	decoder->levels[decoder->depth].next = units->first;
	decoder->levels[decoder->depth].unit = index;
	decoder->levels[decoder->depth++].last = PLAN_NONE;
}

void unit_decode(struct decoder *decoder, uint32_t index)
{
	struct load *load = decoder->load;
	struct plan_unit *unit = &load->units[index];
	const struct layer *above = template_layer(decoder, unit->parent, unit->name);
	struct layer *layer = &decoder->layer;
	struct node **nodes;

	*layer = (struct layer){0};
	unit->kind = unit_kind(load, index, above);
	layer_fill(load, layer, load->drafts[index].map,
		load->drafts[index].is_broken ? ANY_UNIT : kind_bit(unit->kind), unit->name);
	if (above)
		layer_inherit(load, layer, above, kind_bit(unit->kind));
	slots_read(decoder, unit, layer);
	nodes = values_keep(decoder, &unit->values, &unit->n_values);
	load->drafts[index].nodes = nodes;
	if (load->failed)
		return;
	process_settle(decoder, unit, layer);
	unit_settle(decoder, unit, layer);
	rules_keep(decoder, unit);
	fiber_settle(load, unit, layer);
	if (unit->kind != PLAN_SUPERVISOR)
		return;
	if (above && above->slots[FIELD_UNITS])
		load->drafts[index].is_shared = true;
	defaults_lay(decoder, index, layer->slots[FIELD_DEFAULTS], load->drafts[unit->parent].below);
	children_open(decoder, index, layer);
}

void tree_decode(struct load *load, struct node *root)
{
	struct decoder *decoder = scratch_alloc(load, sizeof(*decoder));

	if (!decoder)
		return;
	decoder->load = load;
	decoder->values = scratch_alloc(load, N_FIELDS * sizeof(*decoder->values));
	decoder->nodes = scratch_alloc(load, N_FIELDS * sizeof(*decoder->nodes));
	if (load->failed)
		return;
	fields_index(load);
	preset_fill(decoder);
	if (load->failed)
		return;
	root_decode(decoder, root);
	units_decode(decoder);
}
