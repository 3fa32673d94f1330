/* SPDX-License-Identifier: MIT */
/* Names of other tools (foreign.def): what to write here instead, with the value that was given. */
#include <stdlib.h>
#include <string.h>

#include "plan/suggest.h"

enum { VALUE_TOLD = 80 }; /* bytes: a longer one is no help any more */

struct foreign {
	const char *typed, *tool, *help;
	bool of_probe;
};

static const struct foreign keys[] = {
#define FOREIGN(typed, tool, help) {typed, tool, help, false},
#define FOREIGN_PROBE(typed, tool, help) {typed, tool, help, true},
#define FOREIGN_VALUE(typed, help)
#include "plan/foreign.def"
#undef FOREIGN
#undef FOREIGN_PROBE
#undef FOREIGN_VALUE
};

static const struct foreign values[] = {
#define FOREIGN(typed, tool, help)
#define FOREIGN_PROBE(typed, tool, help)
#define FOREIGN_VALUE(typed, help) {typed, NULL, help, false},
#include "plan/foreign.def"
#undef FOREIGN
#undef FOREIGN_PROBE
#undef FOREIGN_VALUE
};

static bool is_of_probe(const struct field *section)
{
	enum field_id id = section ? field_id(section) : N_FIELDS;

	return id >= FIELD_STARTUP && id < FIELD_STARTUP + 3 * (enum field_id)PROBE_ROWS;
}

static const struct foreign *key_find(const char *key, const struct field *section)
{
	const struct foreign *found = NULL;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcasecmp(keys[i].typed, key) != 0)
			continue;
		if (keys[i].of_probe && is_of_probe(section))
			return &keys[i];
		if (!keys[i].of_probe && !found)
			found = &keys[i];
	}
	return found;
}

/* A whole one: `no` is not in `none`. */
static bool is_among(const char *wanted, const char *words)
{
	struct word word;

	while (word_next(&words, &word))
		if (strlen(wanted) == word.len && strncmp(wanted, word.text, word.len) == 0)
			return true;
	return false;
}

const char *foreign_word(const char *word, const char *words)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (strcmp(values[i].typed, word) == 0 &&
			(!words || is_among(values[i].help, words)))
			return values[i].help;
	return NULL;
}

/* ── the value ── */

/* As one writes it: canonical text may begin with what YAML means something by. */
static void plain_add(struct text *text, const char *given)
{
	if (given[0] && strchr("@%*", given[0]) && !strpbrk(given, "\"\\"))
		text_printf(text, "\"%s\"", given);
	else
		canonical_add(text, given);
}

/* A number alone, or a number and a letter. */
static bool is_number(const char *text, const char *letters)
{
	size_t len = strspn(text, "0123456789");

	return len > 0 && (!text[len] || (strchr(letters, text[len]) && !text[len + 1]));
}

/* Blanks between the parts of one are not known here, nor are fractions. */
static void duration_add(struct text *text, const char *given, const char *unit)
{
	char parts[VALUE_TOLD + 1], *end, *to = parts;
	double number = strtod(given, &end);
	eff_ns ns;

	if (is_number(given, "")) {
		text_printf(text, "%s%s", given, unit);
		return;
	}
	if (!*end && number > 0 && number < 1000000 && strcmp(unit, "s") == 0) {
		text_printf(text, "%.0fms", number * 1000);
		return;
	}
	for (; *given; given++)
		if (*given != ' ')
			*to++ = *given;
	*to = '\0';
	text_add(text, duration_parse(parts, &ns) == 0 ? parts : "…");
}

static void size_add_given(struct text *text, const char *given)
{
	size_t len = strspn(given, "0123456789");

	if (!is_number(given, "kKmMgG"))
		plain_add(text, given);
	else if (given[len])
		text_printf(text, "%.*s%ciB", (int)len, given, given[len] & ~0x20);
	else
		text_printf(text, "%sB", given);
}

static void name_add(struct text *text, const char *given)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-@/";
	size_t len = strlen(given);

	if (len > 8 && strcmp(given + len - 8, ".service") == 0)
		len -= 8;
	if (strspn(given, chars) < len)
		text_add(text, "NAME");
	else
		text_printf(text, "%.*s", (int)len, given);
}

/* Words that blanks or commas separate, as items. */
static void items_add(struct text *text, const char *given)
{
	char item[VALUE_TOLD + 1];
	bool first = true;
	size_t len;

	for (given += strspn(given, " ,"); *given; given += strspn(given, " ,")) {
		len = strcspn(given, " ,");
		(void)snprintf(item, sizeof(item), "%.*s", (int)len, given);
		text_add(text, first ? "" : ", ");
		plain_add(text, item);
		first = false;
		given += len;
	}
}

static void given_add(struct text *text, char form, const char *given)
{
	const char *word = foreign_word(given, NULL);

	switch (form) {
	case 's':
		duration_add(text, given, "s");
		break;
	case 'm':
		duration_add(text, given, "ms");
		break;
	case 'z':
		size_add_given(text, given);
		break;
	case 'n':
		name_add(text, given);
		break;
	case 'l':
		items_add(text, given);
		break;
	case 'e':
		text_add(text, given[0] == '-' ? "?" : "");
		plain_add(text, given + (given[0] == '-'));
		break;
	case 'w':
		plain_add(text, word ? word : given);
		break;
	default:
		plain_add(text, given);
		break;
	}
}

/* What there is no value for, or none that a line could show. */
static const char *nothing_text(char form)
{
	return form == 'c' ? "[PROGRAM, ARGUMENT, …]" : form == 'n' ? "NAME" : "…";
}

static void rewrite(struct load *load, struct diag *diag, const char *help, const struct node *node)
{
	const char *given = node->kind == NODE_SCALAR && !node_is_null(node) && node->text[0] &&
			strlen(node->text) <= VALUE_TOLD && !strchr(node->text, '\n')
		? node->text
		: NULL;
	struct text text = {0};

	for (; *help; help++) {
		if (*help != '%')
			text_add_bytes(&text, help, 1);
		else if (given)
			given_add(&text, *++help, given);
		else
			text_add(&text, nothing_text(*++help));
	}
	if (text.bytes)
		diag_help(load->diags, diag, "write %s", text.bytes);
	load->failed |= text.failed;
	text_done(&text);
}

bool foreign_key(struct load *load, struct node *node, const struct field *section,
	const struct field *own)
{
	const struct foreign *foreign = key_find(node->key, section);
	struct diag *diag;

	/* What has a place of its own elsewhere may merely be in the wrong one. */
	if (!foreign || (own && (section || strcmp(foreign->typed, node->key) != 0)))
		return false;
	diag = fault_key(load, node, "E202", "`%s` is a name of %s", node->key, foreign->tool);
	if (diag)
		rewrite(load, diag, foreign->help, node);
	return true;
}
