/* SPDX-License-Identifier: MIT */
/* The environment of each process, and of the commands beside other units, whole: what env_inherit lets through, then the env_files in their order, then
 * `environment`; the later wins. What is inherited is the same for most units and is put together once. */
#include <stdlib.h>
#include <string.h>

#include "plan/env.h"

struct entry {
	const char *name, *value;
	uint32_t order;
};

struct entries {
	struct entry *items;
	uint32_t n, room;
};

/* Talk between effd and its own parent, which no pattern hands on. */
static bool is_effds_own(const char *name, size_t len)
{
	static const char *const own[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
		"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"};
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strlen(own[i]) == len && strncmp(own[i], name, len) == 0)
			return true;
	return false;
}

/* What follows from `user`, and is therefore not effd's to hand on. */
static bool is_of_a_user(const char *name)
{
	return strcmp(name, "HOME") == 0 || strcmp(name, "USER") == 0 ||
		strcmp(name, "LOGNAME") == 0 || strcmp(name, "SHELL") == 0;
}

static void entry_add(struct load *load, struct entries *entries, const char *name, const char *value)
{
	struct entry *items;

	if (entries->n == entries->room) {
		entries->room = entries->room ? entries->room * 2 : 32;
		items = scratch_alloc(load, entries->room * sizeof(*items));
		if (!items) {
			entries->room = entries->n;
			return;
		}
		if (entries->n)
			memcpy(items, entries->items, entries->n * sizeof(*items));
		entries->items = items;
	}
	entries->items[entries->n] = (struct entry){name, value, entries->n};
	entries->n++;
}

static void inherit_entry(
	struct load *load, struct entries *entries, plan_strv patterns, const char *entry)
{
	const char *equals = strchr(entry, '=');
	plan_strv pattern;
	char *name;

	if (!equals || is_effds_own(entry, (size_t)(equals - entry)))
		return;
	name = arena_strndup(load->arena, entry, (size_t)(equals - entry));
	if (!name) {
		load->failed = true;
		return;
	}
	for (pattern = patterns; *pattern; pattern++) {
		if (!glob_match(*pattern, name))
			continue;
		entry_add(load, entries, name, keep_strdup(load, equals + 1));
		return;
	}
}

static void inherit_all(struct load *load, struct entries *entries, plan_strv patterns)
{
	plan_strv entry, pattern;
	bool has_path = false, wants_path = false;

	for (entry = load->source->environment; entry && *entry && !load->failed; entry++) {
		has_path |= strncmp(*entry, "PATH=", 5) == 0;
		inherit_entry(load, entries, patterns, *entry);
	}
	for (pattern = patterns; *pattern; pattern++)
		wants_path |= glob_match(*pattern, "PATH");
	if (wants_path && !has_path)
		entry_add(load, entries, "PATH", PLAN_PATH);
}

/* The texts of a list, or of one text; UNIT being `unit`. */
static plan_strv texts_of(struct load *load, struct node *list, const char *unit)
{
	struct value value = {.load = load, .unit = unit};
	struct words words = {0};
	struct node *item;

	if (list->kind == NODE_SCALAR)
		words_add(load, &words, value_fill(&value, list));
	for (item = list->first; item; item = item->next)
		words_add(load, &words, value_fill(&value, item));
	return words.items;
}

/* Then what it says is not the same for all whose list it is. NULL: there is none. */
static bool has_variables(const struct node *list)
{
	const struct node *item;

	if (!list)
		return false;
	if (strstr(list->text, "${"))
		return true;
	for (item = list->first; item; item = item->next)
		if (strstr(item->text, "${"))
			return true;
	return false;
}

static const struct env_pairs *inherited_of(struct load *load, struct node *list, const char *unit)
{
	static const char *const preset[] = {"PATH", "HOME", "LANG", "LC_*", "TZ", NULL};
	plan_strv patterns = list ? texts_of(load, list, unit) : preset;
	struct entries entries = {0};
	struct env_pairs *env;
	struct plan_pair *pairs;
	uint32_t i;

	if (load->inherited && load->inherit_of == list && !has_variables(list))
		return load->inherited;
	if (patterns)
		inherit_all(load, &entries, patterns);
	env = scratch_alloc(load, sizeof(*env));
	pairs = scratch_alloc(load, entries.n * sizeof(*pairs));
	if (!env || !pairs)
		return NULL;
	for (i = 0; i < entries.n; i++)
		pairs[i] = (struct plan_pair){entries.items[i].name, entries.items[i].value};
	*env = (struct env_pairs){pairs, entries.n};
	load->inherited = env;
	load->inherit_of = list;
	return env;
}

static void pairs_add(
	struct load *load, struct entries *entries, const struct env_pairs *env, bool but_users)
{
	uint32_t i;

	for (i = 0; env && i < env->n; i++)
		if (!but_users || !is_of_a_user(env->pairs[i].name))
			entry_add(load, entries, env->pairs[i].name, env->pairs[i].value);
}

static void files_add(struct load *load, struct entries *entries, struct node *list,
	const struct plan_unit *unit)
{
	struct value value = {.load = load, .unit = unit->name};
	struct node *item = list->kind == NODE_LIST ? list->first : list;
	const struct env_pairs *env;
	const char *path;

	for (; item && !load->failed; item = list->kind == NODE_LIST ? item->next : NULL) {
		path = value_fill(&value, item);
		env = path && path[path[0] == '?'] ? env_file_read(load, item, path) : NULL;
		if (!env)
			continue;
		load->shared_nodes += env->n;
		if (load->shared_nodes > SHARED_MAX_NODES)
			(void)fault(load, item, "E105", "`env_file` makes this tree too large");
		else
			pairs_add(load, entries, env, false);
	}
}

static int by_name(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int r = strcmp(a->name, b->name);

	return r ? r : (a->order > b->order) - (a->order < b->order);
}

/* Sorted, the last of each name. */
static plan_strv entries_keep(struct load *load, struct entries *entries)
{
	const char **kept = keep_alloc(load, (entries->n + 1) * sizeof(*kept));
	uint32_t i, n = 0;

	if (!kept)
		return NULL;
	if (entries->n)
		qsort(entries->items, entries->n, sizeof(*entries->items), by_name);
	for (i = 0; i < entries->n && !load->failed; i++) {
		const struct entry *entry = &entries->items[i];

		if (i + 1 < entries->n && strcmp(entry->name, entries->items[i + 1].name) == 0)
			continue;
		kept[n] = arena_printf(load->arena, "%s=%s", entry->name, entry->value);
		if (!kept[n++])
			load->failed = true;
	}
	return kept;
}

static void environment_make(struct load *load, struct plan_unit *unit)
{
	struct node *own = draft_node(load, unit->index, FIELD_ENVIRONMENT);
	struct node *files = draft_node(load, unit->index, FIELD_ENV_FILE), *node;
	struct value value = {.load = load, .unit = unit->name};
	const struct env_pairs *inherited = inherited_of(
		load, draft_node(load, unit->index, FIELD_ENV_INHERIT), unit->name);
	struct entries entries = {0};
	const char *filled;

	if (!inherited)
		return;
	/* Mostly nothing is the unit's own, and then the whole environment is shared too. */
	if (!own && !files && load->shared_of == inherited &&
		load->shared_but_users == (unit->user != NULL)) {
		unit->environment = load->shared_environment;
		return;
	}
	pairs_add(load, &entries, inherited, unit->user);
	if (files)
		files_add(load, &entries, files, unit);
	for (node = own ? own->first : NULL; node; node = node->next) {
		filled = value_fill(&value, node);
		if (filled)
			entry_add(load, &entries, node->key, filled);
	}
	unit->environment = entries_keep(load, &entries);
	if (own || files || load->failed)
		return;
	load->shared_environment = unit->environment;
	load->shared_of = inherited;
	load->shared_but_users = unit->user != NULL;
}

void environments_make(struct load *load)
{
	uint32_t i;

	for (i = 1; i < load->n_units && !load->failed; i++)
		environment_make(load, &load->units[i]);
}
