/* SPDX-License-Identifier: MIT */
/* `effctl wait`: a line for each unit as soon as it is in the state asked for. */
#include <errno.h>
#include <string.h>

#include "effctl/call.h"
#include "effctl/command.h"
#include "effctl/words.h"
#include "wire/states.h"

static enum code complain_state(const struct effctl *e)
{
	const char *given = e->value[OPTION_FOR];

	if (given)
		(void)fprintf(e->err, "effctl: no such state: %s; one of", given);
	else
		(void)fputs("effctl: wait needs --for and one of", e->err);
	for (int i = 0; i < UNIT_N_STATES; i++)
		(void)fprintf(e->err, "%s %s", i ? "," : "", state_name((enum unit_state)i));
	(void)fputc('\n', e->err);
	return CODE_USAGE;
}

static enum code put_status(struct effctl *e, const struct json *status)
{
	const char *state = json_get_text(status, "state", "?");

	if (!json_get(status, "name"))
		return CODE_DONE;
	if (e->given[OPTION_JSON])
		return put_json_line(e, status);
	put_text(e->out, json_get_text(status, "name", "?"));
	(void)fputs(": ", e->out);
	paint_text(e->out, state_paint(state), state, e->colour);
	(void)fputc('\n', e->out);
	return CODE_DONE;
}

/* The next reply. effd's end while it is waited for is an answer: it will not be so any more. */
static enum code receive(struct effctl *e, struct reply *ret_reply)
{
	int r = link_receive(&e->link, ret_reply);

	if (r == 0) {
		(void)fputs("effctl: effd has gone\n", e->err);
		return CODE_FAILED;
	}
	if (r == -ETIMEDOUT) {
		(void)fputs("effctl: timed out\n", e->err);
		return CODE_TIMED_OUT;
	}
	if (r < 0) {
		(void)fprintf(e->err, "effctl: cannot read from effd: %s\n", strerror(-r));
		return CODE_FAILED;
	}
	if (!ret_reply->error)
		return CODE_DONE;
	r = (int)call_refused(e, ret_reply);
	reply_done(ret_reply);
	return (enum code)r;
}

enum code c_wait(struct effctl *e)
{
	const char *state = e->value[OPTION_FOR];
	struct json *parameters;
	enum code code;
	bool more = true, some = false;

	if (!state || state_parse(state) < 0)
		return complain_state(e);
	parameters = call_units(e);
	(void)json_set(parameters, "for", json_text(state));
	call_add_timeout(e, parameters);
	code = call_send_more(e, METHOD_WAIT, parameters);
	while (code == CODE_DONE && more) {
		struct reply reply;

		code = receive(e, &reply);
		if (code != CODE_DONE)
			break;
		code = put_status(e, reply.parameters);
		some |= json_get(reply.parameters, "name") != NULL;
		more = reply.continues;
		reply_done(&reply);
		(void)fflush(e->out);
	}
	if (code == CODE_DONE && !some && !e->given[OPTION_JSON])
		put_units_have_none(e, e->out);
	return code;
}
