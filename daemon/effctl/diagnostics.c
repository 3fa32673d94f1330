/* SPDX-License-Identifier: MIT */
/* The same form that effd prints at its own start, but for the source line, which stays with effd. */
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

static void print_one(FILE *to, const struct json *diagnostic)
{
	const char *help = json_get_text(diagnostic, "help", NULL);

	print_place(to, diagnostic);
	(void)fprintf(to, ": %s[%s]: ", json_get_text(diagnostic, "severity", "error"),
		json_get_text(diagnostic, "code", "?"));
	put_text(to, json_get_text(diagnostic, "message", ""));
	(void)fputc('\n', to);
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

void diagnostics_print(FILE *to, const struct json *diagnostics)
{
	for (const struct json *v = json_first(diagnostics); v; v = json_next(v))
		print_one(to, v);
}
