/* SPDX-License-Identifier: MIT */
/* The small methods: Ping, Version, Schema, Shutdown, Signal. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "control/methods.h"
#include "control/schema.h"

void request_log(struct request *req, const char *what, const char *unit)
{
	const struct asker *who = &req->conn->peer.who;

	log_info("%s%s%s: asked for by %s (pid %d, uid %u)", what, *unit ? " " : "", unit,
		who->command[0] ? who->command : "a program", (int)who->pid, (unsigned)who->uid);
}

void m_ping(struct request *req)
{
	request_reply(req, NULL);
}

void m_version(struct request *req)
{
	struct json *parameters = json_object();

	(void)json_set(parameters, "version", json_text(EFFD_VERSION));
	(void)json_set(parameters, "pid", json_int(getpid()));
	request_reply(req, parameters);
}

void m_schema(struct request *req)
{
	struct json *parameters = json_object();

	(void)json_set(parameters, "schema", schema_tree());
	request_reply(req, parameters);
}

void m_shutdown(struct request *req)
{
	request_log(req, "shutdown", "");
	request_reply(req, NULL);
	req->control->host.shut_down(req->control->host.context, &req->conn->peer.who);
}

/* ── signal ── */

static bool is_named(const struct json *names, const char *name)
{
	for (const struct json *v = json_first(names); v; v = json_next(v))
		if (strcmp(json_as_text(v), name) == 0)
			return true;
	return false;
}

/* What has no process was refused; what the kernel did not want has failed. */
static struct json *signal_result(const struct unit *u, int r)
{
	struct cause *why = NULL;
	struct json *result;

	if (r == -ESRCH)
		why = cause_new(CAUSE_SIGNAL, eff_wall(), u->cause, "%s",
			u->spec->kind == PLAN_FIBER ? "it has no process" : "nothing of it runs");
	else if (r < 0)
		why = cause_new(CAUSE_SIGNAL, eff_wall(), NULL, "cannot send: %s", strerror(-r));
	result = json_result(u, r == -ESRCH ? "refused" : r < 0 ? "failed" : "done", why);
	cause_unref(why);
	return result;
}

/* Those that have a process get it. One that was named and has none is told of; so are all when nobody has one. */
static struct json *signal_send(struct request *req, const struct selection *s, int sig)
{
	const struct json *names = json_get(req->parameters, "units");
	const char *text = json_get_text(req->parameters, "signal", "");
	struct json *results = json_array();
	bool none = true;

	for (uint32_t i = 0; i < s->n; i++) {
		struct unit *u = req->tree->units[s->index[i]];
		int r = tree_signal(req->tree, u, sig);

		/* A supervisor stands for what runs below it. */
		if (r == -ESRCH && (!is_named(names, u->name) || u->spec->kind == PLAN_SUPERVISOR))
			continue;
		request_log(req, text, u->name);
		(void)json_add(results, signal_result(u, r));
		none = false;
	}
	for (uint32_t i = 0; none && i < s->n; i++)
		(void)json_add(results, signal_result(req->tree->units[s->index[i]], -ESRCH));
	return results;
}

void m_signal(struct request *req)
{
	const struct json *names = json_get(req->parameters, "units");
	const char *text = json_get_text(req->parameters, "signal", "");
	struct json *parameters, *results;
	int sig = signal_parse(text);
	struct selection s;

	if (sig <= 0) {
		request_invalid(req, "signal");
		return;
	}
	if (!json_first(names)) {
		request_invalid(req, "units");
		return;
	}
	if (select_units(req, names, true, &s) < 0)
		return;
	results = signal_send(req, &s, sig);
	selection_done(&s);
	parameters = json_object();
	(void)json_set(parameters, "units", results);
	request_reply(req, parameters);
}
