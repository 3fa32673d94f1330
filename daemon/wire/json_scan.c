/* SPDX-License-Identifier: MIT */
/* RFC 8259 as a loop: what may come next is a state, the open brackets are bits of one word, and so depth costs nothing.
 * Each step consumes at least one byte or ends the scan. */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wire/json_scan.h"

/* cJSON copies a number to a buffer of 64 bytes. */
#define NUMBER_MAX 63

enum next { VALUE, VALUE_OR_END, KEY, KEY_OR_END, COMMA_OR_END, NOTHING, WRONG };

struct scan {
	const char *text;
	size_t len, at;
	size_t n_values, max_values;
	size_t n_keys, stop_key; /* end at this key */
	uint64_t objects;        /* bit d: the bracket at depth d is a { */
	unsigned depth;
	const char *what; /* why it is WRONG */
};

static enum next wrong(struct scan *s, const char *what)
{
	s->what = what;
	return WRONG;
}

/* The byte here, or -1 at the end. */
static int here(const struct scan *s)
{
	return s->at < s->len ? (unsigned char)s->text[s->at] : -1;
}

static void skip_blank(struct scan *s)
{
	for (int c = here(s); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = here(s))
		s->at++;
}

static size_t skip_digits(struct scan *s)
{
	size_t from = s->at;

	for (int c = here(s); c >= '0' && c <= '9'; c = here(s))
		s->at++;
	return s->at - from;
}

static enum next after_value(const struct scan *s)
{
	return s->depth ? COMMA_OR_END : NOTHING;
}

static int hex_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hexadecimal digits after a \u; -1 when they are none. */
static int32_t scan_hex(struct scan *s)
{
	int32_t unit = 0;

	for (int i = 0; i < 4; i++, s->at++) {
		int digit = hex_value(here(s));

		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	return unit;
}

/* What follows a backslash. Returns what is wrong with it, or NULL. */
static const char *scan_escape(struct scan *s)
{
	static const char bad[] = "no such escape";
	int c = here(s);
	int32_t unit;

	if (c > 0 && strchr("\"\\/bfnrt", c)) {
		s->at++;
		return NULL;
	}
	if (c != 'u')
		return bad;
	s->at++;
	unit = scan_hex(s);
	if (unit < 0)
		return bad;
	if (!unit)
		return "a NUL";
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return "a lone surrogate";
	if (unit < 0xd800 || unit > 0xdbff)
		return NULL;
	if (s->len - s->at < 2 || s->text[s->at] != '\\' || s->text[s->at + 1] != 'u')
		return "a lone surrogate";
	s->at += 2;
	unit = scan_hex(s);
	return unit >= 0xdc00 && unit <= 0xdfff ? NULL : "a lone surrogate";
}

/* What stands for itself in a text. */
static void skip_plain(struct scan *s)
{
	const char *at = s->text + s->at, *end = s->text + s->len;

	while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
		at++;
	s->at = (size_t)(at - s->text);
}

/* A text, from its opening quote on. Where an escape is wrong, its backslash is the place. */
static enum next scan_text(struct scan *s, enum next next)
{
	for (s->at++;; s->at++) {
		const char *what;
		size_t from;
		int c;

		skip_plain(s);
		from = s->at;
		c = here(s);

		if (c < 0)
			return wrong(s, "a text without its end");
		if (c == '"')
			break;
		if (c != '\\')
			return wrong(s, c ? "a control character in a text" : "a NUL");
		s->at++;
		what = scan_escape(s);
		s->at--;
		if (what) {
			s->at = from;
			return wrong(s, what);
		}
	}
	s->at++;
	return next;
}

static enum next scan_number(struct scan *s)
{
	size_t from = s->at;
	char digits[NUMBER_MAX + 1];
	bool whole, is_scaled = false;

	if (here(s) == '-')
		s->at++;
	if (here(s) == '0')
		s->at++;
	else if (!skip_digits(s))
		return wrong(s, "a digit is missing");
	whole = here(s) != '.' || (s->at++, skip_digits(s));
	if (whole && (here(s) == 'e' || here(s) == 'E')) {
		is_scaled = true;
		s->at++;
		if (here(s) == '+' || here(s) == '-')
			s->at++;
		whole = skip_digits(s);
	}
	if (!whole)
		return wrong(s, "a digit is missing");
	if (s->at - from > NUMBER_MAX) {
		s->at = from;
		return wrong(s, "a number too long");
	}
	memcpy(digits, s->text + from, s->at - from);
	digits[s->at - from] = '\0';
	/* So few digits alone make no number that is too large. */
	if (is_scaled && !isfinite(strtod(digits, NULL))) {
		s->at = from;
		return wrong(s, "a number too large");
	}
	return after_value(s);
}

static enum next scan_word(struct scan *s)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t n = strlen(words[i]);

		if (s->len - s->at >= n && !memcmp(s->text + s->at, words[i], n)) {
			s->at += n;
			return after_value(s);
		}
	}
	return wrong(s, here(s) ? "a value is expected" : "a NUL");
}

static enum next scan_open(struct scan *s, bool object)
{
	if (s->depth == JSON_MAX_DEPTH)
		return wrong(s, "nested too deep");
	s->objects &= ~(UINT64_C(1) << s->depth);
	s->objects |= (uint64_t)object << s->depth;
	s->depth++;
	s->at++;
	return object ? KEY_OR_END : VALUE_OR_END;
}

static enum next scan_close(struct scan *s)
{
	s->depth--;
	s->at++;
	return after_value(s);
}

static enum next scan_value(struct scan *s)
{
	int c = here(s);

	if (++s->n_values > s->max_values)
		return wrong(s, "too many values");
	if (c == '{' || c == '[')
		return scan_open(s, c == '{');
	if (c == '"')
		return scan_text(s, after_value(s));
	if (c == '-' || (c >= '0' && c <= '9'))
		return scan_number(s);
	return scan_word(s);
}

static enum next scan_key(struct scan *s)
{
	if (here(s) != '"')
		return wrong(s, "a key is expected");
	if (s->n_keys++ == s->stop_key)
		return NOTHING;
	if (scan_text(s, KEY) == WRONG)
		return WRONG;
	skip_blank(s);
	if (here(s) != ':')
		return wrong(s, "a colon is expected");
	s->at++;
	return VALUE;
}

static enum next scan_comma(struct scan *s)
{
	bool object = s->objects >> (s->depth - 1) & 1;
	int c = here(s);

	if (c == (object ? '}' : ']'))
		return scan_close(s);
	if (c != ',')
		return wrong(s, object ? "a comma or } is expected" : "a comma or ] is expected");
	s->at++;
	return object ? KEY : VALUE;
}

static enum next step(struct scan *s, enum next next)
{
	skip_blank(s);
	if (s->at == s->len)
		return wrong(s, "the text ends too early");
	switch (next) {
	case VALUE_OR_END:
		return here(s) == ']' ? scan_close(s) : scan_value(s);
	case KEY_OR_END:
		return here(s) == '}' ? scan_close(s) : scan_key(s);
	case KEY:
		return scan_key(s);
	case COMMA_OR_END:
		return scan_comma(s);
	default:
		return scan_value(s);
	}
}

static enum next scan(struct scan *s)
{
	enum next next = VALUE;

	while (next < NOTHING)
		next = step(s, next);
	return next;
}

int json_scan(const char *text, size_t len, size_t max_values, struct json_error *error)
{
	struct scan s = {.text = text,
		.len = len,
		.stop_key = SIZE_MAX,
		.max_values = max_values ? max_values : SIZE_MAX};
	enum next next;

	s.at = utf8_span(text, len);
	if (s.at < len) {
		*error = (struct json_error){.offset = s.at, .what = "not UTF-8"};
		return -EBADMSG;
	}
	s.at = 0;
	next = scan(&s);
	if (next == NOTHING) {
		skip_blank(&s);
		if (s.at < len)
			next = wrong(&s, s.text[s.at] ? "text after the end" : "a NUL");
	}
	if (next == NOTHING)
		return 0;
	*error = (struct json_error){.offset = s.at, .what = s.what};
	return -EBADMSG;
}

size_t json_scan_key(const char *text, size_t len, size_t n)
{
	struct scan s = {.text = text, .len = len, .max_values = SIZE_MAX, .stop_key = n};

	(void)scan(&s);
	return s.at;
}
