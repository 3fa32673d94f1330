/* SPDX-License-Identifier: MIT */
/* Where a value ends is where its brackets are closed, but for those in texts. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wire/json_piece.h"
#include "wire/json_scan.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t text_len(const char *text)
{
	const char *quote = rawmemchr(text + 1, '"');
	size_t n = 1;

	if (quote[-1] != '\\')
		return (size_t)(quote + 1 - text);
	for (; text[n] != '"'; n++)
		n += text[n] == '\\';
	return n + 1;
}

/* Of an object or an array. Brackets and braces are 0x20 apart. */
static size_t whole_len(const char *text)
{
	size_t n = 0, depth = 0;

	do {
		char c = text[n];

		if (c == '"') {
			n += text_len(text + n);
			continue;
		}
		depth += (c | 0x20) == '{';
		depth -= (c | 0x20) == '}';
		n++;
	} while (depth > 0);
	return n;
}

static size_t value_len(const char *text, size_t len)
{
	size_t n = 0;

	if (len == 0 || text[0] == '"')
		return len ? text_len(text) : 0;
	if (text[0] == '{' || text[0] == '[')
		return whole_len(text);
	while (n < len && text[n] != ',' && text[n] != ']' && text[n] != '}' && !is_blank(text[n]))
		n++;
	return n;
}

static void pass(struct json_piece *rest, size_t n)
{
	rest->text += n;
	rest->len -= n;
}

static void pass_blanks(struct json_piece *rest)
{
	while (rest->len && is_blank(*rest->text))
		pass(rest, 1);
}

static struct json_piece take(struct json_piece *rest)
{
	struct json_piece value;

	pass_blanks(rest);
	value = (struct json_piece){rest->text, value_len(rest->text, rest->len)};
	pass(rest, value.len);
	pass_blanks(rest);
	return value;
}

int piece_check(const char *text, size_t len, struct json_piece *ret)
{
	struct json_error error;
	int r = json_scan(text, len, 0, &error);

	*ret = (struct json_piece){text, len};
	pass_blanks(ret);
	while (ret->len && is_blank(ret->text[ret->len - 1]))
		ret->len--;
	return r;
}

struct json_piece piece_inside(struct json_piece whole)
{
	if (whole.len < 2 || (whole.text[0] != '{' && whole.text[0] != '['))
		return (struct json_piece){"", 0};
	return (struct json_piece){whole.text + 1, whole.len - 2};
}

bool piece_next(struct json_piece *inside, struct json_piece *ret_key, struct json_piece *ret_value)
{
	struct json_piece value = take(inside);

	*ret_key = (struct json_piece){0};
	if (value.len && inside->len && inside->text[0] == ':') {
		*ret_key = value;
		pass(inside, 1);
		value = take(inside);
	}
	pass(inside, inside->len ? 1 : 0);
	*ret_value = value;
	return value.len > 0;
}

struct json_piece piece_get(struct json_piece object, const char *key)
{
	struct json_piece inside = piece_inside(object), at, value;

	while (piece_next(&inside, &at, &value))
		if (piece_is(at, key))
			return value;
	return (struct json_piece){0};
}

bool piece_is(struct json_piece piece, const char *text)
{
	return piece.len >= 2 && piece.text[0] == '"' && piece.text[1] == (*text ? *text : '"') &&
		strncmp(piece.text + 1, text, piece.len - 2) == 0 && !text[piece.len - 2];
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

double piece_number(struct json_piece piece)
{
	return piece.len && piece.text[0] >= '0' && piece.text[0] <= '9' ? strtod(piece.text, NULL)
									 : -1;
}

struct json *piece_read(struct json_piece piece)
{
	struct json *value = NULL;

	return json_parse(piece.text, piece.len, 0, &value, NULL) == 0 ? value : NULL;
}
