/* SPDX-License-Identifier: MIT */
/* Hooks: commands at the turns of a unit's life. Each runs in the unit's context with a few variables that say what has
 * happened, within its time; what it prints is in the unit's log. Only a failed pre_start changes what comes next; of any
 * other that fails people are told. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eff.h>

#include "base/text.h"
#include "unit/internal.h"

enum { N_VARIABLES = 5 };

struct variables {
	struct text texts[N_VARIABLES];
	const char *list[N_VARIABLES + 1];
};

static void variables_done(struct variables *v)
{
	for (int i = 0; i < N_VARIABLES; i++)
		text_done(&v->texts[i]);
}

static void variable_set(struct text *text, const char *name, const char *value)
{
	text_add(text, name);
	text_add(text, value);
}

/* What it has of an end is there, and empty where that has none. Returns false: no memory. */
static bool variables_make(struct variables *v, const struct unit *u, const struct cause *cause)
{
	const struct cause *end = cause;
	const char *signal = "";
	char buf[16], code[24] = "", restarts[24];
	bool failed = false;

	*v = (struct variables){0};
	/* That was one end too many: how the process did is that end's to say. */
	if (cause && cause->kind == CAUSE_MAX_RESTARTS)
		end = cause->because;
	if (end && end->signal > 0)
		signal = signal_text(end->signal, buf);
	/* To print a number would take more stack than all the rest of a run. */
	if (end && end->code >= 0)
		*number_write(code, (uint64_t)end->code) = '\0';
	*number_write(restarts, u->restarts) = '\0';
	variable_set(&v->texts[0], "EFFD_UNIT=", u->name);
	variable_set(&v->texts[1], "EFFD_CAUSE=", cause ? cause_kind_name(cause->kind) : "");
	variable_set(&v->texts[2], "EFFD_EXIT_CODE=", code);
	variable_set(&v->texts[3], "EFFD_EXIT_SIGNAL=", signal);
	variable_set(&v->texts[4], "EFFD_RESTARTS=", restarts);
	for (int i = 0; i < N_VARIABLES; i++) {
		failed |= v->texts[i].failed;
		v->list[i] = v->texts[i].bytes;
	}
	return !failed;
}

/* The frames of what waits have no room for words: most hooks do not fail. */
__attribute__((noinline)) static void describe(
	struct hook_call *call, int r, const struct command *command)
{
	char words[COMMAND_WORDS] = "took too long";

	if (r != -ETIMEDOUT)
		command_words(command, r, words);
	if (asprintf(&call->words, "%s: %s", call->name, words) < 0)
		call->words = NULL;
}

int hook_run(struct unit *u, struct hook_call *call)
{
	struct command command = {.argv = call->hook->argv};
	struct plan *plan;
	struct eff_scope within;
	struct variables variables;
	bool timed_out;
	int r = -ENOMEM;

	if (!command.argv)
		return 0;
	plan = plan_ref(u->plan); /* what could not be executed is named by the row */
	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), call->hook->timeout_ns));
	if (variables_make(&variables, u, call->cause)) {
		command.more = variables.list;
		r = command_run(u, &command);
	}
	variables_done(&variables);
	timed_out = eff_scope_close(&within) == -ETIMEDOUT && r == -ETIMEDOUT;
	/* The time of somebody around us is theirs to tell of. */
	if (r < 0 && (timed_out || (r != -ECANCELED && r != -ETIMEDOUT)))
		describe(call, r, &command);
	command_close(u, &command);
	plan_unref(plan);
	return timed_out ? -EIO : r;
}

int hook_run_told(struct unit *u, const struct plan_hook *hook, const char *name,
	const struct cause *cause)
{
	struct hook_call call = {.hook = hook, .name = name, .cause = cause};
	int r = hook_run(u, &call);

	if (call.words)
		u->world->hooks->on_event(u, "hook_failed", call.words);
	free(call.words);
	return r;
}

int hook_before_start(struct unit *u)
{
	struct hook_call call = {.hook = &u->spec->rules->hooks.pre_start,
		.name = "pre_start",
		.cause = u->last_exit};
	bool runs = call.hook->argv != NULL;
	int r = hook_run(u, &call);

	/* The row may be another now, and the one that the hook stands in gone.
	 *
	 * It may have ended in the very moment in which the unit was told to stop: the cancellation that comes with that, or
	 * is still to come, ends the start. */
	while (r == 0 && runs && unit_is_leaving(u))
		r = eff_pulse_await(&u->changed);
	if (r == 0 || r == -ECANCELED || r == -ETIMEDOUT)
		return r;
	unit_fault(u, unit_cause(u, CAUSE_HOOK, NULL, "%s", call.words ? call.words : call.name));
	free(call.words);
	return -ECHILD;
}

eff_exit hook_when_ready(void *arg)
{
	struct unit *u = arg;

	u->tells_ready = true;
	(void)hook_run_told(u, &u->spec->rules->hooks.on_ready, "on_ready", NULL);
	u->tells_ready = false;
	return eff_ok(NULL);
}

void hook_after_stop(struct unit *u, struct cause *end)
{
	struct eff_scope grace;
	eff_masked before;

	if (!u->spec->rules->hooks.post_stop.argv || u->kill_now)
		return;
	unit_enter(u, UNIT_STOPPING, cause_ref(end));
	before = eff_mask();
	eff_scope_open(&grace);
	u->grace = &grace;
	(void)hook_run_told(u, &u->spec->rules->hooks.post_stop, "post_stop", end);
	u->grace = NULL;
	(void)eff_scope_close(&grace);
	eff_unmask(before);
}

void hook_after_failure(struct unit *u)
{
	if (!u->spec->rules->hooks.on_failure.argv)
		return;
	/* Whatever it was until now, nothing of it is there any more. */
	unit_enter(u, UNIT_STOPPING, cause_ref(u->last_exit));
	(void)hook_run_told(u, &u->spec->rules->hooks.on_failure, "on_failure", u->last_exit);
}
