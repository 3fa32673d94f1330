/* SPDX-License-Identifier: MIT */
/* A plan, from its making to its end. What a load needs for itself lives in a scratch arena and some tables, which go in
 * load_done() however it ended; what stays is in the plan's own arena. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "plan/draft.h"
#include "plan/libyaml.h"
#include "plan/sealed.h"

static void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	table_done(&plan->stems);
	arena_free(plan->arena);
	free(plan);
}

struct plan *plan_ref(struct plan *plan)
{
	plan->n_refs++;
	return plan;
}

void plan_unref(struct plan *plan)
{
	while (plan) {
		struct plan *base = plan->base;

		assert(plan->n_refs > 0);
		if (--plan->n_refs > 0)
			return;
		plan_free(plan);
		plan = base;
	}
}

struct plan *plan_new(void)
{
	struct plan *plan = alloc_new(sizeof(*plan));

	if (!plan)
		return NULL;
	plan->n_refs = 1;
	plan->arena = arena_new();
	if (plan->arena)
		plan->daemon = arena_alloc(plan->arena, sizeof(*plan->daemon));
	if (plan->daemon)
		return plan;
	plan_free(plan);
	return NULL;
}

static int load_init(struct load *load, struct plan *plan, const struct plan_source *source,
	struct diags *diags)
{
	*load = (struct load){
		.arena = plan->arena, .diags = diags, .source = source, .daemon = plan->daemon};
	load->files_tail = &load->files;
	load->scratch = arena_new();
	return load->scratch ? 0 : -ENOMEM;
}

static void load_done(struct load *load)
{
	table_done(&load->keys);
	table_done(&load->fields);
	table_done(&load->names);
	table_done(&load->paths);
	table_done(&load->stems);
	table_done(&load->texts);
	free(load->units);
	free(load->drafts);
	free(load->edges);
	free(load->namings);
	libyaml_close(load->libyaml);
	arena_free(load->scratch);
}

/* "/etc/effd/shop.yaml" is "shop", and so is the folder "/etc/effd/shop/". */
static const char *name_of_path(struct load *load, const char *path)
{
	size_t end = strlen(path), begin;
	char *name;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (begin = end; begin > 0 && path[begin - 1] != '/';)
		begin--;
	if (end - begin > 5 && strncmp(path + end - 5, ".yaml", 5) == 0)
		end -= 5;
	else if (end - begin > 4 && strncmp(path + end - 4, ".yml", 4) == 0)
		end -= 4;
	name = arena_strndup(load->arena, path + begin, end - begin);
	if (!name)
		load->failed = true;
	return name;
}

static plan_strv files_keep(struct load *load, const struct file *file, uint32_t n_files)
{
	const char **paths = keep_alloc(load, (n_files + 1) * sizeof(*paths));
	uint32_t n = 0;

	for (; paths && file; file = file->next)
		paths[n++] = file->path;
	return paths;
}

/* The slot of a name, or the free one where it belongs. */
static uint32_t *name_slot(const struct plan *plan, const char *name)
{
	uint64_t hash = hash_text(HASH_EMPTY, name);
	uint32_t i = (uint32_t)(hash ^ (hash >> 32)) & (plan->n_by_name - 1);

	while (plan->by_name[i] && strcmp(plan->units[plan->by_name[i] - 1].name, name) != 0)
		i = (i + 1) & (plan->n_by_name - 1);
	return &plan->by_name[i];
}

bool plan_index(struct plan *plan)
{
	plan->n_by_name = 2;
	while (plan->n_by_name < 2 * plan->n_units)
		plan->n_by_name *= 2;
	plan->by_name = arena_alloc(plan->arena, plan->n_by_name * sizeof(*plan->by_name));
	for (uint32_t i = 0; plan->by_name && i < plan->n_units; i++)
		*name_slot(plan, plan->units[i].name) = i + 1;
	return plan->by_name;
}

/* What was loaded becomes the plan's, and is not written again. */
static void plan_seal(struct plan *plan, struct load *load, const char *path)
{
	struct plan_unit *units = keep_alloc(load, load->n_units * sizeof(*units));

	plan->name = load->name ? load->name : name_of_path(load, path);
	plan->files = files_keep(load, load->files, load->n_files);
	plan->absent = files_keep(load, load->absent, load->n_absent);
	if (load->has_template)
		plan->record = record_keep(load, path);
	if (load->failed)
		return;
	load->units[0].key = plan->name;
	memcpy(units, load->units, load->n_units * sizeof(*units));
	plan->units = units;
	plan->n_units = load->n_units;
	plan->stems = load->stems;
	load->stems = (struct table){0};
	if (!plan_index(plan))
		load->failed = true;
}

static void tree_make(struct load *load, struct node *root)
{
	void (*const steps[])(struct load *) = {references_resolve, templates_check,
		conflicts_resolve, orders_make, namings_make, environments_make, rest_check,
		cycles_check, units_check, probes_check, significant_check, intensities_check,
		sockets_check};
	size_t i;

	if (!load->failed)
		tree_decode(load, root);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]) && !load->failed; i++)
		steps[i](load);
}

/* Ends a load: gives out the plan if nothing is wrong with it. */
static int load_end(struct load *load, struct plan *plan, const char *path,
	uint32_t errors_before, struct plan **ret_plan)
{
	bool good = diags_errors(load->diags) == errors_before;

	if (!load->failed && good)
		plan_seal(plan, load, path);
	if (load->failed || diags_failed(load->diags))
		return -ENOMEM;
	diags_sort(load->diags);
	sources_show(load);
	if (load->failed || diags_failed(load->diags))
		return -ENOMEM;
	if (!good)
		return -EINVAL;
	*ret_plan = plan;
	return 0;
}

/* What a plan is to be made of. */
struct origin {
	const char *path;
	const struct record *again; /* NULL: the files as they are */
	const struct plan *present; /* whose additions stay; NULL */
	struct plan_addition *addition;
};

static void origin_read(struct load *load, const struct origin *origin)
{
	struct node *root;

	load->again = origin->again;
	load->present = origin->present;
	load->addition = origin->addition;
	root = record_begin(load) ? tree_read(load, origin->path) : NULL;
	/* What was added is held against the tree; without one there is nothing to say of it. */
	if (root && !load->failed)
		added_read(load);
	if (root)
		tree_make(load, root);
}

static int plan_make(const struct origin *origin, const struct plan_source *source,
	struct plan **ret_plan, struct diags *diags)
{
	uint32_t errors_before = diags_errors(diags);
	struct plan *plan = plan_new();
	struct load load;
	int r = plan ? load_init(&load, plan, source, diags) : -ENOMEM;

	if (r < 0)
		goto fail;
	origin_read(&load, origin);
	r = load_end(&load, plan, origin->path, errors_before, ret_plan);
	load_done(&load);
	if (r < 0)
		goto fail;
	plan->read_at = origin->again ? origin->present->read_at : source->read_at;
	return 0;
fail:
	plan_free(plan);
	return r;
}

int plan_load(const char *path, const struct plan_source *source, struct plan **ret_plan,
	struct diags *diags)
{
	return plan_make(&(struct origin){.path = path}, source, ret_plan, diags);
}

int plan_load_again(const char *path, const struct plan_source *source,
	const struct plan *present, struct plan **ret_plan, struct diags *diags)
{
	return plan_make(
		&(struct origin){.path = path, .present = present}, source, ret_plan, diags);
}

int plan_add(const struct plan *present, struct plan_addition *addition,
	const struct plan_source *source, struct plan **ret_plan, struct diags *diags)
{
	struct origin origin = {.again = present->record, .present = present, .addition = addition};
	struct plan *plan;
	int r;

	assert(present->record);
	origin.path = record_path(present->record);
	r = plan_make(&origin, source, &plan, diags);
	diags_keep(diags, addition->file);
	if (r == 0 && addition->taken) {
		plan_unref(plan);
		return -EEXIST;
	}
	free(addition->taken);
	addition->taken = NULL;
	if (r == 0)
		*ret_plan = plan;
	return r;
}

int plan_of_command(plan_strv argv, const struct plan_source *source, struct plan **ret_plan,
	struct diags *diags)
{
	uint32_t errors_before = diags_errors(diags);
	struct plan *plan = plan_new();
	struct node *root;
	struct load load;
	int r = plan ? load_init(&load, plan, source, diags) : -ENOMEM;

	if (r < 0)
		goto fail;
	root = command_tree(&load, argv);
	if (root)
		tree_make(&load, root);
	r = load_end(&load, plan, argv[0], errors_before, ret_plan);
	load_done(&load);
	if (r < 0)
		goto fail;
	return 0;
fail:
	plan_free(plan);
	return r;
}

const char *plan_name(const struct plan *plan)
{
	return plan->name;
}

const struct plan_daemon *plan_daemon(const struct plan *plan)
{
	return plan->daemon;
}

uint32_t plan_n_units(const struct plan *plan)
{
	return plan->n_units;
}

const struct plan_unit *plan_unit(const struct plan *plan, uint32_t index)
{
	assert(index < plan->n_units);
	return &plan->units[index];
}

const struct plan_unit *plan_find(const struct plan *plan, const char *name)
{
	uint32_t row = *name_slot(plan, name);

	return row ? &plan->units[row - 1] : NULL;
}

bool plan_find_all(const struct plan *plan, const char *name, uint32_t *ret_first, uint32_t *ret_n)
{
	const struct plan_unit *unit = plan_find(plan, name);
	const struct range *all = unit ? NULL : table_get(&plan->stems, NULL, name);

	if (!unit && !all)
		return false;
	*ret_first = unit ? unit->index : all->first;
	*ret_n = unit ? 1 : all->n;
	return true;
}

plan_strv plan_files(const struct plan *plan)
{
	return plan->files;
}

eff_ns plan_read_at(const struct plan *plan)
{
	return plan->read_at;
}

plan_strv plan_absent_files(const struct plan *plan)
{
	return plan->absent;
}
