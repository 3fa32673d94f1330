/* SPDX-License-Identifier: MIT */
/* A load of one file, that ends where its nodes are there. */
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "plan/document.h"
#include "plan/libyaml.h"
#include "plan/load.h"

struct document {
	struct load load;
	struct node *root;
};

static void read_it(struct document *document, const char *path, const char *bytes, size_t size)
{
	struct load *load = &document->load;
	struct file *file = scratch_alloc(load, sizeof(*file));
	struct plan_place nowhere = {path, 0, 0};

	if (!file)
		return;
	if (size > TREE_MAX_BYTES) {
		(void)fault_at(load, nowhere, "E107", "it has more than 8 MiB");
		return;
	}
	*file = (struct file){.path = path, .bytes = bytes, .size = size, .is_tree = true};
	document->root = yaml_read(load, file);
	if (!document->root && !load->failed && !diags_errors(load->diags))
		(void)fault_at(load, nowhere, "E107", "the file is empty");
}

int document_read(const char *path, const char *bytes, size_t size, struct diags *diags,
	struct document **ret)
{
	struct document *document = alloc_new(sizeof(*document));
	int r;

	if (!document)
		return -ENOMEM;
	document->load.diags = diags;
	document->load.arena = arena_new();
	document->load.scratch = arena_new();
	if (document->load.arena && document->load.scratch)
		read_it(document, path, bytes, size);
	else
		document->load.failed = true;
	diags_sort(diags);
	r = document->load.failed || diags_failed(diags) ? -ENOMEM
		: document->root && !diags_errors(diags) ? 0
							 : -EINVAL;
	if (r < 0)
		document_free(document);
	else
		*ret = document;
	return r;
}

void document_free(struct document *document)
{
	if (!document)
		return;
	table_done(&document->load.keys);
	table_done(&document->load.texts);
	table_done(&document->load.paths);
	libyaml_close(document->load.libyaml);
	arena_free(document->load.scratch);
	arena_free(document->load.arena);
	free(document);
}

struct node *document_root(const struct document *document)
{
	return document->root;
}

struct node *document_find(const struct document *document, const struct node *map, const char *key)
{
	return map && map->kind == NODE_MAP ? table_get(&document->load.keys, map->index, key)
					    : NULL;
}
