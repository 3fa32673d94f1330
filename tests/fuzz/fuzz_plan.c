/* SPDX-License-Identifier: MIT */
/* Bytes as a tree: /tree/effd.yaml is what stands before the first NUL, /tree/env what stands behind it. What is taken must
 * be the same when it is taken again, and what is refused must say why. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plan/changes.h"
#include "plan/diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *tree, *env;
	size_t tree_size, env_size;
};

static int input_read(
	void *context, const char *path, size_t limit, char **ret_bytes, size_t *ret_size)
{
	const struct input *input = context;
	bool is_tree = strcmp(path, "/tree/effd.yaml") == 0;
	size_t size = is_tree ? input->tree_size : input->env_size;
	char *bytes;

	if (!is_tree && strcmp(path, "/tree/env") != 0)
		return -ENOENT;
	if (size > limit)
		return -EFBIG;
	bytes = malloc(size + 1);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, is_tree ? input->tree : input->env, size);
	bytes[size] = '\0';
	*ret_bytes = bytes;
	*ret_size = size;
	return 0;
}

static int input_list(void *context, const char *path, char ***ret_names)
{
	(void)context;
	(void)path;
	(void)ret_names;
	return -ENOTDIR;
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

static void check_units(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan_n_units(plan); i++) {
		const struct plan_unit *unit = plan_unit(plan, i);

		assert(unit->index == i && unit->end > i && unit->end <= plan_n_units(plan));
		assert(plan_find(plan, unit->name) == unit);
		assert(unit->kind != PLAN_PROCESS ||
			(unit->argv && unit->argv[0] && unit->environment && unit->working_dir));
		assert(unit->kind != PLAN_FIBER || unit->builtin || (unit->module && unit->entry));
		for (uint32_t k = 0; k < unit->n_needs; k++)
			assert(unit->needs[k].unit < plan_n_units(plan) && unit->needs[k].unit != i);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const environment[] = {"PATH=/bin", "PORT=8080", NULL};
	const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
	struct input input = {.tree = data, .tree_size = nul ? (size_t)(nul - data) : size};
	struct plan_source source = {
		.read = input_read, .list = input_list, .environment = environment, .context = &input};
	struct plan *plans[2] = {NULL, NULL};

	input.env = nul ? nul + 1 : data + size;
	input.env_size = nul ? size - input.tree_size - 1 : 0;
	for (int i = 0; i < 2; i++) {
		struct diags *diags = diags_new();
		int r = plan_load("/tree/effd.yaml", &source, &plans[i], diags);

		assert(r == 0 || r == -EINVAL);
		assert((r == 0) == (diags_errors(diags) == 0));
		diags_free(diags);
		if (r < 0)
			break;
		check_units(plans[i]);
	}
	if (plans[1])
		check_same(plans[0], plans[1]);
	plan_unref(plans[0]);
	plan_unref(plans[1]);
	return 0;
}
