/* SPDX-License-Identifier: MIT */
/* Bytes as what is added to a running tree: before the first NUL the tree, behind it the addition to its `pool`. Where the tree
 * is none, a small one stands for it. What is added is there, nothing else is touched, and it can be taken out and laid over the
 * tree again; what is refused says why. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plan/changes.h"
#include "plan/diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *tree;
	size_t size;
};

static const char small[] = "version: 1\nunits:\n  db: {command: x}\n"
			    "  pool: {strategy: simple_one_for_one, template: {command: x, restart: no}}\n";

static int input_read(
	void *context, const char *path, size_t limit, char **ret_bytes, size_t *ret_size)
{
	const struct input *input = context;
	char *bytes;

	if (strcmp(path, "/tree/effd.yaml") != 0)
		return -ENOENT;
	if (input->size > limit)
		return -EFBIG;
	bytes = malloc(input->size + 1);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, input->tree, input->size);
	bytes[input->size] = '\0';
	*ret_bytes = bytes;
	*ret_size = input->size;
	return 0;
}

static int input_list(void *context, const char *path, char ***ret_names)
{
	(void)context;
	(void)path;
	(void)ret_names;
	return -ENOTDIR;
}

static struct plan *load(const struct plan_source *source, const struct plan *present)
{
	struct diags *diags = diags_new();
	struct plan *plan = NULL;
	int r = plan_load_again("/tree/effd.yaml", source, present, &plan, diags);

	assert(r == 0 || r == -EINVAL);
	assert((r == 0) == (diags_errors(diags) == 0));
	diags_free(diags);
	return r == 0 ? plan : NULL;
}

/* It, or the group that it came with. */
static bool is_added(const struct plan *plan, const struct plan_unit *unit)
{
	while (!plan_is_new(unit) && unit->parent != PLAN_NONE)
		unit = plan_unit(plan, unit->parent);
	return plan_is_new(unit);
}

/* What differs between the two is what was added. */
static void check_added(const struct plan *present, const struct plan *plan)
{
	struct plan_change *changes;
	uint32_t n, added = 0;

	for (uint32_t i = 0; i < plan_n_units(plan); i++) {
		const struct plan_unit *unit = plan_unit(plan, i);

		assert(unit->index == i && unit->end > i && unit->end <= plan_n_units(plan));
		assert(plan_find(plan, unit->name) == unit);
		added += is_added(plan, unit);
		assert(!is_added(plan, unit) == (plan_find(present, unit->name) != NULL));
	}
	assert(added == plan_n_units(plan) - plan_n_units(present));
	assert(plan_diff(present, NULL, plan, &changes, &n) == 0);
	for (uint32_t i = 0; i < n; i++)
		assert(changes[i].action == PLAN_DO_START &&
			is_added(plan, plan_unit(plan, changes[i].after)));
	assert(n == added);
	plan_changes_free(changes, n);
}

static void check_same(const struct plan *a, const struct plan *b)
{
	struct plan_change *changes;
	uint32_t n;

	assert(plan_n_units(a) == plan_n_units(b));
	assert(plan_diff(a, NULL, b, &changes, &n) == 0);
	assert(n == 0);
	plan_changes_free(changes, n);
}

/* Without all that was added it is the tree as it was. */
static void check_without(const struct plan *present, struct plan *plan)
{
	bool *gone = calloc(plan_n_units(plan), sizeof(*gone));
	struct plan *rest;

	assert(gone);
	for (uint32_t i = 0; i < plan_n_units(plan); i++)
		gone[i] = plan_is_new(plan_unit(plan, i));
	assert(plan_without(plan, gone, &rest) == 0);
	check_same(present, rest);
	plan_unref(rest);
	free(gone);
}

static void check_addition(const struct plan_source *source, struct plan *present,
	const uint8_t *data, size_t size)
{
	struct plan_addition addition = {.supervisor = "pool",
		.file = "/more/add.yaml",
		.text = (const char *)data,
		.size = size};
	struct diags *diags = diags_new();
	struct plan *plan = NULL, *again;
	int r = plan_add(present, &addition, source, &plan, diags);

	assert(r == 0 || r == -EINVAL || r == -EEXIST);
	assert((r == -EINVAL) == (diags_errors(diags) > 0));
	assert((r == -EEXIST) == (addition.taken != NULL));
	free(addition.taken);
	diags_free(diags);
	if (r < 0)
		return;
	check_added(present, plan);
	check_without(present, plan);
	again = load(source, plan);
	assert(again);
	check_same(plan, again);
	plan_unref(again);
	plan_unref(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const environment[] = {"PATH=/bin", "PORT=8080", NULL};
	const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
	struct input input = {.tree = data, .size = nul ? (size_t)(nul - data) : 0};
	struct plan_source source = {
		.read = input_read, .list = input_list, .environment = environment, .context = &input};
	const uint8_t *added = nul ? nul + 1 : data;
	struct plan *present = nul ? load(&source, NULL) : NULL;
	const struct plan_unit *pool = present ? plan_find(present, "pool") : NULL;

	if (!pool || pool->kind != PLAN_SUPERVISOR ||
		pool->ways->strategy != PLAN_SIMPLE_ONE_FOR_ONE) {
		plan_unref(present);
		input = (struct input){(const uint8_t *)small, sizeof(small) - 1};
		present = load(&source, NULL);
	}
	assert(present);
	check_addition(&source, present, added, (size_t)(data + size - added));
	plan_unref(present);
	return 0;
}
