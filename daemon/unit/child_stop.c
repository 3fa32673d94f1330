/* SPDX-License-Identifier: MIT */
/* How a child is ended: stop command, stop signal and SIGCONT, the grace, the final signal, until all of it is gone. It
 * runs under a mask, so nothing but kill_now, which cancels the grace, cuts it short. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "base/text.h"
#include "unit/internal.h"

/* For how long something may outlive the final signal before people are told. */
#define STUCK_AFTER EFF_S(5)

static bool stops_main_alone(const struct plan_unit *spec)
{
	return spec->ways->stop.mode == PLAN_STOP_PROCESS;
}

bool child_is_there(struct child *c)
{
	if (c->task)
		return !c->ended;
	if (!c->process)
		return false;
	if (c->remains && c->unit->spec->ways->stop.command)
		return true;
	return !c->ended || c->unit->world->os->ops->left(c->process, NULL, 0) > 0;
}

/* Until nothing is left that the stop is for. */
static int child_await_gone(struct child *c)
{
	const struct os_ops *ops = c->unit->world->os->ops;
	int r = child_await_end(c);

	if (r < 0 || c->task || stops_main_alone(c->unit->spec))
		return r;
	return ops->await_gone(c->process);
}

static void child_signal(struct child *c, int sig, enum os_whom whom)
{
	const struct os_ops *ops = c->unit->world->os->ops;

	if (c->task) {
		eff_interrupt_async(c->task);
		return;
	}
	if (sig == SIGKILL)
		(void)ops->signal(c->process, sig, whom);
	else
		(void)ops->signal_and_wake(c->process, sig, whom);
}

/* In a frame of its own: most do not fail. */
__attribute__((noinline)) static void command_tell_failed(
	struct unit *u, const struct command *command, int r)
{
	static const char field[] = "stop.command: ";
	char text[sizeof(field) + COMMAND_WORDS];
	char words[COMMAND_WORDS] = "took too long";

	if (r != -ETIMEDOUT)
		command_words(command, r, words);
	(void)snprintf(text, sizeof(text), "%s%s", field, words);
	u->world->hooks->on_event(u, "stop_failed", text);
}

/* One that has seen the end of what it stops may well end badly, and nobody minds. */
static int child_run_command(struct child *c)
{
	struct unit *u = c->unit;
	struct command command = {.argv = u->spec->ways->stop.command};
	struct plan *plan = plan_ref(u->plan); /* as in hook_run() */
	int r = command_run(u, &command);

	if (r < 0 && r != -ECANCELED && u->world->os->ops->left(c->process, NULL, 0) > 0)
		command_tell_failed(u, &command, r);
	command_close(u, &command);
	plan_unref(plan);
	return r;
}

/* The first, friendly half. Returns 0 when all is gone. */
static int child_ask(struct child *c)
{
	struct unit *u = c->unit;
	const struct plan_stop *stop = &u->spec->ways->stop;
	struct limit grace;
	enum os_whom whom = OS_GROUP;
	int r = 0;

	if (stop->timeout_ns == 0 || stop->signal == SIGKILL || u->kill_now)
		return -ETIMEDOUT;
	if (stop->mode == PLAN_STOP_MIXED || stop->mode == PLAN_STOP_PROCESS)
		whom = OS_MAIN;
	/* What the main process left behind is nobody's to ask, where only that is asked. */
	if (whom == OS_MAIN && c->ended && !c->remains)
		return -ETIMEDOUT;
	limit_open(u, &grace, limit_grace);
	u->grace = &grace.within;
	if (stop->command && (!c->ended || c->remains) && c->process)
		r = child_run_command(c);
	if (r != -ECANCELED && r != -ETIMEDOUT) {
		child_signal(c, u->spec->ways->stop.signal, whom);
		r = child_await_gone(c);
	}
	u->grace = NULL;
	(void)limit_close(u, &grace);
	return r;
}

static void child_tell_stuck(struct child *c)
{
	struct unit *u = c->unit;
	struct os_left left[4];
	char text[512];
	size_t n = 0, len = 0;

	u->stuck = true;
	sockets_let_go(u->world, &c->given);
	eff_child_stuck(&u->child);
	if (c->task) {
		u->world->hooks->on_event(u, "stuck", "the fiber does not end");
	} else {
		n = u->world->os->ops->left(c->process, left, 4);
		for (size_t i = 0; i < n && i < 4; i++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%spid %d (%s)%s%s",
				i ? ", " : "", (int)left[i].pid, left[i].command,
				left[i].waits_in[0] ? " in " : "", left[i].waits_in);
		u->world->hooks->on_event(u, "stuck", n ? text : "something does not end");
	}
	eff_pulse_send(&u->changed);
}

/* The second half: nothing survives it, but what the kernel will not let go. */
static void child_kill(struct child *c)
{
	struct unit *u = c->unit;
	struct eff_scope within;
	int r;

	child_signal(c, u->spec->ways->stop.final_signal,
		stops_main_alone(u->spec) ? OS_MAIN : OS_GROUP);
	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), STUCK_AFTER));
	r = child_await_gone(c);
	(void)eff_scope_close(&within);
	if (r == 0)
		return;
	child_tell_stuck(c);
	(void)child_await_gone(c);
	u->stuck = false;
}

static void child_tell_left(struct child *c)
{
	struct unit *u = c->unit;
	struct os_left left[4];
	char text[256];
	size_t n = u->world->os->ops->left(c->process, left, 4), len = 0;

	for (size_t i = 0; i < n && i < 4; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%spid %d (%s)",
			i ? ", " : "", (int)left[i].pid, left[i].command);
	if (n > 0)
		u->world->hooks->on_event(u, "left_behind", text);
}

void child_stop(struct child *c)
{
	const struct unit *u = c->unit;

	/* What the main process left, and `process` is not meant to touch, is only reported. */
	if (!(c->ended && !c->remains && stops_main_alone(u->spec)) && child_ask(c) < 0)
		child_kill(c);
	if (c->process && stops_main_alone(u->spec))
		child_tell_left(c);
}
