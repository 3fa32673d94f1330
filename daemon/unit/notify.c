/* SPDX-License-Identifier: MIT */
/* The sd_notify protocol: what a unit's own processes say of it. (After sd_notify(3).) One datagram is some lines of
 * NAME=value; what is not known is not an error, for there is more in the protocol than one needs. What a program asks for
 * is bounded, what it claims of another process is checked. BARRIER=1 is answered by the seam, which closes what comes
 * along. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eff.h>

#include "unit/internal.h"

#define NOTIFY_BYTES 4096
#define STATUS_BYTES 1024
/* After so many in a row the others have their turn. */
#define BURST 64

static void take_status(struct unit *u, const char *text)
{
	char *copy = strndup(text, STATUS_BYTES);

	if (copy)
		unit_say(u, copy);
}

/* Microseconds; false: that is no number of them. */
static bool take_us(const char *text, eff_ns *ret)
{
	char *end;
	unsigned long long us = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || us > (unsigned long long)(EFF_FOREVER / 1000))
		return false;
	*ret = EFF_US(us);
	return true;
}

static void take_ready(struct child *c)
{
	struct unit *u = c->unit;

	eff_event_set(&c->ready);
	if (!u->reloading)
		return;
	u->reloading = false;
	u->world->hooks->on_event(u, "reloaded", "");
	eff_pulse_send(&u->changed);
}

static void take_reloading(struct child *c)
{
	struct unit *u = c->unit;

	if (u->reloading)
		return;
	u->reloading = true;
	u->world->hooks->on_event(u, "reloading", "");
}

/* It asks for more time for what it is doing now: starting, running, stopping. */
static void take_extension(struct unit *u, const char *text)
{
	eff_ns more;

	if (take_us(text, &more))
		limits_extend(u, eff_ns_add(eff_now(), more));
}

static void take_watchdog(struct child *c, const char *text)
{
	/* Before it is watched at all there is nothing to ask for. */
	if (c->unit->spec->ways->watchdog_ns > 0 && take_us(text, &c->watchdog_ns))
		eff_pulse_send(&c->alive);
}

static void take_main(struct child *c, const char *text)
{
	struct unit *u = c->unit;
	char *end, words[64];
	long pid = strtol(text, &end, 10);
	bool good = end != text && *end == '\0' && pid > 0 && pid <= INT_MAX;

	if (good && u->world->os->ops->follow(c->process, (pid_t)pid) == 0) {
		unit_set_pid(u, (pid_t)pid);
		eff_pulse_send(&u->changed);
		return;
	}
	/* Once a run: who says it again and again shall not fill the list of events. */
	if (c->told_stranger)
		return;
	c->told_stranger = true;
	(void)snprintf(
		words, sizeof(words), "MAINPID=%.20s is no process of the unit: ignored", text);
	u->world->hooks->on_event(u, "notify_refused", words);
}

static void take_trigger(struct child *c)
{
	c->watchdog_bites = true;
	eff_pulse_send(&c->alive);
}

/* What begins with `name`; NULL: another line. */
static const char *value_of(const char *line, const char *name)
{
	size_t len = strlen(name);

	return strncmp(line, name, len) == 0 ? line + len : NULL;
}

static void take_line(struct child *c, const char *line)
{
	const char *value;

	if (strcmp(line, "READY=1") == 0)
		take_ready(c);
	else if (strcmp(line, "RELOADING=1") == 0)
		take_reloading(c);
	else if (strcmp(line, "STOPPING=1") == 0)
		eff_event_set(&c->says_stopping);
	else if (strcmp(line, "WATCHDOG=1") == 0)
		eff_pulse_send(&c->alive);
	else if (strcmp(line, "WATCHDOG=trigger") == 0)
		take_trigger(c);
	else if ((value = value_of(line, "STATUS=")))
		take_status(c->unit, value);
	else if ((value = value_of(line, "EXTEND_TIMEOUT_USEC=")))
		take_extension(c->unit, value);
	else if ((value = value_of(line, "WATCHDOG_USEC=")))
		take_watchdog(c, value);
	else if ((value = value_of(line, "MAINPID=")))
		take_main(c, value);
}

/* Read one datagram. Suspends until there is one. */
static int take_one(struct child *c, char *text)
{
	ssize_t n = c->unit->world->os->ops->notified(c->process, text, NOTIFY_BYTES, NULL);
	char *rest = text, *line;

	if (n < 0)
		return (int)n;
	text[n] = '\0';
	while ((line = strsep(&rest, "\n")))
		take_line(c, line);
	return 0;
}

eff_exit notify_read(void *arg)
{
	struct child *c = arg;
	char *text = malloc(NOTIFY_BYTES + 1);
	int r = text ? 0 : -ENOMEM;

	for (unsigned n = 1; r == 0; n++) {
		r = take_one(c, text);
		if (r == 0 && n % BURST == 0)
			r = eff_yield();
	}
	free(text);
	return eff_ok(NULL);
}

void notify_take_all(struct child *c)
{
	char *text = malloc(NOTIFY_BYTES + 1);
	struct eff_scope within;
	int r = text ? 0 : -ENOMEM;

	/* A time that is over already: what is there is taken, nothing is waited for. */
	eff_scope_open(&within);
	eff_scope_limit(&within, eff_now());
	for (unsigned n = 0; r == 0 && n < BURST; n++)
		r = take_one(c, text);
	(void)eff_scope_close(&within);
	free(text);
}

/* The time that it has for that is over, or was cut short. */
static bool await_own_stop(struct unit *u)
{
	struct limit within;
	bool is_over;

	limit_open(u, &within, limit_grace);
	u->grace = &within.within;
	if (!u->kill_now)
		(void)eff_sleep(EFF_FOREVER);
	u->grace = NULL;
	is_over = limit_close(u, &within);
	return (is_over || u->kill_now) && eff_check() == 0;
}

eff_exit notify_watch_stopping(void *arg)
{
	struct child *c = arg;
	struct unit *u = c->unit;

	if (eff_event_await(&c->says_stopping) < 0)
		return eff_interrupted();
	/* It ends by itself: what becomes of others does not bring it back. */
	u->says_stopping = u->ending = true;
	unit_enter(u, UNIT_STOPPING, unit_cause(u, CAUSE_INTERRUPTED, NULL, "says that it stops"));
	if (await_own_stop(u) && u->watched) {
		c->overdue = true;
		eff_scope_cancel(u->watched);
	}
	return eff_ok(NULL);
}
