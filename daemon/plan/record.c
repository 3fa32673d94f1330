/* SPDX-License-Identifier: MIT */
/* What a tree was read from. To add to a tree is to read it once more, as it was and not as its files are by now: so the
 * texts of one that can be added to are kept, with what was not there, and what folders held. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "plan/load.h"

/* A file. */
struct record_file {
	const char *path, *bytes; /* bytes NULL: it could not be read */
	size_t size;
	int error;
	struct record_file *next;
};

struct record_folder {
	const char *path;
	char **names; /* NULL-terminated; NULL: it could not be listed */
	int error;
	struct record_folder *next;
};

struct record {
	const char *path; /* of the tree */
	struct record_file *files;
	struct record_folder *folders;
};

const char *record_path(const struct record *record)
{
	return record->path;
}

/* What was read before is found by its path. */
bool record_begin(struct load *load)
{
	struct record_folder *folder = load->again ? load->again->folders : NULL;
	struct record_file *file = load->again ? load->again->files : NULL;
	void **at;

	for (; file && !load->failed; file = file->next) {
		at = table_at(&load->paths, &load->again, file->path);
		load->failed |= !at;
		if (at)
			*at = file;
	}
	for (; folder && !load->failed; folder = folder->next) {
		at = table_at(&load->paths, &load->notes, folder->path);
		load->failed |= !at;
		if (at)
			*at = folder;
	}
	return !load->failed;
}

static struct record *notes_of(struct load *load)
{
	if (!load->notes)
		load->notes = scratch_alloc(load, sizeof(*load->notes));
	return load->notes;
}

static void note_missing(struct load *load, const char *path, int error)
{
	struct record *notes = notes_of(load);
	struct record_file *file = notes ? scratch_alloc(load, sizeof(*file)) : NULL;

	if (!file)
		return;
	file->path = arena_strdup(load->scratch, path);
	file->error = error;
	file->next = notes->files;
	notes->files = file;
	if (!file->path)
		load->failed = true;
}

/* Copies into one of the load's arenas. */
static char **names_copy(struct load *load, struct arena *arena, char *const *names)
{
	size_t n = 0, i;
	char **copy;

	while (names[n])
		n++;
	copy = arena_alloc(arena, (n + 1) * sizeof(*copy));
	for (i = 0; copy && i < n; i++) {
		copy[i] = arena_strdup(arena, names[i]);
		if (!copy[i])
			copy = NULL;
	}
	if (!copy)
		load->failed = true;
	return copy;
}

static void note_folder(struct load *load, const char *path, char *const *names, int error)
{
	struct record *notes = notes_of(load);
	struct record_folder *folder = notes ? scratch_alloc(load, sizeof(*folder)) : NULL;

	if (!folder)
		return;
	folder->path = arena_strdup(load->scratch, path);
	folder->error = error;
	if (names)
		folder->names = names_copy(load, load->scratch, names);
	folder->next = notes->folders;
	notes->folders = folder;
	if (!folder->path)
		load->failed = true;
}

static int bytes_give(const struct record_file *file, char **ret_bytes, size_t *ret_size)
{
	char *bytes = alloc_new(file->size + 1);

	if (!bytes)
		return -ENOMEM;
	if (file->size)
		memcpy(bytes, file->bytes, file->size);
	*ret_bytes = bytes;
	*ret_size = file->size;
	return 0;
}

int record_read(struct load *load, const char *path, char **ret_bytes, size_t *ret_size)
{
	const struct record_file *known = table_get(&load->paths, &load->again, path);
	const struct plan_source *source = load->source;
	size_t limit = TREE_MAX_BYTES - load->tree_bytes;
	int r;

	if (!known)
		r = source->read(source->context, path, limit, ret_bytes, ret_size);
	else if (known->bytes)
		r = known->size > limit ? -EFBIG : bytes_give(known, ret_bytes, ret_size);
	else
		r = known->error;
	if (r < 0 && r != -ENOMEM)
		note_missing(load, path, r);
	return r;
}

static int names_give(char *const *names, char ***ret_names)
{
	size_t n = 0, i;
	char **copy;

	while (names[n])
		n++;
	copy = alloc_new((n + 1) * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		copy[i] = strdup(names[i]);
		if (copy[i])
			continue;
		while (i-- > 0)
			free(copy[i]);
		free(copy);
		return -ENOMEM;
	}
	*ret_names = copy;
	return 0;
}

int record_list(struct load *load, const char *folder, char ***ret_names)
{
	const struct record_folder *known = table_get(&load->paths, &load->notes, folder);
	const struct plan_source *source = load->source;
	int r;

	if (known)
		r = known->names ? names_give(known->names, ret_names) : known->error;
	else
		r = source->list ? source->list(source->context, folder, ret_names) : -ENOTDIR;
	if (r != -ENOMEM)
		note_folder(load, folder, r < 0 ? NULL : *ret_names, r);
	return r;
}

/* ── kept with the plan ── */

static struct record_file *file_keep(struct load *load, struct record *record)
{
	struct record_file *file = keep_alloc(load, sizeof(*file));

	if (file) {
		file->next = record->files;
		record->files = file;
	}
	return file;
}

static void file_copy(struct load *load, struct record *record, const struct file *from)
{
	struct record_file *file = file_keep(load, record);
	char *bytes = keep_alloc(load, from->size + 1);

	if (!file || !bytes)
		return;
	if (from->size)
		memcpy(bytes, from->bytes, from->size);
	file->path = keep_strdup(load, from->path);
	file->bytes = bytes;
	file->size = from->size;
}

static void missing_copy(struct load *load, struct record *record, const struct record_file *from)
{
	struct record_file *file = file_keep(load, record);

	if (!file)
		return;
	file->path = keep_strdup(load, from->path);
	file->error = from->error;
}

static void folder_copy(struct load *load, struct record *record, const struct record_folder *from)
{
	struct record_folder *folder = keep_alloc(load, sizeof(*folder));

	if (!folder)
		return;
	folder->path = keep_strdup(load, from->path);
	folder->error = from->error;
	if (from->names)
		folder->names = names_copy(load, load->arena, from->names);
	folder->next = record->folders;
	record->folders = folder;
}

const struct record *record_keep(struct load *load, const char *path)
{
	struct record *record = keep_alloc(load, sizeof(*record));
	const struct record_folder *folder;
	const struct record_file *missing;
	const struct file *file;

	if (!record)
		return NULL;
	record->path = keep_strdup(load, path);
	for (file = load->files; file && !load->failed; file = file->next)
		file_copy(load, record, file);
	missing = load->notes ? load->notes->files : NULL;
	for (; missing && !load->failed; missing = missing->next)
		missing_copy(load, record, missing);
	folder = load->notes ? load->notes->folders : NULL;
	for (; folder && !load->failed; folder = folder->next)
		folder_copy(load, record, folder);
	return record;
}
