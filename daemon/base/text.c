/* SPDX-License-Identifier: MIT */
/* A growing string, and what can be said of strings: how far apart two are, whether one is UTF-8, what day it is. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/text.h"

#define DISTANCE_MAX_LEN 64 /* longer names are never "near" anything */

void text_done(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}

/* Room for `more` bytes and the NUL. */
static bool text_reserve(struct text *text, size_t more)
{
	size_t room = text->room ? text->room : 64;
	char *bytes;

	if (text->failed)
		return false;
	if (more > SIZE_MAX / 4 - text->len)
		goto fail;
	if (text->len + more < text->room)
		return true;
	while (room <= text->len + more)
		room *= 2;
	bytes = alloc_grow(text->bytes, room);
	if (!bytes)
		goto fail;
	text->bytes = bytes;
	text->room = room;
	return true;
fail:
	text->failed = true;
	return false;
}

void text_add_bytes(struct text *text, const void *bytes, size_t len)
{
	if (!text_reserve(text, len))
		return;
	if (len)
		memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	text->bytes[text->len] = '\0';
}

void text_add(struct text *text, const char *s)
{
	text_add_bytes(text, s, strlen(s));
}

char *number_write(char *to, uint64_t number)
{
	char digits[20]; /* the last one first */
	size_t n = 0;

	for (; number > 9; number /= 10)
		digits[n++] = (char)('0' + number % 10);
	*to++ = (char)('0' + number);
	while (n > 0)
		*to++ = digits[--n];
	return to;
}

char *seconds_write(char *to, eff_ns ns)
{
	uint64_t ms = ((uint64_t)(ns > 0 ? ns : 0) + EFF_MS(1) / 2) / EFF_MS(1);
	unsigned rest = (unsigned)(ms % 1000);

	to = number_write(to, ms / 1000);
	if (rest == 0)
		return to;
	to[0] = '.';
	to[1] = (char)('0' + rest / 100);
	to[2] = (char)('0' + rest / 10 % 10);
	to[3] = (char)('0' + rest % 10);
	return to + (rest % 10 ? 4 : rest % 100 ? 3 : 2);
}

char *text_room(struct text *text, size_t most)
{
	return text_reserve(text, most) ? text->bytes + text->len : NULL;
}

void text_wrote(struct text *text, size_t n)
{
	text->len += n;
	text->bytes[text->len] = '\0';
}

void text_printf(struct text *text, const char *format, ...)
{
	size_t room = text->room - text->len;
	va_list args;
	int len;

	/* Mostly there is room. */
	va_start(args, format);
	len = vsnprintf(room ? text->bytes + text->len : NULL, room, format, args);
	va_end(args);
	if (len < 0)
		text->failed = true;
	if (text->failed || (size_t)len >= room) {
		if (room)
			text->bytes[text->len] = '\0';
		if (text->failed || !text_reserve(text, (size_t)len))
			return;
		va_start(args, format);
		(void)vsnprintf(text->bytes + text->len, (size_t)len + 1, format, args);
		va_end(args);
	}
	text->len += (size_t)len;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

uint32_t text_distance(const char *a, const char *b, uint32_t most)
{
	uint32_t before[DISTANCE_MAX_LEN + 1], above[DISTANCE_MAX_LEN + 1],
		row[DISTANCE_MAX_LEN + 1];
	size_t len_a = strnlen(a, DISTANCE_MAX_LEN + 1),
	       len_b = strnlen(b, DISTANCE_MAX_LEN + 1), i, j;
	uint32_t best;

	if (len_a > DISTANCE_MAX_LEN || len_b > DISTANCE_MAX_LEN)
		return most + 1;
	for (j = 0; j <= len_b; j++)
		above[j] = before[j] = (uint32_t)j;
	for (i = 1; i <= len_a; i++) {
		row[0] = best = (uint32_t)i;
		for (j = 1; j <= len_b; j++) {
			row[j] = smaller(smaller(above[j], row[j - 1]) + 1,
				above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = smaller(row[j], before[j - 2] + 1);
			best = smaller(best, row[j]);
		}
		if (best > most)
			return most + 1;
		memcpy(before, above, sizeof(above));
		memcpy(above, row, sizeof(row));
	}
	return smaller(above[len_b], most + 1);
}

/* How many bytes the character at `s` has; 0: it is none. */
static size_t utf8_char(const unsigned char *s, size_t len)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2, i;

	if (n == 1)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4 || n > len)
		return 0;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, beyond U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* Most of what there is, and so by eight. */
size_t ascii_span(const char *s, size_t len)
{
	size_t at = 0;
	uint64_t eight;

	for (; len - at >= sizeof(eight); at += sizeof(eight)) {
		memcpy(&eight, s + at, sizeof(eight));
		if (eight & UINT64_C(0x8080808080808080))
			break;
	}
	while (at < len && (unsigned char)s[at] < 0x80)
		at++;
	return at;
}

size_t utf8_span(const char *s, size_t len)
{
	size_t at = 0, n;

	while (at < len) {
		at += ascii_span(s + at, len - at);
		if (at == len)
			break;
		n = utf8_char((const unsigned char *)s + at, len - at);
		if (n == 0)
			return at;
		at += n;
	}
	return len;
}

const char *wall_text(eff_ns wall_ns, char buf[static 32])
{
	time_t seconds = (time_t)(wall_ns / EFF_S(1));
	eff_ns rest_ns = wall_ns % EFF_S(1);
	char day[24];
	struct tm tm;

	if (rest_ns < 0) {
		rest_ns += EFF_S(1);
		seconds--;
	}
	if (!gmtime_r(&seconds, &tm) || strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		(void)snprintf(day, sizeof(day), "1970-01-01T00:00:00");
	(void)snprintf(buf, 32, "%s.%03dZ", day, (int)(rest_ns / EFF_MS(1)));
	return buf;
}

void path_tidy(char *path)
{
	char *to = path;

	for (const char *from = path; *from;) {
		size_t len = strcspn(from, "/");

		bool says_nothing = len == 1 && from[0] == '.' && from[1] == '/';

		if (!says_nothing) {
			len += from[len] == '/';
			memmove(to, from, len);
			to += len;
		}
		from += len;
		from += strspn(from, "/");
	}
	*to = '\0';
}
