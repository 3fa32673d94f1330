/* SPDX-License-Identifier: MIT */
/* The tree as JSON schema: each field once under `$defs`, and what the root, a supervisor, a process, a fiber and `defaults`
 * may have of them. What a unit is its own keys tell; one that inherits it may have the fields of any. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "control/schema.h"

static bool is_top(const struct field *field)
{
	return !field_section(field);
}

static bool is_below(const struct field *field, const struct field *section)
{
	return field_section(field) == section;
}

static const struct {
	const char *name, *absent;
} pages[] = {
#define MANUAL(name, absent, example) {name, absent},
#include "plan/manual.def"
#undef MANUAL
};

static const char *absent_of(const struct field *field)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (strcmp(pages[i].name, field->face.name) == 0)
			return pages[i].absent;
	return NULL;
}

/* What an editor shows: what it is, what holds without it, what a change of it does. */
static struct json *description_of(const struct field *field)
{
	static const char *const effects[] = {
		[PLAN_LIVE] = "takes hold at once",
		[PLAN_RESTART] = "restarts the unit",
		[PLAN_INSTANCES] = "adds or takes away instances",
		[PLAN_EFFD] = "waits for the next start of effd",
	};
	const char *absent = absent_of(field);
	struct json *description;
	struct text text = {0};

	text_add(&text, field->face.help);
	if (absent)
		text_printf(&text, "; if not given: %s", absent);
	if (field->type != TYPE_SECTION)
		text_printf(&text, "; a change of it %s", effects[field->face.effect]);
	description = text.failed ? NULL : json_text(text.bytes);
	text_done(&text);
	return description;
}

/* "[0]", "[PATH, HOME]" */
static struct json *list_preset(const char *preset)
{
	struct json *list = json_array();
	char item[64];

	for (preset++; *preset && *preset != ']'; preset += strspn(preset, ", ")) {
		size_t len = strcspn(preset, ",]");

		(void)snprintf(item, sizeof(item), "%.*s", (int)len, preset);
		(void)json_add(list,
			strspn(item, "0123456789") == len ? json_number(strtod(item, NULL))
							  : json_text(item));
		preset += len;
	}
	return list;
}

/* The default is an annotation: as one would write it. */
static void annotate(struct json *value, const struct field *field)
{
	const char *preset = field->face.preset;

	(void)json_set(value, "description", description_of(field));
	if (!preset || *preset == '{')
		return;
	if (*preset == '[')
		(void)json_set(value, "default", list_preset(preset));
	else if (field->type == TYPE_BOOL)
		(void)json_set(value, "default", json_bool(strcmp(preset, "true") == 0));
	else if (field->type == TYPE_COUNT || field->type == TYPE_NUMBER)
		(void)json_set(value, "default", json_number(strtod(preset, NULL)));
	else
		(void)json_set(value, "default", json_text(preset));
}

static struct json *field_schema(const struct field *field);

/* NOLINTNEXTLINE(misc-no-recursion): as deep as sections are in sections. */
static struct json *keys_below(const struct field *section)
{
	struct json *keys = json_object();

	for (enum field_id id = 0; id < N_FIELDS; id++) {
		const struct field *field = field_row(id);

		if (is_below(field, section))
			(void)json_set(keys, field_key(field), field_schema(field));
	}
	return keys;
}

/* A dependency without more to say about it is null. */
/* NOLINTNEXTLINE(misc-no-recursion): its keys are no sections. */
static struct json *needs_schema(const struct field *field)
{
	struct json *map = json_object(), *list = json_object(), *nothing = json_object();

	(void)json_set(nothing, "type", json_text("null"));
	(void)json_set(map, "type", json_text("object"));
	(void)json_set(map, "additionalProperties",
		schema_either(nothing, schema_mapping(keys_below(field))));
	(void)json_set(list, "type", json_text("array"));
	(void)json_set(list, "items", schema_ref("value", "name"));
	return schema_either(list, map);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as sections are in sections. */
static struct json *section_schema(const struct field *field)
{
	struct json *mapping = schema_mapping(keys_below(field));

	if (field->short_form == FIELD_NONE)
		return mapping;
	return schema_either(schema_value(field_row(field->short_form)), mapping);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as sections are in sections. */
static struct json *field_schema(const struct field *field)
{
	struct json *value;

	if (field->type == TYPE_SECTION)
		value = section_schema(field);
	else if (field->type == TYPE_NEEDS)
		value = needs_schema(field);
	else if (field_id(field) == FIELD_UNITS)
		value = schema_ref("unit", "s");
	else if (field_id(field) == FIELD_DEFAULTS)
		value = schema_ref("unit", "defaults");
	else if (field_id(field) == FIELD_TEMPLATE)
		value = schema_ref("unit", "template");
	else
		value = schema_value(field);
	annotate(value, field);
	return value;
}

/* What the root says of a socket; units name it. */
static void define_sockets(struct json *defs)
{
	struct json *map = json_object(), *names = json_object(), *required = json_array(),
		    *one, *others = json_object();

	one = schema_mapping(keys_below(field_row(FIELD_SOCKETS)));
	(void)json_add(required, json_text("listen"));
	(void)json_set(one, "required", required);
	(void)json_set(names, "pattern", json_text("^([A-Za-z0-9][A-Za-z0-9_.-]{0,62}|x-.*)$"));
	(void)json_set(others, "^x-", json_bool(true));
	(void)json_set(map, "type", json_text("object"));
	(void)json_set(map, "propertyNames", names);
	(void)json_set(map, "patternProperties", others);
	(void)json_set(map, "additionalProperties", one);
	(void)json_set(map, "description", json_text(field_row(FIELD_SOCKETS)->face.help));
	(void)json_set(defs, "sockets.all", map);
}

static void define_fields(struct json *defs)
{
	for (enum field_id id = 0; id < N_FIELDS; id++) {
		const struct field *field = field_row(id);
		char key[64];

		if (!is_top(field))
			continue;
		(void)snprintf(key, sizeof(key), "field.%s", field->face.name);
		(void)json_set(defs, key, field_schema(field));
	}
}

/* What may be given to some kinds of units; `defaults` holds no units, nor what is for them. */
static struct json *kind_schema(int kinds)
{
	bool is_defaults = kinds == ANY_UNIT;
	struct json *keys = json_object();

	for (enum field_id id = 0; id < N_FIELDS; id++) {
		const struct field *field = field_row(id);

		if (is_top(field) && (field->kinds & kinds) &&
			!(is_defaults &&
				(id == FIELD_UNITS || id == FIELD_DEFAULTS || id == FIELD_TEMPLATE)))
			(void)json_set(keys, field->face.name,
				kinds == ROOT && id == FIELD_SOCKETS
					? schema_ref("sockets", "all")
					: schema_ref("field", field->face.name));
	}
	return schema_mapping(keys);
}

/* It has one of the two; `b` may be NULL. */
static struct json *when_has(const char *a, const char *b)
{
	struct json *when = json_object(), *forms = json_array();
	const char *const keys[] = {a, b};

	for (size_t i = 0; i < 2 && keys[i]; i++) {
		struct json *has = json_object(), *required = json_array();

		(void)json_add(required, json_text(keys[i]));
		(void)json_set(has, "required", required);
		(void)json_add(forms, has);
	}
	(void)json_set(when, "anyOf", forms);
	return when;
}

static struct json *decide(struct json *when, struct json *then, struct json *otherwise)
{
	struct json *choice = json_object();

	(void)json_set(choice, "if", when);
	(void)json_set(choice, "then", then);
	(void)json_set(choice, "else", otherwise);
	return choice;
}

/* A unit, told by what it has; `otherwise`, when that tells nothing. */
static struct json *unit_schema(struct json *otherwise)
{
	struct json *unit = decide(
		when_has("command", "shell"), schema_ref("unit", "process"), otherwise);

	unit = decide(when_has("fiber", NULL), schema_ref("unit", "fiber"), unit);
	return decide(when_has("units", "template"), schema_ref("unit", "supervisor"), unit);
}

static void define_units(struct json *defs)
{
	struct json *unit = unit_schema(schema_ref("unit", "any"));
	struct json *units = json_object(), *names = json_object(), *inherits = json_object();

	(void)json_set(inherits, "type", json_text("null"));
	unit = schema_either(inherits, unit);
	(void)json_set(defs, "unit.supervisor", kind_schema(SUPERVISOR));
	(void)json_set(defs, "unit.process", kind_schema(PROCESS));
	(void)json_set(defs, "unit.fiber", kind_schema(FIBER));
	(void)json_set(defs, "unit.any", kind_schema(RUNS));
	(void)json_set(defs, "unit.defaults", kind_schema(ANY_UNIT));
	(void)json_set(defs, "unit.one", unit);
	(void)json_set(defs, "unit.template", unit_schema(schema_ref("unit", "defaults")));
	(void)json_set(units, "type", json_text("object"));
	(void)json_set(names, "pattern", json_text("^([A-Za-z0-9][A-Za-z0-9_.-]{0,62}|x-.*)$"));
	(void)json_set(units, "propertyNames", names);
	(void)json_set(units, "additionalProperties", schema_ref("unit", "one"));
	(void)json_set(defs, "unit.s", units);
}

struct json *schema_tree(void)
{
	struct json *tree = json_object(), *defs = schema_values(), *required = json_array();
	struct json *root;

	define_fields(defs);
	define_sockets(defs);
	define_units(defs);
	root = kind_schema(ROOT);
	(void)json_add(required, json_text("version"));
	(void)json_set(root, "required", required);
	(void)json_set(defs, "unit.root", root);
	(void)json_set(tree, "$schema", json_text("https://json-schema.org/draft/2020-12/schema"));
	(void)json_set(tree, "title", json_text("A tree of effd"));
	(void)json_set(tree, "$ref", json_text("#/$defs/unit.root"));
	(void)json_set(tree, "$defs", defs);
	return tree;
}
