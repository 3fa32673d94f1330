/* SPDX-License-Identifier: MIT */
/* What is added to a world's tree while it runs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake/world.h"

int world_add(struct world *w, const char *supervisor, const char *units)
{
	struct plan_source source = world_source(w);
	struct plan_addition addition = {.supervisor = supervisor, .file = "/world/add.yaml"};
	struct diags *diags = diags_new();
	struct plan *plan = NULL;
	struct text text = {0};
	int r;

	text_printf(&text, "units: {%s}", units);
	addition.text = text.bytes;
	addition.size = text.len;
	WORLD_ASSERT(w, tree_claim_plan(w->tree) == 0, "the plan is claimed");
	r = plan_add(w->tree->plan, &addition, &source, &plan, diags);
	if (r == -EINVAL)
		diags_print(diags, stderr);
	if (r == 0)
		r = tree_catch_up(w->tree, &plan);
	if (r == 0)
		r = tree_add(w->tree, plan, supervisor);
	tree_release_plan(w->tree);
	free(addition.taken);
	plan_unref(plan);
	diags_free(diags);
	text_done(&text);
	return r;
}

int world_remove(struct world *w, const char *unit, bool now)
{
	struct tree_removal removal = {.now = now};
	struct unit *u = world_unit(w, unit);

	return tree_remove(w->tree, &u, 1, &removal);
}

const char *world_units(const struct world *w)
{
	static char names[512];
	size_t n = 0;

	names[0] = '\0';
	for (uint32_t i = 1; i < w->tree->n_units; i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", n ? " " : "",
			w->tree->units[i]->name);
	return names;
}
