/* SPDX-License-Identifier: MIT */
/* What libyaml tells of a text: its events become nodes with places. One frame a level on a fixed stack, so depth costs nothing
 * but a refusal: libyaml's work is quadratic in depth, but it looks no further ahead than 1024 characters, so ending at
 * the 65th level bounds it. An alias is a copy of its node that shares the children; a merge key adds copies of them. */
#include <assert.h>
#include <string.h>

#include "plan/libyaml.h"
#include "plan/load.h"

struct frame {
	struct node *node;
	struct node **tail;
	struct node *key;    /* of a mapping: a key that waits for its value */
	struct node *merges; /* what stood under `<<`, in the order of priority */
	struct node **merges_tail;
};

struct reader {
	struct load *load;
	const struct libyaml *yaml;
	struct file *file;
	struct frame frames[TREE_MAX_DEPTH];
	uint32_t depth;
	struct table anchors;
	struct node *root;
	bool bad;
};

static struct plan_place place_of(const struct reader *reader, yaml_mark_t mark)
{
	return (struct plan_place){
		reader->file->path, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

static uint32_t width_of(const yaml_event_t *event)
{
	if (event->start_mark.line != event->end_mark.line ||
		event->end_mark.column <= event->start_mark.column)
		return 1;
	return (uint32_t)(event->end_mark.column - event->start_mark.column);
}

/* The last copy of a duplicate key is dropped, the first one stays. */
void node_put(struct load *load, struct node *map, struct node ***tail, struct node *child)
{
	void **at = table_at(&load->keys, map->index, child->key);

	if (!at) {
		load->failed = true;
		return;
	}
	if (*at) {
		const struct node *first = *at;
		struct diag *diag = fault_key(
			load, child, "E103", "`%s` is given twice", child->key);

		diag_note(load->diags, diag, first->key_at, "first here");
		return;
	}
	*at = child;
	**tail = child;
	*tail = &child->next;
	map->n++;
	map->weight += child->weight;
}

static void merge_one(struct reader *reader, struct frame *frame, const struct node *from)
{
	const struct node *child;
	struct node *copy;

	for (child = from->first; child; child = child->next) {
		if (table_get(&reader->load->keys, frame->node->index, child->key))
			continue;
		copy = node_copy(reader->load, child);
		if (!copy)
			return;
		copy->key = child->key;
		node_put(reader->load, frame->node, &frame->tail, copy);
	}
}

/* `<<: *a` or `<<: [*a, *b]`: what the mapping itself has wins, then the earlier one. */
static void merges_apply(struct reader *reader, struct frame *frame)
{
	struct node *merge, *item;

	for (merge = frame->merges; merge; merge = merge->next) {
		if (merge->kind == NODE_MAP)
			merge_one(reader, frame, merge);
		else if (merge->kind == NODE_SCALAR)
			(void)fault(reader->load, merge, "E204",
				"`<<` needs a mapping or a list of mappings");
		for (item = merge->kind == NODE_LIST ? merge->first : NULL; item; item = item->next) {
			if (item->kind == NODE_MAP)
				merge_one(reader, frame, item);
			else
				(void)fault(reader->load, item, "E204",
					"`<<` needs mappings, and this is %s",
					node_kind_text(item));
		}
	}
}

static void key_begin(struct reader *reader, struct frame *frame, struct node *node)
{
	if (node->kind != NODE_SCALAR) {
		(void)fault(reader->load, node, "E204", "a key must be text, and this is %s",
			node_kind_text(node));
		reader->bad = true;
		return;
	}
	frame->key = node;
}

/* Puts a whole node where it belongs: in the list, under the key that waits, or as the root. */
static void node_place(struct reader *reader, struct node *node)
{
	struct frame *frame = reader->depth ? &reader->frames[reader->depth - 1] : NULL;
	const struct node *key = frame ? frame->key : NULL;

	if (!frame) {
		reader->root = node;
		return;
	}
	if (frame->node->kind == NODE_LIST) {
		*frame->tail = node;
		frame->tail = &node->next;
		frame->node->n++;
		frame->node->weight += node->weight;
		return;
	}
	if (!key) {
		key_begin(reader, frame, node);
		return;
	}
	frame->key = NULL;
	node->key = key->text;
	node->key_at = key->at;
	node->key_width = key->width;
	if (key->plain && strcmp(key->text, "<<") == 0) {
		*frame->merges_tail = node;
		frame->merges_tail = &node->next;
		return;
	}
	node_put(reader->load, frame->node, &frame->tail, node);
}

static bool expects_key(const struct reader *reader)
{
	const struct frame *frame = reader->depth ? &reader->frames[reader->depth - 1] : NULL;

	return frame && frame->node->kind == NODE_MAP && !frame->key;
}

static struct node *node_begin(struct reader *reader, enum node_kind kind, const yaml_event_t *event)
{
	struct node *node = node_new(reader->load, kind, place_of(reader, event->start_mark));

	if (node)
		node->width = width_of(event);
	return node;
}

static void tag_check(struct reader *reader, struct node *node, const yaml_char_t *tag)
{
	if (tag)
		(void)fault(reader->load, node, "E106", "tags (%s) are not supported",
			(const char *)tag);
}

static void anchor_set(struct reader *reader, struct node *node, const yaml_char_t *anchor)
{
	const char *name = anchor ? arena_strdup(reader->load->scratch, (const char *)anchor) : NULL;
	void **at = name ? table_at(&reader->anchors, NULL, name) : NULL;

	if (anchor && !at)
		reader->load->failed = true;
	else if (at)
		*at = node;
}

static void on_scalar(struct reader *reader, const yaml_event_t *event)
{
	struct node *node = node_begin(reader, NODE_SCALAR, event);
	const char *bytes = (const char *)event->data.scalar.value;
	bool one_line = event->start_mark.line == event->end_mark.line;

	if (!node)
		return;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->quoted = !node->plain && one_line &&
		event->data.scalar.style != YAML_LITERAL_SCALAR_STYLE &&
		event->data.scalar.style != YAML_FOLDED_SCALAR_STYLE;
	node->text = arena_strndup(reader->load->scratch, bytes, event->data.scalar.length);
	if (!node->text) {
		reader->load->failed = true;
		return;
	}
	if (strlen(node->text) != event->data.scalar.length)
		(void)fault(reader->load, node, "E104", "a NUL character");
	node->weight += (uint32_t)(event->data.scalar.length / NODE_BYTES);
	tag_check(reader, node, event->data.scalar.tag);
	anchor_set(reader, node, event->data.scalar.anchor);
	node_place(reader, node);
}

static void on_begin(struct reader *reader, enum node_kind kind, const yaml_event_t *event)
{
	bool is_map = kind == NODE_MAP;
	struct node *node = node_begin(reader, kind, event);
	struct frame *frame;

	if (!node)
		return;
	if (reader->depth == TREE_MAX_DEPTH || expects_key(reader)) {
		(void)fault(reader->load, node, reader->depth == TREE_MAX_DEPTH ? "E101" : "E204",
			reader->depth == TREE_MAX_DEPTH ? "more than %d levels deep"
							: "a key must be text",
			TREE_MAX_DEPTH);
		reader->bad = true;
		return;
	}
	tag_check(reader, node,
		is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag);
	anchor_set(reader, node,
		is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor);
	node->open = true;
	frame = &reader->frames[reader->depth++];
	*frame = (struct frame){.node = node};
	frame->tail = &node->first;
	frame->merges_tail = &frame->merges;
}

static void on_end(struct reader *reader)
{
	struct frame *frame = &reader->frames[reader->depth - 1];

	if (frame->node->kind == NODE_MAP)
		merges_apply(reader, frame);
	frame->node->open = false;
	reader->depth--;
	node_place(reader, frame->node);
}

static void on_alias(struct reader *reader, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	struct node *node = table_get(&reader->anchors, NULL, name);
	struct node *copy = node ? node_copy(reader->load, node)
				 : node_begin(reader, NODE_SCALAR, event);
	const char *why = NULL;

	if (!copy)
		return;
	if (!node)
		why = "there is no such anchor above";
	else if (node->open)
		why = "it contains itself";
	else if ((reader->load->alias_nodes += node->weight) > ALIAS_MAX_NODES)
		why = "with the aliases before it that makes more than 10000 nodes";
	if (why) {
		copy->at = place_of(reader, event->start_mark);
		copy->width = width_of(event);
		(void)fault(reader->load, copy, "E105", "cannot use `*%s`: %s", name, why);
		reader->bad = true;
		return;
	}
	node_place(reader, copy);
}

static void on_event(struct reader *reader, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		on_scalar(reader, event);
		break;
	case YAML_MAPPING_START_EVENT:
		on_begin(reader, NODE_MAP, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
		on_begin(reader, NODE_LIST, event);
		break;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		on_end(reader);
		break;
	case YAML_ALIAS_EVENT:
		on_alias(reader, event);
		break;
	case YAML_DOCUMENT_START_EVENT:
		if (!reader->root)
			break;
		(void)fault_at(reader->load, place_of(reader, event->start_mark), "E106",
			"a second document: a file of the tree is one");
		reader->bad = true;
		break;
	default:
		break;
	}
}

static void syntax_fault(struct reader *reader, const yaml_parser_t *parser)
{
	struct plan_place at = place_of(reader, parser->problem_mark);
	const char *problem = parser->problem ? parser->problem : "not YAML";
	uint32_t tab = file_tab_in_indent(reader->file, parser->problem_mark.line);
	struct diag *diag;

	if (parser->error == YAML_MEMORY_ERROR) {
		reader->load->failed = true;
		return;
	}
	if (tab) {
		at.column = tab;
		diag = fault_at(reader->load, at, "E102", "a tab in the indentation");
		diag_help(reader->load->diags, diag, "indent with spaces");
		return;
	}
	diag = fault_at(reader->load, at, "E101", "%s", problem);
	if (parser->context && parser->context_mark.line != parser->problem_mark.line)
		diag_note(reader->load->diags, diag, place_of(reader, parser->context_mark),
			"%s", parser->context);
}

static void events_read(struct reader *reader, yaml_parser_t *parser)
{
	yaml_event_type_t type = YAML_NO_EVENT;
	yaml_event_t event;

	while (type != YAML_STREAM_END_EVENT && !reader->bad && !reader->load->failed) {
		if (!reader->yaml->parser_parse(parser, &event)) {
			syntax_fault(reader, parser);
			reader->bad = true;
			return;
		}
		type = event.type;
		on_event(reader, &event);
		reader->yaml->event_delete(&event);
	}
}

/* The load's: for all that it reads. */
static const struct libyaml *library(struct load *load, const struct file *file)
{
	struct plan_place nowhere = {file->path, 0, 0};
	struct libyaml *yaml = load->libyaml;
	const char *why;

	if (yaml)
		return yaml;
	yaml = scratch_alloc(load, sizeof(*yaml));
	if (!yaml)
		return NULL;
	why = libyaml_open(yaml);
	if (why) {
		diag_help(load->diags,
			fault_at(load, nowhere, "E107",
				"the library that reads YAML cannot be loaded: %s", why),
			"install the package of libyaml");
		return NULL;
	}
	load->libyaml = yaml;
	return yaml;
}

struct node *yaml_read(struct load *load, struct file *file)
{
	const struct libyaml *yaml;
	struct reader *reader;
	yaml_parser_t parser;

	if (!file_is_text(load, file))
		return NULL;
	yaml = library(load, file);
	reader = yaml ? scratch_alloc(load, sizeof(*reader)) : NULL;
	if (!reader)
		return NULL;
	reader->load = load;
	reader->yaml = yaml;
	reader->file = file;
	if (!yaml->parser_initialize(&parser)) {
		load->failed = true;
		return NULL;
	}
	yaml->parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml->parser_set_input_string(&parser, (const unsigned char *)file->bytes, file->size);
	events_read(reader, &parser);
	yaml->parser_delete(&parser);
	table_done(&reader->anchors);
	return reader->bad || load->failed ? NULL : reader->root;
}
