/* SPDX-License-Identifier: MIT */
/* Runs of harmless bytes are copied whole; what lies between them is written out byte by byte. */
#include <stdbool.h>

#include "base/text.h"
#include "wire/escape.h"

/* What becomes of controls; in a text of JSON a backslash is two. */
enum how { KEEP_CONTROLS, NO_CONTROLS, IN_JSON };

static void add_hex(struct text *to, const char *bytes, size_t len, enum how how)
{
	for (size_t i = 0; i < len; i++)
		text_printf(to, "%sx%02X", how == IN_JSON ? "\\\\" : "\\", (unsigned char)bytes[i]);
}

static void escape_controls(struct text *to, const char *bytes, size_t len, enum how how)
{
	size_t from = 0;

	for (size_t i = 0; i < len;) {
		size_t n = control_span(bytes + i, len - i);

		if (!n) {
			i++;
			continue;
		}
		text_add_bytes(to, bytes + from, i - from);
		add_hex(to, bytes + i, n, how);
		i += n;
		from = i;
	}
	text_add_bytes(to, bytes + from, len - from);
}

static void escape(struct text *to, const char *bytes, size_t len, enum how how)
{
	for (size_t at = 0; at < len;) {
		size_t n = utf8_span(bytes + at, len - at);

		if (how == KEEP_CONTROLS)
			text_add_bytes(to, bytes + at, n);
		else
			escape_controls(to, bytes + at, n, how);
		at += n;
		if (at < len)
			add_hex(to, bytes + at++, 1, how);
	}
}

void escape_bytes(struct text *to, const char *bytes, size_t len)
{
	escape(to, bytes, len, NO_CONTROLS);
}

void escape_no_utf8(struct text *to, const char *bytes, size_t len)
{
	escape(to, bytes, len, KEEP_CONTROLS);
}

/* How many bytes of printable ASCII come first, of `plain` ones: without those that JSON escapes; else the others. */
static size_t run_of(const char *bytes, size_t len, bool plain)
{
	size_t n = 0;

	while (n < len) {
		unsigned char c = (unsigned char)bytes[n];
		bool is_printable = c >= 0x20 && c < 0x7f;

		if (is_printable != plain || c == '"' || c == '\\')
			break;
		n++;
	}
	return n;
}

void escape_json(struct text *to, const char *bytes, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t n = run_of(bytes + at, len - at, true);

		text_add_bytes(to, bytes + at, n);
		at += n;
		n = run_of(bytes + at, len - at, false);
		escape(to, bytes + at, n, IN_JSON);
		at += n;
		if (at < len && (bytes[at] == '"' || bytes[at] == '\\')) {
			text_add(to, "\\");
			text_add_bytes(to, bytes + at++, 1);
		}
	}
}
