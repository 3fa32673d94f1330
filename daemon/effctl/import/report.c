/* SPDX-License-Identifier: MIT */
/* The report, for people and as JSON; and the tree as JSON, which is a tree as well. */
#include <stdlib.h>
#include <string.h>

#include "effctl/import/report.h"
#include "effctl/words.h"

static const char *const words[] = {"no equal", "assumed", "refused"};
static const char *const keys[] = {"no_equal", "assumed", "refused"};

static void note_print(FILE *to, const struct note *note)
{
	put_text(to, note->file ? note->file : "effctl");
	if (note->line)
		(void)fprintf(to, ":%u", note->line);
	(void)fprintf(to, ": %s: ", words[note->kind]);
	if (note->unit) {
		put_text(to, note->unit);
		(void)fputs(": ", to);
	}
	if (note->setting) {
		put_text(to, note->setting);
		(void)fputs(": ", to);
	}
	put_text(to, note->text);
	(void)fputc('\n', to);
}

static void count_print(FILE *to, uint32_t n, const char *one, const char *many)
{
	(void)fprintf(to, "%u %s", n, n == 1 ? one : many);
}

void report_print(FILE *to, const struct import *im)
{
	for (const struct note *note = im->notes; note; note = note->next)
		note_print(to, note);
	count_print(to, im->n_units, "unit, ", "units, ");
	count_print(to, im->n_notes[NOTE_NO_EQUAL], "setting without an equal, ",
		"settings without an equal, ");
	count_print(to, im->n_notes[NOTE_ASSUMED], "assumption, ", "assumptions, ");
	(void)fprintf(to, "%u refused\n", im->n_notes[NOTE_REFUSED]);
}

/* ── JSON ── */

static struct json *value_of(const struct item *item)
{
	switch (item->kind) {
	case ITEM_MAP:
		return json_object();
	case ITEM_LIST:
		return json_array();
	case ITEM_TEXT:
		return json_text(item->text);
	default:
		break;
	}
	if (!strcmp(item->text, "true") || !strcmp(item->text, "false"))
		return json_bool(*item->text == 't');
	return json_int(strtol(item->text, NULL, 10));
}

static void join(struct json *whole, const struct item *item, struct json *value)
{
	if (item->key)
		(void)json_set(whole, item->key, value);
	else
		(void)json_add(whole, value);
}

/* The wholes that are open, a level each: a value becomes part of another when it is finished. */
struct levels {
	struct json *open[JSON_MAX_DEPTH];
	size_t depth;
};

/* Finish what `item` is the last of, up to the root; the item to go on with. */
static const struct item *next_of(
	struct levels *levels, const struct item *item, const struct item *root)
{
	while (!item->next && item->parent != root) {
		item = item->parent;
		levels->depth--;
		join(levels->open[levels->depth], item, levels->open[levels->depth + 1]);
	}
	return item->next;
}

static struct json *tree_of(const struct item *root)
{
	struct levels levels = {.open = {json_object()}};
	const struct item *item = root->first;

	while (item) {
		struct json *value = value_of(item);

		if (item->first && levels.depth + 1 < JSON_MAX_DEPTH) {
			levels.open[++levels.depth] = value;
			item = item->first;
			continue;
		}
		join(levels.open[levels.depth], item, value);
		item = next_of(&levels, item, root);
	}
	return levels.open[0];
}

struct json *report_document(const struct import *im)
{
	struct json *document = json_object();
	struct json *report = json_array();

	for (const struct note *note = im->notes; note; note = note->next) {
		struct json *one = json_object();

		(void)json_set(one, "kind", json_text(keys[note->kind]));
		(void)json_set(one, "file", json_text(note->file));
		(void)json_set(one, "line", note->line ? json_int(note->line) : json_null());
		(void)json_set(one, "unit", json_text(note->unit));
		(void)json_set(one, "setting", json_text(note->setting));
		(void)json_set(one, "text", json_text(note->text));
		(void)json_add(report, one);
	}
	(void)json_set(document, "tree", im->n_units ? tree_of(im->root) : json_null());
	(void)json_set(document, "report", report);
	return document;
}
