/* SPDX-License-Identifier: MIT */
/* What Varlink asks of both ends: the methods and errors of org.effd.Control by their tables (methods.def, errors.def),
 * a call read strictly from its bytes, replies as documents, and the texts of org.varlink.service. All of it is data
 * and memory: the server calls, the server answers. Nothing here suspends or logs. */
#ifndef EFFD_VARLINK_H
#define EFFD_VARLINK_H

#include <stdbool.h>
#include <stddef.h>

#include <eff/version.h>

#include "wire/json.h"

#define EFFD_VERSION EFF_VERSION
#define EFFD_INTERFACE "org.effd.Control"
#define VARLINK_SERVICE "org.varlink.service"

enum method {
#define METHOD(symbol, name, who, how, returns, help) METHOD_##symbol,
#define PARAMETER(symbol, name, type, needed)
#include "wire/methods.def"
#undef PARAMETER
#undef METHOD
	METHOD_N
};

enum method_who { METHOD_OWNERS, METHOD_READERS };
enum method_how { METHOD_ONCE, METHOD_MAY_STREAM, METHOD_STREAMS };

/* The row of a method. */
struct method_row {
	const char *name; /* "Status" */
	enum method_who who;
	enum method_how how;
	const char *returns, *help;
};
const struct method_row *method_row(enum method method);
/* By its name without the interface; -ENOENT. */
int method_find(const char *name);
/* Hold parameters (NULL: none) to the method's table: no unknown ones, none of a wrong type, none of the needed missing.
 * A null is as left out. Returns 0, or -EINVAL and the name of the first that is wrong, which lives as long as they do. */
int method_check(enum method method, const struct json *parameters, const char **ret_parameter);

enum control_error {
#define ERROR(symbol, name, exit_code, parameters, text) ERROR_##symbol,
#include "wire/errors.def"
#undef ERROR
	ERROR_N
};

struct error_row {
	const char *name; /* "org.effd.Control.NoSuchUnit" */
	int exit_code;    /* effctl's */
	const char *text;
};
const struct error_row *error_row(enum control_error error);
int error_find(const char *name); /* by its full name; -ENOENT */

/* A call. Strings and parameters belong to `document`. */
struct call {
	const char *method;      /* full: "org.effd.Control.Status" */
	struct json *parameters; /* an object, or NULL: none given */
	bool more, oneway;
	struct json *document;
};
/* The most values that a call may have in it. */
#define CALL_MAX_VALUES 65536
/* Read a call: an object with `method`, and perhaps `parameters`, `more`, `oneway`; anything else in it is wrong. Returns
 * 0; -EBADMSG, and `error` (not NULL) says where and why; or -ENOMEM. call_done() is fine after each of them. */
int call_read(const char *text, size_t len, struct call *ret, struct json_error *error);
void call_done(struct call *call);
/* Where the interface's name ends: the offset of the last dot of "org.effd.Control.Status"; -EINVAL without one. */
int call_interface_len(const char *method);

/* Messages. They take `parameters` (NULL: none of them) and are the caller's; NULL when out of memory. */
struct json *varlink_call(const char *method, struct json *parameters, bool more);
struct json *varlink_reply(struct json *parameters, bool continues);
struct json *varlink_error(const char *name, struct json *parameters);
/* An error of org.varlink.service: "InterfaceNotFound", "interface", its name; "MethodNotFound", "method", …;
 * "InvalidParameter", "parameter", …; "ExpectedMore", NULL, NULL. */
struct json *varlink_service_error(const char *name, const char *key, const char *value);

/* org.varlink.service, as parameters of replies. varlink_description() is NULL for an interface that is not here. */
struct json *varlink_info(void);
struct json *varlink_description(const char *interface);
/* The text in it: Varlink's IDL, malloc'd, of org.effd.Control. */
char *varlink_control_text(void);

#endif
