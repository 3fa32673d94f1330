/* SPDX-License-Identifier: MIT */
/* The loop: a turn runs what is ready, then looks at posts, descriptors and timers; when all wait, time goes on.
 *
 * Callbacks only make fibers ready; fibers run when the backend's wait has returned. A turn is a few hundred
 * switches at most, so that looking costs little next to switching and nothing starves; who drives the loop by hand gets
 * turns in which each that was ready when it began runs once. When all wait, nothing is armed and nothing outside is
 * awaited, nobody can ever wake anybody: that is a deadlock, and it is told instead of waited out. */
#include "loop.h"
#include "watchdog.h"

enum {
	TURN = 256,
	/* Turns that an expired shutdown still grants to what is ready and would end if it were let. */
	TURNS_LATE = 1000,
	/* Turns in which what has come is heard before deadlines that passed meanwhile. */
	TURNS_HEARD = 16,
};

/* Where many timers are armed, who will be due so soon after a look as this is waited for until then: to be woken for each, and
 * to tell the kernel of the next, would cost more than all else that a timer costs. It is what poll() allows itself in a
 * quarter of a second. */
#define CROWDED EFF_US(250)

/* So late nobody is who was not stopped, or without a processor. */
#define LATE EFF_MS(100)

/* ── posts ── */

void eff_rt_post(struct eff_rt *rt, struct eff_post *post)
{
	struct eff_post *head;
	struct eff__backend_state *loop;
	struct eff__host *host;

	if (__atomic_exchange_n(&post->posted, 1, __ATOMIC_SEQ_CST))
		return;
	head = atomic_load(&rt->posted);
	do
		post->next = head;
	while (!atomic_compare_exchange_weak(&rt->posted, &head, post));
	/* Who found the stack empty wakes; the others' posts go with that one. */
	if (head)
		return;
	loop = __atomic_load_n(&rt->loop, __ATOMIC_SEQ_CST);
	host = __atomic_load_n(&rt->host, __ATOMIC_SEQ_CST);
	if (loop)
		rt->backend->wake(loop);
	if (host)
		eff__host_ring(host);
}

void eff_rt_expect(struct eff_rt *rt, int change)
{
	if (change < 0 && rt->external < -(unsigned)change)
		eff__misuse("eff_rt_expect", "fewer than none are expected");
	rt->external += (unsigned)change;
	eff__stir(rt);
}

static void run_posts(struct eff_rt *rt)
{
	struct eff_post *post;
	struct eff_post *next;
	struct eff_post *first = NULL;

	if (!atomic_load_explicit(&rt->posted, memory_order_relaxed))
		return;
	for (post = atomic_exchange(&rt->posted, NULL); post; post = next) {
		next = post->next;
		post->next = first;
		first = post;
	}
	for (post = first; post; post = next) {
		next = post->next;
		/* From here on it may be posted again, or be gone. */
		__atomic_store_n(&post->posted, 0, __ATOMIC_SEQ_CST);
		post->fn(post);
	}
}

/* ── a turn ── */

static bool is_any_ready(const struct eff_rt *rt)
{
	return rt->ready || atomic_load_explicit(&rt->posted, memory_order_relaxed);
}

/* Deadlines have passed while the process stood still, and there is something to be heard that came in the meantime: in
 * time, as who sent it sees it. All that follows from it is done first, as far as nothing has to be waited for. */
static bool hears_first(struct eff_rt *rt)
{
	bool late = rt->turn_at - rt->timers.root->at >= LATE;

	/* To be stopped ends the backend's wait without a look. */
	if (late && rt->loop && !is_any_ready(rt))
		rt->backend->wait(rt->loop, 0);
	if (late && is_any_ready(rt))
		return rt->turns_heard++ < TURNS_HEARD;
	rt->turns_heard = 0;
	return false;
}

/* Look at descriptors until `deadline`, then fire what is due. */
static void look(struct eff_rt *rt, eff_ns deadline)
{
	struct eff_timer *timer;

	if (rt->loop && (deadline || rt->external || rt->host))
		rt->backend->wait(rt->loop, deadline);
	if (rt->clock || !rt->timers.root)
		return;
	rt->turn_at = eff__monotonic();
	if (hears_first(rt))
		return;
	while ((timer = eff__timers_due(&rt->timers, rt->turn_at)))
		timer->fire(timer);
}

static void turn(struct eff_rt *rt, size_t budget)
{
	if (rt->watch)
		eff__watch_turn(rt->watch);
	else
		rt->stats.turns++;
	eff__run_ready(rt, budget);
	run_posts(rt);
	if (rt->on_turn)
		rt->on_turn(rt->on_turn_arg);
}

void eff_rt_on_turn(struct eff_rt *rt, void (*fn)(void *arg), void *arg)
{
	rt->on_turn = fn;
	rt->on_turn_arg = arg;
}

/* As many as are ready, if that is no more than a turn. */
static size_t count_ready(const struct eff_rt *rt)
{
	size_t n = 0;

	for (const struct eff_fiber *fiber = rt->ready; fiber && n < TURN; fiber = fiber->next)
		n++;
	return n;
}

void eff__rt_settle(struct eff_rt *rt)
{
	do {
		turn(rt, TURN);
		look(rt, 0);
	} while (rt->ready);
	eff__host_leave(rt);
}

eff_ns eff__next_look(const struct eff_rt *rt)
{
	eff_ns due = rt->timers.root ? rt->timers.root->at : EFF_FOREVER;
	eff_ns soonest = rt->turn_at + CROWDED;

	if (due >= soonest || !eff__timers_are_many(&rt->timers) || due <= eff__monotonic())
		return due;
	return soonest;
}

/* All wait: let time go on, at most until `until`. Returns false when nothing is due by then and nothing can come. */
static bool idle(struct eff_rt *rt, eff_ns until)
{
	eff_ns deadline = EFF_FOREVER;

	if (!rt->clock)
		deadline = eff__next_look(rt);
	else if (eff__clock_step(rt->clock, until))
		return true;
	if (rt->clock)
		deadline = eff__threads_look(rt);
	else if (deadline > until)
		deadline = until;
	/* What a post has posted is still to run. */
	if (!rt->external && (rt->clock || !rt->timers.root))
		return is_any_ready(rt);
	if (eff__rt_loop(rt) < 0)
		return false;
	/* Nothing is watched, and what is due is due. */
	if (!rt->fds && deadline <= eff__monotonic())
		deadline = 0;
	/* A post that came before there was a loop to wake. */
	if (!atomic_load(&rt->posted))
		look(rt, deadline);
	return true;
}

/* ── driving ── */

static bool has_ended(const struct eff_fiber *fiber)
{
	return fiber->state == EFF__ENDED;
}

/* How far a virtual clock may go by itself. */
static eff_ns horizon(const struct eff_rt *rt)
{
	if (!rt->clock || rt->clock->autojump)
		return EFF_FOREVER;
	return eff__clock_wanted(rt->clock);
}

/* Returns false on a deadlock: nothing is ready, and nothing will be. */
static bool run_until_ended(struct eff_rt *rt, const struct eff_fiber *fiber)
{
	for (;;) {
		turn(rt, TURN);
		if (has_ended(fiber))
			break;
		if (rt->ready || rt->clock)
			look(rt, 0);
		if (!rt->ready && !idle(rt, horizon(rt)))
			break;
	}
	eff__host_leave(rt);
	return has_ended(fiber);
}

int eff_rt_attach(struct eff_rt *rt, eff e)
{
	if (rt->root && !has_ended(rt->root))
		return -EBUSY;
	eff_fiber_unref(rt->root);
	rt->root = NULL;
	return eff__fork(rt, &rt->daemons, &e, &rt->root);
}

eff_exit eff_rt_run(struct eff_rt *rt, eff e)
{
	eff_exit exit;
	bool deadlocked;
	int r;

	eff__not_in_fiber(rt, "eff_rt_run");
	r = eff_rt_attach(rt, e);
	if (r < 0)
		return eff_exit_of(r);
	deadlocked = !run_until_ended(rt, rt->root);
	if (deadlocked) {
		eff__tell_deadlock(rt);
		/* It unwinds like anyone who is interrupted; if it cannot even do that it stays. */
		eff_interrupt_async(rt->root);
		if (!run_until_ended(rt, rt->root))
			return eff_die("deadlock");
	}
	exit = eff_exit_keep(rt->root->exit);
	rt->root->awaited = true;
	eff_fiber_unref(rt->root);
	rt->root = NULL;
	if (!deadlocked)
		return exit;
	eff_exit_drop(exit);
	return eff_die("deadlock");
}

bool eff_rt_turn(struct eff_rt *rt)
{
	eff__not_in_fiber(rt, "eff_rt_turn");
	rt->asleep = false;
	if (rt->host)
		eff__host_heard(rt->host);
	turn(rt, count_ready(rt));
	look(rt, 0);
	if (rt->clock && !rt->ready)
		(void)eff__clock_step(rt->clock, eff__clock_wanted(rt->clock));
	eff__host_leave(rt);
	return rt->root && !has_ended(rt->root);
}

/* Returns 0, or -ETIMEDOUT when some still live at `until`. */
static int run_all_until(struct eff_rt *rt, eff_ns until)
{
	unsigned n_late = 0;

	while (rt->stats.fibers_live) {
		turn(rt, TURN);
		if (rt->ready || rt->clock)
			look(rt, 0);
		if (!rt->stats.fibers_live)
			break;
		if (eff__now(rt) >= until && (!rt->ready || n_late++ > TURNS_LATE))
			return -ETIMEDOUT;
		if (!rt->ready && !idle(rt, until))
			return -ETIMEDOUT;
	}
	return 0;
}

int eff_rt_shutdown(struct eff_rt *rt, int64_t grace_ns)
{
	struct eff_list *node;
	eff_ns until;
	int r;

	eff__not_in_fiber(rt, "eff_rt_shutdown");
	until = eff_ns_add(eff__now(rt), grace_ns);
	rt->daemons.closing = true;
	for (node = rt->daemons.fibers.next; node != &rt->daemons.fibers; node = node->next)
		eff_interrupt_async(eff_container(node, struct eff_fiber, owned));
	r = run_all_until(rt, until);
	/* The grace has passed in virtual time, too. */
	if (r < 0 && rt->clock && rt->clock->now < until && until < EFF_FOREVER)
		rt->clock->now = until;
	if (r < 0)
		eff__tell_late(rt);
	eff__host_leave(rt);
	return r;
}
