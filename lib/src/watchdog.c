/* SPDX-License-Identifier: MIT */
/* The watchdog: a thread that sees one fiber run and run, and says which.
 *
 * It looks eight times in the span that is too long, at what the loop's thread keeps anyway: how many turns it has begun,
 * how many switches are left of this one, and who is current. While those stay as they are, it is one fiber that has
 * not let go. A look counts for an eighth at the most, however long ago the last one was: so time in which the whole
 * process stood still, stopped or suspended, is nobody's fault. The loop's thread does nothing for it when it switches; when
 * a fiber ends it passes through the lock, so that a name that is being copied stays. While the loop is idle no look is due,
 * and the first turn sets the time of one: it wakes no thread, for that would cost more than the turn. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "watchdog.h"

enum { LOOKS = 8, STACK_BYTES = 128 << 10 };

struct eff__watch *eff__watch_new(struct eff_rt *rt, eff_ns stall_ns)
{
	struct eff__watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->rt = rt;
	watch->stall_ns = stall_ns;
	watch->period = stall_ns < LOOKS ? 1 : stall_ns / LOOKS;
	watch->timer_fd = -1;
	(void)pthread_mutex_init(&watch->lock, NULL);
	return watch;
}

/* ── looking ── */

static struct eff__pulse pulse_take(const struct eff_rt *rt)
{
	struct eff__pulse pulse;

	/* The switches between the turns: they mean something within one turn only. */
	do {
		pulse.turns = __atomic_load_n(&rt->stats.turns, __ATOMIC_ACQUIRE);
		pulse.budget = __atomic_load_n(&rt->budget, __ATOMIC_ACQUIRE);
		pulse.current = __atomic_load_n(&rt->current, __ATOMIC_ACQUIRE);
	} while (pulse.turns != __atomic_load_n(&rt->stats.turns, __ATOMIC_ACQUIRE));
	return pulse;
}

static bool pulse_same(const struct eff__pulse *a, const struct eff__pulse *b)
{
	return a->turns == b->turns && a->budget == b->budget && a->current == b->current;
}

/* With the lock held: is it still the one that was seen, and has it not ended? Then it cannot end before we let go. */
static bool names_it(struct eff__watch *watch, struct eff__stall *ret_stall)
{
	struct eff__pulse now = pulse_take(watch->rt);

	if (!pulse_same(&now, &watch->seen) || pulse_same(&now, &watch->gone))
		return false;
	(void)snprintf(ret_stall->name, sizeof(ret_stall->name), "%s", eff_fiber_name(now.current));
	ret_stall->id = now.current->id;
	ret_stall->held_ns = watch->held;
	return true;
}

bool eff__watch_look(struct eff__watch *watch, eff_ns now, struct eff__stall *ret_stall)
{
	struct eff__pulse pulse = pulse_take(watch->rt);
	eff_ns since = now - watch->looked_at;
	bool stalls;

	watch->looked_at = now;
	watch->idle = !pulse.current && pulse_same(&pulse, &watch->seen);
	if (!pulse.current || !pulse_same(&pulse, &watch->seen)) {
		watch->seen = pulse;
		watch->held = 0;
		watch->told = false;
		return false;
	}
	watch->held = eff_ns_add(watch->held, since < watch->period ? since : watch->period);
	/* One look more: of those that are counted, one may have been the end of a standstill. */
	if (watch->told || watch->held < eff_ns_add(watch->stall_ns, watch->period))
		return false;
	(void)pthread_mutex_lock(&watch->lock);
	stalls = names_it(watch, ret_stall);
	(void)pthread_mutex_unlock(&watch->lock);
	watch->told = stalls;
	return stalls;
}

/* ── what the loop's thread does for it ── */

void eff__watch_gone(struct eff__watch *watch)
{
	(void)pthread_mutex_lock(&watch->lock);
	watch->gone = pulse_take(watch->rt);
	(void)pthread_mutex_unlock(&watch->lock);
}

static void look_after(struct eff__watch *watch, eff_ns delay)
{
	struct itimerspec at = {
		.it_value = {.tv_sec = delay / EFF_S(1), .tv_nsec = delay % EFF_S(1)}};

	(void)timerfd_settime(watch->timer_fd, 0, &at, NULL);
}

/* By who comes first: the one that finds a turn to have begun, or the one that begins it. */
static void look_again(struct eff__watch *watch)
{
	if (atomic_exchange(&watch->asleep, false))
		look_after(watch, watch->period);
}

void eff__watch_turn(struct eff__watch *watch)
{
	struct eff_rt *rt = watch->rt;

	/* Either it sees the new turn, or this sees that it sleeps. */
	__atomic_store_n(&rt->stats.turns, rt->stats.turns + 1, __ATOMIC_SEQ_CST);
	if (atomic_load(&watch->asleep))
		look_again(watch);
}

/* ── the thread ── */

static void tell(struct eff__watch *watch, const struct eff__stall *stall)
{
	const struct eff_hooks *hooks = &watch->rt->hooks;

	if (hooks->on_stall)
		hooks->on_stall(hooks->context, stall->name, stall->id, stall->held_ns);
	else
		(void)dprintf(STDERR_FILENO,
			"libeff: fiber \"%s\" (#%llu) holds the loop, for %lld ms so far\n",
			stall->name, (unsigned long long)stall->id,
			(long long)(stall->held_ns / EFF_MS(1)));
}

/* No look is due until a turn begins. */
static void fall_asleep(struct eff__watch *watch)
{
	atomic_store(&watch->asleep, true);
	if (__atomic_load_n(&watch->rt->stats.turns, __ATOMIC_SEQ_CST) != watch->seen.turns)
		look_again(watch);
}

static void *watch_main(void *arg)
{
	struct eff__watch *watch = arg;
	struct eff__stall stall;
	uint64_t n;

	/* Asked after each setting of the time: it may have undone that of who wants it to end. */
	while (!atomic_load(&watch->quit)) {
		/* Blocks until a look is due. */
		(void)!read(watch->timer_fd, &n, sizeof(n));
		if (eff__watch_look(watch, eff__monotonic(), &stall))
			tell(watch, &stall);
		if (watch->idle)
			fall_asleep(watch);
		else
			look_after(watch, watch->period);
	}
	return NULL;
}

int eff__watch_start(struct eff__watch *watch)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int r;

	watch->timer_fd = eff_fd_raise(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	if (watch->timer_fd < 0)
		return -errno;
	look_after(watch, watch->period);
	r = pthread_attr_init(&attr);
	if (r != 0)
		return -r;
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
	/* Signals are the program's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&watch->thread, &attr, watch_main, watch);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attr);
	watch->started = r == 0;
	return -r;
}

void eff__watch_free(struct eff__watch *watch)
{
	if (!watch)
		return;
	atomic_store(&watch->quit, true);
	if (watch->started) {
		look_after(watch, 1);
		(void)pthread_join(watch->thread, NULL);
	}
	if (watch->timer_fd >= 0)
		(void)close(watch->timer_fd);
	(void)pthread_mutex_destroy(&watch->lock);
	free(watch);
}
