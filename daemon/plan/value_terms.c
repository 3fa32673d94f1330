/* SPDX-License-Identifier: MIT */
/* Values that are terms of a process: its limits, its priorities, its processors, its rights. */
#include <stdlib.h>
#include <string.h>

#include "plan/value.h"

/* What the kernel counts a limit of time in. */
static eff_ns tick_of(const struct field *field)
{
	return field_id(field) == FIELD_LIMIT_RTTIME ? EFF_US(1) : EFF_S(1);
}

static bool ticks_of(struct value *value, uint64_t *ret)
{
	eff_ns ns, tick = tick_of(value->field);

	if (!duration_of(value, &ns))
		return false;
	if (ns == PLAN_FOREVER || ns % tick == 0) {
		*ret = ns == PLAN_FOREVER ? TERMS_INFINITY : (uint64_t)(ns / tick);
		return true;
	}
	(void)fault(value->load, value->node, "E205", "`%s` counts whole %s, and this is `%s`",
		value->field->face.name, tick == EFF_S(1) ? "seconds" : "microseconds",
		value->filled);
	return false;
}

/* One half of a limit. */
static bool half_of(struct value *value, uint64_t *ret)
{
	struct diag *diag;

	if (strcmp(value->filled, "infinity") == 0) {
		*ret = TERMS_INFINITY;
		return true;
	}
	if (value->field->type == TYPE_RLIMIT_TIME)
		return ticks_of(value, ret);
	if (value->field->type == TYPE_RLIMIT_SIZE)
		return size_of(value, ret);
	if (number_is_whole(value->filled, ret))
		return number_in_range(value, *ret, "");
	diag = fault(value->load, value->node, "E204", "`%s` needs a number, and this is `%s`",
		value->field->face.name, value->filled);
	diag_help(value->load->diags, diag, "write a number, or infinity");
	return false;
}

static bool half_read(struct value *whole, struct node *node, uint64_t *ret)
{
	struct value value = {
		.load = whole->load, .field = whole->field, .node = node, .unit = whole->unit};

	if (node->kind != NODE_SCALAR || node_is_null(node)) {
		(void)fault(whole->load, node, "E204", "`%s` needs a value, and this is %s",
			whole->field->face.name, node_kind_text(node));
		return false;
	}
	value.filled = value_fill(&value, node);
	return value.filled && half_of(&value, ret);
}

void limit_half_add(struct text *text, const struct field *field, uint64_t half)
{
	char buf[32];

	if (half == TERMS_INFINITY)
		text_add(text, "infinity");
	else if (field->type == TYPE_RLIMIT_SIZE)
		size_add(text, half);
	else if (field->type == TYPE_RLIMIT_TIME)
		text_add(text, duration_text((eff_ns)half * tick_of(field), buf));
	else
		text_printf(text, "%llu", (unsigned long long)half);
}

static void limit_add(struct text *text, const struct field *field, const struct terms_limit *limit)
{
	bool both = limit->has_soft && limit->has_hard;

	if (both && limit->soft == limit->hard) {
		limit_half_add(text, field, limit->soft);
		return;
	}
	text_add(text, limit->has_soft ? "{soft: " : "{hard: ");
	limit_half_add(text, field, limit->has_soft ? limit->soft : limit->hard);
	if (both) {
		text_add(text, ", hard: ");
		limit_half_add(text, field, limit->hard);
	}
	text_add(text, "}");
}

/* A value for both was made {soft, hard} before, so that it can be laid over another one. */
bool read_rlimit(struct value *value)
{
	struct node *soft = node_find(value->load, value->node, "soft"),
		    *hard = node_find(value->load, value->node, "hard"), *child;
	struct terms_limit limit = {.has_soft = soft, .has_hard = hard};
	struct diag *diag;

	for (child = value->node->first; child && value->node->kind == NODE_MAP; child = child->next)
		if (child != soft && child != hard && strncmp(child->key, "x-", 2) != 0) {
			(void)fault_key(value->load, child, "E201", "unknown key `%s` under `%s`",
				child->key, value->field->face.name);
			return false;
		}
	if (!soft && !hard) {
		(void)fault(value->load, value->node, "E204",
			"`%s` needs a value or {soft, hard}, and this is %s",
			value->field->face.name,
			value->node->kind == NODE_MAP ? "empty" : node_kind_text(value->node));
		return false;
	}
	if (soft && !half_read(value, soft, &limit.soft))
		return false;
	if (hard && !half_read(value, hard, &limit.hard))
		return false;
	if (soft && hard && limit.soft > limit.hard) {
		diag = fault(value->load, soft, "E209",
			"the soft limit of `%s` is above its hard one", value->field->face.name);
		diag_note(value->load->diags, diag, hard->at, "the hard limit is here");
		return false;
	}
	*(struct terms_limit *)value->to = limit;
	limit_add(&value->text, value->field, &limit);
	return true;
}

/* ── priorities ── */

bool read_integer(struct value *value)
{
	const struct field *field = value->field;
	int64_t least = (int64_t)field->min, most = (int64_t)field->max, sign = 1;
	const char *digits = value->filled;
	uint64_t n;

	if (*digits == '-') {
		digits++;
		sign = -1;
	}
	if (!number_is_whole(digits, &n)) {
		(void)fault(value->load, value->node, "E204",
			"`%s` needs a number, and this is `%s`", field->face.name, value->filled);
		return false;
	}
	if (sign * (int64_t)n < least || sign * (int64_t)n > most) {
		(void)fault(value->load, value->node, "E209", "`%s` must be from %lld to %lld",
			field->face.name, (long long)least, (long long)most);
		return false;
	}
	*(int *)value->to = (int)(sign * (int64_t)n);
	text_printf(&value->text, "%d", *(int *)value->to);
	return true;
}

/* "3" or "0-2" at *at, and what follows it. */
static bool range_take(const char **at, unsigned long *ret_first, unsigned long *ret_last)
{
	size_t len = strspn(*at, "0123456789");

	*ret_first = *ret_last = strtoul(*at, NULL, 10);
	if (len == 0 || len > 4)
		return false;
	*at += len;
	if (**at != '-')
		return true;
	len = strspn(++*at, "0123456789");
	*ret_last = strtoul(*at, NULL, 10);
	*at += len;
	return len > 0 && len <= 4;
}

/* The ranges of one text; false: said what is wrong with it. */
static bool cpus_take(struct value *value, struct node *node, struct terms_cpus *cpus)
{
	const char *at = value_fill(value, node), *all = at;
	unsigned long first, last;
	struct diag *diag;

	if (!at)
		return false;
	do {
		at += strspn(at, " ");
		if (!range_take(&at, &first, &last) || (*at && *at != ',')) {
			diag = fault(value->load, node, "E204",
				"`%s` needs numbers and ranges, and this is `%s`",
				value->field->face.name, all);
			diag_help(value->load->diags, diag, "write \"0-3,5\", or [0-3, 5]");
			return false;
		}
		if (first > last || last >= TERMS_N_CPUS) {
			(void)fault(value->load, node, "E209",
				first > last ? "the range in `%s` ends before it begins"
					     : "the processors in `%s` go beyond 1023",
				all);
			return false;
		}
		for (; first <= last; first++)
			cpus->words[first / TERMS_CPUS_BITS] |= 1UL << first % TERMS_CPUS_BITS;
	} while (*at++);
	return true;
}

static bool cpus_has(const struct terms_cpus *cpus, int n)
{
	return n < TERMS_N_CPUS && (cpus->words[n / TERMS_CPUS_BITS] >> n % TERMS_CPUS_BITS & 1);
}

static void cpus_add(struct text *text, const struct terms_cpus *cpus)
{
	const char *comma = "";

	for (int n = 0, last; n < TERMS_N_CPUS; n = last + 1) {
		last = n;
		if (!cpus_has(cpus, n))
			continue;
		while (cpus_has(cpus, last + 1))
			last++;
		text_printf(text, "%s%d", comma, n);
		if (last > n)
			text_printf(text, "-%d", last);
		comma = ",";
	}
}

bool read_cpus(struct value *value)
{
	struct node *node = value->node, *item;
	struct terms_cpus *cpus = value->to;

	*cpus = (struct terms_cpus){0};
	if (node->kind == NODE_SCALAR && !cpus_take(value, node, cpus))
		return false;
	for (item = node->first; item; item = item->next) {
		if (node->kind == NODE_MAP || item->kind != NODE_SCALAR) {
			(void)fault(value->load, node, "E204",
				"`%s` needs a text or a list of numbers and ranges",
				value->field->face.name);
			return false;
		}
		if (!cpus_take(value, item, cpus))
			return false;
	}
	cpus_add(&value->text, cpus);
	if (value->text.len == 0)
		(void)fault(value->load, node, "E204", "`%s` names no processor",
			value->field->face.name);
	return value->text.len > 0;
}

/* ── capabilities ── */

/* With or without CAP_, in small letters or not. */
static bool capability_take(struct value *value, struct node *node, uint64_t *set)
{
	const char *text = node->kind == NODE_SCALAR ? value_fill(value, node) : NULL, *name;
	struct nearest nearest;
	struct diag *diag;

	if (node->kind != NODE_SCALAR)
		(void)fault(value->load, node, "E204", "`%s` needs a list of capabilities",
			value->field->face.name);
	if (!text)
		return false;
	name = strncasecmp(text, "CAP_", 4) == 0 ? text + 4 : text;
	for (unsigned n = 0; n < TERMS_N_CAPABILITIES; n++)
		if (terms_capability_name(n) && strcasecmp(terms_capability_name(n), name) == 0) {
			*set |= UINT64_C(1) << n;
			return true;
		}
	nearest = (struct nearest){.wanted = name};
	for (unsigned n = 0; terms_capability_name(n) && load_may_suggest(value->load); n++)
		nearest_offer(&nearest, terms_capability_name(n));
	diag = fault(value->load, node, "E210", "`%s` is no capability", text);
	if (nearest.best)
		diag_help(value->load->diags, diag, "did you mean %s?", nearest.best);
	return false;
}

bool read_capabilities(struct value *value)
{
	struct node *node = value->node, *item;
	const char *comma = "";
	uint64_t set = 0;
	bool good = true;

	if (node->kind != NODE_LIST)
		good = capability_take(value, node, &set);
	for (item = node->kind == NODE_LIST ? node->first : NULL; item; item = item->next)
		good &= capability_take(value, item, &set);
	*(uint64_t *)value->to = set;
	text_add(&value->text, "[");
	for (unsigned n = 0; n < TERMS_N_CAPABILITIES; n++)
		if (set >> n & 1) {
			text_printf(&value->text, "%s%s", comma, terms_capability_name(n));
			comma = ", ";
		}
	text_add(&value->text, "]");
	return good;
}
