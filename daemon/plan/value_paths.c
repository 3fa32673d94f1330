/* SPDX-License-Identifier: MIT */
/* Values that are several paths: folders that are made for a process, and what it cannot write. */
#include <stdlib.h>
#include <string.h>

#include "plan/value.h"

/* ── folders, which are below a place that is not theirs to choose ── */

/* A path that stays below where it begins. */
static bool is_below(const char *path)
{
	size_t len;

	for (;; path += len + 1) {
		len = strcspn(path, "/");
		if (len == 0 || (path[0] == '.' && (len == 1 || (len == 2 && path[1] == '.'))))
			return false;
		if (path[len] == '\0')
			return true;
	}
}

/* By name, the slash before all else: what lies in a folder follows it. */
static int by_folder(const void *left, const void *right)
{
	const char *a = *(const char *const *)left, *b = *(const char *const *)right;

	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (*a == '/' ? 1 : (unsigned char)*a) - (*b == '/' ? 1 : (unsigned char)*b);
}

static bool lies_in(const char *folder, const char *name)
{
	size_t len = strlen(folder);

	return strncmp(folder, name, len) == 0 && name[len] == '/';
}

/* One of the names that lies in another: root would make it where the unit may put a link in the way. NULL: none does. */
static const char *within_another(struct load *load, plan_strv names, const char **ret_other)
{
	const char **sorted, *folder = NULL;
	uint32_t n = 0, i;

	while (names[n])
		n++;
	sorted = scratch_alloc(load, n * sizeof(*sorted));
	if (!sorted)
		return NULL;
	memcpy(sorted, names, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_folder);
	for (i = 0; i < n; i++) {
		*ret_other = folder;
		if (folder && lies_in(folder, sorted[i]))
			return sorted[i];
		folder = sorted[i];
	}
	return NULL;
}

bool read_folders(struct value *value)
{
	const char *bad = NULL, *other = NULL;
	plan_strv names, name;
	struct diag *diag;

	if (!read_texts(value))
		return false;
	names = *(plan_strv *)value->to;
	for (name = names; name && *name && !bad; name++)
		bad = is_below(*name) ? NULL : *name;
	if (names && !bad) {
		bad = within_another(value->load, names, &other);
		other = bad ? other : NULL;
	}
	if (!bad)
		return !value->load->failed;
	diag = fault(value->load, value->node, "E213", "`%s` cannot be a folder of `%s`", bad,
		value->field->face.name);
	if (other)
		diag_help(value->load->diags, diag, "leave it to the unit: it is given `%s`", other);
	else
		diag_help(value->load->diags, diag,
			"write a name, or more with / between them, without . and ..");
	return false;
}

/* ── paths of what is there ── */

/* `?` before one that may be missing; relative ones are so to the file that they stand in. */
static const char *path_taken(struct value *value, const char *path)
{
	bool may_be_missing = *path == '?';
	const char *whole;

	if (!path[may_be_missing]) {
		(void)fault(value->load, value->node, "E213", "`%s` has an empty name",
			value->field->face.name);
		return NULL;
	}
	whole = path_from(value->load, value->node->at.file, path + may_be_missing);
	if (whole && may_be_missing) {
		whole = arena_printf(value->load->arena, "?%s", whole);
		value->load->failed |= !whole;
	}
	return whole;
}

bool read_paths(struct value *value)
{
	struct words taken = {0};
	plan_strv path;

	if (!read_texts(value))
		return false;
	value->load->failed |= value->text.failed;
	text_done(&value->text);
	for (path = *(plan_strv *)value->to; path && *path; path++) {
		const char *whole = path_taken(value, *path);

		if (!whole)
			return false;
		words_add(value->load, &taken, whole);
	}
	*(plan_strv *)value->to = taken.items;
	canonical_words(&value->text, taken.items);
	return !value->load->failed;
}
