/* SPDX-License-Identifier: MIT */
/* The tools of a load: memory whose failure is noted once, faults that are said once, paths, source lines. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "plan/load.h"

#define SUGGEST_UNTIL 200 /* errors */

void *keep_alloc(struct load *load, size_t size)
{
	void *p = arena_alloc(load->arena, size);

	if (!p)
		load->failed = true;
	return p;
}

const char *keep_strdup(struct load *load, const char *s)
{
	const char *copy = table_get(&load->texts, NULL, s);
	void **at;

	if (copy)
		return copy;
	copy = arena_strdup(load->arena, s);
	at = copy ? table_at(&load->texts, NULL, copy) : NULL;
	if (!at) {
		load->failed = true;
		return NULL;
	}
	*at = (void *)copy;
	return copy;
}

void *scratch_alloc(struct load *load, size_t size)
{
	void *p = arena_alloc(load->scratch, size);

	if (!p)
		load->failed = true;
	return p;
}

const char *keep_text(struct load *load, struct text *text)
{
	const char *kept = NULL;

	if (text->failed)
		load->failed = true;
	else
		kept = keep_strdup(load, text->bytes ? text->bytes : "");
	text_done(text);
	return kept;
}

static struct diag *__attribute__((format(printf, 4, 0))) fault_say(struct load *load,
	struct plan_place at, const char *code, const char *format, va_list args)
{
	struct text text = {0};
	struct diag *diag = NULL;
	char *message;

	if (alloc_fails() || vasprintf(&message, format, args) < 0) {
		load->failed = true;
		return NULL;
	}
	text_add(&text, message);
	free(message);
	if (text.failed)
		load->failed = true;
	else
		diag = diags_add(load->diags, code, at, "%s", text.bytes);
	text_done(&text);
	return diag;
}

struct diag *fault(struct load *load, struct node *node, const char *code, const char *format, ...)
{
	struct diag *diag;
	va_list args;

	if (node->told && strcmp(node->told, code) == 0)
		return NULL;
	node->told = code;
	va_start(args, format);
	diag = fault_say(load, node->at, code, format, args);
	va_end(args);
	if (diag)
		diag->width = node->width;
	return diag;
}

struct diag *fault_key(
	struct load *load, struct node *node, const char *code, const char *format, ...)
{
	struct diag *diag;
	va_list args;

	if (!node->key_at.line)
		return NULL;
	if (node->told_key && strcmp(node->told_key, code) == 0)
		return NULL;
	node->told_key = code;
	va_start(args, format);
	diag = fault_say(load, node->key_at, code, format, args);
	va_end(args);
	if (diag)
		diag->width = node->key_width;
	return diag;
}

struct diag *fault_at(
	struct load *load, struct plan_place at, const char *code, const char *format, ...)
{
	struct diag *diag;
	va_list args;

	va_start(args, format);
	diag = fault_say(load, at, code, format, args);
	va_end(args);
	return diag;
}

bool load_may_suggest(const struct load *load)
{
	return diags_errors(load->diags) < SUGGEST_UNTIL;
}

void nearest_offer(struct nearest *nearest, const char *name)
{
	uint32_t most = strlen(nearest->wanted) < 5 ? 1 : 2, distance;

	distance = text_distance(nearest->wanted, name, most);
	if (distance > most || (nearest->best && distance >= nearest->distance))
		return;
	nearest->best = name;
	nearest->distance = distance;
}

const char *path_from(struct load *load, const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	struct text whole = {0};

	if (path[0] == '/')
		return keep_strdup(load, path);
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	if (strcmp(path, ".") == 0)
		path = "";
	if (!slash)
		return keep_strdup(load, path[0] ? path : ".");
	text_add_bytes(&whole, file, (size_t)(slash - file));
	if (path[0] != '\0' || slash == file)
		text_printf(&whole, "/%s", path);
	return keep_text(load, &whole);
}

const char *address_from(struct load *load, const char *file, const char *address)
{
	const char *path = strncmp(address, "unix:", 5) == 0 ? address + 5 : NULL;

	/* An abstract socket has no path. */
	if (!path || path[0] == '\0' || path[0] == '/' || path[0] == '@')
		return address;
	path = path_from(load, file, path);
	address = path ? arena_printf(load->arena, "unix:%s", path) : NULL;
	load->failed |= !address;
	return address;
}

static void lines_count(struct load *load, struct file *file)
{
	uint32_t n = 1, i = 1;
	size_t at;

	for (at = 0; at < file->size; at++)
		n += file->bytes[at] == '\n';
	file->lines = scratch_alloc(load, (n + 1) * sizeof(*file->lines));
	if (!file->lines)
		return;
	for (at = 0; at < file->size; at++)
		if (file->bytes[at] == '\n')
			file->lines[i++] = (uint32_t)at + 1;
	file->lines[n] = (uint32_t)file->size + 1;
	file->n_lines = n;
}

/* A line in which one after the other is shown: they come in the order of their columns. */
struct shown {
	struct file *file;
	uint32_t line;
	const char *bytes; /* NULL: it cannot be shown */
	size_t len;
	uint32_t chars; /* so many characters */
	size_t at;      /* have so many bytes */
};

static void shown_begin(struct load *load, struct shown *shown, struct file *file, uint32_t line)
{
	*shown = (struct shown){.file = file, .line = line};
	if (!file->lines)
		lines_count(load, file);
	if (!file->lines || line == 0 || line > file->n_lines || file->size == 0)
		return;
	shown->bytes = file->bytes + file->lines[line - 1];
	shown->len = file->lines[line] - 1 - file->lines[line - 1];
	if (shown->len && shown->bytes[shown->len - 1] == '\r')
		shown->len--;
	if (utf8_span(shown->bytes, shown->len) < shown->len)
		shown->bytes = NULL;
}

/* Half of what is shown stands before the caret. */
static void source_show(struct load *load, struct shown *shown, struct diag *diag)
{
	uint32_t before = diag->at.column ? diag->at.column - 1 : 0, chars = 0;

	if (!shown->bytes)
		return;
	if (before > DIAG_LINE / 2 && shown->len > DIAG_LINE)
		chars = before - DIAG_LINE / 2;
	if (chars < shown->chars)
		shown->chars = shown->at = 0;
	shown->at += diag_bytes(
		shown->bytes + shown->at, shown->len - shown->at, chars - shown->chars);
	shown->chars = chars;
	diag_show(load->diags, diag, shown->bytes + shown->at, shown->len - shown->at,
		before - chars);
}

void sources_show(struct load *load)
{
	uint32_t i, n = diags_count(load->diags);
	struct shown shown = {0};

	for (i = 0; i < n && !load->failed; i++) {
		struct diag *diag = (struct diag *)diags_at(load->diags, i);
		struct file *file = NULL;

		if (diag->at.file && diag->at.line)
			file = table_get(&load->paths, &load->paths, diag->at.file);
		if (!file || diag->source)
			continue;
		if (file != shown.file || diag->at.line != shown.line)
			shown_begin(load, &shown, file, diag->at.line);
		source_show(load, &shown, diag);
	}
}
