/* SPDX-License-Identifier: MIT */
/* Show: the tree as effd understood it, value by value, with the place each came from. What a unit's environment holds is
 * shown only on demand, and only to those who could read it anyway. */
#include <string.h>

#include "control/methods.h"
#include "plan/fields.h"

static struct json *shown_place(const struct plan_place *at)
{
	struct json *place;

	if (!at->file || !at->line)
		return json_null();
	place = json_object();
	(void)json_set(place, "file", json_text(at->file));
	(void)json_set(place, "line", json_int(at->line));
	(void)json_set(place, "column", json_int(at->column));
	return place;
}

static bool field_is_secret(const char *name)
{
	static const char environment[] = "environment";

	return strncmp(name, environment, sizeof(environment) - 1) == 0;
}

static void value_add(struct json *values, const struct plan_value *value, bool secrets)
{
	const char *field = plan_field(value->field)->name;
	struct json *one = json_object();

	(void)json_set(one, "field", json_text(field));
	(void)json_set(one, "value",
		field_is_secret(field) && !secrets ? json_null() : json_text(value->text));
	(void)json_set(one, "source", json_text("file"));
	(void)json_set(one, "place", shown_place(&value->at));
	(void)json_add(values, one);
}

/* What holds where nobody said anything: fields that a unit of this kind does not have are left out. */
static const char *preset_of(enum field_id id, const struct plan_unit *spec)
{
	static const int kinds[] = {
		[PLAN_PROCESS] = PROCESS,
		[PLAN_FIBER] = FIBER,
		[PLAN_SUPERVISOR] = SUPERVISOR,
	};
	int kind = spec->index == 0 ? ROOT : kinds[spec->kind];
	const struct field *field = field_row(id);

	if (field->type == TYPE_SECTION || field->type == TYPE_LATER || !(field->kinds & kind))
		return NULL;
	return field_preset(id, spec);
}

static void preset_add(struct json *values, const char *name, const char *preset)
{
	struct json *one = json_object();

	(void)json_set(one, "field", json_text(name));
	(void)json_set(one, "value", json_text(preset));
	(void)json_set(one, "source", json_text("default"));
	(void)json_set(one, "place", json_null());
	(void)json_add(values, one);
}

struct showing {
	bool resolved, secrets;
};

static struct json *shown_values(const struct plan_unit *spec, struct showing how)
{
	struct json *values = json_array();
	uint32_t next = 0;

	/* Both are sorted by field. */
	for (uint32_t i = 0; i < plan_n_fields(); i++) {
		const char *preset = how.resolved ? preset_of((enum field_id)i, spec) : NULL;
		bool set = false;

		for (; next < spec->n_values && spec->values[next].field <= i; next++) {
			set = true;
			value_add(values, &spec->values[next], how.secrets);
		}
		if (!set && preset)
			preset_add(values, plan_field(i)->name, preset);
	}
	return values;
}

static struct json *shown_unit(const struct plan_unit *spec, struct showing how)
{
	static const char *const kinds[] = {
		[PLAN_PROCESS] = "process",
		[PLAN_FIBER] = "fiber",
		[PLAN_SUPERVISOR] = "supervisor",
	};
	struct json *shown = json_object();

	(void)json_set(shown, "name", json_text(spec->name));
	(void)json_set(shown, "kind", json_text(kinds[spec->kind]));
	(void)json_set(shown, "values", shown_values(spec, how));
	return shown;
}

/* effd's own settings stand with the root. */
static void daemon_values_add(struct json *root, const struct plan_daemon *daemon)
{
	struct json *values = json_get(root, "values");

	for (uint32_t i = 0; i < daemon->n_values; i++)
		value_add(values, &daemon->values[i], true);
}

void m_show(struct request *req)
{
	const struct plan *plan = req->tree->plan;
	const char *name = json_get_text(req->parameters, "unit", NULL);
	struct showing how = {
		.resolved = json_get_bool(req->parameters, "resolved", false),
		.secrets = json_get_bool(req->parameters, "values", false),
	};
	struct json *parameters, *units, *files;
	uint32_t from = name ? tree_index(req->tree, name) : 0;

	if (from == UINT32_MAX) {
		select_missing(req, name);
		return;
	}
	if (how.secrets && !access_is_self(&req->control->access, &req->conn->peer)) {
		request_fail(req, ERROR_PERMISSION_DENIED,
			"values of the environment are for root and effd's user");
		return;
	}
	parameters = json_object();
	units = json_array();
	files = json_array();
	for (uint32_t i = from; i < (name ? from + 1 : req->tree->n_units); i++) {
		struct json *shown = shown_unit(plan_unit(plan, i), how);

		if (i == 0)
			daemon_values_add(shown, plan_daemon(plan));
		(void)json_add(units, shown);
	}
	for (plan_strv file = plan_files(plan); file && *file; file++)
		(void)json_add(files, json_text(*file));
	(void)json_set(parameters, "name", json_text(plan_name(plan)));
	(void)json_set(parameters, "files", files);
	(void)json_set(parameters, "units", units);
	request_reply(req, parameters);
}
