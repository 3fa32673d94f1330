/* SPDX-License-Identifier: MIT */
/* The same form that effd prints at its own start. effd does not send the lines, for not all who may ask it may read its files:
 * each is looked up here, with the rights of who asks. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "effctl/diagnostics.h"
#include "effctl/file.h"
#include "effctl/words.h"

/* No tree is longer, and no longer line says anything to anybody. */
#define FILE_MOST ((size_t)8 << 20)
enum { LINE_MOST = 400 };

/* Where lines come from: what was sent, and the last file that was read. */
struct lines {
	const struct sent *sent;
	pid_t effd;
	char *file; /* NULL: none yet */
	struct text text;
};

static void print_place(FILE *to, const struct json *place)
{
	int64_t line = json_get_int(place, "line", 0);

	put_text(to, json_get_text(place, "file", "?"));
	if (line > 0)
		(void)fprintf(to, ":%lld:%lld", (long long)line,
			(long long)json_get_int(place, "column", 1));
}

/* Into `text`, as effd sees it: its root may be another one. What cannot be had has no lines. */
static void file_look(struct lines *lines, const char *file)
{
	struct text path = {0};
	struct stat st;

	free(lines->file);
	text_done(&lines->text);
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

/* The line, and a caret under its column. */
static void print_line(FILE *to, const struct json *place, struct lines *lines)
{
	int64_t line = json_get_int(place, "line", 0), column = json_get_int(place, "column", 0);
	const char *at = line > 0 ? text_of(lines, json_get_text(place, "file", "")) : NULL;
	struct text text = {0};
	size_t len;

	for (int64_t i = 1; at && i < line; i++) {
		at = strchr(at, '\n');
		at += at != NULL;
	}
	len = at ? strcspn(at, "\r\n") : 0;
	if (!at || len > LINE_MOST || column > LINE_MOST)
		return;
	text_add_bytes(&text, at, len);
	(void)fprintf(to, "%5lld | ", (long long)line);
	put_text(to, text.bytes ? text.bytes : "");
	(void)fprintf(to, "\n      | %*s^\n", column > 1 ? (int)column - 1 : 0, "");
	text_done(&text);
}

static void print_one(FILE *to, const struct json *diagnostic, struct lines *lines)
{
	const char *help = json_get_text(diagnostic, "help", NULL);

	print_place(to, diagnostic);
	(void)fprintf(to, ": %s[%s]: ", json_get_text(diagnostic, "severity", "error"),
		json_get_text(diagnostic, "code", "?"));
	put_text(to, json_get_text(diagnostic, "message", ""));
	(void)fputc('\n', to);
	print_line(to, diagnostic, lines);
	if (help) {
		(void)fputs("   help: ", to);
		put_text(to, help);
		(void)fputc('\n', to);
	}
	for (const struct json *v = json_first(json_get(diagnostic, "related")); v;
		v = json_next(v)) {
		(void)fputs("   note: ", to);
		print_place(to, v);
		(void)fputs(": ", to);
		put_text(to, json_get_text(v, "message", ""));
		(void)fputc('\n', to);
	}
}

void diagnostics_print(FILE *to, const struct json *diagnostics, const struct sent *sent, pid_t effd)
{
	struct lines lines = {.sent = sent, .effd = effd};

	for (const struct json *v = json_first(diagnostics); v; v = json_next(v))
		print_one(to, v, &lines);
	free(lines.file);
	text_done(&lines.text);
}
