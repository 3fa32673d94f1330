/* SPDX-License-Identifier: MIT */
/* The same form that effd prints at its own start, but that the source line stays with effd, unless it came from here. */
#include <string.h>

#include "effctl/diagnostics.h"
#include "effctl/words.h"

static void print_place(FILE *to, const struct json *place)
{
	int64_t line = json_get_int(place, "line", 0);

	put_text(to, json_get_text(place, "file", "?"));
	if (line > 0)
		(void)fprintf(to, ":%lld:%lld", (long long)line,
			(long long)json_get_int(place, "column", 1));
}

/* The line as it was sent, and a caret under its column. */
static void print_line(FILE *to, const struct json *place, const struct sent *sent)
{
	int64_t line = json_get_int(place, "line", 0), column = json_get_int(place, "column", 0);
	const char *at = sent->text;
	struct text text = {0};

	if (!sent->file || strcmp(sent->file, json_get_text(place, "file", "")) != 0 || line < 1)
		return;
	for (int64_t i = 1; i < line; i++) {
		at = strchr(at, '\n');
		if (!at)
			return;
		at++;
	}
	text_add_bytes(&text, at, strcspn(at, "\r\n"));
	(void)fprintf(to, "%5lld | ", (long long)line);
	put_text(to, text.bytes ? text.bytes : "");
	(void)fprintf(to, "\n      | %*s^\n", column > 1 && column < 200 ? (int)column - 1 : 0, "");
	text_done(&text);
}

static void print_one(FILE *to, const struct json *diagnostic, const struct sent *sent)
{
	const char *help = json_get_text(diagnostic, "help", NULL);

	print_place(to, diagnostic);
	(void)fprintf(to, ": %s[%s]: ", json_get_text(diagnostic, "severity", "error"),
		json_get_text(diagnostic, "code", "?"));
	put_text(to, json_get_text(diagnostic, "message", ""));
	(void)fputc('\n', to);
	print_line(to, diagnostic, sent);
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

void diagnostics_print(FILE *to, const struct json *diagnostics, const struct sent *sent)
{
	for (const struct json *v = json_first(diagnostics); v; v = json_next(v))
		print_one(to, v, sent);
}
