/* SPDX-License-Identifier: MIT */
/* A fake process: a fiber that plays a script.
 *
 * All that is to happen to it stands as instants in its struct; the player sleeps until the next of
 * them, makes it so, tells who waits, and looks again when it is poked. A signal only moves instants:
 * so it acts after the call that sent it has returned, as a real one does. Before exec all but SIGKILL
 * are pending, as they are blocked there. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "fake/fake_parts.h"

bool fake_left_is_nobodys(const struct os_child *p)
{
	return p->script.left_escapes && !p->all_by_cgroup;
}

static void process_ends(struct os_child *p, struct os_end end)
{
	p->ended = true;
	p->end = end;
	if (p->left && fake_left_is_nobodys(p)) {
		p->left = false;
		p->fake->n_escaped++;
	}
	p->left_at = p->left ? eff_ns_add(eff_now(), p->script.leaves) : EFF_FOREVER;
	fake_record(p, FAKE_END);
}

static void process_dies_at(struct os_child *p, eff_ns at, struct os_end how)
{
	if (at >= p->death_at)
		return;
	p->death_at = at;
	p->death = how;
}

static void process_takes_signal(struct os_child *p, int sig)
{
	const struct script *s = &p->script;
	struct os_end how = {.code = -1, .signal = sig};

	if (s->ignores_term || sig == SIGCONT || sig == SIGCHLD || (s->notes & (UINT64_C(1) << sig)))
		return;
	if (s->term_exits)
		how = (struct os_end){.code = s->term_code};
	process_dies_at(p, eff_ns_add(eff_now(), s->term_takes), how);
}

static void process_executes(struct os_child *p)
{
	const struct script *s = &p->script;
	eff_ns now = eff_now();

	p->exec_at = EFF_FOREVER;
	if (s->exec_error) {
		p->faulty = true;
		p->fault = (struct os_fault){.stage = s->exec_stage ? s->exec_stage : "exec",
			.error = s->exec_error,
			.what = p->program};
		p->end_at = eff_ns_add(now, s->fails_for);
		return;
	}
	p->executed = true;
	p->left = s->leaves > 0;
	p->end_at = eff_ns_add(now, s->lives);
	p->ready_at = eff_ns_add(now, s->ready_after);
	fake_record(p, FAKE_EXEC);
	fake_sockets_serve(p);
	if (s->prints)
		fake_emit(p, OS_STDOUT, s->prints);
	if (s->complains)
		fake_emit(p, OS_STDERR, s->complains);
	if (s->says)
		fake_say(p, s->says);
	if (p->pending)
		process_takes_signal(p, p->pending);
}

/* Make so what is due. */
static void process_steps(struct os_child *p)
{
	eff_ns now = eff_now();

	if (!p->executed && !p->faulty && !p->ended && now >= p->exec_at)
		process_executes(p);
	if (p->faulty && !p->ended && now >= p->end_at)
		process_ends(p, (struct os_end){.code = 127});
	if (!p->ended && now >= p->ready_at) {
		p->ready_at = EFF_FOREVER;
		p->ready_said = !p->script.shuts_ready;
		p->ready_shut = p->script.shuts_ready;
		fake_say(p, "READY=1");
	}
	if (!p->ended && now >= p->death_at)
		process_ends(p, p->death);
	if (!p->ended && now >= p->end_at)
		process_ends(p,
			(struct os_end){.code = p->script.dies_by ? -1 : p->script.exits,
				.signal = p->script.dies_by,
				.core = p->script.core,
				.oom = p->script.oom && p->has_cgroup});
	if (p->ended && p->left && now >= p->left_at)
		p->left = false;
	if (p->ended && !p->left && !p->gone) {
		p->gone = true;
		fake_sockets_left(p);
		fake_record(p, FAKE_GONE);
	}
}

static eff_ns earlier(eff_ns a, eff_ns b)
{
	return a < b ? a : b;
}

static eff_ns process_next(const struct os_child *p)
{
	if (p->ended)
		return p->left_at;
	if (!p->executed)
		return earlier(p->faulty ? p->end_at : p->exec_at, p->death_at);
	return earlier(p->ready_at, earlier(p->end_at, p->death_at));
}

eff_exit fake_process_play(void *arg)
{
	struct os_child *p = arg;
	struct eff_scope within;
	int r = 0;

	while (r != -ECANCELED) {
		process_steps(p);
		fake_tell(p);
		eff_pulse_send(&p->changed);
		if (p->gone)
			break;
		eff_scope_open(&within);
		eff_scope_limit(&within, process_next(p));
		r = eff_pulse_await(&p->poke);
		(void)eff_scope_close(&within);
	}
	p->gone = true;
	fake_sockets_left(p);
	if (p->held)
		fake_tell(p);
	if (!p->held)
		fake_process_free(p);
	return eff_ok(NULL);
}

void fake_emit(struct os_child *p, enum os_stream stream, const char *text)
{
	if (stream == OS_STDERR && p->to[OS_STDERR] == OS_MERGE)
		stream = OS_STDOUT;
	if (p->to[stream] != OS_CAPTURE)
		return;
	text_add(&p->output[stream], text);
	fake_tell(p);
	eff_pulse_send(&p->changed);
}

void fake_say(struct os_child *p, const char *text)
{
	struct fake_message **last = &p->said;

	if (!p->has_socket)
		return;
	while (*last)
		last = &(*last)->next;
	*last = fake_zalloc(sizeof(**last));
	(void)strncpy((*last)->text, text, FAKE_MESSAGE_SIZE - 1);
	eff_pulse_send(&p->changed);
}

/* Whatever keeps it from its end: it does not come so far as to execute, and to leave another. */
static void process_is_killed(struct os_child *p)
{
	if (!p->executed)
		p->exec_at = EFF_FOREVER;
	process_dies_at(p, eff_ns_add(eff_now(), p->script.unkillable_for),
		(struct os_end){.code = -1, .signal = SIGKILL});
}

static void left_is_signalled(struct os_child *p, int sig)
{
	if (!p->left || fake_left_is_nobodys(p) || sig == SIGCONT ||
		(sig != SIGKILL && p->script.left_ignores_term))
		return;
	p->left_end = (struct os_end){.code = -1, .signal = sig};
	if (p->ended)
		p->left_at = eff_now();
	else
		p->left = false;
}

int fake_signal(struct os_child *p, int sig, enum os_whom whom)
{
	p->fake->n_calls++;
	if (p->gone || (whom == OS_MAIN && p->ended && !p->main))
		return -ESRCH;
	if (sig <= 0 || sig >= 64) {
		fake_breach(p->fake, "signal %d to %s", sig, p->unit);
		return -EINVAL;
	}
	fake_record_signal(p, sig, whom);
	if (whom == OS_GROUP || p->main)
		left_is_signalled(p, sig);
	if (!p->ended && sig == SIGKILL)
		process_is_killed(p);
	else if (!p->ended && p->executed)
		process_takes_signal(p, sig);
	else if (sig != SIGCONT)
		p->pending = sig;
	eff_pulse_send(&p->poke);
	return 0;
}

int fake_signal_and_wake(struct os_child *p, int sig, enum os_whom whom)
{
	int r = fake_signal(p, sig, whom);

	(void)fake_signal(p, SIGCONT, whom);
	return r;
}
