/* SPDX-License-Identifier: MIT */
/* Items: the tree that is being made. Keys are found through the run's one table, so that a mapping of a hundred thousand
 * keys costs no more than its size. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "effctl/import/import.h"
#include "plan/fields.h"

struct item *item_new(struct import *im, enum item_kind kind, const char *key)
{
	struct item *item = arena_alloc(im->arena, sizeof(*item));

	if (!item) {
		im->failed = true;
		return NULL;
	}
	item->kind = kind;
	item->key = key;
	item->text = "";
	item->file = im->file;
	item->line = im->line;
	return item;
}

void item_put(struct import *im, struct item *parent, struct item *item)
{
	void **at;

	if (!parent || !item)
		return;
	if (item->key) {
		at = table_at(&im->table, parent, item->key);
		if (!at) {
			im->failed = true;
			return;
		}
		*at = item;
	}
	item->parent = parent;
	if (parent->last)
		parent->last->next = item;
	else
		parent->first = item;
	parent->last = item;
	parent->n++;
}

struct item *item_find(const struct import *im, const struct item *map, const char *key)
{
	return map ? table_get(&im->table, map, key) : NULL;
}

/* What was set before is gone, with all that was in it. */
static void become(struct import *im, struct item *item, enum item_kind kind, const char *text)
{
	if (!item || !text)
		return;
	for (const struct item *child = item->first; child; child = child->next) {
		void **at = child->key ? table_at(&im->table, item, child->key) : NULL;

		if (at)
			*at = NULL;
	}
	item->kind = kind;
	item->text = text;
	item->first = item->last = NULL;
	item->n = 0;
}

/* The child of a key, made if need be; `key` is copied. */
static struct item *child_of(
	struct import *im, struct item *map, const char *key, size_t len, enum item_kind kind)
{
	const char *copy = im_strndup(im, key, len);
	struct item *item = copy ? item_find(im, map, copy) : NULL;

	if (item && item->kind != kind && (kind == ITEM_MAP || kind == ITEM_LIST))
		become(im, item, kind, "");
	if (item || !copy)
		return item;
	item = item_new(im, kind, copy);
	item_put(im, map, item);
	return item;
}

static struct item *walk(struct import *im, struct item *map, const char *path, enum item_kind kind)
{
	const char *dot;

	while (map && path && (dot = strchr(path, '.'))) {
		map = child_of(im, map, path, (size_t)(dot - path), ITEM_MAP);
		path = dot + 1;
	}
	return map && path ? child_of(im, map, path, strlen(path), kind) : NULL;
}

struct item *item_map(struct import *im, struct item *map, const char *path)
{
	return walk(im, map, path, ITEM_MAP);
}

struct item *item_list(struct import *im, struct item *map, const char *path)
{
	return walk(im, map, path, ITEM_LIST);
}

void item_drop(struct import *im, struct item *map, const char *key)
{
	void **slot = map && item_find(im, map, key) ? table_at(&im->table, map, key) : NULL;
	struct item **at = map ? &map->first : NULL;
	struct item *last = NULL;

	while (slot && *at) {
		if (*at != *slot) {
			last = *at;
			at = &last->next;
			continue;
		}
		*at = (*at)->next;
		map->n--;
	}
	if (!slot)
		return;
	map->last = last;
	*slot = NULL;
}

void item_set(struct import *im, struct item *map, const char *path, const char *text)
{
	if (text)
		become(im, walk(im, map, path, ITEM_TEXT), ITEM_TEXT, text);
}

void item_set_plain(struct import *im, struct item *map, const char *path, const char *text)
{
	if (text)
		become(im, walk(im, map, path, ITEM_PLAIN), ITEM_PLAIN, text);
}

void item_set_key(struct import *im, struct item *map, const char *key, const char *text)
{
	if (map && key && text)
		become(im, child_of(im, map, key, strlen(key), ITEM_TEXT), ITEM_TEXT, text);
}

static void add(struct import *im, struct item *list, enum item_kind kind, const char *text)
{
	struct item *item = list && text ? item_new(im, kind, NULL) : NULL;

	if (!item)
		return;
	item->text = text;
	item_put(im, list, item);
}

void item_add(struct import *im, struct item *list, const char *text)
{
	add(im, list, ITEM_TEXT, text);
}

void item_add_plain(struct import *im, struct item *list, const char *text)
{
	add(im, list, ITEM_PLAIN, text);
}

void item_add_words(struct import *im, struct item *unit, const char *path, const char *const *words)
{
	struct item *list = item_list(im, unit, path);

	for (; words && *words; words++)
		item_add(im, list, *words);
}

static const struct field *field_of(const char *name)
{
	for (enum field_id id = 0; id < N_FIELDS; id++)
		if (!strcmp(field_row(id)->face.name, name))
			return field_row(id);
	return NULL;
}

/* Not a number that the field could be; what variables are part of is not known yet. */
static bool is_no_number(const struct field *field, const char *text)
{
	long long number;
	char *end;

	if ((field->type != TYPE_INTEGER && field->type != TYPE_COUNT) || strstr(text, "${"))
		return false;
	number = strtoll(text, &end, 10);
	return *end || end == text || *text == '+' || isspace((unsigned char)*text) ||
		number < (int64_t)field->min || number > (int64_t)field->max;
}

/* A number is written as one. */
static void set_value(struct import *im, struct item *unit, const char *path, const char *text)
{
	const char *digits = text + (*text == '-');

	const char *bare = digits + strspn(digits, "0");

	/* A tree knows no octal: no zero stands before a number. */
	if (*digits && strspn(digits, "0123456789") == strlen(digits))
		item_set_plain(im, unit, path,
			im_printf(im, "%s%s", *text == '-' ? "-" : "", *bare ? bare : "0"));
	else
		item_set(im, unit, path, text);
}

void item_set_value(struct import *im, struct item *unit, const char *path, const char *text)
{
	const struct field *field = field_of(path);

	if (text && field && is_no_number(field, text))
		no_equal(im, "`%s` is no number from %lld to %lld", text, (long long)field->min,
			(long long)field->max);
	else if (text)
		set_value(im, unit, path, text);
}

const char *import_size_of(struct import *im, const char *value)
{
	static const char letters[] = "BKMGT";
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	size_t n = strspn(value, "0123456789");
	const char *suffix = value + n;
	const char *letter = *suffix ? strchr(letters, toupper((unsigned char)*suffix)) : letters;

	if (!n || n > 15 || !letter ||
		(*suffix && suffix[1] && strcasecmp(suffix + 1, "b") != 0 &&
			strcasecmp(suffix + 1, "ib") != 0))
		return NULL;
	return im_printf(im, "%.*s%s", (int)n, value, units[letter - letters]);
}

static const char *limit_value(struct import *im, const char *name, const char *value)
{
	static const char *const counts[] = {
		"nofile", "nproc", "nice", "rtprio", "locks", "sigpending", NULL};
	size_t n = value ? strlen(value) : 0;

	if (!value)
		return NULL;
	if (!strcmp(value, "infinity") || !strcmp(value, "-1"))
		return "infinity";
	for (int i = 0; counts[i]; i++) {
		if (!strcmp(name, counts[i]))
			return n && n < 16 && strspn(value, "0123456789") == n ? value : NULL;
	}
	return !strcmp(name, "cpu") || !strcmp(name, "rttime") ? NULL : import_size_of(im, value);
}

void limit_set(struct import *im, struct item *unit, const char *name, const char *soft,
	const char *hard)
{
	const char *path = im_printf(im, "limits.%s", name);
	const char *low = limit_value(im, name, soft);
	const char *high = hard ? limit_value(im, name, hard) : low;

	if (!path || im->failed)
		return;
	if (!low || !high) {
		no_equal(im, "`%s` is no limit that is known here", low ? hard : soft);
	} else if (!strcmp(low, high)) {
		item_set_value(im, unit, path, low);
	} else {
		set_value(im, unit, im_printf(im, "%s.soft", path), low);
		set_value(im, unit, im_printf(im, "%s.hard", path), high);
	}
}
