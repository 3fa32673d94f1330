/* SPDX-License-Identifier: MIT */
/* What a unit is: the keys that it has tell, or what it inherits. */
#include <string.h>

#include "plan/draft.h"

/* The first key that says what a unit is; a second one that says something else is an error. */
struct node *kind_find(struct load *load, struct node *map, enum plan_kind *ret_kind)
{
	static const struct {
		const char *key;
		enum plan_kind kind;
	} keys[] = {{"command", PLAN_PROCESS}, {"shell", PLAN_PROCESS}, {"fiber", PLAN_FIBER},
		{"units", PLAN_SUPERVISOR}, {"template", PLAN_SUPERVISOR}};
	struct node *first = NULL, *node;
	struct diag *diag;
	size_t i;

	for (node = map->kind == NODE_MAP ? map->first : NULL; node; node = node->next) {
		for (i = 0; i < 5 && strcmp(keys[i].key, node->key) != 0;)
			i++;
		if (i == 5)
			continue;
		if (!first) {
			first = node;
			*ret_kind = keys[i].kind;
			continue;
		}
		/* `template` in a mapping with `units` is a matter of supervisors. */
		if (i == 4 || (i == 3 && strcmp(first->key, "template") == 0))
			continue;
		diag = fault_key(load, node, "E217", "`%s` and `%s`: a unit is one of them",
			first->key, node->key);
		diag_note(load->diags, diag, first->key_at, "`%s` is here", first->key);
	}
	return first;
}

/* With a probe and nothing to run it stands for something outside: a fiber that idles, and is ready when the probe is. */
static bool has_probe(struct load *load, struct node *map)
{
	return map->kind == NODE_MAP &&
		(node_find(load, map, "readiness_probe") || node_find(load, map, "startup_probe") ||
			node_find(load, map, "liveness_probe"));
}

/* It is a supervisor, and what it lacks is its template. */
static bool has_simple_strategy(struct load *load, struct node *map)
{
	struct node *strategy = map->kind == NODE_MAP ? node_find(load, map, "strategy") : NULL;

	return strategy && strategy->kind == NODE_SCALAR &&
		strcmp(strategy->text, "simple_one_for_one") == 0;
}

enum plan_kind unit_kind(struct load *load, uint32_t index, const struct layer *above)
{
	struct node *map = load->drafts[index].map;
	enum plan_kind kind = PLAN_PROCESS;
	struct diag *diag;

	if (kind_find(load, map, &kind))
		return kind;
	if (above && (above->slots[FIELD_UNITS] || above->slots[FIELD_TEMPLATE]))
		return PLAN_SUPERVISOR;
	if (above && above->slots[FIELD_FIBER])
		return PLAN_FIBER;
	if (above && (above->slots[FIELD_COMMAND] || above->slots[FIELD_SHELL]))
		return PLAN_PROCESS;
	if (has_simple_strategy(load, map))
		return PLAN_SUPERVISOR;
	if (has_probe(load, map))
		return PLAN_FIBER;
	load->drafts[index].is_broken = true;
	if (map->kind != NODE_MAP && !node_is_null(map)) {
		diag = fault(load, map, "E204", "a unit is a mapping, and this is %s",
			node_kind_text(map));
		diag_help(load->diags, diag, "write `%s: {command: [PROGRAM, ARGUMENT, …]}`",
			map->key);
		return kind;
	}
	diag = fault_key(load, map, "E203", "`%s` does not say what it is", map->key);
	diag_help(load->diags, diag,
		"give it `command`, `shell`, `fiber` or `units`; for something outside, a probe alone");
	return kind;
}
