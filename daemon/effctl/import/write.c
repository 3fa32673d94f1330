/* SPDX-License-Identifier: MIT */
/* The tree as YAML: what is short stands on one line, the rest in blocks. Items are walked by their parents, not by
 * recursion. A text is plain where nobody could take it for anything else, and else in double quotes. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "effctl/import/import.h"

#define COLUMNS 96

/* A number, a word of YAML's (1.1's, too: others may read the file), or what begins like syntax. */
static bool needs_quotes(const char *s)
{
	static const char *const words[] = {"null", "true", "false", "yes", "no", "on", "off",
		"y", "n", ".inf", ".nan", NULL};
	static const char safe[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./@%+=:~^$() ;";
	size_t len = strlen(s);

	if (!len || s[strspn(s, safe)] || strchr(" :", s[len - 1]) || strchr(" %@=~:;()", *s))
		return true;
	if (strstr(s, ": ") || !strncmp(s, "---", 3))
		return true;
	if (*s == '-' && s[1] != '-' && !isalpha((unsigned char)s[1]))
		return true;
	for (int i = 0; words[i]; i++) {
		if (!strcasecmp(s, words[i]))
			return true;
	}
	return strspn(s, "0123456789+-._:eExXoO") == len && strpbrk(s, "0123456789");
}

/* Of UTF-8, which it is: what a reader of YAML may refuse, or change. Returns its length; 0: it is fine. */
static size_t strange_rune(const char *s, unsigned *ret_rune)
{
	const unsigned char *u = (const unsigned char *)s;

	if (u[0] == 0xc2 && u[1] < 0xa0) {
		*ret_rune = u[1];
		return 2;
	}
	if ((u[0] & 0xf0) != 0xe0)
		return 0;
	*ret_rune = (u[0] & 0x0fu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
	return *ret_rune == 0x2028 || *ret_rune == 0x2029 || *ret_rune >= 0xfeff ? 3 : 0;
}

static void add_quoted(struct text *to, const char *s)
{
	size_t strange;
	unsigned rune;

	text_add(to, "\"");
	for (; *s; s++) {
		strange = strange_rune(s, &rune);
		if (strange) {
			text_printf(to, "\\u%04x", rune);
			s += strange - 1;
		} else if (*s == '"' || *s == '\\') {
			text_printf(to, "\\%c", *s);
		} else if (*s == '\n') {
			text_add(to, "\\n");
		} else if (*s == '\t') {
			text_add(to, "\\t");
		} else if (*s == '\r') {
			text_add(to, "\\r");
		} else {
			text_add_bytes(to, s, 1);
		}
	}
	text_add(to, "\"");
}

static void add_scalar(struct text *to, const struct item *item)
{
	if (item->kind == ITEM_PLAIN || !needs_quotes(item->text))
		text_add(to, item->text);
	else
		add_quoted(to, item->text);
}

static void add_key(struct text *to, const struct item *item)
{
	if (!item->key)
		return;
	if (needs_quotes(item->key))
		add_quoted(to, item->key);
	else
		text_add(to, item->key);
	text_add(to, ": ");
}

static bool is_whole(const struct item *item)
{
	return item->kind == ITEM_MAP || item->kind == ITEM_LIST;
}

/* The closing brackets behind an item that is the last of its whole, up to `top`; the item to go on with. */
static const struct item *flow_next(struct text *to, const struct item *item, const struct item *top)
{
	while (item != top && !item->next) {
		item = item->parent;
		text_add(to, item->kind == ITEM_MAP ? "}" : "]");
	}
	if (item == top)
		return NULL;
	text_add(to, ", ");
	return item->next;
}

/* A mapping or a list in one line. It stops when that gets longer than `most`. */
static void add_flow(struct text *to, const struct item *top, size_t most)
{
	const struct item *item = top;
	size_t begin = to->len;

	while (item && to->len - begin <= most && !to->failed) {
		if (item != top)
			add_key(to, item);
		if (!is_whole(item))
			add_scalar(to, item);
		else
			text_add(to, item->kind == ITEM_MAP ? "{" : "[");
		if (is_whole(item) && item->first) {
			item = item->first;
			continue;
		}
		if (is_whole(item))
			text_add(to, item->kind == ITEM_MAP ? "}" : "]");
		item = flow_next(to, item, top);
	}
}

static size_t depth_of(const struct item *item)
{
	size_t depth = 0;

	for (; item->parent; item = item->parent)
		depth++;
	return depth;
}

/* Mappings of units stand in blocks, and each unit does; what a field is may stand in one line. */
static bool is_open(const struct item *item)
{
	const struct item *above = item->parent;

	return item->kind == ITEM_MAP && item->key &&
		(!above || !strcmp(item->key, "units") ||
			(!strcmp(item->key, "defaults") && !above->parent) ||
			(above->key && !strcmp(above->key, "units")));
}

/* One item, where its line begins; true when its children follow in lines of their own. */
static bool add_block(struct text *to, const struct item *item)
{
	size_t indent = (depth_of(item) - 1) * 2;
	size_t begin = to->len;
	size_t before;

	text_printf(to, "%*s", (int)indent, "");
	if (item->key)
		add_key(to, item);
	else
		text_add(to, "- ");
	before = to->len;
	if (to->failed)
		return false;
	if (!is_whole(item))
		add_scalar(to, item);
	else if (!is_open(item) || !item->first)
		add_flow(to, item, item->first ? COLUMNS : SIZE_MAX);
	if (!is_whole(item) || !item->first || (!is_open(item) && to->len - begin <= COLUMNS)) {
		text_add(to, "\n");
		return false;
	}
	if (!to->failed) {
		to->len = before - 1;
		to->bytes[to->len] = '\0';
	}
	text_add(to, "\n");
	return true;
}

void import_write(const struct import *im, struct text *to)
{
	const struct item *item = im->root->first;

	while (item && !to->failed) {
		if (add_block(to, item)) {
			item = item->first;
			continue;
		}
		while (item->parent && !item->next)
			item = item->parent;
		item = item->next;
	}
}
