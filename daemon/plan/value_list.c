/* SPDX-License-Identifier: MIT */
/* Values that are lists, mappings, or a choice of forms: commands, sets of ends, targets of output, names. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cause.h"
#include "plan/suggest.h"
#include "plan/value.h"

static bool wrong_kind(struct value *value, struct node *node, const char *wanted)
{
	advise_form(value->load,
		fault(value->load, node, "E204", "`%s` needs %s, and this is %s",
			value->field->face.name, wanted, node_kind_text(node)),
		value->field);
	return false;
}

void canonical_words(struct text *text, const char *const *items)
{
	const char *const *item;

	text_add(text, "[");
	for (item = items; items && *item; item++) {
		text_add(text, item == items ? "" : ", ");
		canonical_add(text, *item);
	}
	text_add(text, "]");
}

static bool words_of_list(struct value *value, struct words *words)
{
	bool good = true;
	struct node *item;
	const char *word;

	for (item = value->node->first; item; item = item->next) {
		if (item->kind != NODE_SCALAR) {
			good = wrong_kind(value, item, "texts in its list");
			continue;
		}
		word = value_fill(value, item);
		good &= word != NULL;
		words_add(value->load, words, word);
	}
	return good;
}

bool read_command(struct value *value)
{
	struct node *node = value->node;
	struct words words = {0};
	const char *program;

	if (node->kind == NODE_MAP)
		return wrong_kind(value, node, "a text or a list");
	if (node->kind == NODE_SCALAR ? !words_split(value, node, &words)
				      : !words_of_list(value, &words))
		return false;
	if (value->load->failed)
		return false;
	if (words.n == 0 || !words.items[0][0]) {
		advise_form(value->load,
			fault(value->load, node, "E216", "`%s` names no program",
				value->field->face.name),
			value->field);
		return false;
	}
	/* As a shell has it: with a slash it is a path, without one it is searched in PATH. */
	program = words.items[0];
	if (strchr(program, '/') && program[0] != '/' && !node->verbatim)
		words.items[0] = path_from(value->load, node->at.file, program);
	if (!words.items[0])
		return false;
	*(plan_strv *)value->to = words.items;
	canonical_words(&value->text, words.items);
	return true;
}

bool read_texts(struct value *value)
{
	struct node *node = value->node;
	struct words words = {0};

	if (node->kind == NODE_MAP)
		return wrong_kind(value, node, "a text or a list");
	if (node->kind == NODE_SCALAR)
		words_add(value->load, &words, value_fill(value, node));
	else if (!words_of_list(value, &words))
		return false;
	for (uint32_t i = 0; i < words.n; i++)
		if (!words.items[i] || !words.items[i][0]) {
			(void)fault(value->load, node, "E213", "`%s` has an empty name",
				value->field->face.name);
			return false;
		}
	*(plan_strv *)value->to = words.items;
	canonical_words(&value->text, words.items);
	return true;
}

bool read_shell(struct value *value)
{
	struct node *node = value->node;
	const char **argv;

	if (node->kind != NODE_SCALAR)
		return wrong_kind(value, node, "a text");
	if (node->text[0] == '\0') {
		advise_form(value->load, fault(value->load, node, "E216", "`shell` is empty"),
			value->field);
		return false;
	}
	argv = keep_alloc(value->load, 4 * sizeof(*argv));
	if (!argv)
		return false;
	argv[0] = "/bin/sh";
	argv[1] = "-c";
	argv[2] = keep_strdup(value->load, node->text);
	*(plan_strv *)value->to = argv;
	text_add(&value->text, node->text);
	return argv[2];
}

/* "78", "64-78"; false: it is no number. */
static bool ends_codes(struct value *value, struct node *node, const char *s, struct plan_ends *ends)
{
	size_t len = strspn(s, "0123456789"), rest;
	unsigned long low = strtoul(s, NULL, 10), high = low;

	if (len == 0)
		return false;
	if (s[len] == '-') {
		rest = strspn(s + len + 1, "0123456789");
		high = rest && s[len + 1 + rest] == '\0' ? strtoul(s + len + 1, NULL, 10) : 256;
	} else if (s[len] != '\0') {
		high = 256;
	}
	if (len > 3 || high > 255 || low > 255)
		(void)fault(value->load, node, "E214",
			"`%s` is no exit code or range of them from 0 to 255", s);
	else if (low > high)
		(void)fault(value->load, node, "E214", "the range `%s` ends before it begins", s);
	else
		for (; low <= high; low++)
			ends->codes[low / 8] |= (uint8_t)(1u << (low % 8));
	return true;
}

static void ends_item(struct value *value, struct node *node, struct plan_ends *ends)
{
	struct nearest nearest;
	struct diag *diag;
	const char *s;
	int n;

	if (node->kind != NODE_SCALAR) {
		(void)wrong_kind(value, node, "codes, signals and causes");
		return;
	}
	s = value_fill(value, node);
	if (!s || ends_codes(value, node, s, ends))
		return;
	n = cause_kind_parse(s);
	if (n >= 0 && field_id(value->field) == FIELD_SUCCESS_EXIT &&
		cause_kind_never_clean((enum cause_kind)n)) {
		diag = fault(value->load, node, "E214",
			"what effd ends for `%s` is never a clean end", s);
		diag_help(value->load->diags, diag,
			"`restart: {prevent_exit: [%s]}` leaves it at rest after one", s);
		return;
	}
	if (n >= 0) {
		ends->causes |= (uint64_t)1 << n;
		return;
	}
	n = signal_parse(s);
	if (n > 0 && n < 64) {
		ends->signals |= (uint64_t)1 << n;
		return;
	}
	nearest = (struct nearest){.wanted = s};
	for (n = 0; n < CAUSE_N_KINDS && load_may_suggest(value->load); n++)
		nearest_offer(&nearest, cause_kind_name((enum cause_kind)n));
	diag = fault(value->load, node, "E214", "`%s` is no exit code, signal or cause", s);
	if (nearest.best)
		diag_help(value->load->diags, diag, "did you mean %s?", nearest.best);
}

static bool ends_has(const struct plan_ends *ends, unsigned code)
{
	return code < 256 && (ends->codes[code / 8] >> (code % 8) & 1);
}

static void ends_text(const struct plan_ends *ends, struct text *text)
{
	const char *comma = "";
	unsigned code, last;
	char buf[16];
	int n;

	text_add(text, "[");
	for (code = 0; code < 256; code = last + 1) {
		last = code;
		if (!ends_has(ends, code))
			continue;
		while (ends_has(ends, last + 1))
			last++;
		text_printf(text, "%s%u", comma, code);
		if (last > code)
			text_printf(text, "-%u", last);
		comma = ", ";
	}
	for (n = 1; n < 64; n++) {
		if (!(ends->signals >> n & 1))
			continue;
		text_printf(text, "%s%s", comma, signal_text(n, buf));
		comma = ", ";
	}
	for (n = 0; n < CAUSE_N_KINDS; n++) {
		if (!(ends->causes >> n & 1))
			continue;
		text_printf(text, "%s%s", comma, cause_kind_name((enum cause_kind)n));
		comma = ", ";
	}
	text_add(text, "]");
}

bool read_ends(struct value *value)
{
	struct plan_ends ends = {0};
	struct node *item;

	if (value->node->kind == NODE_MAP)
		return wrong_kind(value, value->node, "a list");
	if (value->node->kind == NODE_SCALAR)
		ends_item(value, value->node, &ends);
	for (item = value->node->first; item; item = item->next)
		ends_item(value, item, &ends);
	*(struct plan_ends *)value->to = ends;
	ends_text(&ends, &value->text);
	return true;
}

static bool target_file(struct value *value, struct plan_log_target *target)
{
	struct node *file = node_find(value->load, value->node, "file"), *child;
	const char *path;

	for (child = value->node->first; child; child = child->next)
		if (child != file)
			advise_form(value->load,
				fault_key(value->load, child, "E201", "unknown key `%s` under `%s`",
					child->key, value->field->face.name),
				value->field);
	if (!file) {
		advise_form(value->load,
			fault(value->load, value->node, "E203",
				"`%s` as a mapping needs `file`", value->field->face.name),
			value->field);
		return false;
	}
	if (file->kind != NODE_SCALAR || node_is_null(file))
		return wrong_kind(value, file, "a path as `file`");
	path = value_fill(value, file);
	path = path ? path_from(value->load, file->at.file, path) : NULL;
	*target = (struct plan_log_target){PLAN_LOG_FILE, path};
	if (path) {
		text_add(&value->text, "{file: ");
		canonical_add(&value->text, path);
		text_add(&value->text, "}");
	}
	return path;
}

/* The words stand in the order of enum plan_log_kind. */
bool read_target(struct value *value)
{
	struct plan_log_target *target = value->to;
	const char *words = value->field->words;
	struct word word;
	int i;

	if (value->node->kind == NODE_LIST)
		return wrong_kind(value, value->node, "a word or {file: PATH}");
	if (value->node->kind == NODE_MAP)
		return target_file(value, target);
	value->filled = value_fill(value, value->node);
	if (!value->filled)
		return false;
	for (i = 0; word_next(&words, &word); i++) {
		if (strlen(value->filled) != word.len ||
			strncmp(value->filled, word.text, word.len) != 0)
			continue;
		*target = (struct plan_log_target){(enum plan_log_kind)i, NULL};
		text_add(&value->text, value->filled);
		return true;
	}
	word_fault(value, value->field->words);
	return false;
}

/* A truth where names are wanted, which would be the name of a variable that nobody has. */
static bool no_names(struct value *value)
{
	const char *meant = bool_meant(value->node->text);
	struct diag *diag;

	if (!meant)
		return false;
	diag = fault(value->load, value->node, "E204",
		"`%s` needs a list of names, and this is `%s`", value->field->face.name,
		value->node->text);
	diag_help(value->load->diags, diag,
		strcmp(meant, "true") == 0 ? "write [\"*\"] for all" : "write [] for none");
	return true;
}

bool read_names(struct value *value)
{
	struct node *item;

	if (value->node->kind == NODE_MAP)
		return wrong_kind(value, value->node, "a list");
	for (item = value->node->first; item; item = item->next)
		if (item->kind != NODE_SCALAR || node_is_null(item))
			return wrong_kind(value, item, "texts in its list");
	if (value->node->kind == NODE_LIST)
		return canonical_node(value, value->node);
	if (no_names(value))
		return false;
	text_add(&value->text, "[");
	if (!canonical_node(value, value->node))
		return false;
	text_add(&value->text, "]");
	return true;
}

/* The name of a variable or of a label. */
static bool is_map_key(enum field_type type, const char *key)
{
	static const char label[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-";

	if (type == TYPE_ENVIRONMENT)
		return key[0] && !strchr(key, '=');
	return type != TYPE_LABELS || (key[0] && strspn(key, label) == strlen(key));
}

bool read_map(struct value *value)
{
	bool is_flat = value->field->type == TYPE_LABELS || value->field->type == TYPE_ENVIRONMENT,
	     good = true;
	struct node *child;
	struct diag *diag;

	if (value->node->kind != NODE_MAP)
		return wrong_kind(value, value->node, "a mapping");
	for (child = value->node->first; child; child = child->next) {
		if (!is_map_key(value->field->type, child->key)) {
			diag = fault_key(value->load, child, "E213",
				"`%s` cannot be a name under `%s`", child->key,
				value->field->face.name);
			diag_help(value->load->diags, diag,
				value->field->type == TYPE_LABELS
					? "a label's name is made of A-Z a-z 0-9 _ . / -"
					: "a variable's name has a character at least, and no =");
			good = false;
		}
		if (is_flat && child->kind != NODE_SCALAR) {
			good = wrong_kind(value, child, "texts");
		} else if (is_flat && node_is_null(child)) {
			diag = fault(value->load, child, "E204", "`%s` has no value", child->key);
			diag_help(value->load->diags, diag, "write \"\" for an empty one");
			good = false;
		}
	}
	return good && canonical_node(value, value->node);
}
