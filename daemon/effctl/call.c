/* SPDX-License-Identifier: MIT */
/* The one place that turns what can go wrong between effctl and effd into words and exit codes. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "effctl/call.h"
#include "effctl/diagnostics.h"
#include "effctl/words.h"
#include "wire/address.h"

/* What effctl waits longer than the time that effd was given, for its word that the time is up. */
#define GRACE_S 5.0

struct json *call_units(const struct effctl *e)
{
	struct json *parameters = json_object();
	struct json *units = json_array();

	for (size_t i = 0; i < e->n_units; i++)
		(void)json_add(units, json_text(e->units[i]));
	if (e->n_units)
		(void)json_set(parameters, "units", units);
	else
		json_free(units);
	return parameters;
}

void call_add_timeout(const struct effctl *e, struct json *parameters)
{
	if (e->timeout_s >= 0)
		(void)json_set(parameters, "timeout_s", json_number(e->timeout_s));
}

struct json *call_verb(const struct effctl *e)
{
	struct json *parameters = call_units(e);

	if (e->given[OPTION_NO_WAIT])
		(void)json_set(parameters, "wait", json_bool(false));
	if (e->given[OPTION_NOW])
		(void)json_set(parameters, "now", json_bool(true));
	call_add_timeout(e, parameters);
	return parameters;
}

/* Nobody has said where it is, and in none of the places is it. */
static void put_other_places(const struct effctl *e)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];

	for (unsigned n = 0; !address_is_given() && n < ADDRESS_PLACES; n++)
		if (address_place(n, path, false) == 0 && strcmp(path, e->socket) != 0)
			(void)fprintf(e->err, ", nor at %s", path);
}

static enum code cannot_reach(struct effctl *e, int r)
{
	e->unanswered = r == -ETIMEDOUT;
	if (e->unanswered) {
		(void)fprintf(e->err,
			"effctl: effd at %s does not answer: it is stopped, or hangs\n", e->socket);
		return CODE_NO_DAEMON;
	}
	(void)fprintf(e->err, "effctl: cannot reach effd at %s: %s", e->socket, strerror(-r));
	if (r == -ENOENT && !e->given[OPTION_SOCKET])
		put_other_places(e);
	if (r == -EACCES || r == -EPERM) {
		(void)fputc('\n', e->err);
		return CODE_NOT_PERMITTED;
	}
	(void)fputs("; is it running? (start it with: effd -c FILE)\n", e->err);
	return CODE_NO_DAEMON;
}

/* Sending or receiving has failed. */
static enum code broken(struct effctl *e, int r)
{
	e->unanswered = r == -ETIMEDOUT;
	if (r == -ENOMEM)
		return out_of_memory(e);
	if (r == -ETIMEDOUT && e->timeout_s >= 0) {
		(void)fputs("effctl: timed out\n", e->err);
		return CODE_TIMED_OUT;
	}
	if (r == -ETIMEDOUT)
		return cannot_reach(e, r);
	if (r == -EBADMSG || r == -EMSGSIZE)
		(void)fprintf(e->err, "effctl: what answers at %s is not effd\n", e->socket);
	else
		(void)fprintf(e->err, "effctl: effd at %s has gone%s%s\n", e->socket,
			r ? ": " : "", r ? strerror(-r) : "");
	return CODE_NO_DAEMON;
}

static struct json *call_of(enum method method, struct json *parameters, bool more)
{
	struct text name = {0};
	struct json *call;

	text_printf(&name, EFFD_INTERFACE ".%s", method_row(method)->name);
	call = varlink_call(name.bytes ? name.bytes : "", parameters, more);
	text_done(&name);
	return call;
}

static enum code send_call(struct effctl *e, enum method method, struct json *parameters, bool more)
{
	int r = 0;

	if (e->link.fd < 0)
		r = link_open(&e->link, e->socket);
	if (r < 0) {
		json_free(parameters);
		return cannot_reach(e, r);
	}
	r = link_send(&e->link, call_of(method, parameters, more));
	/* A server that is full answers, and closes: its word is still to be read. */
	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		return broken(e, r);
	return CODE_DONE;
}

enum code call_send(struct effctl *e, enum method method, struct json *parameters, double answer_s)
{
	link_limit(&e->link, e->timeout_s >= 0 ? e->timeout_s : answer_s);
	return send_call(e, method, parameters, false);
}

enum code call_send_more(struct effctl *e, enum method method, struct json *parameters)
{
	double grace_s = json_get(parameters, "timeout_s") ? GRACE_S : 0;

	link_limit(&e->link, e->timeout_s >= 0 ? e->timeout_s + grace_s : -1);
	return send_call(e, method, parameters, true);
}

enum code call_send_all(struct effctl *e, enum method method, struct json *parameters)
{
	link_limit(&e->link, e->timeout_s >= 0 ? e->timeout_s : ANSWER_TIMEOUT_S);
	return send_call(e, method, parameters, true);
}

enum code call_receive(struct effctl *e, struct reply *ret_reply)
{
	int r = link_receive(&e->link, ret_reply);

	return r > 0 ? CODE_DONE : broken(e, r);
}

enum code call_receive_good(struct effctl *e, struct reply *ret_reply)
{
	struct reply reply;
	enum code code = call_receive(e, &reply);

	if (code == CODE_DONE && reply.error) {
		code = call_refused(e, &reply);
		reply_done(&reply);
	}
	if (code == CODE_DONE)
		*ret_reply = reply;
	return code;
}

void call_renew(struct effctl *e)
{
	struct link anew;

	if (!link_has_ended(&e->link))
		return;
	link_init(&anew);
	if (link_open(&anew, e->socket) < 0) {
		link_close(&anew);
		return;
	}
	link_close(&e->link);
	e->link = anew;
}

enum code call_ask(
	struct effctl *e, enum method method, struct json *parameters, struct reply *ret_reply)
{
	enum code code = call_send(e, method, parameters, ANSWER_TIMEOUT_S);

	return code == CODE_DONE ? call_receive_good(e, ret_reply) : code;
}

bool call_aside(const struct effctl *e, enum method method, struct json *parameters,
	struct reply *ret_reply)
{
	struct reply reply = {0};
	struct link link;
	int r;

	link_init(&link);
	r = link_open(&link, e->socket);
	if (r < 0) {
		json_free(parameters);
		return false;
	}
	link_limit(&link, 1);
	r = link_send(&link, call_of(method, parameters, false));
	if (r == 0)
		r = link_receive(&link, &reply);
	link_close(&link);
	if (r > 0 && !reply.error) {
		*ret_reply = reply;
		return true;
	}
	reply_done(&reply);
	return false;
}

enum code call_receive_text(struct effctl *e, char **ret_text, size_t *ret_len)
{
	int r = link_receive_text(&e->link, ret_text, ret_len);

	return r > 0 ? CODE_DONE : broken(e, r);
}

enum code call_text_refused(struct effctl *e, const char *text, size_t len)
{
	struct reply reply;
	enum code code;
	int r = reply_read(text, len, &reply);

	if (r < 0)
		return broken(e, r);
	code = reply.error ? call_refused(e, &reply) : broken(e, -EBADMSG);
	reply_done(&reply);
	return code;
}

/* What an error says, in words. */
static void add_words(struct text *to, const char *error, const struct json *parameters)
{
	const char *text = json_get_text(parameters, "text", NULL);
	const char *unit = json_get_text(parameters, "unit", NULL);
	const char *state = json_get_text(parameters, "state", NULL);
	const char *nearest = json_get_text(parameters, "nearest", NULL);
	int known = error_find(error);

	if (text)
		text_add(to, text);
	else if (known == ERROR_NO_SUCH_UNIT && unit && strchr(unit, '='))
		text_add(to, "no unit has the label");
	else if (known >= 0)
		text_add(to, error_row((enum control_error)known)->text);
	else
		text_add(to, error);
	if (unit)
		text_printf(to, ": %s", unit);
	if (state)
		text_printf(to, ": %s", state);
	if (json_type(json_get(parameters, "cause")) == JSON_OBJECT) {
		text_add(to, ": ");
		add_cause(to, json_get(parameters, "cause"));
	}
	if (nearest)
		text_printf(to, " (did you mean %s?)", nearest);
	if (known == ERROR_UNIT_RUNNING)
		text_add(to, " (--now kills it)");
	/* Those of org.varlink.service: which name it did not like. */
	for (const struct json *v = json_first(parameters); known < 0 && v; v = json_next(v))
		text_printf(to, ": %s", json_as_text(v) ? json_as_text(v) : json_key(v));
}

static enum code error_code(const char *error)
{
	int known = error_find(error);

	if (known >= 0)
		return (enum code)error_row((enum control_error)known)->exit_code;
	return !strcmp(error, VARLINK_SERVICE ".PermissionDenied") ? CODE_NOT_PERMITTED
								   : CODE_FAILED;
}

static enum code put_refusal(struct effctl *e, const struct reply *reply, const char *words)
{
	struct json *document = json_object();
	enum code code;

	(void)json_set(document, "error", json_text(reply->error));
	(void)json_set(document, "parameters",
		reply->parameters ? json_copy(reply->parameters) : json_object());
	(void)json_set(document, "text", json_text(words));
	code = put_json(e, document);
	json_free(document);
	return code;
}

enum code call_refused(struct effctl *e, const struct reply *reply)
{
	struct text words = {0};
	enum code code = error_code(reply->error);

	add_words(&words, reply->error, reply->parameters);
	if (words.failed)
		code = out_of_memory(e);
	else if (e->given[OPTION_JSON])
		code = put_refusal(e, reply, words.bytes) == CODE_DONE ? code : CODE_FAILED;
	if (!words.failed && !e->given[OPTION_JSON]) {
		diagnostics_print(e->err, json_get(reply->parameters, "diagnostics"), &e->sent,
			link_peer(&e->link));
		(void)fputs("effctl: ", e->err);
		put_text(e->err, words.bytes);
		(void)fputc('\n', e->err);
	}
	text_done(&words);
	return code;
}
