/* SPDX-License-Identifier: MIT */
/* A walk is the scan of a text, taken step by step: what it says comes next is where the walker stands. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wire/json_piece.h"

/* So many digits a double holds as they are. */
#define DIGITS_EXACT 15

void walk_begin(struct json_walk *walk, const char *text, size_t len)
{
	json_scan_begin(&walk->scan, text, len);
}

size_t walk_at(struct json_walk *walk)
{
	json_scan_to(&walk->scan);
	return walk->scan.at;
}

struct json_piece walk_since(const struct json_walk *walk, size_t at)
{
	const struct json_scan *s = &walk->scan;

	return s->next == SCAN_WRONG ? (struct json_piece){0}
				     : (struct json_piece){s->text + at, s->at - at};
}

char walk_kind(struct json_walk *walk)
{
	const struct json_scan *s = &walk->scan;
	size_t at = walk_at(walk);

	if (s->next != SCAN_VALUE || at == s->len)
		return '\0';
	return s->text[at];
}

bool walk_enter(struct json_walk *walk)
{
	char kind = walk_kind(walk);

	if (kind != '{' && kind != '[')
		return false;
	json_scan_step(&walk->scan);
	return walk->scan.next != SCAN_WRONG;
}

struct json_piece walk_take(struct json_walk *walk)
{
	struct json_scan *s = &walk->scan;
	size_t from = walk_at(walk);
	unsigned depth = s->depth;

	if (s->next != SCAN_VALUE)
		return (struct json_piece){0};
	do
		json_scan_step(s);
	while (s->next < SCAN_NOTHING && s->depth > depth);
	return walk_since(walk, from);
}

bool walk_next(struct json_walk *walk, struct json_piece *ret_key)
{
	struct json_scan *s = &walk->scan;
	unsigned depth;

	*ret_key = (struct json_piece){0};
	if (s->next == SCAN_VALUE)
		(void)walk_take(walk);
	depth = s->depth;
	/* The bracket; or a comma, and a key. */
	while (s->next < SCAN_NOTHING && s->next != SCAN_VALUE && s->depth == depth)
		json_scan_step(s);
	if (s->next != SCAN_VALUE || s->depth != depth)
		return false;
	if (s->objects >> (depth - 1) & 1)
		*ret_key = (struct json_piece){s->text + s->key_at, s->key_len};
	return true;
}

int walk_end(struct json_walk *walk)
{
	while (walk->scan.next < SCAN_NOTHING)
		json_scan_step(&walk->scan);
	return json_scan_end(&walk->scan);
}

bool piece_is_null(struct json_piece piece)
{
	return piece.len == 0 || piece.text[0] == 'n';
}

void piece_add(struct text *to, struct json_piece piece)
{
	struct json *value;

	if (piece.len == 0 || piece.text[0] != '"')
		return;
	if (!memchr(piece.text, '\\', piece.len)) {
		text_add_bytes(to, piece.text + 1, piece.len - 2);
		return;
	}
	value = piece_read(piece);
	if (value)
		text_add(to, json_as_text(value));
	else
		to->failed = true;
	json_free(value);
}

/* Both are doubles without a loss, and so what they make is what strtod() says. */
static double number_of(uint64_t digits, size_t n_behind_the_point)
{
	static const double powers[DIGITS_EXACT + 1] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7,
		1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

	return (double)digits / powers[n_behind_the_point];
}

double piece_number(struct json_piece piece)
{
	uint64_t digits = 0;
	size_t point = piece.len;

	if (!piece.len || piece.text[0] < '0' || piece.text[0] > '9')
		return -1;
	if (piece.len > DIGITS_EXACT)
		return strtod(piece.text, NULL);
	for (size_t i = 0; i < piece.len; i++) {
		char c = piece.text[i];

		if (c >= '0' && c <= '9')
			digits = digits * 10 + (uint64_t)(c - '0');
		else if (c == '.')
			point = i + 1;
		else
			return strtod(piece.text, NULL);
	}
	return number_of(digits, piece.len - point);
}

struct json *piece_read(struct json_piece piece)
{
	struct json *value = NULL;

	return json_parse(piece.text, piece.len, 0, &value, NULL) == 0 ? value : NULL;
}
