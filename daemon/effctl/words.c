/* SPDX-License-Identifier: MIT */
/* Causes, times and sizes as people say them. What came from elsewhere goes through put_text() or a grid, which show
 * controls as what they are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cause_words.h"
#include "effctl/words.h"
#include "wire/escape.h"
#include "wire/states.h"

#define CAUSES_MAX 8

enum paint state_paint(const char *state)
{
	static const enum paint paints[UNIT_N_STATES] = {
		[UNIT_WAITING] = BUSY,
		[UNIT_STARTING] = BUSY,
		[UNIT_UP] = GOOD,
		[UNIT_STOPPING] = BUSY,
		[UNIT_BACKOFF] = BAD,
		[UNIT_DOWN] = FAINT,
		[UNIT_DONE] = GOOD,
		[UNIT_FAILED] = BAD,
	};
	int s = state_parse(state);

	return s < 0 ? PLAIN : paints[s];
}

static void add_one_cause(struct text *to, const struct json *cause)
{
	const struct json *by = json_get(cause, "by");

	cause_words_add(to,
		&(struct cause_words){
			.kind = json_get_text(cause, "kind", NULL),
			.text = json_get_text(cause, "text", NULL),
			.signal = json_get_text(cause, "signal", NULL),
			.command = json_get_text(by, "command", NULL),
			.code = json_get_int(cause, "code", -1),
			.pid = json_get_int(by, "pid", -1),
			.uid = json_get_int(by, "uid", 0),
			.core = json_get_bool(cause, "core", false),
		});
}

void add_cause(struct text *to, const struct json *cause)
{
	for (int i = 0; i < CAUSES_MAX && json_type(cause) == JSON_OBJECT; i++) {
		if (i)
			text_add(to, "; because of ");
		add_one_cause(to, cause);
		cause = json_get(cause, "because");
	}
}

void add_remark(struct text *to, const struct json *status)
{
	const struct json *cause = json_get(status, "cause");
	const struct json *last = json_get(status, "last_exit");
	double next_s = json_get_number(status, "next_start_s", -1);
	const char *said = json_get_text(status, "status_text", "");
	bool backing_off = !strcmp(json_get_text(status, "state", ""), "backoff");
	size_t before = to->len;

	if (next_s >= 0) {
		text_add(to, backing_off ? "next try in " : "next start in ");
		add_seconds(to, next_s);
	}
	if (*said)
		text_printf(to, "%s%s", to->len > before ? "; " : "", said);
	if (json_type(cause) == JSON_OBJECT) {
		text_add(to, to->len > before ? "; " : "");
		add_cause(to, cause);
	} else if (json_type(last) == JSON_OBJECT) {
		text_add(to, to->len > before ? "; last: " : "last: ");
		add_cause(to, last);
	}
}

void add_number(struct text *to, uint64_t number)
{
	char digits[20];

	text_add_bytes(to, digits, (size_t)(number_write(digits, number) - digits));
}

void add_seconds(struct text *to, double seconds)
{
	static const struct {
		uint64_t s;
		const char *name;
	} units[] = {{604800, "w"}, {86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
	size_t i = 0;
	uint64_t s;

	if (!(seconds >= 0) || seconds > 1e15)
		return;
	/* The longest duration that there is means that there is no end to it. */
	if (seconds >= 9.223372036e9) {
		text_add(to, "infinity");
		return;
	}
	if (seconds < 9.95) {
		text_printf(to, "%.1fs", seconds);
		return;
	}
	s = (uint64_t)(seconds + 0.5);
	while (s < units[i].s)
		i++;
	add_number(to, s / units[i].s);
	text_add(to, units[i].name);
	s %= units[i].s;
	if (i < 4 && s / units[i + 1].s) {
		add_number(to, s / units[i + 1].s);
		text_add(to, units[i + 1].name);
	}
}

void add_bytes(struct text *to, double bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	size_t i = 0;

	while (bytes >= 1024 && i < 4) {
		bytes /= 1024;
		i++;
	}
	text_printf(to, i && bytes < 99.95 ? "%.1f%s" : "%.0f%s", bytes, units[i]);
}

/* How many bytes of printable ASCII come first, or of what is none. */
static size_t span_of(const char *text, bool is_plain)
{
	size_t n = 0;

	while (text[n] && (text[n] >= ' ' && text[n] <= '~') == is_plain)
		n++;
	return n;
}

/* Most is as it is, and takes no memory. */
void put_text(FILE *to, const char *text)
{
	while (*text) {
		size_t n_plain = span_of(text, true), n = span_of(text + n_plain, false);
		struct text shown = {0};

		(void)fwrite(text, 1, n_plain, to);
		text += n_plain;
		escape_bytes(&shown, text, n);
		(void)fputs(shown.failed ? "?" : shown.bytes ? shown.bytes : "", to);
		text_done(&shown);
		text += n;
	}
}

void put_line_part(FILE *to, const char *text)
{
	static const char tab[] = "\\x09";

	for (const char *at; (at = strstr(text, tab)); text = at + sizeof(tab) - 1) {
		char *before = strndup(text, (size_t)(at - text));

		put_text(to, before ? before : "?");
		(void)fputc('\t', to);
		free(before);
	}
	put_text(to, text);
}

void put_line_end(FILE *to, const char *text)
{
	static const char returns[] = "\\x0D";
	size_t len = strlen(text), n = sizeof(returns) - 1;
	char *shown = len >= n && strcmp(text + len - n, returns) == 0 ? strndup(text, len - n)
								       : NULL;

	put_line_part(to, shown ? shown : text);
	(void)fputc('\n', to);
	free(shown);
}

void put_no_replicas(FILE *to, const char *name)
{
	put_text(to, name);
	(void)fputs(" has no replicas\n", to);
}

void put_units_have_none(const struct effctl *e, FILE *to)
{
	for (size_t i = 0; i < e->n_units; i++)
		put_no_replicas(to, e->units[i]);
}

enum code out_of_memory(struct effctl *e)
{
	(void)fputs("effctl: out of memory\n", e->err);
	return CODE_FAILED;
}

enum code no_folder(struct effctl *e)
{
	if (errno == ENOMEM)
		return out_of_memory(e);
	(void)fputs("effctl: the folder that this is run in is gone: give paths from the root on\n",
		e->err);
	return CODE_FAILED;
}

static enum code put_printed(struct effctl *e, char *text)
{
	if (!text)
		return out_of_memory(e);
	(void)fprintf(e->out, "%s\n", text);
	free(text);
	return CODE_DONE;
}

enum code put_json(struct effctl *e, const struct json *document)
{
	return put_printed(e, e->terminal ? json_print_pretty(document) : json_print(document));
}

enum code put_json_line(struct effctl *e, const struct json *document)
{
	return put_printed(e, json_print(document));
}
