/* SPDX-License-Identifier: MIT */
/* The collection of diagnostics. It has an arena of its own: diagnostics outlive the plan that could not be made. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/text.h"
#include "plan/diag.h"

struct diags {
	struct arena *arena;
	struct diag *items;
	uint32_t n, room, n_errors, n_warnings;
	bool failed;
};

struct diags *diags_new(void)
{
	struct diags *diags = alloc_new(sizeof(*diags));

	if (!diags)
		return NULL;
	diags->arena = arena_new();
	if (!diags->arena) {
		free(diags);
		return NULL;
	}
	return diags;
}

void diags_free(struct diags *diags)
{
	if (!diags)
		return;
	arena_free(diags->arena);
	free(diags->items);
	free(diags);
}

uint32_t diags_count(const struct diags *diags)
{
	return diags->n;
}

uint32_t diags_errors(const struct diags *diags)
{
	return diags->n_errors;
}

uint32_t diags_warnings(const struct diags *diags)
{
	return diags->n_warnings;
}

bool diags_failed(const struct diags *diags)
{
	return diags->failed;
}

const struct diag *diags_at(const struct diags *diags, uint32_t i)
{
	return &diags->items[i];
}

/* Move `len` bytes, or so many characters of them and an ellipsis where that is shorter. Returns how many bytes it is now. */
static size_t span_move(char *to, const char *from, size_t len, uint32_t most)
{
	static const char dots[] = {'\xe2', '\x80', '\xa6'}; /* … */
	size_t kept = diag_bytes(from, len, most);

	if (len - kept < sizeof(dots))
		kept = len;
	memmove(to, from, kept);
	if (kept == len)
		return len;
	memcpy(to + kept, dots, sizeof(dots));
	return kept + sizeof(dots);
}

/* Each quotation by itself, so that what is said of it stays. */
static void text_cut(char *text)
{
	char *to = text, *from = text, *end;
	size_t len = strcspn(from, "\"`");

	while (from[len] && (end = strchr(from + len + 1, from[len]))) {
		memmove(to, from, len + 1);
		to += len + 1;
		from += len + 1;
		to += span_move(to, from, (size_t)(end - from), DIAG_QUOTED);
		*to++ = *end;
		from = end + 1;
		len = strcspn(from, "\"`");
	}
	memmove(to, from, strlen(from) + 1);
	text[span_move(text, text, strlen(text), DIAG_TEXT)] = '\0';
}

static char *__attribute__((format(printf, 2, 0)))
text_keep(struct diags *diags, const char *format, va_list args)
{
	char *line = NULL, *kept;

	if (alloc_fails() || vasprintf(&line, format, args) < 0) {
		diags->failed = true;
		return NULL;
	}
	text_cut(line);
	kept = arena_strdup(diags->arena, line);
	free(line);
	if (!kept)
		diags->failed = true;
	return kept;
}

static const char *copy_of(struct diags *diags, const char *s)
{
	char *copy = s ? arena_strdup(diags->arena, s) : NULL;

	if (s && !copy)
		diags->failed = true;
	return copy;
}

static bool room_for_one(struct diags *diags)
{
	uint32_t room = diags->room ? diags->room * 2 : 16;
	struct diag *items;

	if (diags->n < diags->room)
		return true;
	items = alloc_grow(diags->items, room * sizeof(*items));
	if (!items) {
		diags->failed = true;
		return false;
	}
	diags->items = items;
	diags->room = room;
	return true;
}

struct diag *diags_add(
	struct diags *diags, const char *code, struct plan_place at, const char *format, ...)
{
	struct diag diag = {.code = code, .is_error = code[0] == 'E', .at = at, .width = 1};
	va_list args;

	if (diag.is_error)
		diags->n_errors++;
	else
		diags->n_warnings++;
	if (diags->n >= DIAGS_KEPT || !room_for_one(diags))
		return NULL;
	va_start(args, format);
	diag.message = text_keep(diags, format, args);
	va_end(args);
	if (!diag.message)
		return NULL;
	diag.at.file = copy_of(diags, at.file);
	diags->items[diags->n] = diag;
	return &diags->items[diags->n++];
}

void diag_help(struct diags *diags, struct diag *diag, const char *format, ...)
{
	va_list args;

	if (!diag)
		return;
	va_start(args, format);
	diag->help = text_keep(diags, format, args);
	va_end(args);
}

void diag_note(struct diags *diags, struct diag *diag, struct plan_place at, const char *format, ...)
{
	struct diag_note *notes, note = {.at = at};
	va_list args;

	/* Room comes in powers of two: a new array is needed whenever their number is one. */
	if (!diag)
		return;
	if ((diag->n_notes & (diag->n_notes - 1)) == 0) {
		notes = arena_alloc(
			diags->arena, (diag->n_notes ? diag->n_notes * 2 : 1) * sizeof(*notes));
		if (!notes) {
			diags->failed = true;
			return;
		}
		if (diag->n_notes)
			memcpy(notes, diag->notes, diag->n_notes * sizeof(*notes));
		diag->notes = notes;
	}
	va_start(args, format);
	note.text = text_keep(diags, format, args);
	va_end(args);
	if (!note.text)
		return;
	note.at.file = copy_of(diags, at.file);
	diag->notes[diag->n_notes++] = note;
}

size_t diag_bytes(const char *s, size_t len, uint32_t n)
{
	size_t i = 0;

	while (i < len && n > 0) {
		i++;
		while (i < len && ((unsigned char)s[i] & 0xc0) == 0x80)
			i++;
		n--;
	}
	return i;
}

void diag_show(struct diags *diags, struct diag *diag, const char *line, size_t len, uint32_t before)
{
	size_t skipped = 0;

	if (!diag || !line)
		return;
	diag->before = before;
	if (before > DIAG_LINE / 2 && len > DIAG_LINE) {
		skipped = diag_bytes(line, len, before - DIAG_LINE / 2);
		diag->before = DIAG_LINE / 2;
	}
	line += skipped;
	diag->source = arena_strndup(
		diags->arena, line, diag_bytes(line, len - skipped, DIAG_LINE));
	if (!diag->source)
		diags->failed = true;
}

static int by_place(const void *left, const void *right)
{
	const struct diag *a = left, *b = right;
	int r = strcmp(a->at.file ? a->at.file : "", b->at.file ? b->at.file : "");

	if (r == 0)
		r = (a->at.line > b->at.line) - (a->at.line < b->at.line);
	if (r == 0)
		r = (a->at.column > b->at.column) - (a->at.column < b->at.column);
	if (r == 0)
		r = strcmp(a->code, b->code);
	return r ? r : strcmp(a->message, b->message);
}

/* What many take from one place, by `<<` or an alias, is wrong once. */
static void drop_repeated(struct diags *diags)
{
	uint32_t n = 1;

	for (uint32_t i = 1; i < diags->n; i++) {
		if (by_place(&diags->items[n - 1], &diags->items[i]) != 0)
			diags->items[n++] = diags->items[i];
		else if (diags->items[i].is_error)
			diags->n_errors--;
		else
			diags->n_warnings--;
	}
	diags->n = n;
}

void diags_sort(struct diags *diags)
{
	if (!diags->n)
		return;
	qsort(diags->items, diags->n, sizeof(*diags->items), by_place);
	drop_repeated(diags);
}

void diags_keep(struct diags *diags, const char *file)
{
	uint32_t n = 0, i;

	for (i = 0; i < diags->n; i++)
		if (diags->items[i].is_error || strcmp(diags->items[i].at.file, file) == 0)
			diags->items[n++] = diags->items[i];
		else
			diags->n_warnings--;
	diags->n = n;
}

/* A tree may be looked at for the first time, and its texts are no words to the terminal: a control is shown as one character,
 * and not by its number as effctl shows what units say, so that the caret stays below what it is about. */
static void words_print(const char *text, size_t len, FILE *to)
{
	for (size_t i = 0, n; i < len; i += n ? n : 1) {
		n = text[i] == '\t' ? 0 : control_span(text + i, len - i);
		(void)fputc(n ? '?' : text[i], to);
	}
}

/* So is a byte that is no UTF-8, as the name of a file may have. */
static void text_print(const char *text, FILE *to)
{
	size_t len = strlen(text), n;

	for (; len > 0; text += n, len -= n) {
		n = utf8_span(text, len);
		words_print(text, n, to);
		if (n == len)
			break;
		(void)fputc('?', to);
		n++;
	}
}

static void place_print(const struct plan_place *at, FILE *to)
{
	if (!at->file || !at->file[0])
		return;
	text_print(at->file, to);
	if (at->line)
		(void)fprintf(to, ":%u:%u", at->line, at->column);
	(void)fputs(": ", to);
}

static void source_print(const struct diag *diag, FILE *to)
{
	size_t len = strlen(diag->source);
	uint32_t i;

	(void)fprintf(to, "%5u | ", diag->at.line);
	text_print(diag->source, to);
	(void)fputs("\n      | ", to);
	for (i = 0; i < diag->before; i++)
		(void)fputc(i < len && diag->source[i] == '\t' ? '\t' : ' ', to);
	for (i = 0; (i < diag->width || i == 0) && diag->before + i < DIAG_LINE; i++)
		(void)fputc('^', to);
	(void)fputc('\n', to);
}

static void diag_print(const struct diag *diag, FILE *to)
{
	uint32_t i;

	place_print(&diag->at, to);
	(void)fprintf(to, "%s[%s]: ", diag->is_error ? "error" : "warning", diag->code);
	text_print(diag->message, to);
	(void)fputc('\n', to);
	if (diag->source && diag->at.column)
		source_print(diag, to);
	for (i = 0; i < diag->n_notes; i++) {
		(void)fputs("   note: ", to);
		place_print(&diag->notes[i].at, to);
		text_print(diag->notes[i].text, to);
		(void)fputc('\n', to);
	}
	if (diag->help) {
		(void)fputs("   help: ", to);
		text_print(diag->help, to);
		(void)fputc('\n', to);
	}
}

void diags_print(const struct diags *diags, FILE *to)
{
	uint32_t all = diags->n_errors + diags->n_warnings, i;

	for (i = 0; i < diags->n && i < DIAGS_SHOWN; i++)
		diag_print(&diags->items[i], to);
	if (all > i)
		(void)fprintf(to, "and %u more\n", all - i);
}
