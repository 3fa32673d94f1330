/* SPDX-License-Identifier: MIT */
/* Names become units. A name is looked up among siblings, then upwards, then from the root; a path goes down from where
 * its first part is found. The name of a unit that says `replicas` stands for all of them, with "@3" behind it for one. */
#include <string.h>

#include "base/text.h"
#include "plan/draft.h"

/* More names than these do not help. */
enum { SIBLINGS_TOLD = 8 };

static const struct range nobody = {PLAN_NONE, 0};

static bool is_numbered(const struct load *load, const struct node *node)
{
	return node->n_units != 1 || load->units[node->unit].replica > 0;
}

/* "@3" of all that `node` makes. */
static struct range replica_of(const struct load *load, const struct node *node, const char *number)
{
	uint32_t n = 0;

	if (!is_numbered(load, node) || number[0] < '1' || number[0] > '9')
		return nobody;
	for (; *number >= '0' && *number <= '9' && n <= node->n_units; number++)
		n = n * 10 + (uint32_t)(*number - '0');
	if (*number || n > node->n_units)
		return nobody;
	return (struct range){node->unit + n - 1, 1};
}

static struct range child_find(const struct load *load, uint32_t above, const char *name, size_t len)
{
	const struct node *node;
	char key[80], *at;

	if (len >= sizeof(key))
		return nobody;
	memcpy(key, name, len);
	key[len] = '\0';
	at = strchr(key, '@');
	if (at)
		*at = '\0';
	node = table_get(&load->names, load->drafts[above].map, key);
	if (!node)
		return nobody;
	return at ? replica_of(load, node, at + 1) : (struct range){node->unit, node->n_units};
}

static struct range path_find(const struct load *load, uint32_t above, const char *path)
{
	struct range found;
	size_t len;

	for (;;) {
		len = strcspn(path, "/");
		found = child_find(load, above, path, len);
		path += len;
		if (found.first == PLAN_NONE || *path != '/')
			return found;
		/* Nothing is below one of several. */
		if (found.n != 1)
			return nobody;
		above = found.first;
		path++;
	}
}

struct range units_find(const struct load *load, uint32_t from, const char *name)
{
	uint32_t above = from == 0 ? 0 : load->units[from].parent;
	struct range found;

	if (strcmp(name, "/") == 0)
		return (struct range){0, 1};
	if (name[0] == '/')
		return path_find(load, 0, name + 1);
	for (; above != PLAN_NONE; above = load->units[above].parent) {
		found = path_find(load, above, name);
		if (found.first != PLAN_NONE)
			return found;
	}
	return nobody;
}

/* A number that there is not, of something that there is. */
static bool number_help(struct load *load, struct diag *diag, uint32_t from, const char *name)
{
	const char *at = strchr(name, '@');
	char stem[256];
	struct range all;

	if (!at || (size_t)(at - name) >= sizeof(stem))
		return false;
	memcpy(stem, name, (size_t)(at - name));
	stem[at - name] = '\0';
	all = units_find(load, from, stem);
	if (all.first == PLAN_NONE)
		return false;
	if (all.n == 1 && load->units[all.first].replica == 0)
		diag_help(load->diags, diag, "`%s` does not say `replicas`", stem);
	else
		diag_help(load->diags, diag, "`%s` has %u replica%s", stem, all.n,
			all.n == 1 ? "" : "s");
	return true;
}

/* Who stands beside it, as far as that can be told in a line. */
static void siblings_advise(struct load *load, uint32_t from, struct diag *diag)
{
	uint32_t above = load->units[from].parent, i, n = 0;
	const struct node *before = load->drafts[from].map;
	struct text text = {0};

	for (i = above == PLAN_NONE ? PLAN_NONE : load->units[above].first_child;
		i != PLAN_NONE && n <= SIBLINGS_TOLD; i = load->units[i].next_sibling) {
		const struct node *map = load->drafts[i].map;

		if (map == before || map == load->drafts[from].map)
			continue;
		before = map; /* of replicas the first */
		if (n++ < SIBLINGS_TOLD)
			text_printf(&text, "%s%s", text.len ? ", " : "", map->key);
		else
			text_add(&text, ", …");
	}
	if (text.bytes)
		diag_help(load->diags, diag, "units beside it: %s", text.bytes);
	load->failed |= text.failed;
	text_done(&text);
}

static void fault_unknown(struct load *load, uint32_t from, struct node *node, const char *name)
{
	const struct plan_unit *unit = &load->units[from];
	struct nearest nearest = {.wanted = name};
	const char *last = strrchr(name, '/');
	const struct node *other;
	struct diag *diag;
	uint32_t i;

	diag = fault(load, node, "E301", "there is no unit `%s`", name);
	if (!diag || !load_may_suggest(load) || number_help(load, diag, from, name))
		return;
	other = table_get(&load->names, NULL, last ? last + 1 : name);
	if (other && other->n_units > 0) {
		const struct plan_unit *meant = &load->units[other->unit];

		diag_help(load->diags, diag, "did you mean `%s`?",
			meant->stem ? meant->stem : meant->name);
		return;
	}
	for (i = unit->parent == PLAN_NONE ? PLAN_NONE : load->units[unit->parent].first_child;
		i != PLAN_NONE; i = load->units[i].next_sibling)
		if (load->drafts[i].map != load->drafts[from].map)
			nearest_offer(&nearest, load->drafts[i].map->key);
	if (nearest.best)
		diag_help(load->diags, diag, "did you mean `%s`?", nearest.best);
	else
		siblings_advise(load, from, diag);
}

struct range reference_find(
	struct load *load, uint32_t from, struct node *node, const char *name, const char *verb)
{
	const struct plan_unit *unit = &load->units[from], *other;
	struct range found = units_find(load, from, name);
	const char *what = NULL;

	if (found.first == PLAN_NONE)
		fault_unknown(load, from, node, name);
	if (found.n == 0)
		return found;
	other = &load->units[found.first];
	if (from >= found.first && from < found.first + found.n)
		what = "itself";
	else if (found.first < from && from < other->end)
		what = "a supervisor above it";
	else if (from < found.first && found.first < unit->end)
		what = "a unit below it";
	if (!what)
		return reference_lasts(load, from, node, found) ? found : nobody;
	(void)fault(load, node, "E303", "`%s` cannot %s %s: `%s`", unit->name, verb, what,
		found.n > 1 ? other->stem : other->name);
	return nobody;
}
