/* SPDX-License-Identifier: MIT */
/* Replicas: one mapping of the tree that makes several units, NAME@1 to NAME@N, each read for itself, so that
 * ${INSTANCE} makes them differ. How many there are must be known before the first of them is read. */
#include <stddef.h>
#include <string.h>

#include "plan/draft.h"

/* What a unit costs beside its nodes, as a count of nodes. */
#define UNIT_NODES (sizeof(struct plan_unit) / NODE_BYTES + 1)

bool replicas_charge(struct load *load, struct node *node, uint64_t nodes)
{
	load->shared_nodes += nodes;
	if (load->shared_nodes <= SHARED_MAX_NODES)
		return true;
	if (node->key_at.line)
		(void)fault_key(load, node, "E105", "`replicas` make this tree too large");
	else
		(void)fault(load, node, "E105", "`replicas` make this tree too large");
	return false;
}

/* A supervisor has no replicas; that it says so is a matter of its fields. */
static bool is_supervisor(struct load *load, const struct node *map)
{
	return node_find(load, map, "units") || node_find(load, map, "template");
}

static struct node *replicas_node(
	struct load *load, const struct node *map, const struct layer *above)
{
	struct node *own = node_find(load, map, "replicas");

	if (is_supervisor(load, map))
		return NULL;
	if (own)
		return node_is_null(own) ? NULL : own;
	return above ? above->slots[FIELD_REPLICAS] : NULL;
}

uint32_t replicas_read(
	struct load *load, struct node *node, const struct layer *above, bool *ret_numbered)
{
	struct node *replicas = replicas_node(load, node, above);
	uint32_t n = 1;
	struct value value = {.load = load,
		.field = field_row(FIELD_REPLICAS),
		.node = replicas,
		.unit = node->key,
		.to = &n};

	*ret_numbered = replicas != NULL;
	if (!replicas)
		return 1;
	/* What is wrong with it is said now, and not again for each of them. */
	if (!value_read(&value))
		n = 1;
	value_done(&value);
	if (n > 1 && !replicas_charge(load, node, (n - 1) * ((uint64_t)node->weight + UNIT_NODES)))
		n = 1;
	return n;
}

/* The second is held against the first: a path that is the same for both is so for all. */
static void path_check(struct load *load, const struct plan_unit *unit, enum field_id field,
	const char *first, const char *second)
{
	struct node *node = draft_node(load, unit->index, field);
	struct diag *diag;

	if (!node || !first || !second || strcmp(first, second) != 0)
		return;
	diag = fault(load, node, "E311", "`%s` is the same for all %u replicas of `%s`",
		field_row(field)->face.name, unit->n_replicas, unit->stem);
	diag_help(load->diags, diag, "put ${INSTANCE} in it, which is the number of each");
}

static const struct {
	enum field_id field;
	size_t probe;
} asked[] = {
	{FIELD_STARTUP_UNIX_PATH, offsetof(struct plan_rules, startup)},
	{FIELD_STARTUP_HTTP_UNIX, offsetof(struct plan_rules, startup)},
	{FIELD_READINESS_UNIX_PATH, offsetof(struct plan_rules, readiness)},
	{FIELD_READINESS_HTTP_UNIX, offsetof(struct plan_rules, readiness)},
	{FIELD_LIVENESS_UNIX_PATH, offsetof(struct plan_rules, liveness)},
	{FIELD_LIVENESS_HTTP_UNIX, offsetof(struct plan_rules, liveness)},
};

static const char *asked_path(const struct plan_unit *unit, size_t probe)
{
	return ((const struct plan_probe *)((const char *)unit->rules + probe))->path_unix;
}

void replicas_check(struct load *load, const struct plan_unit *unit)
{
	const struct plan_unit *first = unit - 1;

	if (unit->replica != 2)
		return;
	path_check(load, unit, FIELD_PID_FILE, first->ways->pid_file, unit->ways->pid_file);
	path_check(load, unit, FIELD_LOG_STDOUT, first->out.path, unit->out.path);
	path_check(load, unit, FIELD_LOG_STDERR, first->err.path, unit->err.path);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		path_check(load, unit, asked[i].field, asked_path(first, asked[i].probe),
			asked_path(unit, asked[i].probe));
}
