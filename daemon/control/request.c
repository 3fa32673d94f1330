/* SPDX-License-Identifier: MIT */
/* From bytes to a handler and back. Methods are the rows of a closed table: a name is looked up among them and nowhere
 * else, its parameters are held to its row, the peer's rights to what the row asks for; only then the handler runs. What
 * is no Varlink call at all ends the connection. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "control/conn.h"
#include "control/methods.h"

typedef void handler(struct request *req);

static handler *const handlers[METHOD_N] = {
	[METHOD_STATUS] = m_status,
	[METHOD_START] = m_start,
	[METHOD_STOP] = m_stop,
	[METHOD_RESTART] = m_restart,
	[METHOD_RESET] = m_reset,
	[METHOD_RELOAD] = m_reload,
	[METHOD_PLAN] = m_plan,
	[METHOD_ADD] = m_add,
	[METHOD_REMOVE] = m_remove,
	[METHOD_SIGNAL] = m_signal,
	[METHOD_LOGS] = m_logs,
	[METHOD_EVENTS] = m_events,
	[METHOD_WAIT] = m_wait,
	[METHOD_EXPLAIN] = m_explain,
	[METHOD_SHOW] = m_show,
	[METHOD_SCHEMA] = m_schema,
	[METHOD_SHUTDOWN] = m_shutdown,
	[METHOD_PING] = m_ping,
	[METHOD_VERSION] = m_version,
};

/* ── answers ── */

static void request_end(struct request *req, struct json *message)
{
	if (req->answered || req->oneway)
		json_free(message);
	else
		(void)conn_send(req->conn, message);
	req->answered = true;
}

void request_reply(struct request *req, struct json *parameters)
{
	if (req->oneway) {
		json_free(parameters);
		req->answered = true;
		return;
	}
	request_end(req, varlink_reply(parameters, false));
}

struct text request_text(struct request *req)
{
	return frame_out_lend(&req->conn->out);
}

void request_reply_text(struct request *req, struct text *message)
{
	if (req->answered || req->oneway)
		text_done(message);
	else
		(void)conn_send_text(req->conn, message);
	req->answered = true;
}

void request_error(struct request *req, enum control_error error, struct json *parameters)
{
	request_end(req, varlink_error(error_row(error)->name, parameters));
}

void request_fail(struct request *req, enum control_error error, const char *format, ...)
{
	struct json *parameters = json_object();
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)json_set(parameters, "text", json_text(text));
	request_error(req, error, parameters);
}

void request_invalid(struct request *req, const char *parameter)
{
	request_end(req, varlink_service_error("InvalidParameter", "parameter", parameter));
}

int request_continue(struct request *req, struct json *parameters)
{
	int r;

	if (!req->more || req->oneway) {
		json_free(parameters);
		return eff_check() < 0 ? -ECANCELED : 0;
	}
	r = conn_send(req->conn, varlink_reply(parameters, true));
	if (r == 0)
		r = conn_bound(req->conn);
	return r;
}

void request_refuse(struct conn *c, enum control_error error, const char *text, long offset)
{
	struct json *parameters = json_object();

	if (offset >= 0)
		(void)json_set(parameters, "offset", json_int(offset));
	(void)json_set(parameters, "text", json_text(text));
	(void)conn_send(c, varlink_error(error_row(error)->name, parameters));
}

/* ── org.varlink.service ── */

static void service_answer(struct request *req, const struct call *call, const char *method)
{
	const struct json *first = json_first(call->parameters);
	const char *interface = json_get_text(call->parameters, "interface", NULL);
	struct json *description;

	if (strcmp(method, "GetInfo") == 0) {
		if (first)
			request_invalid(req, json_key(first));
		else
			request_reply(req, varlink_info());
	} else if (strcmp(method, "GetInterfaceDescription") == 0) {
		if (!interface || json_next(first)) {
			request_invalid(req, interface ? json_key(json_next(first)) : "interface");
			return;
		}
		description = varlink_description(interface);
		if (description)
			request_reply(req, description);
		else
			request_end(req,
				varlink_service_error("InterfaceNotFound", "interface", interface));
	} else {
		request_end(req, varlink_service_error("MethodNotFound", "method", call->method));
	}
}

/* ── org.effd.Control ── */

/* The tree's readers may have changed with a reload. Suspends only then. */
static void access_renew(struct control *control)
{
	uint64_t generation = control->tree->generation;
	struct access access;

	if (control->access_generation == generation)
		return;
	/* Who owns the socket changes at effd's next start. */
	if (access_resolve_readers(plan_daemon(control->tree->plan),
		    control->access.socket_group, &access) < 0)
		return;
	access_done(&control->access);
	control->access = access;
	control->access_generation = generation;
}

static bool request_is_allowed(struct request *req)
{
	const struct method_row *row = method_row(req->method);

	access_renew(req->control);
	req->level = access_level(&req->control->access, &req->conn->peer);
	if (req->level == ACCESS_OWNER ||
		(req->level == ACCESS_READER && row->who == METHOD_READERS))
		return true;
	request_fail(req, ERROR_PERMISSION_DENIED, "uid %u may not call %s",
		(unsigned)req->conn->peer.who.uid, row->name);
	return false;
}

/* Run the handler in a scope of its own, which ends when the client goes. */
static void request_run(struct request *req)
{
	struct conn *c = req->conn;
	struct eff_scope call;

	eff_scope_open(&call);
	c->call = &call;
	if (method_row(req->method)->how != METHOD_ONCE)
		(void)eff_fork(EFF(conn_watch, c), NULL);
	handlers[req->method](req);
	c->call = NULL;
	(void)eff_scope_close(&call);
}

static void control_answer(struct request *req, const struct call *call, const char *name)
{
	const char *wrong;
	int method = method_find(name);

	if (method < 0) {
		request_end(req, varlink_service_error("MethodNotFound", "method", call->method));
		return;
	}
	req->method = (enum method)method;
	if (!request_is_allowed(req))
		return;
	if (method_check(req->method, call->parameters, &wrong) < 0)
		request_invalid(req, wrong);
	else if (method_row(req->method)->how == METHOD_STREAMS && !call->more)
		request_end(req, varlink_service_error("ExpectedMore", NULL, NULL));
	else
		request_run(req);
}

static bool is_of(const struct call *call, int len, const char *interface)
{
	return (size_t)len == strlen(interface) &&
		memcmp(call->method, interface, (size_t)len) == 0;
}

static void request_dispatch(struct request *req, const struct call *call)
{
	int len = call_interface_len(call->method);
	char interface[64];

	if (len < 0) {
		request_invalid(req, "method");
	} else if (is_of(call, len, EFFD_INTERFACE)) {
		control_answer(req, call, call->method + len + 1);
	} else if (is_of(call, len, VARLINK_SERVICE)) {
		service_answer(req, call, call->method + len + 1);
	} else {
		(void)snprintf(interface, sizeof(interface), "%.*s", len, call->method);
		request_end(req, varlink_service_error("InterfaceNotFound", "interface", interface));
	}
}

/* The same text is the same call: it need not be read again. */
static int asked_read(struct asked *asked, const char *text, size_t len, struct json_error *error)
{
	int r;

	if (len > 0 && len == asked->len && memcmp(text, asked->text, len) == 0)
		return 0;
	asked->len = 0;
	call_done(&asked->call);
	r = call_read(text, len, &asked->call, error);
	if (r == 0 && len <= sizeof(asked->text)) {
		memcpy(asked->text, text, len);
		asked->len = len;
	}
	return r;
}

bool request_serve(struct conn *c, const char *text, size_t len)
{
	struct request req = {.conn = c, .control = c->control, .tree = c->control->tree};
	struct json_error error = {0};
	const struct call *call = &c->asked.call;
	int r = asked_read(&c->asked, text, len, &error);

	if (r == 0) {
		req.parameters = call->parameters;
		req.more = call->more;
		req.oneway = call->oneway;
		request_dispatch(&req, call);
		/* A handler that was cut short has not answered: then nobody is there, or effd ends. */
	} else if (r == -EBADMSG) {
		request_refuse(c, ERROR_BAD_REQUEST, error.what ? error.what : "no call",
			(long)error.offset);
	} else {
		request_refuse(c, ERROR_FAILED, "out of memory", -1);
	}
	if (c->asked.len == 0)
		call_done(&c->asked.call);
	return r == 0 && !c->gone && !c->lost && eff_check() == 0;
}
