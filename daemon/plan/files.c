/* SPDX-License-Identifier: MIT */
/* The files of a tree: the one that is asked for, or those of a folder, and what they include; all of them become one
 * root mapping. `units` of several files follow each other; `defaults` and `daemon` are put together key by key; any
 * other field may be given in one file only, but for `version`, which each of them may say. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan/load.h"
#include "plan/suggest.h"
#include "plan/value.h"

struct root {
	struct load *load;
	struct node *map;
	struct node **tail;
	struct node *parts[3]; /* as `joined` says */
	struct node **parts_tail[3];
};

static const char *const joined[3] = {"units", "defaults", "daemon"};

const char *read_error_text(int error)
{
	switch (error) {
	case -EPERM:
		return "others than root could change it";
	case -ENOTSUP:
		return "it is not a regular file";
	case -EFBIG:
		return "the tree has more than 8 MiB";
	default:
		return strerror(-error);
	}
}

void read_error_help(struct load *load, struct diag *diag, const char *path, int error)
{
	const struct plan_source *source = load->source;
	struct plan_place where = {0};
	bool is_link = false;
	char *blame;

	if (error != -EPERM)
		return;
	blame = source->blame ? source->blame(source->context, path, &is_link) : NULL;
	where.file = blame ? keep_strdup(load, blame) : NULL;
	if (where.file && strcmp(blame, path) != 0)
		diag_note(load->diags, diag, where,
			is_link ? "it leads through this link, which is not root's"
				: "it lies here, where others than root may write");
	if (blame)
		path = blame;
	if (is_link)
		diag_help(load->diags, diag, "chown -h root '%s'", path);
	else
		diag_help(load->diags, diag, "chown root '%s' && chmod go-w '%s'", path, path);
	free(blame);
}

static struct file *file_keep(struct load *load, const char *path, char *bytes, size_t size)
{
	struct file *file = scratch_alloc(load, sizeof(*file));
	char *copy = scratch_alloc(load, size + 1);
	void **at;

	if (!file || !copy)
		return NULL;
	if (size)
		memcpy(copy, bytes, size);
	file->path = keep_strdup(load, path);
	if (!file->path)
		return NULL;
	file->bytes = copy;
	file->size = size;
	if (size >= 3 && memcmp(copy, "\xef\xbb\xbf", 3) == 0) {
		file->bytes += 3;
		file->size -= 3;
	}
	at = table_at(&load->paths, &load->paths, file->path);
	if (!at) {
		load->failed = true;
		return NULL;
	}
	*at = file;
	*load->files_tail = file;
	load->files_tail = &file->next;
	load->n_files++;
	return file;
}

struct file *file_read(struct load *load, const char *path, int *ret_error)
{
	struct file *file;
	char *bytes = NULL;
	size_t size = 0;
	int r = record_read(load, path, &bytes, &size);

	*ret_error = r;
	if (r == -ENOMEM)
		load->failed = true;
	if (r < 0)
		return NULL;
	file = file_keep(load, path, bytes, size);
	free(bytes);
	load->tree_bytes += size;
	return file;
}

/* A file of the tree. `why` is the node that names it; NULL: the command line does. */
static void tree_file_read(struct root *root, const char *path, struct node *why, struct file *from)
{
	struct load *load = root->load;
	struct plan_place nowhere = {path, 0, 0};
	struct diag *diag;
	struct file *file;
	int r;

	file = file_read(load, path, &r);
	if (load->failed)
		return;
	if (!file) {
		diag = why
			? fault(load, why, "E107", "cannot read %s: %s", path, read_error_text(r))
			: fault_at(load, nowhere, "E107", "cannot read it: %s", read_error_text(r));
		read_error_help(load, diag, path, r);
		return;
	}
	file->is_tree = true;
	file->from = from;
}

static void names_free(char **names)
{
	size_t i;

	for (i = 0; names[i]; i++)
		free(names[i]);
	free(names);
}

/* Whether a folder could be listed; else *ret_error. Those of its files that match are read. */
static uint32_t folder_read(struct root *root, const char *folder, const char *pattern,
	struct node *why, int *ret_error)
{
	struct load *load = root->load;
	const char *slash = folder[0] && folder[strlen(folder) - 1] == '/' ? "" : "/";
	uint32_t n = 0, i;
	char **names;

	*ret_error = record_list(load, folder, &names);
	if (*ret_error < 0)
		return 0;
	for (i = 0; names[i] && !load->failed; i++) {
		char *path;

		if (!glob_match(pattern, names[i]))
			continue;
		path = arena_printf(load->scratch, "%s%s%s", folder, slash, names[i]);
		if (!path)
			load->failed = true;
		else if (!table_get(&load->paths, &load->paths, path))
			tree_file_read(root, path, why, NULL);
		n++;
	}
	names_free(names);
	return n;
}

static void include_pattern(struct root *root, struct node *item, const char *path)
{
	struct load *load = root->load;
	const char *slash = strrchr(path, '/');
	const char *folder = arena_strndup(
		load->scratch, path, slash == path ? 1 : (size_t)(slash - path));
	uint32_t n;
	int r;

	if (!folder) {
		load->failed = true;
		return;
	}
	if (strpbrk(folder, "*?[")) {
		(void)fault(load, item, "E107", "only the last part of a path may be a pattern");
		return;
	}
	n = folder_read(root, folder, slash + 1, item, &r);
	if (r == -ENOMEM)
		load->failed = true;
	else if (r < 0)
		read_error_help(load,
			fault(load, item, "E107", "cannot read %s: %s", folder, read_error_text(r)),
			folder, r);
	else if (n == 0)
		(void)fault(load, item, "E107", "no *.yaml file matches %s", path);
}

static void include_one(struct root *root, struct file *file, struct node *item)
{
	struct load *load = root->load;
	struct value value = {.load = load, .unit = "/"};
	const struct file *above;
	const char *path;
	struct diag *diag;

	if (item->kind != NODE_SCALAR || node_is_null(item)) {
		advise_form(load,
			fault(load, item, "E204", "`include` needs paths, and this is %s",
				node_kind_text(item)),
			field_row(FIELD_INCLUDE));
		return;
	}
	path = value_fill(&value, item);
	path = path ? path_from(load, file->path, path) : NULL;
	if (!path)
		return;
	if (strpbrk(path, "*?[")) {
		include_pattern(root, item, path);
		return;
	}
	if (!table_get(&load->paths, &load->paths, path)) {
		tree_file_read(root, path, item, file);
		return;
	}
	for (above = file; above && strcmp(above->path, path) != 0;)
		above = above->from;
	diag = fault(load, item, "E107",
		above ? "%s includes itself" : "%s is already part of the tree", path);
	for (; above && file != above; file = file->from)
		diag_note(load->diags, diag, (struct plan_place){file->path, 0, 0},
			"is included on the way");
}

static void include_all(struct root *root, struct file *file, struct node *include)
{
	struct node *item;

	if (include->kind == NODE_SCALAR)
		include_one(root, file, include);
	else if (include->kind == NODE_MAP)
		advise_form(root->load,
			fault(root->load, include, "E204",
				"`include` needs a list of paths, and this is a mapping"),
			field_row(FIELD_INCLUDE));
	for (item = include->kind == NODE_LIST ? include->first : NULL; item; item = item->next)
		include_one(root, file, item);
}

/* Where a key stands that another file has given already. */
static void fault_twice(struct load *load, struct node *node, const struct node *first, bool is_unit)
{
	struct diag *diag = fault_key(load, node, "E108",
		is_unit ? "the unit `%s` is in two files" : "`%s` is given in two files",
		node->key);

	diag_note(load->diags, diag, first->key_at, "first here");
}

/* The children are copied: by an alias others may share them. */
static void part_join(struct root *root, int part, struct node *node)
{
	struct load *load = root->load;
	struct node *whole = root->parts[part], *child, *copy;
	const struct node *first;

	if (!whole) {
		whole = node_copy(load, node);
		if (!whole)
			return;
		root->parts[part] = whole;
		node_put(load, root->map, &root->tail, whole);
		whole->first = node->kind == NODE_MAP ? NULL : node->first;
		whole->index = whole;
		root->parts_tail[part] = &whole->first;
	}
	if (node->kind != NODE_MAP || whole->kind != NODE_MAP)
		return;
	for (child = node->first; child && !load->failed; child = child->next) {
		first = node_find(load, whole, child->key);
		if (first && strncmp(child->key, "x-", 2) != 0)
			fault_twice(load, child, first, part == 0);
		copy = first ? NULL : node_copy(load, child);
		if (copy)
			node_put(load, whole, &root->parts_tail[part], copy);
	}
}

static void root_join(struct root *root, struct node *document)
{
	struct load *load = root->load;
	struct node *node, *next;
	const struct node *first;
	int part;

	for (node = document->first; node; node = next) {
		next = node->next;
		node->next = NULL;
		for (part = 0; part < 3 && strcmp(joined[part], node->key) != 0;)
			part++;
		first = node_find(load, root->map, node->key);
		if (part < 3)
			part_join(root, part, node);
		else if (!first)
			node_put(load, root->map, &root->tail, node);
		else if (strncmp(node->key, "x-", 2) != 0 &&
			strcmp(node->key, "include") != 0 && strcmp(node->key, "version") != 0)
			fault_twice(load, node, first, false);
	}
}

static void file_join(struct root *root, struct file *file)
{
	struct load *load = root->load;
	struct plan_place nowhere = {file->path, 0, 0};
	uint32_t errors = diags_errors(load->diags);
	struct node *document = yaml_read(load, file), *include;

	if (load->failed)
		return;
	if (!document || node_is_null(document)) {
		if (document || diags_errors(load->diags) == errors)
			(void)fault_at(load, nowhere, "E107", "the file is empty");
		return;
	}
	if (document->kind != NODE_MAP) {
		(void)fault(load, document, "E204", "a tree is a mapping, and this is %s",
			node_kind_text(document));
		return;
	}
	if (root->map->at.line == 0)
		root->map->at = document->at;
	include = node_find(load, document, "include");
	if (include)
		include_all(root, file, include);
	root_join(root, document);
}

struct node *tree_read(struct load *load, const char *path)
{
	struct root root = {.load = load};
	struct plan_place nowhere = {path, 0, 0};
	struct file *file;
	int r;

	root.map = node_new(load, NODE_MAP, nowhere);
	if (!root.map)
		return NULL;
	root.tail = &root.map->first;
	if (folder_read(&root, path, "*", NULL, &r) == 0) {
		if (r == -ENOMEM)
			load->failed = true;
		else if (r == 0)
			(void)fault_at(load, nowhere, "E107", "the folder has no *.yaml file");
		else if (r == -EPERM)
			read_error_help(load,
				fault_at(load, nowhere, "E107", "cannot read it: %s",
					read_error_text(r)),
				path, r);
		else
			tree_file_read(&root, path, NULL, NULL);
	}
	/* Files that are included join the end of the list while it is walked. */
	for (file = load->files; file && !load->failed; file = file->next)
		file_join(&root, file);
	return load->failed || root.map->at.line == 0 ? NULL : root.map;
}
