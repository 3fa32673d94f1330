/* SPDX-License-Identifier: MIT */
/* One run of an import: texts go in, notes and items come out. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "effctl/import/import.h"
#include "plan/diag.h"

static const struct {
	const char *name, *help;
	void (*read)(struct import *im, const char *bytes, size_t size);
	void (*end)(struct import *im);
} kinds[IMPORT_N] = {
#define IMPORT(symbol, name, help) {#name, help, import_read_##name, import_end_##name},
#include "effctl/imports.def"
#undef IMPORT
};

enum import_kind import_kind_of(const char *name)
{
	int kind = 0;

	while (kind < IMPORT_N && strcmp(kinds[kind].name, name) != 0)
		kind++;
	return (enum import_kind)kind;
}

const char *import_kind_name(enum import_kind kind)
{
	return kinds[kind].name;
}

const char *import_kind_help(enum import_kind kind)
{
	return kinds[kind].help;
}

int import_init(struct import *im, enum import_kind kind)
{
	*im = (struct import){.kind = kind, .arena = arena_new()};
	if (!im->arena)
		return -ENOMEM;
	im->root = item_new(im, ITEM_MAP, NULL);
	item_set_plain(im, im->root, "version", "1");
	im->defaults = item_new(im, ITEM_MAP, "defaults");
	im->units = item_new(im, ITEM_MAP, "units");
	return im->failed ? -ENOMEM : 0;
}

void import_done(struct import *im)
{
	table_done(&im->table);
	arena_free(im->arena);
	*im = (struct import){0};
}

/* Of what no format has a use for: bytes that are no UTF-8, controls. Where; SIZE_MAX: nowhere. */
static bool is_mark(const char *bytes)
{
	return strncmp(bytes, "\xef\xbb\xbf", 3) == 0;
}

static size_t strange_byte(const char *bytes, size_t size)
{
	size_t span = utf8_span(bytes, size);

	for (size_t i = 0; i < span; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 127)
			return i;
		/* Not even effd takes a byte-order mark that is not at the beginning. */
		if (c == 0xef && span - i >= 3 && is_mark(bytes + i))
			return i;
	}
	return span < size ? span : SIZE_MAX;
}

bool import_is_text(const char *s)
{
	return strange_byte(s, strlen(s)) == SIZE_MAX;
}

static uint32_t line_of(const char *bytes, size_t at)
{
	uint32_t line = 1;

	for (size_t i = 0; i < at; i++)
		line += bytes[i] == '\n';
	return line;
}

void import_text(struct import *im, const char *path, const char *bytes, size_t size)
{
	size_t strange;

	im->file = path;
	im->line = 0;
	im->unit = im->setting = NULL;
	im->n_files++;
	if (size >= 3 && is_mark(bytes)) {
		bytes += 3;
		size -= 3;
	}
	if (!import_is_text(path)) {
		refused(im, "its name is neither text nor UTF-8, and may become part of the tree");
		return;
	}
	strange = strange_byte(bytes, size);
	if (strange != SIZE_MAX) {
		im->line = line_of(bytes, strange);
		if (size - strange >= 3 && is_mark(bytes + strange))
			refused(im, "a byte-order mark inside the text");
		else
			refused(im, "byte 0x%02x is neither text nor UTF-8",
				(unsigned char)bytes[strange]);
		return;
	}
	kinds[im->kind].read(im, bytes, size);
}

void import_refuse_file(struct import *im, const char *path, const char *why)
{
	im->file = path;
	im->line = 0;
	im->unit = im->setting = NULL;
	refused(im, "cannot read it: %s", why);
}

static int by_place(const void *a, const void *b)
{
	const struct note *one = *(const struct note *const *)a;
	const struct note *other = *(const struct note *const *)b;
	int r = strcmp(one->file ? one->file : "", other->file ? other->file : "");

	if (r == 0 && one->line != other->line)
		r = one->line < other->line ? -1 : 1;
	return r != 0 ? r : one->order < other->order ? -1 : 1;
}

static void notes_sort(struct import *im)
{
	uint32_t n = 0, i = 0;
	struct note **sorted;

	for (int kind = 0; kind <= NOTE_REFUSED; kind++)
		n += im->n_notes[kind];
	sorted = arena_alloc(im->arena, (n + 1) * sizeof(*sorted));
	if (!sorted) {
		im->failed = true;
		return;
	}
	for (struct note *note = im->notes; note; note = note->next)
		sorted[i++] = note;
	if (n)
		qsort(sorted, n, sizeof(*sorted), by_place);
	for (i = 0; i < n; i++)
		sorted[i]->next = sorted[i + 1];
	im->notes = sorted[0];
	im->last_note = n ? sorted[n - 1] : NULL;
}

static bool bounds_stop(const struct import *im, const struct item *unit)
{
	const struct item *stop = item_find(im, unit, "stop");

	return stop && item_find(im, stop, "timeout");
}

/* Of these supervisors none bounds the stop of all: what was given to each is the bound, and is not to be cut short. */
static void bounds_lift(struct import *im)
{
	bool found = bounds_stop(im, im->defaults);
	const struct item *unit, *one, *below;

	for (unit = im->units->first; unit && !found; unit = unit->next) {
		below = item_find(im, unit, "units");
		found = bounds_stop(im, unit);
		for (one = below ? below->first : NULL; one && !found; one = one->next)
			found = bounds_stop(im, one);
	}
	if (found)
		item_set(im, im->root, "daemon.shutdown_timeout", "infinity");
}

int import_end(struct import *im)
{
	im->unit = im->setting = NULL;
	im->line = 0;
	if (!im->failed)
		kinds[im->kind].end(im);
	if (!im->failed)
		bounds_lift(im);
	if (im->defaults && im->defaults->first)
		item_put(im, im->root, im->defaults);
	item_put(im, im->root, im->units);
	if (!im->failed)
		notes_sort(im);
	return im->failed ? -ENOMEM : 0;
}

/* ── notes ── */

static void __attribute__((format(printf, 3, 0)))
note_add(struct import *im, enum note_kind kind, const char *format, va_list args)
{
	struct note *note;
	char *text = NULL;

	if (im->quiet)
		return;
	note = arena_alloc(im->arena, sizeof(*note));
	if (!note || alloc_fails() || vasprintf(&text, format, args) < 0) {
		im->failed = true;
		return;
	}
	note->text = im_strndup(im, text, strlen(text));
	free(text);
	note->kind = kind;
	note->file = im->file;
	note->line = im->line;
	note->unit = im->unit;
	note->setting = im->setting;
	if (!note->text)
		return;
	if (im->last_note)
		im->last_note->next = note;
	else
		im->notes = note;
	im->last_note = note;
	note->order = im->n_notes[NOTE_NO_EQUAL] + im->n_notes[NOTE_ASSUMED] +
		im->n_notes[NOTE_REFUSED];
	im->n_notes[kind]++;
}

void no_equal(struct import *im, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	note_add(im, NOTE_NO_EQUAL, format, args);
	va_end(args);
}

void assumed(struct import *im, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	note_add(im, NOTE_ASSUMED, format, args);
	va_end(args);
}

void refused(struct import *im, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	note_add(im, NOTE_REFUSED, format, args);
	va_end(args);
}

/* ── is it a tree? ── */

struct written {
	const char *bytes;
	size_t size;
};

static int written_read(
	void *context, const char *path, size_t limit, char **ret_bytes, size_t *ret_size)
{
	const struct written *written = context;
	char *copy;

	if (strcmp(path, "/imported.yaml") != 0)
		return -ENOENT;
	if (written->size > limit)
		return -EFBIG;
	copy = alloc_new(written->size + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, written->bytes, written->size);
	*ret_bytes = copy;
	*ret_size = written->size;
	return 0;
}

static bool is_of_this_machine(const struct diag *diag)
{
	/* A variable that is not set, an env_file that is not there. */
	return !diag->is_error || !strcmp(diag->code, "E215") || !strcmp(diag->code, "E107");
}

/* What units say of each other may not go together, however well each is made. */
static int judge(struct import *im, const struct diags *diags)
{
	int r = 0;

	im->file = im->unit = im->setting = NULL;
	im->line = 0;
	for (uint32_t i = 0; i < diags_count(diags); i++) {
		const struct diag *diag = diags_at(diags, i);

		if (is_of_this_machine(diag))
			continue;
		if (strncmp(diag->code, "E3", 2) != 0)
			return -EPROTO;
		refused(im, "the units are no tree: %s", diag->message);
		im->n_units = 0;
		r = -EINVAL;
	}
	return r;
}

int import_check(struct import *im, const char *yaml, size_t size, struct diags *diags)
{
	static const char *const nothing[] = {NULL};
	struct written written = {yaml, size};
	struct plan_source source = {
		.read = written_read, .context = &written, .environment = nothing, .privileged = true};
	struct plan *plan = NULL;
	int r = plan_load("/imported.yaml", &source, &plan, diags);

	plan_unref(plan);
	return r == -EINVAL ? judge(im, diags) : r;
}
