/* SPDX-License-Identifier: MIT */
/* Show: the tree as effd understood it, value by value, with the place each came from. What a unit's environment holds is
 * shown only on demand, and only to those who could read it anyway. */
#include <stdio.h>
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

/* What is an environment, or has one in it. */
static bool value_is_secret(const struct plan_value *value)
{
	if (value->field == FIELD_TEMPLATE)
		return strstr(value->text, "environment") != NULL;
	return value->field == FIELD_ENVIRONMENT;
}

static void value_add(struct json *values, const struct plan_value *value, bool secrets)
{
	const char *field = plan_field(value->field)->name;
	struct json *one = json_object();

	(void)json_set(one, "field", json_text(field));
	(void)json_set(one, "value",
		value_is_secret(value) && !secrets ? json_null() : json_text(value->text));
	(void)json_set(one, "source", json_text("file"));
	(void)json_set(one, "place", shown_place(&value->at));
	(void)json_add(values, one);
}

struct showing {
	bool resolved, secrets;
	const struct control *control;
};

/* What comes from elsewhere when nobody says it. NULL: nothing does. */
static const char *derived(
	enum field_id id, const struct plan_unit *spec, struct showing how, char buf[16])
{
	const struct tree *t = how.control->tree;

	switch ((int)id) {
	case FIELD_NAME:
		return plan_name(t->plan);
	case FIELD_WORKING_DIR:
		return spec->working_dir;
	case FIELD_DAEMON_SOCKET:
		return how.control->listener.path;
	case FIELD_DAEMON_SOCKET_MODE:
		(void)snprintf(
			buf, 16, "%04o", (unsigned)control_socket_mode(plan_daemon(t->plan)));
		return buf;
	case FIELD_DAEMON_LOG_DIR:
		return t->world.log_dir;
	case FIELD_DAEMON_STATE_DIR:
		/* Nothing, as long as there is nothing to remember. */
		return t->world.state_dir;
	default:
		return NULL;
	}
}

/* What holds where nobody said anything: fields that a unit of this kind does not have are left out. */
static const char *preset_of(
	enum field_id id, const struct plan_unit *spec, struct showing how, char buf[16])
{
	static const int kinds[] = {
		[PLAN_PROCESS] = PROCESS,
		[PLAN_FIBER] = FIBER,
		[PLAN_SUPERVISOR] = SUPERVISOR,
	};
	int kind = spec->index == 0 ? ROOT : kinds[spec->kind];
	const struct field *field = field_row(id);
	const char *preset;

	if (field->type == TYPE_SECTION || !(field->kinds & kind) || !field_holds(id, spec))
		return NULL;
	preset = field_preset(id, spec);
	return preset ? preset : derived(id, spec, how, buf);
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

/* What stands in the files, sorted by field. */
struct given {
	const struct plan_value *values;
	uint32_t n, next;
};

/* Those of this field. Returns whether there was one. */
static bool given_add(struct json *values, struct given *given, uint32_t field, bool secrets)
{
	uint32_t from = given->next;

	while (given->next < given->n && given->values[given->next].field <= field)
		value_add(values, &given->values[given->next++], secrets);
	return given->next > from;
}

/* effd's own settings stand with the root. */
static struct json *shown_values(const struct plan_unit *spec, struct showing how)
{
	const struct plan_daemon *daemon = plan_daemon(how.control->tree->plan);
	struct given own = {spec->values, spec->n_values, 0},
		     effd = {daemon->values, spec->index == 0 ? daemon->n_values : 0, 0};
	struct json *values = json_array();
	char buf[16];

	for (uint32_t i = 0; i < plan_n_fields(); i++) {
		const char *preset = how.resolved ? preset_of((enum field_id)i, spec, how, buf)
						  : NULL;
		bool is_given = given_add(values, &own, i, how.secrets);

		is_given |= given_add(values, &effd, i, true);
		if (!is_given && preset)
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

void m_show(struct request *req)
{
	const struct plan *plan = req->tree->plan;
	const char *name = json_get_text(req->parameters, "unit", NULL);
	struct showing how = {
		.resolved = json_get_bool(req->parameters, "resolved", false),
		.secrets = json_get_bool(req->parameters, "values", false),
		.control = req->control,
	};
	struct json *parameters, *units, *files;
	uint32_t from = 0, n = req->tree->n_units;

	if (name && !plan_find_all(plan, name, &from, &n)) {
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
	for (uint32_t i = from; i < from + n; i++)
		(void)json_add(units, shown_unit(plan_unit(plan, i), how));
	for (plan_strv file = plan_files(plan); file && *file; file++)
		(void)json_add(files, json_text(*file));
	(void)json_set(parameters, "name", json_text(plan_name(plan)));
	(void)json_set(parameters, "files", files);
	(void)json_set(parameters, "units", units);
	request_reply(req, parameters);
}
