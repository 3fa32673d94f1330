/* SPDX-License-Identifier: MIT */
/* The interface of effd as text in Varlink's language, grown from the tables, and what org.varlink.service answers. Who
 * calls effd from another language reads this text and nothing else. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wire/varlink.h"
#include "wire/varlink_fields.h"

#define LINE_MAX_LEN 96

/* Help as a comment, broken between words. */
static void add_comment(struct text *to, const char *help)
{
	size_t column = 0;

	while (*help) {
		size_t n = strcspn(help, " ");

		if (!column || column + 1 + n > LINE_MAX_LEN) {
			text_add(to, column ? "\n# " : "# ");
			column = 2;
		} else {
			text_add(to, " ");
			column++;
		}
		text_add_bytes(to, help, n);
		column += n;
		help += n + strspn(help + n, " ");
	}
	text_add(to, "\n");
}

#define METHOD(symbol, name, who, how, returns, help)
#define TEXT "string"
#define TEXTS "[]string"
#define INT "int"
#define NUMBER "float"
#define BOOL "bool"
static const struct {
	enum method method;
	const char *name, *type;
	bool needed;
} parameters[] = {
#define PARAMETER(symbol, name, type, needed) {METHOD_##symbol, name, type, needed},
#include "wire/methods.def"
#undef PARAMETER
};
#undef METHOD

static void add_method(struct text *to, enum method method)
{
	const struct method_row *row = method_row(method);
	const char *between = "";

	text_add(to, "\n");
	add_comment(to, row->help);
	if (row->how == METHOD_STREAMS)
		text_add(to, "# Only with `more`.\n");
	if (row->how == METHOD_MAY_STREAM)
		text_add(to, "# With `more` what is decided early is answered early.\n");
	if (row->who == METHOD_OWNERS)
		text_add(to, "# Not for readers.\n");
	text_printf(to, "method %s(", row->name);
	for (size_t i = 0; i < sizeof(parameters) / sizeof(*parameters); i++) {
		if (parameters[i].method != method)
			continue;
		text_printf(to, "%s%s: %s%s", between, parameters[i].name,
			parameters[i].needed ? "" : "?", parameters[i].type);
		between = ", ";
	}
	text_printf(to, ") -> (%s)\n", row->returns);
}

static void add_types(struct text *to)
{
	static const struct {
		const char *name, *fields, *help;
	} types[] = {
#define TYPE(name, fields, help) {#name, fields, help},
#include "wire/varlink_types.def"
#undef TYPE
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		text_add(to, "\n");
		add_comment(to, types[i].help);
		text_printf(to, "type %s (%s)\n", types[i].name, types[i].fields);
	}
}

static void add_errors(struct text *to)
{
	static const struct {
		const char *name, *fields, *help;
	} rows[] = {
#define ERROR(symbol, name, exit_code, fields, text) {name, fields, text},
#include "wire/errors.def"
#undef ERROR
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		text_add(to, "\n");
		add_comment(to, rows[i].help);
		text_printf(to, "error %s (%s)\n", rows[i].name, rows[i].fields);
	}
}

static void add_head(struct text *to)
{
	add_comment(to, "effd, a supervisor of processes and fibers.");
	text_add(to, "#\n");
	add_comment(to,
		"`units` are full names (`workers/index`; `/` is the root; `workers/fetch` all its replicas), globs in which "
		"`*` does not cross `/` and `**` does, or `key=value`: all that have this label. A supervisor stands for all "
		"below it in Status, Logs, Events and Signal, and is one unit for the verbs.");
	text_add(to, "#\n");
	add_comment(to,
		"The verbs (Start, Stop, Restart, Reset, Reload of units) answer when their outcome is known. With `wait` false "
		"they answer when they are begun. `timeout_s` bounds the waiting: what is undone then has the outcome timeout "
		"and goes on. With `more`, replies before the last hold the results known so far; the last holds all.");
	text_add(to, "#\n");
	add_comment(to,
		"Output is text: bytes that are no UTF-8, and controls, are \\xNN. `partial`: the line goes on in the next "
		"reply.");
	text_printf(to, "interface %s\n", EFFD_INTERFACE);
}

char *varlink_control_text(void)
{
	struct text text = {0};

	add_head(&text);
	add_types(&text);
	for (int i = 0; i < METHOD_N; i++)
		add_method(&text, (enum method)i);
	add_errors(&text);
	if (!text.failed)
		return text.bytes;
	text_done(&text);
	return NULL;
}

static const char service_text[] =
	"# What every Varlink service answers.\n"
	"interface " VARLINK_SERVICE "\n"
	"\n"
	"method GetInfo() -> (vendor: string, product: string, version: string, url: string, "
	"interfaces: []string)\n"
	"\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"\n"
	"error InterfaceNotFound (interface: string)\n"
	"error MethodNotFound (method: string)\n"
	"error MethodNotImplemented (method: string)\n"
	"error InvalidParameter (parameter: string)\n"
	"error PermissionDenied ()\n"
	"error ExpectedMore ()\n";

struct json *varlink_info(void)
{
	struct json *info = json_object();
	struct json *interfaces = json_array();

	(void)json_set(info, "vendor", json_text("effd"));
	(void)json_set(info, "product", json_text("effd"));
	(void)json_set(info, "version", json_text(EFFD_VERSION));
	(void)json_set(info, "url", json_text(""));
	(void)json_add(interfaces, json_text(VARLINK_SERVICE));
	(void)json_add(interfaces, json_text(EFFD_INTERFACE));
	(void)json_set(info, "interfaces", interfaces);
	return info;
}

struct json *varlink_description(const char *interface)
{
	bool ours = !strcmp(interface, EFFD_INTERFACE);
	struct json *answer;
	char *text;

	if (!ours && strcmp(interface, VARLINK_SERVICE) != 0)
		return NULL;
	text = ours ? varlink_control_text() : strdup(service_text);
	answer = json_object();
	/* Without the text the answer is marked, and does not print. */
	(void)json_set(answer, "description", text ? json_text(text) : NULL);
	free(text);
	return answer;
}
