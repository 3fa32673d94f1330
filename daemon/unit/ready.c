/* SPDX-License-Identifier: MIT */
/* When is a unit up? What its type says, then its startup probe, then its readiness probe. While one of them is waited for,
 * an end of the child ends the wait. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <eff.h>

#include "unit/internal.h"

#define NOTIFY_BYTES 4096
#define STATUS_BYTES 1024

/* A oneshot is ready when it has ended clean. */
static int ready_await_oneshot(struct child *c)
{
	struct unit *u = c->unit;
	struct eff_scope within;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), u->spec->max_runtime_ns));
	r = child_await_end(c);
	if (eff_scope_close(&within) == -ETIMEDOUT && r < 0)
		unit_fault(u,
			unit_cause(u, CAUSE_MAX_RUNTIME, NULL, "ran for longer than max_runtime"));
	if (r < 0)
		return r;
	return unit_end_is_clean(u->spec, child_cause(c)) ? 1 : -ECHILD;
}

static int ready_await_word(struct child *c)
{
	int r = eff_event_await(&c->ready);

	if (r < 0)
		return r;
	return c->ended ? -ECHILD : 0;
}

struct probing {
	struct unit *unit;
	probe_of *which;
	struct child *child;
	int result;
};

static eff_exit ready_probe(void *arg)
{
	struct probing *p = arg;

	p->result = probe_await_pass(p->unit, p->which);
	if (p->result == 0)
		eff_event_set(&p->child->ready);
	return eff_ok(NULL);
}

/* The probe runs beside; this fiber waits for the child's end or the probe's word, whichever comes. */
static int ready_await_probe(struct child *c, probe_of *which)
{
	struct probing probing = {.unit = c->unit, .which = which, .child = c, .result = -EAGAIN};
	struct eff_scope within;
	int r;

	if (which(c->unit->spec)->kind == PLAN_PROBE_NONE)
		return 0;
	if (c->ended)
		return -ECHILD;
	eff_scope_open(&within);
	eff_event_reset(&c->ready);
	r = eff_fork(EFF(ready_probe, &probing), NULL);
	if (r == 0)
		r = ready_await_word(c);
	(void)eff_scope_close(&within);
	return r;
}

/* Notices the child's end while others wait for `ready`. */
static eff_exit ready_watch_end(void *arg)
{
	(void)child_await_end(arg);
	return eff_ok(NULL);
}

int ready_await(struct child *c)
{
	struct unit *u = c->unit;
	struct eff_scope within;
	int r;

	if (u->spec->type == PLAN_ONESHOT)
		return ready_await_oneshot(c);
	if (u->spec->type == PLAN_EXEC && u->spec->startup.kind == PLAN_PROBE_NONE &&
		u->spec->readiness.kind == PLAN_PROBE_NONE)
		return 0;
	eff_scope_open(&within);
	r = eff_fork(EFF(ready_watch_end, c), NULL);
	if (r == 0 && u->spec->type == PLAN_NOTIFY)
		r = ready_await_word(c);
	if (r == 0)
		r = ready_await_probe(c, probe_startup);
	if (r == 0)
		r = ready_await_probe(c, probe_readiness);
	(void)eff_scope_close(&within);
	return r;
}

static void notify_status(struct unit *u, const char *text)
{
	char *copy = strndup(text, STATUS_BYTES);

	if (!copy)
		return;
	free(u->status_text);
	u->status_text = copy;
}

/* It asks for more time: its start may take until then. */
static void notify_extend(struct unit *u, const char *text)
{
	char *end;
	unsigned long long us = strtoull(text, &end, 10);

	if (end == text || *end || us > (unsigned long long)(EFF_FOREVER / 1000) || !u->start_scope)
		return;
	eff_scope_limit(u->start_scope, eff_ns_add(eff_now(), EFF_US(us)));
}

/* One line of a datagram. What is not known is not an error: there is more in the protocol than one needs. */
static void notify_take(struct child *c, const char *line)
{
	if (strcmp(line, "READY=1") == 0)
		eff_event_set(&c->ready);
	else if (strncmp(line, "STATUS=", 7) == 0)
		notify_status(c->unit, line + 7);
	else if (strncmp(line, "EXTEND_TIMEOUT_USEC=", 20) == 0)
		notify_extend(c->unit, line + 20);
}

eff_exit notify_read(void *arg)
{
	struct child *c = arg;
	const struct os_ops *ops = c->unit->world->os->ops;
	char *text = malloc(NOTIFY_BYTES + 1);
	ssize_t n;

	if (!text)
		return eff_fail(ENOMEM);
	while ((n = ops->notified(c->process, text, NOTIFY_BYTES, NULL)) >= 0) {
		char *rest = text, *line;

		text[n] = '\0';
		while ((line = strsep(&rest, "\n")))
			notify_take(c, line);
	}
	free(text);
	return eff_ok(NULL);
}
