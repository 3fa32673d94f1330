/* SPDX-License-Identifier: MIT */
/* RFC 8259 as a loop: what may come next is a state, the open brackets are bits of one word, and so depth costs nothing.
 * Each step consumes at least one byte or ends the scan, but for the one that finds that an array is not empty. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wire/json_scan.h"

/* cJSON copies a number to a buffer of 64 bytes. */
#define NUMBER_MAX 63
#define TOO_EARLY "the text ends too early"

static enum scan_next wrong(struct json_scan *s, const char *what)
{
	s->what = what;
	return SCAN_WRONG;
}

/* The byte here, or -1 at the end. */
static int here(const struct json_scan *s)
{
	return s->at < s->len ? (unsigned char)s->text[s->at] : -1;
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Mostly there is none. */
static inline void skip_blank(struct json_scan *s)
{
	if (here(s) > ' ')
		return;
	while (is_blank(here(s)))
		s->at++;
}

static size_t skip_digits(struct json_scan *s)
{
	size_t from = s->at;

	for (int c = here(s); c >= '0' && c <= '9'; c = here(s))
		s->at++;
	return s->at - from;
}

static enum scan_next after_value(const struct json_scan *s)
{
	return s->depth ? SCAN_COMMA_OR_END : SCAN_NOTHING;
}

static int hex_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hexadecimal digits after a \u; -1 when they are none. */
static int32_t scan_hex(struct json_scan *s)
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
static const char *scan_escape(struct json_scan *s)
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
static void skip_plain(struct json_scan *s)
{
	static const bool other[UCHAR_MAX + 1] = {[0 ... 0x1f] = true, ['"'] = true, ['\\'] = true};
	const char *at = s->text + s->at, *end = s->text + s->len;

	while (at < end && !other[(unsigned char)*at])
		at++;
	s->at = (size_t)(at - s->text);
}

/* A text, from its opening quote on. Where an escape is wrong, its backslash is the place. */
static enum scan_next scan_text(struct json_scan *s, enum scan_next next)
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

static enum scan_next scan_number(struct json_scan *s)
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

static inline bool takes(struct json_scan *s, const char *word, size_t n)
{
	if (s->len - s->at < n || memcmp(s->text + s->at, word, n) != 0)
		return false;
	s->at += n;
	return true;
}

static enum scan_next scan_word(struct json_scan *s)
{
	if (takes(s, "null", 4) || takes(s, "true", 4) || takes(s, "false", 5))
		return after_value(s);
	return wrong(s, here(s) ? "a value is expected" : "a NUL");
}

static enum scan_next scan_open(struct json_scan *s, bool object)
{
	if (s->depth == JSON_MAX_DEPTH)
		return wrong(s, "nested too deep");
	s->objects &= ~(UINT64_C(1) << s->depth);
	s->objects |= (uint64_t)object << s->depth;
	s->depth++;
	s->at++;
	return object ? SCAN_KEY_OR_END : SCAN_VALUE_OR_END;
}

static enum scan_next scan_close(struct json_scan *s)
{
	s->depth--;
	s->at++;
	return after_value(s);
}

static enum scan_next scan_value(struct json_scan *s)
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

static enum scan_next scan_key(struct json_scan *s)
{
	if (here(s) != '"')
		return wrong(s, "a key is expected");
	if (s->n_keys++ == s->stop_key)
		return SCAN_NOTHING;
	s->key_at = s->at;
	if (scan_text(s, SCAN_VALUE) == SCAN_WRONG)
		return SCAN_WRONG;
	s->key_len = s->at - s->key_at;
	skip_blank(s);
	if (here(s) != ':')
		return wrong(s, "a colon is expected");
	s->at++;
	return SCAN_VALUE;
}

static enum scan_next scan_comma(struct json_scan *s)
{
	bool object = s->objects >> (s->depth - 1) & 1;
	int c = here(s);

	if (c == (object ? '}' : ']'))
		return scan_close(s);
	if (c != ',')
		return wrong(s, object ? "a comma or } is expected" : "a comma or ] is expected");
	s->at++;
	if (!object)
		return SCAN_VALUE;
	skip_blank(s);
	return s->at < s->len ? scan_key(s) : wrong(s, TOO_EARLY);
}

void json_scan_begin(struct json_scan *s, const char *text, size_t len)
{
	size_t good = utf8_span(text, len);

	*s = (struct json_scan){.text = text,
		.len = len,
		.stop_key = SIZE_MAX,
		.max_values = SIZE_MAX,
		.next = SCAN_VALUE};
	if (good < len) {
		s->at = good;
		s->next = wrong(s, "not UTF-8");
	}
}

void json_scan_step(struct json_scan *s)
{
	skip_blank(s);
	if (s->at == s->len)
		s->next = wrong(s, TOO_EARLY);
	else if (s->next == SCAN_VALUE)
		s->next = scan_value(s);
	else if (s->next == SCAN_COMMA_OR_END)
		s->next = scan_comma(s);
	else if (s->next == SCAN_KEY_OR_END)
		s->next = here(s) == '}' ? scan_close(s) : scan_key(s);
	else
		s->next = here(s) == ']' ? scan_close(s) : SCAN_VALUE;
}

void json_scan_to(struct json_scan *s)
{
	skip_blank(s);
}

int json_scan_end(struct json_scan *s)
{
	if (s->next == SCAN_NOTHING) {
		skip_blank(s);
		if (s->at < s->len)
			s->next = wrong(s, s->text[s->at] ? "text after the end" : "a NUL");
	}
	return s->next == SCAN_NOTHING ? 0 : -EBADMSG;
}

int json_scan(const char *text, size_t len, size_t max_values, struct json_error *error)
{
	struct json_scan s;
	int r;

	json_scan_begin(&s, text, len);
	if (max_values)
		s.max_values = max_values;
	while (s.next < SCAN_NOTHING)
		json_scan_step(&s);
	r = json_scan_end(&s);
	if (r < 0)
		*error = (struct json_error){.offset = s.at, .what = s.what};
	return r;
}

size_t json_scan_key(const char *text, size_t len, size_t n)
{
	struct json_scan s;

	json_scan_begin(&s, text, len);
	s.stop_key = n;
	while (s.next < SCAN_NOTHING)
		json_scan_step(&s);
	return s.at;
}
