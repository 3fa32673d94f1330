/* SPDX-License-Identifier: MIT */
/* Probes: asking a unit whether it is well. One attempt is probe_try(), bounded by its timeout; what is made of the answers
 * is three loops: until first passed, readiness from then on, liveness from then on. A probe's row is looked at anew before
 * each attempt and whenever the unit has another, so a reload's values hold for what is waited for and for the next attempt. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "unit/internal.h"

#define FIRST_TRY EFF_MS(100)

const struct plan_probe *probe_startup(const struct plan_unit *spec)
{
	return &spec->rules->startup;
}

const struct plan_probe *probe_readiness(const struct plan_unit *spec)
{
	return &spec->rules->readiness;
}

const struct plan_probe *probe_liveness(const struct plan_unit *spec)
{
	return &spec->rules->liveness;
}

static int probe_http(struct os *os, const struct plan_probe *probe, char words[static PROBE_WORDS])
{
	struct os_http request = {.host = probe->host,
		.port = probe->port,
		.path_unix = probe->path_unix,
		.path = probe->path};
	int status = os->ops->http_get(os, &request);

	if (status < 0)
		return status;
	if (status >= probe->status_min && status <= probe->status_max)
		return 0;
	(void)snprintf(words, PROBE_WORDS, "HTTP status %d", status);
	return -EBADMSG;
}

/* ── lines of output ── */

enum { STARTUP_LINE = 1, READINESS_LINE = 2 };

static uint8_t line_bit(const struct unit *u, const struct plan_probe *probe)
{
	return probe == &u->spec->rules->startup ? STARTUP_LINE : READINESS_LINE;
}

static bool line_is_it(const struct plan_probe *probe, const char *text, size_t len)
{
	return probe->kind == PLAN_PROBE_LOG &&
		memmem(text, len, probe->match, strlen(probe->match));
}

void probe_see_line(struct unit *u, const char *text, size_t len)
{
	uint8_t seen = u->lines_seen;

	if (!(seen & STARTUP_LINE) && line_is_it(&u->spec->rules->startup, text, len))
		u->lines_seen |= STARTUP_LINE;
	if (!(seen & READINESS_LINE) && line_is_it(&u->spec->rules->readiness, text, len))
		u->lines_seen |= READINESS_LINE;
	if (u->lines_seen != seen)
		eff_pulse_send(&u->changed);
}

bool probe_awaits_line(const struct unit *u)
{
	return (u->spec->rules->startup.kind == PLAN_PROBE_LOG && !(u->lines_seen & STARTUP_LINE)) ||
		(u->spec->rules->readiness.kind == PLAN_PROBE_LOG &&
			!(u->lines_seen & READINESS_LINE));
}

/* ── between two attempts ── */

static eff_ns probe_delay(const struct plan_probe *probe)
{
	return probe->initial_delay_ns;
}

static eff_ns probe_period(const struct plan_probe *probe)
{
	return probe->period_ns;
}

struct pause {
	probe_of *which;
	eff_ns (*time)(const struct plan_probe *probe);
	eff_ns most;   /* whatever that says */
	bool for_line; /* who waits for a line of output waits no longer when it is there */
};

static bool pause_is_over(const struct unit *u, const struct pause *pause, eff_ns at)
{
	const struct plan_probe *probe = pause->which(u->spec);

	return eff_now() >= at ||
		(pause->for_line && probe->kind == PLAN_PROBE_LOG &&
			(u->lines_seen & line_bit(u, probe)));
}

/* As long as the row says, counted from here: a reload moves the end of it. One whose probe has gone has what it had, for that may
 * come back. Suspends. 0, -ECANCELED, -ETIMEDOUT of somebody around us. */
static int probe_wait(struct unit *u, const struct pause *pause)
{
	eff_ns from = eff_now(), at = from;
	int r = 0;

	while (r == 0) {
		const struct plan_probe *probe = pause->which(u->spec);
		struct eff_scope within;
		eff_ns time = pause->time(probe);

		if (probe->kind != PLAN_PROBE_NONE)
			at = eff_ns_add(from, time < pause->most ? time : pause->most);
		if (pause_is_over(u, pause, at))
			break;
		eff_scope_open(&within);
		eff_scope_limit(&within, at);
		r = eff_pulse_await(&u->changed);
		(void)eff_scope_close(&within);
	}
	/* Its own time was up, or somebody's around us. */
	return r == -ECANCELED ? r : eff_check();
}

/* ── one attempt ── */

static int probe_exec(struct unit *u, struct command *command, char words[static PROBE_WORDS])
{
	int r = command_run(u, command);

	if (r < 0)
		command_words(command, r, words);
	return r;
}

static int probe_ask(struct unit *u, const struct plan_probe *probe, struct command *command,
	char words[static PROBE_WORDS])
{
	struct os *os = u->world->os;

	switch (probe->kind) {
	case PLAN_PROBE_EXEC:
		return probe_exec(u, command, words);
	case PLAN_PROBE_TCP:
		return os->ops->connect_tcp(os, probe->host, probe->port);
	case PLAN_PROBE_UNIX:
		return os->ops->connect_unix(os, probe->path_unix);
	case PLAN_PROBE_HTTP:
		return probe_http(os, probe, words);
	case PLAN_PROBE_FILE:
		return os->ops->file_there(os, probe->path_file);
	case PLAN_PROBE_LOG:
		return u->lines_seen & line_bit(u, probe) ? 0 : -ENOMSG;
	case PLAN_PROBE_NONE:
		break;
	}
	return 0;
}

static void words_of(int r, const struct plan_probe *probe, char words[static PROBE_WORDS])
{
	char buf[32];

	if (r == -ETIMEDOUT)
		(void)snprintf(words, PROBE_WORDS, "no answer within %s",
			duration_text(probe->timeout_ns, buf));
	else if (r == -ENOMSG && probe->kind == PLAN_PROBE_LOG)
		(void)snprintf(words, PROBE_WORDS, "no line of output with `%s`", probe->match);
	else if (r == -ENODATA && probe->host)
		(void)snprintf(words, PROBE_WORDS, "there is no host `%s`", probe->host);
	else if (!words[0])
		(void)snprintf(words, PROBE_WORDS, "%s (%s)", errno_name(-r), strerror(-r));
}

int probe_try(struct unit *u, const struct plan_probe *probe, char words[static PROBE_WORDS])
{
	struct plan *plan = plan_ref(u->plan); /* the row must stay while it is asked */
	struct command command = {.argv = probe->argv, .quiet = true, .lingers = true};
	struct eff_scope within;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), probe->timeout_ns));
	words[0] = '\0';
	r = probe_ask(u, probe, &command, words);
	(void)eff_scope_close(&within);
	/* The next attempt does not begin before this one is gone; but the unit's stop does. */
	command_close(u, &command);
	if (r < 0)
		words_of(r, probe, words);
	plan_unref(plan);
	/* Its own time was up, or somebody's around us: that is for the next wait to say. */
	return r;
}

/* One attempt of those before it is up. Returns whether it passed. */
static bool probe_passes(struct unit *u, const struct plan_probe *probe)
{
	const char *name = probe == &u->spec->rules->startup ? "startup" : "readiness";
	char words[PROBE_WORDS];
	bool passed = probe_try(u, probe, words) == 0;

	if (passed)
		unit_lacks(u, NULL);
	else if (eff_check() == 0)
		unit_lacks(u, "%s probe: %s", name, words);
	return passed;
}

int probe_await_pass(struct unit *u, probe_of *which)
{
	struct pause pause = {
		.which = which, .time = probe_period, .most = FIRST_TRY, .for_line = true};
	uint32_t passed = 0;
	int r = probe_wait(u, &(struct pause){which, probe_delay, EFF_FOREVER, false});

	unit_set_health(u, UNIT_HEALTH_UNKNOWN);
	while (r == 0) {
		r = probe_wait(u, &pause);
		if (r < 0)
			break;
		passed = probe_passes(u, which(u->spec)) ? passed + 1 : 0;
		r = eff_check();
		if (passed >= which(u->spec)->success_threshold)
			break;
		pause.most = eff_ns_add(pause.most, pause.most);
	}
	if (r == 0)
		unit_set_health(u, UNIT_HEALTH_PASSING);
	return r;
}

/* Counts answers of one kind in a row. Returns true when `threshold` of them are there. */
static bool in_a_row(uint32_t *n, bool counts, uint32_t threshold)
{
	*n = counts ? *n + 1 : 0;
	return *n >= threshold;
}

/* A reload took the probe away: nobody would bring back a unit that it has held back. */
static eff_exit readiness_ends(struct unit *u, bool is_up)
{
	u->watches_readiness = false;
	if (!u->watches_liveness)
		unit_set_health(u, UNIT_HEALTH_NONE);
	if (!is_up)
		unit_enter(u, UNIT_UP, NULL);
	return eff_ok(NULL);
}

static void readiness_turns(struct unit *u, bool is_up, const char *words)
{
	unit_set_health(u, is_up ? UNIT_HEALTH_PASSING : UNIT_HEALTH_FAILING);
	unit_enter(u, is_up ? UNIT_UP : UNIT_STARTING,
		is_up ? NULL : unit_cause(u, CAUSE_PROBE, NULL, "readiness probe: %s", words));
}

static eff_exit watch_readiness(void *arg)
{
	static const struct pause pause = {probe_readiness, probe_period, EFF_FOREVER, false};
	struct unit *u = arg;
	char words[PROBE_WORDS];
	uint32_t n = 0;
	bool is_up = true;
	int r;

	for (;;) {
		const struct plan_probe *probe;

		if (probe_wait(u, &pause) < 0)
			return eff_interrupted();
		r = probe_try(u, probe_readiness(u->spec), words);
		if (eff_check() < 0 || u->says_stopping)
			return eff_interrupted();
		probe = probe_readiness(u->spec);
		if (probe->kind == PLAN_PROBE_NONE)
			return readiness_ends(u, is_up);
		if (!in_a_row(&n, (r < 0) == is_up,
			    is_up ? probe->failure_threshold : probe->success_threshold))
			continue;
		n = 0;
		is_up = !is_up;
		readiness_turns(u, is_up, words);
	}
}

struct liveness {
	struct eff_health watch;
	struct unit *unit;
	bool is_over;            /* a reload took the probe away */
	char words[PROBE_WORDS]; /* what it was answered when it last failed */
};

/* From here on by what the row says now. Returns false when it has no such probe any more: then the watch ends. */
static bool liveness_follow(struct liveness *l)
{
	const struct plan_probe *probe = probe_liveness(l->unit->spec);

	l->is_over = probe->kind == PLAN_PROBE_NONE;
	if (!l->is_over)
		l->watch.every = probe->period_ns;
	l->watch.failures = l->is_over ? 1 : probe->failure_threshold;
	return !l->is_over;
}

static eff_exit liveness_ask(void *arg)
{
	struct liveness *l = arg;
	struct unit *u = l->unit;
	int r = 0;

	if (probe_liveness(u->spec)->kind != PLAN_PROBE_NONE && !u->says_stopping)
		r = probe_try(u, probe_liveness(u->spec), l->words);
	if (!liveness_follow(l))
		return eff_fail(ENOENT);
	if (eff_check() < 0 || u->says_stopping)
		return eff_ok(NULL);
	unit_set_health(u, r == 0 ? UNIT_HEALTH_PASSING : UNIT_HEALTH_UNKNOWN);
	return r == 0 ? eff_ok(NULL) : eff_fail(-r);
}

static eff_exit liveness_ends(struct unit *u)
{
	u->watches_liveness = false;
	if (!u->watches_readiness)
		unit_set_health(u, UNIT_HEALTH_NONE);
	return eff_ok(NULL);
}

static eff_exit watch_liveness(void *arg)
{
	struct unit *u = arg;
	struct liveness l = {.unit = u};

	if (probe_wait(u, &(struct pause){probe_liveness, probe_delay, EFF_FOREVER, false}) < 0)
		return eff_interrupted();
	l.watch.check = EFF(liveness_ask, &l);
	l.watch.changed = &u->changed;
	if (!liveness_follow(&l))
		return liveness_ends(u);
	u->liveness = &l;
	eff_exit_drop(eff_health_watch(&l.watch));
	u->liveness = NULL;
	if (eff_check() < 0)
		return eff_interrupted();
	if (l.is_over)
		return liveness_ends(u);
	unit_set_health(u, UNIT_HEALTH_FAILING);
	unit_fault(u, unit_cause(u, CAUSE_PROBE, NULL, "liveness probe: %s", l.words));
	return eff_interrupted();
}

/* In the scope of what is watched; how far it has come is seen only there. */
static int watch_begin(struct unit *u, const struct plan_probe *probe, eff_fn *watch, bool *watches)
{
	int r;

	if (*watches || probe->kind == PLAN_PROBE_NONE)
		return 0;
	r = eff_fork_in(u->watched, (eff){.fn = watch, .arg = u, .name = "probe"}, NULL);
	if (r == 0)
		*watches = true;
	return r;
}

int probes_watch(struct unit *u)
{
	int r = watch_begin(u, &u->spec->rules->readiness, watch_readiness, &u->watches_readiness);

	if (u->liveness)
		(void)liveness_follow(u->liveness);
	if (r == 0)
		r = watch_begin(u, &u->spec->rules->liveness, watch_liveness, &u->watches_liveness);
	return r;
}
