/* SPDX-License-Identifier: MIT */
/* The handlers, one family of methods a file, and what several of them need. Private to this folder. */
#ifndef EFFD_METHODS_H
#define EFFD_METHODS_H

#include <stdbool.h>
#include <stdint.h>

#include "control/conn.h"

struct unit;

/* Each answers its request. Those that wait Suspend: status (of many), verbs, add, remove, reload, plan, logs, events, wait. */
EFF_SUSPENDS void m_status(struct request *req);
EFF_SUSPENDS void m_start(struct request *req);
EFF_SUSPENDS void m_stop(struct request *req);
EFF_SUSPENDS void m_restart(struct request *req);
EFF_SUSPENDS void m_reset(struct request *req);
EFF_SUSPENDS void m_reload(struct request *req);
EFF_SUSPENDS void m_plan(struct request *req);
EFF_SUSPENDS void m_add(struct request *req);
EFF_SUSPENDS void m_remove(struct request *req);
void m_signal(struct request *req);
EFF_SUSPENDS void m_logs(struct request *req);
EFF_SUSPENDS void m_events(struct request *req);
EFF_SUSPENDS void m_wait(struct request *req);
void m_explain(struct request *req);
void m_show(struct request *req);
void m_schema(struct request *req);
void m_shutdown(struct request *req);
void m_ping(struct request *req);
void m_version(struct request *req);

/* ── m_status.c ── */

/* The status of all units that are meant, all of one moment; its order is the selection's. Suspends where they are many. 0; or a
 * negative number when it has answered the request with an error, or nobody is there any more. */
EFF_SUSPENDS int units_look(struct request *req, const struct json *names, struct json **ret_units);

/* ── select.c: which units a request means ── */

/* Units by index in the tree, in the order asked for (with `below`, or without names, in the tree's). */
struct selection {
	uint32_t *index;
	uint32_t n;
};
/* Names, globs and labels (`key=value`); NULL or none is all of them. With `below` a supervisor stands for all beneath it. Returns 0; or a
 * negative number when it has answered the request with an error. */
int select_units(struct request *req, const struct json *names, bool below, struct selection *ret);
/* Those that are there of these units, which were all there once, and what is below them. Returns 0 or -ENOMEM. */
int select_left(const struct tree *t, const struct json *names, struct selection *ret);
void selection_done(struct selection *selection);
/* Their names, NULL-terminated, copied: what is selected may go with the next wait. NULL: out of memory. */
char **selection_names(const struct tree *t, const struct selection *selection);
void names_free(char **names);
/* Does `name` or a supervisor above it match one of these? NULL or none is everything. `labels`: those of an event, of one that
 * may be in the tree no more; NULL: none. */
bool select_matches(
	const struct tree *t, const struct json *names, const char *name, const char *labels);
/* Are all of these still there? Answers the request when not. */
int select_check(struct request *req, const struct json *names);
/* Are they no more than one request may ask for? */
bool select_few(const struct json *names);
/* Does a name, a glob or a label mean any unit that is there? */
bool select_has(const struct tree *t, const char *name);
/* The error for one that is not there. */
void select_missing(struct request *req, const char *name);

/* ── entry.c: the nouns as JSON ── */

struct json *json_wall(eff_ns wall_at);             /* null before 1970 */
struct json *json_cause(const struct cause *cause); /* null for NULL */
struct json *json_asker(const struct asker *by);
/* What became of a unit by a verb; `why` (NULL: its state's cause) stays the caller's. */
struct json *json_result(const struct unit *u, const char *outcome, const struct cause *why);
/* The same of one that is in the tree no more. */
struct json *json_result_gone(const char *name, const char *outcome, const struct cause *why);
struct json *json_diagnostics(const struct diags *diags);
struct json *json_changes(const struct plan_change *changes, uint32_t n);
struct json *json_change(const struct plan_change *changes, uint32_t n, uint32_t i); /* the i-th of them */
/* Output of others as text: what is no UTF-8, and controls, as \xNN. */
struct json *json_line(const char *bytes, size_t len);

/* ── fate.c ── */

/* What became of each change of a reload that was taken over: until that is known of all of them, or `until`. Suspends. 0 and
 * the changes, each with its outcome; -ECANCELED, -ENOMEM. */
EFF_SUSPENDS int fates_await(struct request *req, const struct reload_outcome *o, eff_ns until,
	struct json **ret_changes);

/* ── own_reload.c ── */

/* Reload with units. Answers the request. Suspends. */
EFF_SUSPENDS void own_reloads(struct request *req, const struct json *names, eff_ns until);

/* ── next.c ── */

/* What comes next of a unit, in how many seconds, and what else there is to do; null when nothing has to come. */
struct json *json_next_of(struct tree *t, struct unit *u);

/* ── rest.c: is anything still to come? Pure looks at the tree ── */

/* At rest, and nothing on its way: no start begun, no group about to start it. */
bool unit_rests(const struct unit *u);

/* ── hope.c: does what is waited for come? ── */

/* Looks at many units without a wait between: what is found of one need not be found again. */
struct hope {
	struct tree *tree;
	uint64_t mark;      /* in `in_set` of those that can come */
	struct unit **todo; /* NULL: none had to be gone through so far */
	uint32_t n, room;
	uint32_t n_seen; /* so many were gone through */
};
void hope_begin(struct hope *hope, struct tree *t);
void hope_end(struct hope *hope);
/* The one that for good holds back this waiting unit, or one in this starting group; NULL: it can still come. */
struct unit *unit_hopeless_for(struct hope *hope, struct unit *u);

/* The index of a unit in the tree; UINT32_MAX when it is not there any more. */
uint32_t tree_index(const struct tree *t, const char *name);
/* When `timeout_s` ends; EFF_FOREVER without. Answers the request when it is none. */
int request_until(struct request *req, eff_ns *ret_until);
/* The least time between two looks at `n` units: at many one does not look at each change, or the looks of one client would
 * cost more than the changes. */
eff_ns look_pause(uint32_t n);
/* Until something in the tree has changed, for who then looks at `n` units. Suspends. 0, -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int changes_await(struct tree *t, uint32_t n);
/* One line for the log: who asked for what. */
void request_log(struct request *req, const char *what, const char *unit);

#endif
