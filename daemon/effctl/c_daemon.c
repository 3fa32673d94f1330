/* SPDX-License-Identifier: MIT */
/* `effctl shutdown`, `ping` and `version`: of effd itself. */
#include <errno.h>
#include <string.h>

#include "effctl/call.h"
#include "effctl/command.h"
#include "effctl/words.h"

/* effd has gone when its end of the connection has. */
static enum code await_gone(struct effctl *e)
{
	for (;;) {
		struct reply reply;
		int r = link_receive(&e->link, &reply);

		if (r == -ETIMEDOUT) {
			(void)fputs("effctl: timed out; effd is still stopping its units\n", e->err);
			return CODE_TIMED_OUT;
		}
		if (r <= 0)
			return CODE_DONE;
		reply_done(&reply);
	}
}

/* The connection has ended without an answer. effd's last one may be lost; or it was this connection that failed, and effd has
 * not heard of it. */
static enum code await_proof(struct effctl *e)
{
	struct reply reply;
	int r;

	link_close(&e->link);
	link_init(&e->link);
	link_limit(&e->link, e->timeout_s >= 0 ? e->timeout_s : ANSWER_TIMEOUT_S);
	r = link_open(&e->link, e->socket);
	if (r == 0)
		r = link_send(&e->link, varlink_call(EFFD_INTERFACE ".Ping", NULL, false));
	if (r == 0)
		r = link_receive(&e->link, &reply);
	if (r <= 0)
		return CODE_DONE;
	reply_done(&reply);
	(void)fprintf(e->err, "effctl: effd at %s has not answered, and goes on; try again\n",
		e->socket);
	return CODE_FAILED;
}

static enum code put_empty(struct effctl *e)
{
	struct json *document = json_object();
	enum code code = put_json(e, document);

	json_free(document);
	return code;
}

enum code c_shutdown(struct effctl *e)
{
	struct reply reply;
	enum code code = call_send(e, METHOD_SHUTDOWN, NULL, -1);
	int r;

	if (code != CODE_DONE)
		return code;
	r = link_receive(&e->link, &reply);
	if (r > 0 && reply.error)
		code = call_refused(e, &reply);
	if (r > 0)
		reply_done(&reply);
	if (r == -ETIMEDOUT) {
		(void)fputs("effctl: timed out\n", e->err);
		return CODE_TIMED_OUT;
	}
	if (code == CODE_DONE && r <= 0)
		code = await_proof(e);
	else if (code == CODE_DONE && !e->given[OPTION_NO_WAIT])
		code = await_gone(e);
	if (code == CODE_DONE && e->given[OPTION_JSON])
		code = put_empty(e);
	return code;
}

enum code c_ping(struct effctl *e)
{
	struct reply reply;
	enum code code = call_ask(e, METHOD_PING, NULL, &reply);

	if (code != CODE_DONE)
		return code;
	if (e->given[OPTION_JSON])
		code = put_json(e, reply.parameters);
	else
		(void)fprintf(e->out, "effd answers at %s\n", e->socket);
	reply_done(&reply);
	return code;
}

/* effctl's own version is told even if nobody answers. */
enum code c_version(struct effctl *e)
{
	struct reply reply;
	struct json *document;
	enum code code;

	if (!e->given[OPTION_JSON])
		(void)fprintf(e->out, "effctl %s\n", EFFD_VERSION);
	code = call_ask(e, METHOD_VERSION, NULL, &reply);
	if (code != CODE_DONE)
		return code;
	if (e->given[OPTION_JSON]) {
		document = json_object();
		(void)json_set(document, "effctl", json_text(EFFD_VERSION));
		(void)json_set(document, "effd",
			json_text(json_get_text(reply.parameters, "version", NULL)));
		(void)json_set(document, "pid", json_int(json_get_int(reply.parameters, "pid", 0)));
		code = put_json(e, document);
		json_free(document);
	} else {
		(void)fputs("effd ", e->out);
		put_text(e->out, json_get_text(reply.parameters, "version", "?"));
		(void)fprintf(e->out, " (pid %lld)\n",
			(long long)json_get_int(reply.parameters, "pid", 0));
	}
	reply_done(&reply);
	return code;
}
