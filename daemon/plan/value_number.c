/* SPDX-License-Identifier: MIT */
/* Values that are numbers of some kind: counts, ratios, durations, sizes, signals, modes, ports. None of them is ever
 * guessed at: what could be read in two ways is refused with both of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan/suggest.h"
#include "plan/value.h"

/* A decimal number without sign or leading zero; the whole text. */
bool number_is_whole(const char *s, uint64_t *ret)
{
	size_t len = strspn(s, "0123456789");

	if (len == 0 || len > 18 || s[len] != '\0' || (len > 1 && s[0] == '0'))
		return false;
	*ret = strtoull(s, NULL, 10);
	return true;
}

/* A whole number all the same, though in no field's range. */
static bool is_below_zero(const char *s)
{
	uint64_t n;

	return s[0] == '-' && number_is_whole(s + 1, &n) && n > 0;
}

bool number_in_range(struct value *value, uint64_t n, const char *unit)
{
	const struct field *field = value->field;
	struct diag *diag;

	if (n >= field->min && (field->max == 0 || n <= field->max))
		return true;
	if (field->max == field->min)
		(void)fault(value->load, value->node, "E209", "`%s` must be %llu",
			field->face.name, (unsigned long long)field->min);
	else if (field->max == 0) {
		diag = fault(value->load, value->node, "E209", "`%s` must be more than 0",
			field->face.name);
		/* To systemd 0 is no limit, for some. */
		if (field_id(field) == FIELD_START_TIMEOUT || field_id(field) == FIELD_MAX_RUNTIME)
			diag_help(value->load->diags, diag, "write `%s: infinity` for no limit",
				field->face.name);
	} else
		(void)fault(value->load, value->node, "E209",
			"`%s` must be from %llu to %llu%s", field->face.name,
			(unsigned long long)field->min, (unsigned long long)field->max, unit);
	return false;
}

/* Returns false. */
static bool no_number(struct value *value, const char *wanted)
{
	advise_form(value->load,
		fault(value->load, value->node, "E204", "`%s` needs %s, and this is `%s`",
			value->field->face.name, wanted, value->filled),
		value->field);
	return false;
}

bool read_count(struct value *value)
{
	uint64_t n;

	if (is_below_zero(value->filled))
		return number_in_range(value, UINT64_MAX, "");
	if (!number_is_whole(value->filled, &n))
		return no_number(value, "a number");
	if (!number_in_range(value, n, ""))
		return false;
	if (value->to)
		*(uint32_t *)value->to = (uint32_t)n;
	text_add(&value->text, value->filled);
	return true;
}

bool read_limit(struct value *value)
{
	bool is_below = is_below_zero(value->filled);
	uint64_t n = 0;

	if (strcmp(value->filled, "infinity") == 0) {
		*(uint32_t *)value->to = PLAN_UNLIMITED;
		text_add(&value->text, value->filled);
		return true;
	}
	if (!is_below && !number_is_whole(value->filled, &n))
		return no_number(value, "a number or infinity");
	if (is_below || n > 1000000000) {
		(void)fault(value->load, value->node, "E209",
			"`%s` must be from 0 to 1000000000, or infinity", value->field->face.name);
		return false;
	}
	*(uint32_t *)value->to = (uint32_t)n;
	text_add(&value->text, value->filled);
	return true;
}

/* A number with or without a point, as the locale "C" has it; `rest` is what follows. */
static bool real_number(const char *s, double *ret, const char **rest)
{
	size_t len = strspn(s, "0123456789."), whole = strspn(s, "0123456789");
	double n = 0, scale = 1;
	size_t i;

	if (whole == 0 || len > 18 ||
		(s[whole] == '.' && (len == whole + 1 || strchr(s + whole + 1, '.'))))
		return false;
	for (i = 0; i < len; i++) {
		if (i == whole)
			continue;
		n = n * 10 + (s[i] - '0');
		if (i > whole)
			scale *= 10;
	}
	*ret = n / scale;
	*rest = s + len;
	return true;
}

bool read_number(struct value *value)
{
	const char *rest;
	double n;

	if (!real_number(value->filled, &n, &rest) || *rest)
		return no_number(value, "a number");
	if (n < (double)value->field->min || n > (double)value->field->max)
		return number_in_range(value, UINT64_MAX, "");
	*(double *)value->to = n;
	text_printf(&value->text, "%g", n);
	return true;
}

bool read_ratio(struct value *value)
{
	double n, least = (double)value->field->min / 100, most = (double)value->field->max / 100;
	const char *rest;

	if (most == 0)
		most = 1;
	if (!real_number(value->filled, &n, &rest) || (*rest && strcmp(rest, "%") != 0))
		return no_number(value, "a ratio as 10% or 0.1");
	if (*rest)
		n /= 100;
	if (n < least || n > most) {
		(void)fault(value->load, value->node, "E209", "`%s` must be from %g%% to %g%%",
			value->field->face.name, least * 100, most * 100);
		return false;
	}
	*(double *)value->to = n;
	text_printf(&value->text, "%g%%", n * 100);
	return true;
}

bool duration_of(struct value *value, eff_ns *ret_ns)
{
	int r = duration_parse(value->filled, ret_ns);
	struct diag *diag;

	if (r == 0)
		return true;
	if (r == -EDOM) {
		diag = fault(value->load, value->node, "E205", "a duration needs a unit");
		diag_help(value->load->diags, diag,
			"%ss or %sms? write %ss (seconds) or %sms (milliseconds)",
			value->filled, value->filled, value->filled, value->filled);
		return false;
	}
	diag = fault(value->load, value->node, "E205",
		r == -ERANGE ? "`%s` is too long for a duration" : "`%s` is no duration",
		value->filled);
	diag_help(value->load->diags, diag,
		"write numbers with units of us ms s min m h d w, as 1m30s, or infinity");
	return false;
}

bool read_duration(struct value *value)
{
	char buf[32];

	if (!duration_of(value, value->to))
		return false;
	text_add(&value->text, duration_text(*(eff_ns *)value->to, buf));
	return number_in_range(value, (uint64_t) * (eff_ns *)value->to, "");
}

void size_add(struct text *text, uint64_t bytes)
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB"};
	int i = 0;

	while (i < 3 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		i++;
	}
	text_printf(text, "%llu%s", (unsigned long long)bytes, names[i]);
}

bool size_of(struct value *value, uint64_t *ret_bytes)
{
	const char *digits = value->filled;
	int r = size_parse(digits, ret_bytes), len = (int)strspn(digits, "0123456789.");
	struct diag *diag;

	if (r == 0)
		return true;
	if (r == -EDOM) {
		int prefix = digits[len] ? digits[len] : 'K';

		diag = fault(value->load, value->node, "E206",
			"a size needs a unit that says what it means");
		diag_help(value->load->diags, diag,
			"write %.*s%ciB (powers of 1024) or %.*s%cB (powers of 1000)", len, digits,
			prefix == 'k' ? 'K' : prefix, len, digits, prefix == 'K' ? 'k' : prefix);
		return false;
	}
	diag = fault(value->load, value->node, "E206",
		r == -ERANGE ? "`%s` is too large for a size" : "`%s` is no size", digits);
	diag_help(value->load->diags, diag, "write a number with one of B KiB MiB GiB kB MB GB");
	return false;
}

bool read_size(struct value *value)
{
	uint64_t bytes;

	if (!size_of(value, &bytes) || !number_in_range(value, bytes, " bytes"))
		return false;
	if (value->field->size == sizeof(uint32_t))
		*(uint32_t *)value->to = (uint32_t)bytes;
	else
		*(size_t *)value->to = bytes;
	size_add(&value->text, bytes);
	return true;
}

bool read_signal(struct value *value)
{
	int sig = signal_parse(value->filled);
	const char *nearest;
	struct diag *diag;
	char buf[16];

	if (sig > 0) {
		*(int *)value->to = sig;
		text_add(&value->text, signal_text(sig, buf));
		return true;
	}
	diag = fault(value->load, value->node, "E210", "`%s` is no signal", value->filled);
	nearest = load_may_suggest(value->load) ? signal_nearest(value->filled) : NULL;
	if (nearest)
		diag_help(value->load->diags, diag, "did you mean %s?", nearest);
	return false;
}

static bool is_mode(const char *s)
{
	return s[0] && strspn(s, "01234567") == strlen(s) && strlen(s) <= 5 &&
		strtoul(s, NULL, 8) <= 0777;
}

bool read_mode(struct value *value)
{
	const char *s = value->filled;
	bool is_bare = value->node->plain && strcmp(s, value->node->text) == 0;
	struct diag *diag;

	if (is_mode(s) && !is_bare) {
		*(mode_t *)value->to = (mode_t)strtoul(s, NULL, 8);
		text_printf(&value->text, "%04o", (unsigned)*(mode_t *)value->to);
		return true;
	}
	if (is_bare)
		diag = fault(value->load, value->node, "E212",
			"a mode without quotes may be read as a decimal number");
	else
		diag = fault(value->load, value->node, "E212", "`%s` is no mode", s);
	if (is_mode(s))
		diag_help(value->load->diags, diag, "write \"%s%s\"", s[0] == '0' ? "" : "0", s);
	else
		diag_help(value->load->diags, diag,
			"write three octal digits in quotes, as \"0022\"");
	return false;
}

bool read_port(struct value *value)
{
	uint64_t n;

	if (!number_is_whole(value->filled, &n) || n < 1 || n > 65535) {
		(void)fault(value->load, value->node, "E209",
			"a port is a number from 1 to 65535, and this is `%s`", value->filled);
		return false;
	}
	*(uint16_t *)value->to = (uint16_t)n;
	text_add(&value->text, value->filled);
	return true;
}

/* "200-399" or "200", into two members that follow each other. */
bool read_status(struct value *value)
{
	const char *s = value->filled, *dash = strchr(s, '-');
	uint16_t *range = value->to;
	unsigned long low = strtoul(s, NULL, 10), high = dash ? strtoul(dash + 1, NULL, 10) : low;
	size_t len = strlen(s);
	bool formed = strspn(s, "0123456789") == 3 &&
		(len == 3 || (len == 7 && s[3] == '-' && strspn(s + 4, "0123456789") == 3));

	if (!formed || low < 100 || high > 599 || low > high) {
		(void)fault(value->load, value->node, "E209",
			"`%s` needs a code or a range from 100 to 599, as \"200-399\", and this is `%s`",
			value->field->face.name, s);
		return false;
	}
	range[0] = (uint16_t)low;
	range[1] = (uint16_t)high;
	text_printf(&value->text, "%lu-%lu", low, high);
	return true;
}
