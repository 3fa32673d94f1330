/* SPDX-License-Identifier: MIT */
/* A struct json is a cJSON node under another name. What could not be allocated turns the node that was to hold it into
 * one of no type: cJSON frees such a node like any other and refuses to print it or anything that has it inside. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/text.h"
#include "wire/escape.h"
#include "wire/json.h"
#include "wire/json_scan.h"

#define EXACT_MAX 9007199254740992.0 /* 2^53 */
/* Objects up to this size are compared key by key, without memory. */
#define FEW_KEYS 32

/* cJSON reads through pointers that may write. */
static cJSON *node(const struct json *value)
{
	union {
		const struct json *value;
		cJSON *item;
	} same = {.value = value};

	return same.item;
}

static struct json *value_of(cJSON *item)
{
	return (struct json *)item;
}

static int type_of(const cJSON *item)
{
	return item ? item->type & 0xff : cJSON_Invalid;
}

void json_free(struct json *value)
{
	cJSON_Delete(node(value));
}

/* A key, and where it stands in its object. */
struct place {
	const char *key;
	cJSON *item;
	size_t index;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a;
	const struct place *y = b;
	int r = strcmp(x->key, y->key);

	return r ? r : (x->index > y->index) - (x->index < y->index);
}

/* One of 64, by the bytes of a key. */
static unsigned key_mark(const char *key)
{
	unsigned sum = 0;

	for (; *key; key++)
		sum = sum * 31 + (unsigned char)*key;
	return (sum ^ sum >> 6) % 64;
}

/* Keys of different marks are different: most need not be compared. */
static cJSON *repeated_of_few(cJSON *object)
{
	uint64_t marks = 0;

	for (cJSON *item = object->child; item; item = item->next) {
		uint64_t mark = UINT64_C(1) << key_mark(item->string);

		for (cJSON *before = object->child; (marks & mark) && before != item;
			before = before->next) {
			if (!strcmp(before->string, item->string))
				return item;
		}
		marks |= mark;
	}
	return NULL;
}

/* The first member of a big object whose key stood there before. Returns 0 or -ENOMEM. */
static int repeated_of_many(cJSON *object, size_t n, cJSON **ret_item)
{
	struct place *places = alloc_new(n * sizeof(*places));
	size_t first = SIZE_MAX;
	size_t i = 0;

	if (!places)
		return -ENOMEM;
	for (cJSON *item = object->child; item; item = item->next, i++)
		places[i] = (struct place){item->string, item, i};
	qsort(places, n, sizeof(*places), compare_places);
	for (i = 1; i < n; i++) {
		if (places[i].index < first && !strcmp(places[i - 1].key, places[i].key)) {
			first = places[i].index;
			*ret_item = places[i].item;
		}
	}
	free(places);
	return 0;
}

/* Returns 0, *ret_item being the first member whose key stood there before, if any; or -ENOMEM. */
static int object_find_repeated(cJSON *object, cJSON **ret_item)
{
	size_t n = json_count(value_of(object));

	if (n > FEW_KEYS)
		return repeated_of_many(object, n, ret_item);
	*ret_item = repeated_of_few(object);
	return 0;
}

/* The next node of a document in the order of its text. `above` are the nodes that lead to it. */
static cJSON *walk_next(cJSON *item, cJSON **above, unsigned *depth)
{
	if (item->child) {
		above[(*depth)++] = item;
		return item->child;
	}
	while (!item->next && *depth)
		item = above[--*depth];
	return item->next;
}

/* How many keys come before that of `member`. */
static size_t count_keys_before(cJSON *document, const cJSON *member)
{
	cJSON *above[JSON_MAX_DEPTH + 1];
	unsigned depth = 0;
	size_t n = 0;

	for (cJSON *item = document; item != member; item = walk_next(item, above, &depth))
		n += item->string != NULL;
	return n;
}

static int find_repeated(cJSON *document, cJSON **ret_item)
{
	cJSON *above[JSON_MAX_DEPTH + 1];
	unsigned depth = 0;

	*ret_item = NULL;
	for (cJSON *item = document; item; item = walk_next(item, above, &depth)) {
		int r = cJSON_IsObject(item) ? object_find_repeated(item, ret_item) : 0;

		if (r < 0 || *ret_item)
			return r;
	}
	return 0;
}

int json_parse(const char *text, size_t len, size_t max_values, struct json **ret,
	struct json_error *error)
{
	struct json_error unused;
	cJSON *document;
	cJSON *repeated;
	int r;

	if (!error)
		error = &unused;
	r = json_scan(text, len, max_values, error);
	if (r < 0)
		return r;
	document = alloc_fails() ? NULL : cJSON_ParseWithLength(text, len);
	if (!document)
		return -ENOMEM;
	r = find_repeated(document, &repeated);
	if (!r && repeated) {
		error->offset = json_scan_key(text, len, count_keys_before(document, repeated));
		error->what = "a key twice";
		r = -EBADMSG;
	}
	if (r < 0)
		cJSON_Delete(document);
	else
		*ret = value_of(document);
	return r;
}

struct json *json_object(void)
{
	return alloc_fails() ? NULL : value_of(cJSON_CreateObject());
}

struct json *json_array(void)
{
	return alloc_fails() ? NULL : value_of(cJSON_CreateArray());
}

struct json *json_text(const char *text)
{
	return text ? json_text_bytes(text, strlen(text)) : json_null();
}

struct json *json_text_bytes(const char *bytes, size_t len)
{
	struct text copy = {0};
	struct json *value;

	escape_no_utf8(&copy, bytes, len);
	value = copy.failed ? NULL : value_of(cJSON_CreateString(copy.len ? copy.bytes : ""));
	text_done(&copy);
	return value;
}

struct json *json_number(double number)
{
	if (!isfinite(number))
		return json_null();
	return alloc_fails() ? NULL : value_of(cJSON_CreateNumber(number));
}

struct json *json_int(int64_t number)
{
	return json_number((double)number);
}

struct json *json_bool(bool yes)
{
	return alloc_fails() ? NULL : value_of(cJSON_CreateBool(yes));
}

struct json *json_null(void)
{
	return alloc_fails() ? NULL : value_of(cJSON_CreateNull());
}

struct json *json_raw(const char *text)
{
	return alloc_fails() ? NULL : value_of(cJSON_CreateRaw(text));
}

/* The type goes, the flags that say who owns its key stay. */
static int mark(cJSON *whole, cJSON *part)
{
	cJSON_Delete(part);
	if (whole)
		whole->type &= ~0xff;
	return -ENOMEM;
}

int json_set(struct json *object, const char *key, struct json *value)
{
	cJSON *whole = node(object);
	cJSON *part = node(value);

	if (!cJSON_IsObject(whole) || type_of(part) == cJSON_Invalid)
		return mark(whole, part);
	if (alloc_fails() || !cJSON_AddItemToObject(whole, key, part))
		return mark(whole, part);
	return 0;
}

int json_add(struct json *array, struct json *value)
{
	cJSON *whole = node(array);
	cJSON *part = node(value);

	if (!cJSON_IsArray(whole) || type_of(part) == cJSON_Invalid)
		return mark(whole, part);
	return cJSON_AddItemToArray(whole, part) ? 0 : mark(whole, part);
}

struct json *json_take(struct json *object, const char *key)
{
	struct json *value = json_get(object, key);

	return value ? value_of(cJSON_DetachItemViaPointer(node(object), node(value))) : NULL;
}

struct json *json_copy(const struct json *value)
{
	return alloc_fails() ? NULL : value_of(cJSON_Duplicate(node(value), true));
}

enum json_type json_type(const struct json *value)
{
	switch (type_of(node(value))) {
	case cJSON_False:
	case cJSON_True:
		return JSON_BOOL;
	case cJSON_NULL:
		return JSON_NULL;
	case cJSON_Number:
		return JSON_NUMBER;
	case cJSON_String:
		return JSON_TEXT;
	case cJSON_Array:
		return JSON_ARRAY;
	case cJSON_Object:
		return JSON_OBJECT;
	default:
		return JSON_NONE;
	}
}

struct json *json_get(const struct json *object, const char *key)
{
	if (json_type(object) != JSON_OBJECT)
		return NULL;
	return value_of(cJSON_GetObjectItemCaseSensitive(node(object), key));
}

const char *json_as_text(const struct json *value)
{
	return json_type(value) == JSON_TEXT ? node(value)->valuestring : NULL;
}

const char *json_get_text(const struct json *object, const char *key, const char *otherwise)
{
	const char *text = json_as_text(json_get(object, key));

	return text ? text : otherwise;
}

double json_get_number(const struct json *object, const char *key, double otherwise)
{
	const struct json *value = json_get(object, key);

	return json_type(value) == JSON_NUMBER ? node(value)->valuedouble : otherwise;
}

int64_t json_get_int(const struct json *object, const char *key, int64_t otherwise)
{
	double number = json_get_number(object, key, NAN);

	if (!(fabs(number) <= EXACT_MAX) || (double)(int64_t)number != number)
		return otherwise;
	return (int64_t)number;
}

bool json_get_bool(const struct json *object, const char *key, bool otherwise)
{
	const struct json *value = json_get(object, key);

	return json_type(value) == JSON_BOOL ? cJSON_IsTrue(node(value)) : otherwise;
}

struct json *json_first(const struct json *whole)
{
	return whole ? value_of(node(whole)->child) : NULL;
}

struct json *json_next(const struct json *value)
{
	return value ? value_of(node(value)->next) : NULL;
}

const char *json_key(const struct json *value)
{
	return value ? node(value)->string : NULL;
}

size_t json_count(const struct json *whole)
{
	size_t n = 0;

	for (const struct json *value = json_first(whole); value; value = json_next(value))
		n++;
	return n;
}

char *json_print(const struct json *value)
{
	return value && !alloc_fails() ? cJSON_PrintUnformatted(node(value)) : NULL;
}

char *json_print_pretty(const struct json *value)
{
	return value && !alloc_fails() ? cJSON_Print(node(value)) : NULL;
}
