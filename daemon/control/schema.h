/* SPDX-License-Identifier: MIT */
/* The tree's JSON schema (2020-12), from the table of fields: what editors complete and check a tree by while it is
 * written. It is a little wider than the checker: it does not know what other units and other fields say. */
#ifndef EFFD_CONTROL_SCHEMA_H
#define EFFD_CONTROL_SCHEMA_H

#include "plan/fields.h"
#include "wire/json.h"

/* What `$defs` has for each type of value; and a reference to one of them. */
struct json *schema_values(void);
/* What a value of this field may be. */
struct json *schema_value(const struct field *field);
/* {"$ref": "#/$defs/KIND.NAME"} */
struct json *schema_ref(const char *kind, const char *name);
/* {"anyOf": [a, b]}; of one that is such itself its forms. */
struct json *schema_either(struct json *a, struct json *b);
/* A mapping of these keys alone, and of any that begin with x-. */
struct json *schema_mapping(struct json *properties);

/* The whole. NULL when out of memory. */
struct json *schema_tree(void);

#endif
