/* SPDX-License-Identifier: MIT */
/* What to write instead: for a key that is not known where it stands, and for a word that is not in its set. */
#include <string.h>

#include "plan/suggest.h"

/* How likely a row is meant: a limit's and a probe's last. */
static int likeliness(enum field_id id)
{
	if (id > FIELD_LIMITS && id <= FIELD_LIMIT_STACK)
		return 2;
	if (id > FIELD_HOOKS && id <= FIELD_ON_GIVE_UP_TIMEOUT)
		return 2;
	return id >= FIELD_STARTUP && id < FIELD_STARTUP + 3 * PROBE_ROWS ? 2 : 3;
}

/* A row of that key in another place. */
static const struct field *elsewhere_find(const char *key, const struct field *section)
{
	const struct field *row, *found = NULL;
	enum field_id id;

	for (id = 0; id < N_FIELDS; id++) {
		row = field_row(id);
		if (field_section(row) == section || row->where == IN_SOCKET ||
			strcmp(field_key(row), key) != 0)
			continue;
		if (!found || likeliness(id) > likeliness(field_id(found)))
			found = row;
	}
	return found;
}

/* The same with underscores for dashes, which is what we write between words; NULL: it has none. */
static const char *undashed(struct load *load, const char *key)
{
	size_t size = strlen(key) + 1;
	char *copy = strchr(key, '-') ? scratch_alloc(load, size) : NULL;

	for (size_t i = 0; copy && i < size; i++) {
		copy[i] = key[i];
		if (key[i] == '-')
			copy[i] = '_';
	}
	return copy;
}

/* Half of a name of several words: `readiness`, `success`. */
static bool begins(const char *name, const char *key)
{
	size_t len = strlen(key);

	return len > 2 && strncmp(name, key, len) == 0 && name[len] == '_';
}

/* `stop_timeout` for `stop.timeout`. */
static bool spells(const char *path, const char *key)
{
	for (; *path && *key; path++, key++)
		if (*path != *key && !(*path == '.' && *key == '_'))
			return false;
	return *path == *key;
}

/* A row whose whole path was made one key of the unit's. */
static bool suggest_path(struct load *load, struct diag *diag, const char *key, int kinds)
{
	for (enum field_id id = 0; id < N_FIELDS; id++) {
		const struct field *row = field_row(id), *section = field_section(row);

		if (!section || field_section(section) || !(row->kinds & kinds) ||
			row->where == IN_SOCKET || !spells(row->face.name, key))
			continue;
		diag_help(load->diags, diag, "write `%s: {%s: …}`", section->face.name,
			field_key(row));
		return true;
	}
	return false;
}

/* Is it the first word of several keys of this section? */
static bool begins_here(const char *key, const struct field *section, int kinds)
{
	for (enum field_id id = 0; section && id < N_FIELDS; id++)
		if ((field_row(id)->kinds & kinds) && field_section(field_row(id)) == section &&
			begins(field_key(field_row(id)), key))
			return true;
	return false;
}

static void suggest_nearest(struct load *load, struct diag *diag, const char *key,
	const struct field *section, int kinds)
{
	struct nearest nearest = {.wanted = key};
	const struct field *row;
	const char *begun = NULL;
	int n_begun = 0;
	enum field_id id;

	for (id = 0; id < N_FIELDS; id++) {
		row = field_row(id);
		if (!(row->kinds & kinds) || field_section(row) != section)
			continue;
		nearest_offer(&nearest, field_key(row));
		if (begins(field_key(row), key) && ++n_begun == 1)
			begun = field_key(row);
	}
	if (nearest.best || n_begun == 1)
		diag_help(load->diags, diag, "did you mean `%s`?",
			nearest.best ? nearest.best : begun);
	advise_keys(load, diag, section, kinds);
}

void key_unknown(struct load *load, struct node *node, const struct field *section, int kinds)
{
	const char *underscored;
	const struct field *row;
	bool is_dashed;
	struct diag *diag;

	if (!load_may_suggest(load)) {
		(void)fault_key(load, node, "E201", "unknown key `%s`", node->key);
		return;
	}
	underscored = undashed(load, node->key);
	is_dashed = underscored && field_find(load, section, underscored);
	row = elsewhere_find(node->key, section);
	if (!is_dashed && foreign_key(load, node, section, row))
		return;
	if (!row && underscored && !is_dashed)
		row = elsewhere_find(underscored, section);
	if (section && field_id(section) == FIELD_LIMITS)
		diag = fault_key(load, node, "E210", "there is no limit `%s`", node->key);
	else if (section)
		diag = fault_key(load, node, "E201", "unknown key `%s` under `%s`", node->key,
			section->face.name);
	else
		diag = fault_key(load, node, "E201", "unknown key `%s`", node->key);
	if (begins_here(node->key, section, kinds))
		row = NULL;
	if (is_dashed)
		diag_help(load->diags, diag, "did you mean `%s`?", underscored);
	else if (row && field_section(row))
		diag_help(load->diags, diag, "`%s` belongs under `%s:`", field_key(row),
			field_section(row)->face.name);
	else if (row && section)
		diag_help(load->diags, diag, "`%s` belongs to the unit itself, not under `%s:`",
			field_key(row), section->face.name);
	else if (section || !suggest_path(load, diag, node->key, kinds))
		suggest_nearest(load, diag, node->key, section, kinds);
}

void word_fault(struct value *value, const char *words)
{
	struct nearest nearest = {.wanted = value->filled};
	struct load *load = value->load;
	char offers[16][32];
	struct text all = {0};
	const char *foreign;
	struct word word;
	struct diag *diag;
	size_t i;

	foreign = foreign_word(value->filled, words);
	if (foreign) {
		diag = fault(load, value->node, "E202", "`%s` is another tool's word",
			value->filled);
		diag_help(load->diags, diag, "write %s", foreign);
		return;
	}
	for (i = 0; i < 16 && word_next(&words, &word); i++) {
		text_printf(&all, "%s%.*s", all.len ? ", " : "", (int)word.len, word.text);
		(void)memcpy(offers[i], word.text, word.len < 31 ? word.len : 31);
		offers[i][word.len < 31 ? word.len : 31] = '\0';
		nearest_offer(&nearest, offers[i]);
	}
	if (all.failed)
		load->failed = true;
	diag = fault(load, value->node,
		field_id(value->field) == FIELD_SCHED_POLICY ? "E210" : "E208",
		"`%s` is none of %s", value->filled, all.bytes ? all.bytes : "these");
	if (nearest.best)
		diag_help(load->diags, diag, "did you mean %s?", nearest.best);
	else if (value->field->type == TYPE_TARGET && strchr(value->filled, '/'))
		diag_help(load->diags, diag, "write `%s: {file: %s}`", field_key(value->field),
			value->filled);
	text_done(&all);
}
