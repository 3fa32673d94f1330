/* SPDX-License-Identifier: MIT */
/* Values of systemd's: specifiers, words, spans of time. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "effctl/import/systemd.h"

static const char *specifier(const struct systemd *s, char c)
{
	const struct systemd_unit *unit = s->unit;

	switch (c) {
	case '%':
		return "%";
	case 'n':
		return unit->name;
	case 'N':
		return unit->stem;
	case 'p':
		return unit->prefix;
	case 'i':
	case 'I':
		return unit->instance ? unit->instance : "";
	case 'h':
		return "/root";
	case 'u':
		return "root";
	case 't':
		return "/run";
	case 'S':
		return "/var/lib";
	case 'C':
		return "/var/cache";
	case 'L':
		return "/var/log";
	case 'E':
		return "/etc";
	case 'T':
		return "/tmp";
	case 'V':
		return "/var/tmp";
	default:
		return NULL;
	}
}

const char *systemd_filled(struct systemd *s, const char *value)
{
	struct text text = {0};
	const char *filled;

	while (*value) {
		size_t plain = strcspn(value, "%");

		text_add_bytes(&text, value, plain);
		value += plain;
		if (!*value)
			break;
		filled = specifier(s, value[1]);
		if (!filled) {
			no_equal(s->im, "`%.2s` is no specifier that is known here", value);
			text_done(&text);
			return NULL;
		}
		text_add(&text, filled);
		value += 2;
	}
	return im_text(s->im, &text);
}

/* What stands behind a backslash; how long it is. */
static size_t escape_add(struct text *word, const char *s)
{
	static const char letters[] = "abfnrtvs\\\"'";
	static const char meant[] = "\a\b\f\n\r\t\v \\\"'";
	const char *letter = *s ? strchr(letters, *s) : NULL;
	char hex[3] = {0};
	char c;

	if (*s == 'x' && isxdigit((unsigned char)s[1]) && isxdigit((unsigned char)s[2])) {
		memcpy(hex, s + 1, 2);
		c = (char)strtol(hex, NULL, 16);
		/* No byte that a text cannot have. */
		if ((c >= ' ' && c < 127) || c == '\t' || c == '\n') {
			text_add_bytes(word, &c, 1);
			return 3;
		}
	}
	if (letter && (strchr("nrt", *letter) || letter - letters > 6)) {
		text_add_bytes(word, &meant[letter - letters], 1);
		return 1;
	}
	text_add(word, "\\");
	return 0;
}

static const char *word_add(struct text *word, const char *s)
{
	const char *quote = NULL; /* the one that opened */

	for (; *s; s++) {
		if (quote ? *s == *quote : (*s == '"' || *s == '\'')) {
			quote = quote ? NULL : s;
		} else if (!quote && strchr(" \t\r\n", *s)) {
			break;
		} else if (*s == '\\') {
			s += escape_add(word, s + 1);
		} else {
			text_add_bytes(word, s, 1);
		}
	}
	return quote ? NULL : s;
}

const char **systemd_words(struct import *im, const char *value)
{
	struct words_list words = {0};
	const char *s;

	words_push(im, &words, "");
	words.n = 0;
	if (!value)
		return NULL;
	for (s = value + strspn(value, " \t\r\n"); *s; s += strspn(s, " \t\r\n")) {
		struct text word = {0};

		s = word_add(&word, s);
		words_push(im, &words, im_text(im, &word));
		if (!s || im->failed)
			return NULL;
	}
	if (words.items)
		words.items[words.n] = NULL;
	return words.items;
}

static const struct {
	const char *name;
	eff_ns ns;
} spans[] = {{"", EFF_S(1)}, {"s", EFF_S(1)}, {"sec", EFF_S(1)}, {"second", EFF_S(1)},
	{"seconds", EFF_S(1)}, {"m", EFF_S(60)}, {"min", EFF_S(60)}, {"minute", EFF_S(60)},
	{"minutes", EFF_S(60)}, {"h", EFF_H(1)}, {"hr", EFF_H(1)}, {"hour", EFF_H(1)},
	{"hours", EFF_H(1)}, {"d", EFF_H(24)}, {"day", EFF_H(24)}, {"days", EFF_H(24)},
	{"w", EFF_H(168)}, {"week", EFF_H(168)}, {"weeks", EFF_H(168)}, {"ms", EFF_MS(1)},
	{"msec", EFF_MS(1)}, {"us", 1000}, {"usec", 1000}};

static eff_ns span_unit(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		if (strlen(spans[i].name) == len && !strncmp(spans[i].name, s, len))
			return spans[i].ns;
	}
	return 0;
}

/* The sum of the parts; below 0: it is no span. */
static eff_ns span_read(const char *s)
{
	eff_ns sum = 0;

	s += strspn(s, " ");
	if (!*s)
		return -1;
	for (; *s; s += strspn(s, " ")) {
		char *behind = (char *)s;
		double number = isdigit((unsigned char)*s) && strspn(s, "0123456789.") < 16
			? strtod(s, &behind)
			: -1;
		size_t len;
		eff_ns unit;

		if (number < 0)
			return -1;
		s = behind + strspn(behind, " ");
		for (len = 0; isalpha((unsigned char)s[len]);)
			len++;
		unit = span_unit(s, len);
		if (!unit || number * (double)unit > (double)EFF_H(1000000) || sum > EFF_H(1000000))
			return -1;
		sum += (eff_ns)(number * (double)unit);
		s += len;
	}
	return sum;
}

const char *systemd_span(struct import *im, const char *value)
{
	char buffer[32];
	eff_ns ns;

	if (!strcmp(value, "infinity"))
		return "infinity";
	ns = span_read(value);
	if (ns < 0) {
		no_equal(im, "`%s` is no span of time that is known here", value);
		return NULL;
	}
	return im_printf(im, "%s", duration_text(ns, buffer));
}
