/* SPDX-License-Identifier: MIT */
/* What a unit says of others. systemd parts needing from order; here a need is an order, too: one without `After` waits no
 * longer than until the other has started. */
#include <string.h>

#include "effctl/import/systemd.h"

struct needing {
	struct systemd *s;
	struct item *needs, *after;
	struct table ordered; /* (NULL, name): an `After` says so */
};

/* Targets are where systemd's own boot is at; effd begins when there is a system. */
static bool is_systems(const char *name)
{
	size_t n = strlen(name);

	return n > 7 && !strcmp(name + n - 7, ".target");
}

static const struct systemd_unit *other_of(struct systemd *s, const char *name)
{
	const struct systemd_unit *other = table_get(&s->names, NULL, name);

	if (other && other->item && other != s->unit)
		return other;
	if (!is_systems(name))
		assumed(s->im, "`%s` is not in the tree: nothing is said of it", name);
	return NULL;
}

static void need_add(struct needing *n, const char *key, const struct systemd_unit *other)
{
	struct import *im = n->s->im;
	bool required = !strcmp(key, "Requires") || !strcmp(key, "Requisite");
	bool ordered = table_get(&n->ordered, NULL, other->name);
	struct item *need = item_find(im, n->needs, other->item->key);

	if (!need) {
		need = item_new(im, ITEM_MAP, other->item->key);
		item_put(im, n->needs, need);
	}
	if (!need)
		return;
	if (!ordered)
		item_set(im, need, "condition", "started");
	if (!strcmp(key, "BindsTo"))
		item_set_plain(im, need, "bind", "true");
	else if (!strcmp(key, "PartOf"))
		item_set_plain(im, need, "restart", "true");
	else if (required)
		item_set_plain(im, need, "required", "true");
	else if (!item_find(im, need, "bind") && !item_find(im, need, "required"))
		item_set_plain(im, need, "required", "false");
}

static void name_take(struct needing *n, const char *key, const char *name)
{
	struct systemd *s = n->s;
	const struct systemd_unit *other = other_of(s, name);
	bool is_order = !strcmp(key, "After") || !strcmp(key, "Before");
	struct item *list;

	if (!other)
		return;
	if (!is_order && strcmp(key, "Conflicts") != 0) {
		need_add(n, key, other);
		return;
	}
	/* A need says the order already. */
	if (!strcmp(key, "After") && item_find(s->im, n->needs, other->item->key))
		return;
	list = item_list(s->im, s->unit->item,
		!strcmp(key, "After")            ? "after"
			: !strcmp(key, "Before") ? "before"
						 : "conflicts");
	item_add(s->im, list, other->item->key);
}

static void setting_take(struct needing *n, const struct setting *setting, bool orders)
{
	static const char *const keys[] = {
		"Requires", "Requisite", "Wants", "BindsTo", "PartOf", "Upholds", NULL};
	bool is_order = !strcmp(setting->key, "After") || !strcmp(setting->key, "Before") ||
		!strcmp(setting->key, "Conflicts");
	bool is_need = false;
	const char **words;

	for (int i = 0; keys[i]; i++)
		is_need |= !strcmp(setting->key, keys[i]);
	if (orders ? !is_order : !is_need)
		return;
	n->s->im->line = setting->line;
	n->s->im->setting = setting->key;
	words = systemd_words(n->s->im, systemd_filled(n->s, setting->value));
	for (; words && *words && !n->s->im->failed; words++)
		name_take(n, setting->key, *words);
}

static void each_setting(struct needing *n,
	void (*take)(struct needing *, const struct setting *, bool), bool orders)
{
	const struct section *first = n->s->unit->first;

	for (const struct section *section = first; section && section->file == first->file;
		section = section->next) {
		for (const struct setting *v = section->first; v && !n->s->im->failed; v = v->next)
			if (!strcmp(section->name, "Unit"))
				take(n, v, orders);
	}
}

static void order_note(struct needing *n, const struct setting *setting, bool orders)
{
	const char **words;

	(void)orders;
	if (strcmp(setting->key, "After") != 0)
		return;
	words = systemd_words(n->s->im, setting->value);
	for (; words && *words; words++) {
		void **at = table_at(&n->ordered, NULL, *words);

		if (at)
			*at = n;
		else
			n->s->im->failed = true;
	}
}

void systemd_needs(struct systemd *s)
{
	struct needing n = {.s = s, .needs = item_new(s->im, ITEM_MAP, "depends_on")};

	each_setting(&n, order_note, false);
	each_setting(&n, setting_take, false);
	each_setting(&n, setting_take, true);
	if (n.needs && n.needs->n)
		item_put(s->im, s->unit->item, n.needs);
	table_done(&n.ordered);
}
