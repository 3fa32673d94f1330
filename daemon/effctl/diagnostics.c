/* SPDX-License-Identifier: MIT */
/* They are made what they were, and printed as effd prints them at its own start. effd does not send the lines, for not all
 * who may ask it may read its files: each is looked up here, with the rights of who asks. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "effctl/diagnostics.h"
#include "effctl/file.h"
#include "plan/diag.h"

/* No tree is longer. */
#define FILE_MOST ((size_t)8 << 20)

/* Where lines come from: what was sent, and the last file that was read. They come in their order, and each is looked for from
 * the last one on. */
struct lines {
	const struct sent *sent;
	pid_t effd;
	char *file; /* NULL: none yet */
	struct text text;
	const char *within, *at; /* the last one begins at `at`, in this text; NULL: there was none */
	uint32_t line;
};

/* Into `text`, as effd sees it: its root may be another one. What cannot be had has no lines. */
static void file_look(struct lines *lines, const char *file)
{
	struct text path = {0};
	struct stat st;

	free(lines->file);
	text_done(&lines->text);
	lines->within = NULL;
	lines->file = strdup(file);
	text_printf(&path, "/proc/%d/root%s", (int)lines->effd, file);
	if (path.failed || stat(path.bytes, &st) < 0 || !S_ISREG(st.st_mode) ||
		file_take(path.bytes, FILE_MOST, &lines->text) < 0)
		text_done(&lines->text);
	text_done(&path);
}

/* All that stands in it; NULL: who knows. */
static const char *text_of(struct lines *lines, const char *file)
{
	if (lines->sent->file && strcmp(lines->sent->file, file) == 0)
		return lines->sent->text;
	if (lines->effd <= 0 || file[0] != '/')
		return NULL;
	if (!lines->file || strcmp(lines->file, file) != 0)
		file_look(lines, file);
	return lines->text.bytes;
}

static const char *line_at(struct lines *lines, const struct plan_place *place)
{
	const char *text = place->line > 0 ? text_of(lines, place->file) : NULL;

	if (text != lines->within || place->line < lines->line) {
		lines->within = lines->at = text;
		lines->line = 1;
	}
	while (lines->at && lines->line < place->line) {
		lines->at = strchr(lines->at, '\n');
		lines->at += lines->at != NULL;
		lines->line++;
	}
	if (!lines->at)
		lines->within = NULL;
	return lines->at;
}

static struct plan_place place_read(const struct json *place)
{
	return (struct plan_place){
		.file = json_get_text(place, "file", ""),
		.line = (uint32_t)json_get_int(place, "line", 0),
		.column = (uint32_t)json_get_int(place, "column", 0),
	};
}

/* The file may have changed since. */
static void show_line(struct diags *diags, struct diag *diag, struct lines *lines)
{
	const char *at = diag && diags_count(diags) <= DIAGS_SHOWN ? line_at(lines, &diag->at)
								   : NULL;
	size_t len = at ? strcspn(at, "\r\n") : 0;

	if (at && diag->at.column > 0 && diag->at.column <= len + 1)
		diag_show(diags, diag, at, len, diag->at.column - 1);
}

static void read_one(struct diags *diags, const struct json *diagnostic, struct lines *lines)
{
	const char *help = json_get_text(diagnostic, "help", NULL);
	struct diag *diag = diags_add(diags, json_get_text(diagnostic, "code", "E"),
		place_read(diagnostic), "%s", json_get_text(diagnostic, "message", ""));

	show_line(diags, diag, lines);
	if (help)
		diag_help(diags, diag, "%s", help);
	for (const struct json *v = json_first(json_get(diagnostic, "related")); v;
		v = json_next(v))
		diag_note(diags, diag, place_read(v), "%s", json_get_text(v, "message", ""));
}

void diagnostics_print(FILE *to, const struct json *diagnostics, const struct sent *sent, pid_t effd)
{
	struct lines lines = {.sent = sent, .effd = effd};
	struct diags *diags = diags_new();

	for (const struct json *v = json_first(diagnostics); v && diags; v = json_next(v))
		read_one(diags, v, &lines);
	if (diags)
		diags_print(diags, to);
	diags_free(diags);
	free(lines.file);
	text_done(&lines.text);
}
