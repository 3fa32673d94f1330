/* SPDX-License-Identifier: MIT */
/* Only a text that has other letters than ASCII's needs a locale, and the terminal's own is as good as any that reads UTF-8:
 * what is shown is UTF-8 everywhere. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/text.h"
#include "effctl/columns.h"

/* One letter. */
struct glyph {
	size_t bytes, columns;
};

static void read_utf8(void)
{
	if (MB_CUR_MAX == 1)
		(void)setlocale(LC_CTYPE, "C.UTF-8");
}

static struct glyph glyph_of(const char *text, size_t len)
{
	mbstate_t state = {0};
	wchar_t letter;
	size_t n = mbrtowc(&letter, text, len, &state);
	int columns = n > 0 && n <= len ? wcwidth(letter) : -1;

	if (n == 0 || n > len)
		for (n = 1; n < len && (text[n] & 0xc0) == 0x80;)
			n++;
	return (struct glyph){n, columns < 0 ? 1 : (size_t)columns};
}

size_t bytes_columns(const char *text, size_t len)
{
	struct glyph glyph;
	size_t n = 0;

	if (ascii_span(text, len) == len)
		return len;
	read_utf8();
	for (size_t at = 0; at < len; at += glyph.bytes) {
		glyph = glyph_of(text + at, len - at);
		n += glyph.columns;
	}
	return n;
}

size_t text_columns(const char *text)
{
	return bytes_columns(text, strlen(text));
}

void text_cut(char *text, size_t columns)
{
	size_t left = strlen(text), used = 0;

	if (text_columns(text) <= columns)
		return;
	for (;;) {
		struct glyph glyph = glyph_of(text, left);

		if (used + glyph.columns >= columns)
			break;
		used += glyph.columns;
		text += glyph.bytes;
		left -= glyph.bytes;
	}
	text[0] = '>';
	text[1] = '\0';
}

void name_cut(char *name, size_t columns)
{
	size_t used = text_columns(name), left = strlen(name);
	char *rest = name;

	if (used <= columns)
		return;
	while (left > 0) {
		struct glyph glyph = glyph_of(rest, left);

		/* The marks of a letter go with it. */
		if (used < columns && glyph.columns > 0)
			break;
		used -= glyph.columns;
		rest += glyph.bytes;
		left -= glyph.bytes;
	}
	*name = '<';
	memmove(name + 1, rest, left + 1);
}
