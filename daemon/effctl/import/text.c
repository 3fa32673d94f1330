/* SPDX-License-Identifier: MIT */
/* Texts on their way: kept, made literal, split into words, named. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "effctl/import/import.h"

char *im_strndup(struct import *im, const char *s, size_t len)
{
	char *copy = arena_strndup(im->arena, s, len);

	if (!copy)
		im->failed = true;
	return copy;
}

char *im_printf(struct import *im, const char *format, ...)
{
	char *text = NULL, *kept;
	va_list args;
	int r;

	va_start(args, format);
	r = alloc_fails() ? -1 : vasprintf(&text, format, args);
	va_end(args);
	if (r < 0) {
		im->failed = true;
		return NULL;
	}
	kept = im_strndup(im, text, (size_t)r);
	free(text);
	return kept;
}

const char *im_text(struct import *im, struct text *text)
{
	const char *kept = NULL;

	if (text->failed)
		im->failed = true;
	else
		kept = im_strndup(im, text->bytes ? text->bytes : "", text->len);
	text_done(text);
	return kept;
}

const char *literal(struct import *im, const char *s)
{
	struct text text = {0};

	if (!s || !strchr(s, '$'))
		return s;
	for (; *s; s++) {
		text_add_bytes(&text, s, 1);
		if (*s == '$' && (s[1] == '$' || s[1] == '{'))
			text_add(&text, "$");
	}
	return im_text(im, &text);
}

/* How many names of `map` were made of this one: so many are taken. */
static uint32_t count_up(struct import *im, const struct item *map, const char *made)
{
	void **at = table_at(&im->table, (const char *)map + 1, made);
	uint32_t *count = at ? *at : NULL;

	if (at && !count)
		*at = count = arena_alloc(im->arena, sizeof(*count));
	if (!count) {
		im->failed = true;
		return 0;
	}
	return ++*count;
}

const char *unit_name(struct import *im, const struct item *map, const char *name)
{
	char *made = im_strndup(im, name, strnlen(name, 50));
	const char *tried = made;

	for (char *c = made; c && *c; c++) {
		if (!isalnum((unsigned char)*c) && (c == made || !strchr("_.-", *c)))
			*c = c == made ? 'x' : '-';
	}
	if (made && !*made)
		tried = made = im_printf(im, "unnamed");
	if (made && strcmp(made, name) != 0)
		assumed(im, "its name is `%s` here: no unit may be called `%s`", made, name);
	while (tried && !im->failed && item_find(im, map, tried))
		tried = im_printf(im, "%s-%u", made, count_up(im, map, made) + 1);
	if (tried != made && tried)
		assumed(im, "its name is `%s` here: there is another `%s`", tried, made);
	return tried;
}

const char *seconds(struct import *im, const char *s)
{
	size_t n = strspn(s, "0123456789");

	if (!n || s[n] || n > 9)
		return NULL;
	s += strspn(s, "0");
	return *s ? im_printf(im, "%ss", s) : "0";
}

int truth(const char *s)
{
	static const char *const words[] = {
		"0", "1", "false", "true", "no", "yes", "off", "on", "n", "y", "f", "t", NULL};

	for (int i = 0; words[i]; i++) {
		if (!strcasecmp(s, words[i]))
			return i % 2;
	}
	return -1;
}

void shell_word(struct text *to, const char *word)
{
	static const char bare[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:,@%+=";

	if (*word && !word[strspn(word, bare)]) {
		text_add(to, word);
		return;
	}
	text_add(to, "'");
	for (; *word; word++) {
		if (*word == '\'')
			text_add(to, "'\\''");
		else
			text_add_bytes(to, word, 1);
	}
	text_add(to, "'");
}

/* ── words ── */

void words_push(struct import *im, struct words_list *words, const char *word)
{
	size_t room = words->room ? words->room * 2 : 8;
	const char **items;

	if (!word)
		return;
	if (words->n + 1 >= words->room) {
		items = arena_alloc(im->arena, room * sizeof(*items));
		if (!items) {
			im->failed = true;
			return;
		}
		if (words->n)
			memcpy(items, words->items, words->n * sizeof(*items));
		words->items = items;
		words->room = room;
	}
	words->items[words->n++] = word;
	words->items[words->n] = NULL;
}

/* What stands in quotes, from the opening one; behind the closing one, or NULL. */
static const char *quoted_add(struct text *word, const char *s)
{
	char quote = *s++;

	for (; *s && *s != quote; s++) {
		if (quote == '"' && *s == '\\' && (s[1] == '"' || s[1] == '\\'))
			s++;
		text_add_bytes(word, s, 1);
	}
	return *s ? s + 1 : NULL;
}

/* `$$` or `${…}`, which is one piece whatever stands in it; behind it, or NULL when it is neither. `closed` is the last `}`
 * of all. */
static const char *dollar_add(struct text *word, const char *s, const char *closed)
{
	size_t len = s[1] == '$'                      ? 2
		: s[1] == '{' && closed && closed > s ? strcspn(s, "}") + 1
						      : 0;

	if (!len)
		return NULL;
	text_add_bytes(word, s, len);
	return s + len;
}

/* One word; behind it, or NULL. */
static const char *word_add(struct text *word, const char *s, const char *closed)
{
	const char *behind;

	while (s && *s && !strchr(" \t\r\n", *s)) {
		if (*s == '"' || *s == '\'') {
			s = quoted_add(word, s);
			continue;
		}
		if (*s == '$' && (behind = dollar_add(word, s, closed))) {
			s = behind;
			continue;
		}
		if (*s == '\\' && !*++s)
			return NULL;
		text_add_bytes(word, s++, 1);
	}
	return s;
}

const char **words_of(struct import *im, const char *s)
{
	const char *closed = strrchr(s, '}');
	struct words_list words = {0};

	for (s += strspn(s, " \t\r\n"); *s; s += strspn(s, " \t\r\n")) {
		struct text word = {0};

		s = word_add(&word, s, closed);
		words_push(im, &words, im_text(im, &word));
		if (!s || im->failed)
			return NULL;
	}
	if (!words.items)
		words.items = arena_alloc(im->arena, sizeof(*words.items));
	if (!words.items)
		im->failed = true;
	return words.items;
}

/* ── settings ── */

const struct taker *taker_find(const struct taker *takers, const char *key)
{
	while (takers->key && strcmp(takers->key, key) != 0)
		takers++;
	return takers->key ? takers : NULL;
}
