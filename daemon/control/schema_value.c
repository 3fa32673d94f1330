/* SPDX-License-Identifier: MIT */
/* Values of fields as JSON schema. A value that variables are filled into may be anything until then, so that all but a few
 * have a second form: a text with ${ in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/schema.h"

struct json *schema_ref(const char *kind, const char *name)
{
	struct json *ref = json_object();
	char path[96];

	(void)snprintf(path, sizeof(path), "#/$defs/%s.%s", kind, name);
	(void)json_set(ref, "$ref", json_text(path));
	return ref;
}

static void add_forms(struct json *forms, struct json *value)
{
	struct json *inner = json_take(value, "anyOf");

	if (!inner) {
		(void)json_add(forms, value);
		return;
	}
	for (struct json *form = json_first(inner); form; form = json_next(form))
		(void)json_add(forms, json_copy(form));
	json_free(inner);
	json_free(value);
}

struct json *schema_either(struct json *a, struct json *b)
{
	struct json *either = json_object(), *forms = json_array();

	add_forms(forms, a);
	add_forms(forms, b);
	(void)json_set(either, "anyOf", forms);
	return either;
}

struct json *schema_mapping(struct json *properties)
{
	struct json *mapping = json_object(), *others = json_object();

	(void)json_set(mapping, "type", json_text("object"));
	(void)json_set(mapping, "properties", properties);
	(void)json_set(others, "^x-", json_bool(true));
	(void)json_set(mapping, "patternProperties", others);
	(void)json_set(mapping, "additionalProperties", json_bool(false));
	return mapping;
}

static struct json *of_type(const char *type)
{
	struct json *value = json_object();

	(void)json_set(value, "type", json_text(type));
	return value;
}

/* A scalar of any kind is read as the text that it is written as. */
static struct json *text_of_any(int least)
{
	struct json *value = json_object(), *types = json_array();

	(void)json_add(types, json_text("string"));
	(void)json_add(types, json_text("number"));
	(void)json_add(types, json_text("boolean"));
	(void)json_set(value, "type", types);
	if (least)
		(void)json_set(value, "minLength", json_int(least));
	return value;
}

static struct json *text_like(const char *pattern)
{
	struct json *value = of_type("string");

	(void)json_set(value, "pattern", json_text(pattern));
	return value;
}

static struct json *number_from_to(const char *type, uint64_t least, uint64_t most)
{
	struct json *value = of_type(type);

	(void)json_set(value, "minimum", json_int((int64_t)least));
	if (most)
		(void)json_set(value, "maximum", json_int((int64_t)most));
	return value;
}

static struct json *constant(struct json *is)
{
	struct json *value = json_object();

	(void)json_set(value, "const", is);
	return value;
}

static struct json *list_of(struct json *item)
{
	struct json *list = of_type("array");

	(void)json_set(list, "items", item);
	return list;
}

static struct json *map_of(struct json *value, const char *names)
{
	struct json *map = of_type("object");

	if (names)
		(void)json_set(map, "propertyNames", text_like(names));
	(void)json_set(map, "additionalProperties", value);
	return map;
}

/* The types whose values are alike wherever they stand. */
static const struct {
	enum field_type type;
	const char *name;
} shared[] = {
	{TYPE_TEXT, "text"},
	{TYPE_NAME, "name"},
	{TYPE_PATH, "name"},
	{TYPE_REFERENCE, "name"},
	{TYPE_BOOL, "bool"},
	{TYPE_LIMIT, "limit"},
	{TYPE_RATIO, "ratio"},
	{TYPE_SIZE, "size"},
	{TYPE_SIGNAL, "signal"},
	{TYPE_MODE, "mode"},
	{TYPE_PORT, "port"},
	{TYPE_STATUS, "status"},
	{TYPE_CRON, "name"},
	{TYPE_COMMAND, "command"},
	{TYPE_SHELL, "name"},
	{TYPE_ENDS, "ends"},
	{TYPE_READERS, "names"},
	{TYPE_NAMES, "names"},
	{TYPE_REFERENCES, "names"},
	{TYPE_TEXTS, "names"},
	{TYPE_FOLDERS, "names"},
	{TYPE_PATHS, "names"},
	{TYPE_CALLS, "names"},
	{TYPE_CAPABILITIES, "names"},
	{TYPE_CPUS, "names"},
	{TYPE_ENV_FILES, "names"},
	{TYPE_RAW, "names"}, /* include; the others have schemas of their own */
	{TYPE_LISTEN, "listen"},
	{TYPE_SOCKETS, "names"},
	{TYPE_SIGNALS, "signals"},
	{TYPE_LABELS, "labels"},
	{TYPE_ENVIRONMENT, "environment"},
	{TYPE_WITH, "with"},
};

static void define(struct json *defs, const char *name, struct json *value)
{
	char key[64];

	(void)snprintf(key, sizeof(key), "value.%s", name);
	(void)json_set(defs, key, value);
}

static struct json *or_filled(struct json *value)
{
	return schema_either(value, schema_ref("value", "filled"));
}

static void define_numbers(struct json *defs)
{
	define(defs, "limit",
		or_filled(schema_either(number_from_to("integer", 0, 1000000000),
			constant(json_text("infinity")))));
	define(defs, "ratio",
		or_filled(schema_either(
			number_from_to("number", 0, 1), text_like("^[0-9]+(\\.[0-9]+)?%?$"))));
	define(defs, "duration",
		or_filled(schema_either(constant(json_int(0)),
			text_like("^(0|infinity|([0-9]+(\\.[0-9]+)?(us|ms|s|min|m|h|d|w))+)$"))));
	define(defs, "size",
		or_filled(schema_either(constant(json_int(0)),
			text_like("^(0|[0-9]+(\\.[0-9]+)?(B|KiB|MiB|GiB|kB|MB|GB))$"))));
	define(defs, "signal",
		or_filled(schema_either(number_from_to("integer", 1, 64),
			text_like("^([1-9][0-9]?|(SIG)?[A-Z]+[12]?([+-][0-9]+)?)$"))));
	define(defs, "mode", or_filled(text_like("^[0-7]{1,5}$")));
	define(defs, "port",
		or_filled(schema_either(
			number_from_to("integer", 1, 65535), text_like("^[1-9][0-9]{0,4}$"))));
	define(defs, "status",
		or_filled(schema_either(number_from_to("integer", 100, 599),
			text_like("^[1-5][0-9]{2}(-[1-5][0-9]{2})?$"))));
}

static void define_lists(struct json *defs)
{
	struct json *arguments = list_of(text_of_any(0));
	struct json *end = schema_either(number_from_to("integer", 0, 255), text_of_any(1));
	struct json *same = json_copy(end);
	struct json *signals = map_of(or_filled(text_like("^(stop|reload|ignore|forward:.+)$")),
		"^(x-.*|[1-9][0-9]?|(SIG)?[A-Z]+[12]?([+-][0-9]+)?)$");
	struct json *others = json_object();

	(void)json_set(arguments, "minItems", json_int(1));
	define(defs, "command", schema_either(text_of_any(1), arguments));
	define(defs, "ends", schema_either(same, list_of(end)));
	define(defs, "names", schema_either(text_of_any(0), list_of(text_of_any(0))));
	(void)json_set(others, "^x-", json_bool(true));
	(void)json_set(signals, "patternProperties", others);
	define(defs, "listen", or_filled(text_like("^((tcp|udp):.+:[0-9]+|unix:[^@].*)$")));
	define(defs, "signals", signals);
	define(defs, "labels", map_of(text_of_any(0), "^[A-Za-z0-9_./-]+$"));
	define(defs, "environment", map_of(text_of_any(0), "^[^=]+$"));
	define(defs, "with", of_type("object"));
}

struct json *schema_values(void)
{
	struct json *defs = json_object();

	define(defs, "filled", text_like("\\$\\{"));
	define(defs, "text", text_of_any(0));
	define(defs, "name", text_of_any(1));
	define(defs, "bool", or_filled(of_type("boolean")));
	define_numbers(defs);
	define_lists(defs);
	return defs;
}

/* Only what works. The word null is YAML's own as well. */
static struct json *words_of(const struct field *field)
{
	struct json *value = json_object(), *all = json_array();
	const char *words = field->words;
	struct word word;

	while (word_next(&words, &word)) {
		char text[64];

		if (word.len >= sizeof(text))
			continue;
		memcpy(text, word.text, word.len);
		text[word.len] = '\0';
		(void)json_add(all, json_text(text));
		if (strcmp(text, "null") == 0)
			(void)json_add(all, json_null());
	}
	(void)json_set(value, "enum", all);
	return or_filled(value);
}

static struct json *target_of(const struct field *field)
{
	struct json *keys = json_object(), *required = json_array(), *file;

	file = schema_ref("value", "name");
	(void)json_set(file, "description", json_text("the path of the file"));
	(void)json_set(keys, "file", file);
	(void)json_add(required, json_text("file"));
	file = schema_mapping(keys);
	(void)json_set(file, "required", required);
	return schema_either(words_of(field), file);
}

/* A duration that must not be 0. */
static struct json *but_zero(struct json *value)
{
	struct json *both = json_object(), *parts = json_array(), *zero = json_object(),
		    *zeros = json_array(), *not = json_object();

	(void)json_add(zeros, json_int(0));
	(void)json_add(zeros, json_text("0"));
	(void)json_set(zero, "enum", zeros);
	(void)json_set(not, "not", zero);
	(void)json_add(parts, value);
	(void)json_add(parts, not );
	(void)json_set(both, "allOf", parts);
	return both;
}

static struct json *half_of(const struct json *value, const char *help)
{
	struct json *half = json_copy(value);

	(void)json_set(half, "description", json_text(help));
	return half;
}

/* A limit of a resource: a value for both, or {soft, hard}. */
static struct json *rlimit_of(const struct field *field)
{
	struct json *value, *halves = json_object();

	if (field->type == TYPE_RLIMIT_TIME)
		value = schema_ref("value", "duration");
	else if (field->type == TYPE_RLIMIT_SIZE)
		value = schema_either(schema_ref("value", "size"), constant(json_text("infinity")));
	else
		value = or_filled(schema_either(number_from_to("integer", 0, field->max),
			constant(json_text("infinity"))));
	(void)json_set(halves, "soft",
		half_of(value, "what holds; the process may raise it to the hard one"));
	(void)json_set(halves, "hard", half_of(value, "what the process may not go beyond"));
	return schema_either(value, schema_mapping(halves));
}

struct json *schema_value(const struct field *field)
{
	switch (field->type) {
	case TYPE_WORD:
	case TYPE_CHOICE:
		return words_of(field);
	case TYPE_TARGET:
		return target_of(field);
	case TYPE_RLIMIT_COUNT:
	case TYPE_RLIMIT_SIZE:
	case TYPE_RLIMIT_TIME:
		return rlimit_of(field);
	case TYPE_INTEGER:
	case TYPE_COUNT:
		return or_filled(number_from_to("integer", field->min, field->max));
	case TYPE_NUMBER:
		return or_filled(number_from_to("number", field->min, field->max));
	case TYPE_DURATION:
		return field->min ? but_zero(schema_ref("value", "duration"))
				  : schema_ref("value", "duration");
	default:
		break;
	}
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		if (shared[i].type == field->type)
			return schema_ref("value", shared[i].name);
	return json_object(); /* anything */
}
