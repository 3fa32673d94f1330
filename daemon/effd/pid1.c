/* SPDX-License-Identifier: MIT */
/* What a process gets told by signals: that children ended, and what the tree makes of others: to stop, to read the tree
 * again, a word for a unit. All of it arrives on a descriptor and is acted on by a fiber. Strangers that effd has adopted
 * are reaped in batches, so that a storm of them costs nobody a turn. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/text.h"
#include "effd/effd.h"

enum { REAP_BATCH = 32, RELOADS_MAX = 2, LATE_MAX = 32 };

/* What is left when everything has had its final signal gets this long to go. */
#define LAST_GRACE EFF_S(5)

/* Of those that are passed on, one that effd was started to ignore (by nohup, say) is nobody's. */
static bool is_awaited(int sig, const struct plan_signal *s)
{
	struct sigaction action;

	if (s->act != PLAN_SIGNAL_FORWARD)
		return s->act != PLAN_SIGNAL_DEFAULT;
	return sigaction(sig, NULL, &action) < 0 || action.sa_handler != SIG_IGN;
}

static void signals_of(const struct plan *plan, sigset_t *ret_set)
{
	(void)sigemptyset(ret_set);
	(void)sigaddset(ret_set, SIGCHLD);
	for (int sig = 1; sig < PLAN_N_SIGNALS; sig++)
		if (is_awaited(sig, &plan_daemon(plan)->signals[sig]))
			(void)sigaddset(ret_set, sig);
}

/* The kernel drops what has no handler yet and comes to process 1, unless it is blocked. Any other process ends by it as it
 * would by itself: nothing has been started. */
void signals_hold(struct effd *e)
{
	sigset_t held;

	(void)(getpid() == 1 ? sigfillset(&held) : sigemptyset(&held));
	(void)sigprocmask(SIG_BLOCK, &held, &e->mask_before);
}

int signals_init(struct effd *e)
{
	sigset_t set, mask;
	int r;

	signals_of(e->plan, &set);
	r = eff_signals_open(&e->signals, &set);
	if (r < 0)
		return r;
	/* What the tree gives no meaning to was held for nobody. */
	e->signals.before = e->mask_before;
	(void)sigorset(&mask, &set, &e->mask_before);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	return 0;
}

void signals_take(struct effd *e)
{
	sigset_t set;
	int r;

	signals_of(e->tree->plan, &set);
	r = eff_signals_change(&e->signals, &set);
	if (r < 0)
		log_error("cannot change what signals do: %s", strerror(-r));
}

/* What is sent while the last of effd goes comes too late to change how it ends. */
void signals_done(struct effd *e)
{
	for (int sig = 1; sig < _NSIG; sig++)
		if (e->signals.fd >= 0 && sig != SIGCHLD && sigismember(&e->signals.set, sig) == 1)
			(void)signal(sig, SIG_IGN);
	eff_signals_close(&e->signals);
}

static void asker_of(pid_t pid, uid_t uid, struct asker *ret)
{
	char path[32];
	auto_close int fd = -1;
	ssize_t n = -1;

	*ret = (struct asker){.pid = pid, .uid = uid};
	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	if (pid > 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, ret->command, sizeof(ret->command) - 1);
	if (n > 0)
		ret->command[strcspn(ret->command, "\n")] = '\0';
}

static eff_exit reload_run(void *arg)
{
	struct effd *e = arg;
	struct asker by = e->reload_by;
	struct reload_outcome outcome;

	/* What came of it is in the log. */
	(void)control_reload(e->control, &by, NULL, &outcome);
	reload_outcome_done(&outcome);
	e->reloads--;
	return eff_ok(NULL);
}

static void reload_begin(struct effd *e, const struct asker *by)
{
	e->reload_by = *by;
	/* One that waits will read what this one would read. */
	if (e->reloads >= RELOADS_MAX)
		return;
	e->reloads++;
	if (eff_fork(EFF(reload_run, e), NULL) < 0) {
		e->reloads--;
		log_error("cannot reload: out of memory");
	}
}

void effd_shut_down(struct effd *e, const struct asker *by, const char *word)
{
	if (!e->tree->shutting_down)
		log_info("%s: stopping", word);
	tree_shutdown(e->tree, by, false);
}

/* A signal for a unit that has no process yet, and is about to. */
struct late {
	struct effd *effd;
	int sig;
	char name[];
};

static bool is_about_to_run(const struct unit *u)
{
	return u && u->state == UNIT_STARTING && !u->started;
}

static eff_exit late_pass_on(void *arg)
{
	struct late *late = arg;
	struct unit *u;
	int r = 0;

	while (r == 0 && is_about_to_run(u = tree_find(late->effd->tree, late->name)))
		r = eff_pulse_await(&u->changed);
	if (r == 0 && u)
		(void)tree_signal(late->effd->tree, u, late->sig);
	late->effd->n_late--;
	free(late);
	return eff_exit_of(r);
}

static bool late_begin(struct effd *e, int sig, const struct unit *u)
{
	size_t len = strlen(u->name) + 1;
	struct late *late = e->n_late < LATE_MAX ? alloc_new(sizeof(*late) + len) : NULL;

	if (!late)
		return false;
	late->effd = e;
	late->sig = sig;
	memcpy(late->name, u->name, len);
	if (eff_fork(EFF(late_pass_on, late), NULL) == 0) {
		e->n_late++;
		return true;
	}
	free(late);
	return false;
}

static bool unit_pass_on(struct effd *e, int sig, struct unit *u)
{
	return is_about_to_run(u) ? late_begin(e, sig, u) : tree_signal(e->tree, u, sig) == 0;
}

/* To the main process of each unit that the name stands for, and of all below it. */
static void signal_pass_on(struct effd *e, int sig, const char *name)
{
	struct tree *t = e->tree;
	uint32_t first = 0, n = 0, told = 0, end;
	char buf[16];

	if (plan_find_all(t->plan, name, &first, &n) && n > 0) {
		end = plan_unit(t->plan, first + n - 1)->end;
		for (uint32_t i = first; i < end; i++)
			told += unit_pass_on(e, sig, t->units[i]);
	}
	if (told == 0)
		log_info("%s is for %s, and nothing of it runs", signal_text(sig, buf), name);
	else
		log_debug("%s was passed on to %s", signal_text(sig, buf), name);
}

/* A person at a terminal asks twice. */
static void stop_come(struct effd *e, int sig, const struct asker *by)
{
	char buf[16];

	if (sig != SIGINT || ++e->interrupts < 2) {
		effd_shut_down(e, by, signal_text(sig, buf));
		return;
	}
	log_warn("second SIGINT: killing what is left");
	eff_event_set(&e->cut_short);
	tree_shutdown(e->tree, by, true);
}

static void signal_come(struct effd *e, int sig, const struct asker *by)
{
	const struct plan_signal *s = &plan_daemon(e->tree->plan)->signals[sig];

	switch (s->act) {
	case PLAN_SIGNAL_STOP:
		stop_come(e, sig, by);
		break;
	case PLAN_SIGNAL_RELOAD:
		reload_begin(e, by);
		break;
	case PLAN_SIGNAL_FORWARD:
		signal_pass_on(e, sig, s->unit);
		break;
	case PLAN_SIGNAL_IGNORE:
	case PLAN_SIGNAL_DEFAULT:
		break;
	}
}

eff_exit signals_run(void *arg)
{
	struct effd *e = arg;
	struct asker by;
	pid_t pid = 0;
	uid_t uid = 0;
	int sig;

	while ((sig = eff_signals_await(&e->signals, &pid, &uid)) >= 0) {
		if (sig == SIGCHLD) {
			/* A unit that goes on after an end does so first. */
			if (eff_await_turn() < 0)
				break;
			while (os_linux_reap(e->os, REAP_BATCH))
				if (eff_await_turn() < 0)
					break;
			continue;
		}
		asker_of(pid, uid, &by);
		signal_come(e, sig, &by);
	}
	return eff_interrupted();
}

static void name_the_left(struct tree *t)
{
	for (uint32_t i = 0; i < t->n_units; i++) {
		const struct unit *u = t->units[i];
		struct os_left left[4];
		size_t n;

		if (u->spec->kind == PLAN_SUPERVISOR || !unit_is_active(u))
			continue;
		n = u->process ? u->world->os->ops->left(u->process, left, 4) : 0;
		if (n == 0)
			log_error("left behind: %s, %s", u->name, state_name(u->state));
		for (size_t k = 0; k < n && k < 4; k++)
			log_error("left behind: %s: pid %d (%s)%s%s", u->name, (int)left[k].pid,
				left[k].command, left[k].waits_in[0] ? " in " : "",
				left[k].waits_in);
	}
}

/* Wait until a person has no more patience, at most so long. 0: time passed, or so it was. -ECANCELED. */
static int await_cut(struct effd *e, eff_ns most)
{
	struct eff_scope within;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), most));
	r = eff_event_await(&e->cut_short);
	(void)eff_scope_close(&within);
	return r == -ECANCELED ? r : 0;
}

eff_exit shutdown_watch(void *arg)
{
	struct effd *e = arg;
	struct tree *t = e->tree;
	char buf[32];
	eff_ns most;

	while (!t->shutting_down)
		if (eff_pulse_await(&t->changed) < 0)
			return eff_interrupted();
	notify_stopping(&e->notify);
	most = plan_daemon(t->plan)->shutdown_timeout_ns;
	if (await_cut(e, most) < 0)
		return eff_interrupted();
	if (!e->cut_short.set)
		log_warn("not all has stopped within %s: killing what is left",
			duration_text(most, buf));
	tree_shutdown(t, NULL, true);
	if (eff_sleep(LAST_GRACE) < 0)
		return eff_interrupted();
	/* The kernel does not let them go. effd does not wait for what cannot be ended. */
	name_the_left(t);
	sockets_close(&t->world);
	control_close(e->control);
	_exit(tree_exit_code(t, eff_fail(1)));
}
