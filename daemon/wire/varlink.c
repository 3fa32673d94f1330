/* SPDX-License-Identifier: MIT */
/* The tables of methods and errors as data, the check of parameters against them, and calls and replies as documents. A
 * call is taken strictly: a key that nobody knows is a mistake of the caller's that should not pass for something else. */
#include <errno.h>
#include <string.h>

#include "wire/varlink.h"
#include "wire/varlink_fields.h"

enum parameter_type { TEXT, TEXTS, INT, NUMBER, BOOL };

struct parameter {
	enum method method;
	const char *name;
	enum parameter_type type;
	bool needed;
};

static const struct method_row methods[METHOD_N] = {
#define METHOD(symbol, name, who, how, returns, help) \
	[METHOD_##symbol] = {name, METHOD_##who, METHOD_##how, returns, help},
#define PARAMETER(symbol, name, type, needed)
#include "wire/methods.def"
#undef PARAMETER
#undef METHOD
};

static const struct parameter known[] = {
#define METHOD(symbol, name, who, how, returns, help)
#define PARAMETER(symbol, name, type, needed) {METHOD_##symbol, name, type, needed},
#include "wire/methods.def"
#undef PARAMETER
#undef METHOD
};

#define N_PARAMETERS (sizeof(known) / sizeof(*known))

static const struct error_row errors[ERROR_N] = {
#define ERROR(symbol, name, exit_code, parameters, text) \
	[ERROR_##symbol] = {EFFD_INTERFACE "." name, exit_code, text},
#include "wire/errors.def"
#undef ERROR
};

const struct method_row *method_row(enum method method)
{
	return &methods[method];
}

int method_find(const char *name)
{
	for (int i = 0; i < METHOD_N; i++) {
		if (!strcmp(methods[i].name, name))
			return i;
	}
	return -ENOENT;
}

const struct error_row *error_row(enum control_error error)
{
	return &errors[error];
}

int error_find(const char *name)
{
	for (int i = 0; i < ERROR_N; i++) {
		if (!strcmp(errors[i].name, name))
			return i;
	}
	return -ENOENT;
}

static bool all_texts(const struct json *value)
{
	if (json_type(value) != JSON_ARRAY)
		return false;
	for (const struct json *v = json_first(value); v; v = json_next(v)) {
		if (json_type(v) != JSON_TEXT)
			return false;
	}
	return true;
}

static bool fits(const struct json *whole, const struct json *value, enum parameter_type type)
{
	switch (type) {
	case TEXT:
		return json_type(value) == JSON_TEXT;
	case TEXTS:
		return all_texts(value);
	case INT:
		return json_get_int(whole, json_key(value), -1) >= 0;
	case NUMBER:
		return json_get_number(whole, json_key(value), -1) >= 0;
	default:
		return json_type(value) == JSON_BOOL;
	}
}

static bool given_right(enum method method, const struct json *parameters, const struct json *value)
{
	for (size_t i = 0; i < N_PARAMETERS; i++) {
		if (known[i].method == method && !strcmp(known[i].name, json_key(value)))
			return json_type(value) == JSON_NULL ||
				fits(parameters, value, known[i].type);
	}
	return false;
}

int method_check(enum method method, const struct json *parameters, const char **ret_parameter)
{
	for (const struct json *value = json_first(parameters); value; value = json_next(value)) {
		if (!given_right(method, parameters, value)) {
			*ret_parameter = json_key(value);
			return -EINVAL;
		}
	}
	for (size_t i = 0; i < N_PARAMETERS; i++) {
		const struct parameter *p = &known[i];

		if (p->method != method || !p->needed)
			continue;
		if (json_type(json_get(parameters, p->name)) <= JSON_NULL) {
			*ret_parameter = p->name;
			return -EINVAL;
		}
	}
	return 0;
}

/* What is wrong with a member of a call; NULL: nothing. */
static const char *call_take(struct call *call, struct json *value)
{
	const char *key = json_key(value);
	enum json_type type = json_type(value);

	if (!strcmp(key, "method")) {
		call->method = json_as_text(value);
		return call->method ? NULL : "`method` must be a text";
	}
	if (!strcmp(key, "parameters")) {
		call->parameters = type == JSON_OBJECT ? value : NULL;
		return type == JSON_OBJECT || type == JSON_NULL ? NULL
								: "`parameters` must be an object";
	}
	if (!strcmp(key, "more")) {
		call->more = json_get_bool(call->document, key, false);
		return type == JSON_BOOL ? NULL : "`more` must be true or false";
	}
	if (!strcmp(key, "oneway")) {
		call->oneway = json_get_bool(call->document, key, false);
		return type == JSON_BOOL ? NULL : "`oneway` must be true or false";
	}
	return "a call has only `method`, `parameters`, `more` and `oneway`";
}

static const char *call_take_all(struct call *call)
{
	const char *what = NULL;

	if (json_type(call->document) != JSON_OBJECT)
		return "a call must be an object";
	for (struct json *v = json_first(call->document); v && !what; v = json_next(v))
		what = call_take(call, v);
	if (what)
		return what;
	if (!call->method)
		return "`method` is missing";
	return call->more && call->oneway ? "`more` and `oneway` exclude each other" : NULL;
}

int call_read(const char *text, size_t len, struct call *ret, struct json_error *error)
{
	int r;

	*ret = (struct call){0};
	r = json_parse(text, len, CALL_MAX_VALUES, &ret->document, error);
	if (r < 0)
		return r;
	*error = (struct json_error){.what = call_take_all(ret)};
	return error->what ? -EBADMSG : 0;
}

void call_done(struct call *call)
{
	json_free(call->document);
	*call = (struct call){0};
}

int call_interface_len(const char *method)
{
	const char *dot = strrchr(method, '.');

	return dot ? (int)(dot - method) : -EINVAL;
}

/* A message takes its parameters whole: when it cannot be made, they are gone too. */
static struct json *finish(struct json *message, struct json *parameters, bool needed)
{
	if (needed && !parameters)
		parameters = json_object();
	if ((parameters || needed) && json_set(message, "parameters", parameters) < 0) {
		json_free(message);
		return NULL;
	}
	if (json_type(message) == JSON_OBJECT)
		return message;
	json_free(message);
	return NULL;
}

struct json *varlink_call(const char *method, struct json *parameters, bool more)
{
	struct json *message = json_object();

	(void)json_set(message, "method", json_text(method));
	if (more)
		(void)json_set(message, "more", json_bool(true));
	return finish(message, parameters, false);
}

struct json *varlink_reply(struct json *parameters, bool continues)
{
	struct json *message = json_object();

	if (continues)
		(void)json_set(message, "continues", json_bool(true));
	return finish(message, parameters, true);
}

struct json *varlink_error(const char *name, struct json *parameters)
{
	struct json *message = json_object();

	(void)json_set(message, "error", json_text(name));
	return finish(message, parameters, true);
}

struct json *varlink_service_error(const char *name, const char *key, const char *value)
{
	struct json *message = json_object();
	struct json *parameters = json_object();
	char full[128] = VARLINK_SERVICE ".";

	strncat(full, name, sizeof(full) - strlen(full) - 1);
	(void)json_set(message, "error", json_text(full));
	if (key)
		(void)json_set(parameters, key, json_text(value));
	return finish(message, parameters, true);
}
