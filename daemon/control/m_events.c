/* SPDX-License-Identifier: MIT */
/* Events: what happened, from the tree's ring by number, and what happens. The ring is the only buffer between the tree and
 * a client's unread output: who falls behind it is told that it has lost something. */
#include <errno.h>

#include "control/methods.h"

/* So much may wait to be sent before the past is read on. */
#define UNREAD_EASY ((size_t)256 << 10)
enum { BATCH = 64 };

static struct json *json_event(const struct tree_event *e)
{
	struct json *event = json_object();

	(void)json_set(event, "seq", json_int((int64_t)e->seq));
	(void)json_set(event, "at", json_wall(e->wall_at));
	(void)json_set(event, "unit", e->unit ? json_text(e->unit) : json_null());
	(void)json_set(event, "event", json_text(e->kind));
	if (e->is_state) {
		(void)json_set(event, "from", json_text(state_name(e->from)));
		(void)json_set(event, "to", json_text(state_name(e->to)));
	}
	(void)json_set(event, "pid", e->pid ? json_int(e->pid) : json_null());
	if (e->is_state)
		(void)json_set(event, "cause", json_cause(e->cause));
	else
		(void)json_set(event, "text", e->text ? json_text(e->text) : json_null());
	return event;
}

/* The units as they are, and the number of the last event that led there. Suspends until most of it is sent. */
static int snapshot_send(struct request *req, const struct json *names)
{
	struct json *event, *units;
	int r = units_look(req, names, &units);

	if (r < 0)
		return r;
	event = json_object();
	(void)json_set(event, "event", json_text("snapshot"));
	(void)json_set(event, "seq", json_int((int64_t)req->tree->last_seq));
	(void)json_set(event, "units", units);
	r = conn_send(req->conn, varlink_reply(event, true));
	return r < 0 ? r : conn_drain(req->conn, UNREAD_EASY);
}

/* Send at most a batch of what is there. *seq is the next number. Returns how many it looked at, or -ECANCELED. */
static int events_send(struct request *req, const struct json *names, uint64_t *seq)
{
	int n = 0, r = 0;

	while (r == 0 && n < BATCH && *seq <= req->tree->last_seq) {
		const struct tree_event *e = tree_event(req->tree, *seq);

		if (!e) {
			conn_lose(req->conn);
			return -ECANCELED;
		}
		if (!e->unit || select_matches(req->tree, names, e->unit, e->labels))
			r = request_continue(req, json_event(e));
		n++;
		++*seq;
	}
	return r < 0 ? r : n;
}

/* What is in the ring already: as fast as the client reads it. */
static int events_past(struct request *req, const struct json *names, uint64_t *seq)
{
	uint64_t until = req->tree->last_seq;
	int r = 0;

	while (r >= 0 && *seq <= until) {
		r = events_send(req, names, seq);
		if (r >= 0)
			r = conn_drain(req->conn, UNREAD_EASY);
		if (r >= 0)
			r = eff_yield();
	}
	return r;
}

static int events_follow(struct request *req, const struct json *names, uint64_t *seq)
{
	int r = 0;

	while (r >= 0) {
		r = events_send(req, names, seq);
		if (r > 0)
			r = eff_yield();
		else if (r == 0)
			r = eff_pulse_await(&req->tree->changed);
	}
	return r;
}

static bool name_has_happened(const struct tree *t, const struct json *name)
{
	struct json *names = json_array();
	bool has = false;

	(void)json_add(names, json_copy(name));
	for (uint64_t seq = tree_oldest_seq(t); seq <= t->last_seq && !has; seq++) {
		const struct tree_event *e = tree_event(t, seq);

		has = e && e->unit && select_matches(t, names, e->unit, e->labels);
	}
	json_free(names);
	return has;
}

/* Each is that of a unit, or of one that is there no more and of which there is something to tell. Suspends. 0; or a negative
 * number when it has answered the request. */
static int names_check(struct request *req, const struct json *names)
{
	int r = select_few(names) ? 0 : -E2BIG;

	if (r < 0)
		request_invalid(req, "units");
	for (const struct json *v = json_first(names); v && r == 0; v = json_next(v)) {
		if (select_has(req->tree, json_as_text(v)))
			continue;
		if (name_has_happened(req->tree, v)) {
			r = eff_yield();
			continue;
		}
		select_missing(req, json_as_text(v));
		r = -ENOENT;
	}
	return r;
}

void m_events(struct request *req)
{
	const struct json *names = json_get(req->parameters, "units");
	struct tree *t = req->tree;
	uint64_t seq;

	if (json_get_bool(req->parameters, "snapshot", false)) {
		seq = t->last_seq + 1;
		if (snapshot_send(req, names) < 0)
			return;
	} else {
		if (names_check(req, names) < 0)
			return;
		seq = tree_oldest_seq(t);
	}
	if (events_past(req, names, &seq) < 0)
		return;
	if (json_get_bool(req->parameters, "follow", false) && events_follow(req, names, &seq) < 0)
		return;
	request_reply(req, NULL);
}
