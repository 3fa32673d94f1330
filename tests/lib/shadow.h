/* SPDX-License-Identifier: MIT */
/* A shadow of each child of a random supervisor: it knows the rules, and not how they are kept. It is told of everything by
 * the supervisor's hooks, and a rule that is broken fails the test with the seed. */
#ifndef TESTS_LIB_SHADOW_H
#define TESTS_LIB_SHADOW_H

#include "supervised.h"

enum { ACTORS = 8, NEEDS = 2 };

struct actor {
	struct eff_child child;
	char name[4];
	struct eff_child *needs[NEEDS + 1];
	bool added, running, up;
	bool wanted;   /* as verbs and ends left it */
	bool cycled;   /* its run was cut short by a verb */
	bool grouped;  /* … by a round */
	bool member;   /* a round stopped it, and is to start it again */
	bool restart;  /* its next run is one */
	bool holding;  /* it holds its group until due */
	bool waiting;  /* in its delay, or until that begins */
	bool hurried;  /* that was cut short */
	bool expected; /* by the round that begins */
	eff_ns ended_at, delay;
};

static struct {
	uint64_t seed, state, hash;
	bool tells, over;
	struct actor actors[ACTORS];
	struct eff_sup sup;
	struct eff_child *expects_give_up, *expects_backoff;
	eff_ns restarts[4096];
	unsigned n_restarts;
} w;

#define HOLDS(claim, a) \
	do { \
		if (!(claim)) \
			ck_abort_msg("EFF_SEED=%llu: at %lld ms %s: %s", \
				(unsigned long long)w.seed, \
				(long long)(eff_now() / EFF_MS(1)), (a)->name, #claim); \
	} while (0)

static unsigned draw(unsigned n)
{
	w.state = w.state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(w.state >> 33) % n;
}

static eff_ns draw_time(void)
{
	static const eff_ns times[] = {
		0, 0, EFF_MS(10), EFF_MS(10), EFF_MS(50), EFF_MS(200), EFF_S(1)};

	return times[draw(sizeof(times) / sizeof(times[0]))];
}

static void trace(const char *what, const struct actor *a)
{
	for (const char *c = what; *c; c++)
		w.hash = (w.hash ^ (uint64_t)*c) * 0x100000001b3u;
	w.hash = (w.hash ^ (uint64_t)a->name[0] ^ (uint64_t)eff_now()) * 0x100000001b3u;
	if (w.tells)
		fprintf(stderr, "%6lld ms %s %s\n", (long long)(eff_now() / EFF_MS(1)), a->name,
			what);
}

static struct actor *actor_of(struct eff_child *child)
{
	return eff_container(child, struct actor, child);
}

#define EACH_ACTOR(a) for (struct actor *a = w.actors; a < w.actors + ACTORS; a++)

/* ── a run ── */

static eff_exit actor_end(void)
{
	static const enum eff_tag tags[] = {EFF_OK, EFF_FAIL, EFF_FAIL, EFF_DIE};
	enum eff_tag tag = tags[draw(4)];

	return (eff_exit){.tag = tag, .code = tag == EFF_FAIL};
}

__attribute__((unused)) static eff_exit actor_run(void *arg)
{
	struct actor *a = arg;
	eff_ns lives = draw(3) ? draw_time() : EFF_FOREVER;
	bool comes_up = draw(4) != 0, heeds = draw(3) != 0, says_so = !draw(3);
	eff_exit end = actor_end();
	int r;

	HOLDS(!a->running, a);
	a->running = true;
	r = draw(2) ? eff_sleep(draw_time()) : 0;
	if (r == 0 && comes_up) {
		a->up = true;
		eff_child_up(&a->child);
	}
	if (r == 0)
		r = eff_sleep(lives);
	if (r < 0) {
		HOLDS(w.over || !a->wanted || a->cycled || a->grouped, a);
		if (!heeds) {
			eff_masked before = eff_mask();

			(void)eff_sleep(draw_time());
			eff_unmask(before);
		}
	}
	a->running = a->up = false;
	a->ended_at = eff_now();
	trace(r < 0 ? "is ended" : "ends", a);
	return r < 0 && !says_so ? eff_interrupted() : end;
}

/* ── who may start ── */

static bool settled(const struct actor *a)
{
	return !a->wanted || (a->up && !a->cycled && !a->grouped);
}

static bool reached(const struct actor *a)
{
	return a->child.fiber ? a->up && a->wanted
			      : a->child.rest == EFF_REST_DONE ||
			a->child.rest == EFF_REST_FAILED || a->child.rest == EFF_REST_MAX_RESTARTS;
}

/* From the nearest place before it back to the first that has been reached, all are settled. */
static bool those_before_let_it(const struct actor *a)
{
	uint32_t place = a->child.place;

	while (place > 1) {
		bool is_reached = false;

		place--;
		EACH_ACTOR (o) {
			if (!o->added || o->child.place != place)
				continue;
			if (!settled(o) && o->child.fiber)
				return false;
			is_reached |= reached(o);
		}
		if (is_reached)
			return true;
	}
	return true;
}

static bool needs_hold(const struct actor *a)
{
	for (struct eff_child *const *need = a->child.needs; need && *need; need++) {
		const struct actor *o = actor_of(*need);

		if (o->child.fiber ? !settled(o) || !o->wanted : o->child.rest != EFF_REST_DONE)
			return false;
	}
	return true;
}

static bool is_led_by(const struct actor *a, const struct actor *first)
{
	if (a == first || w.sup.opts.strategy == EFF_ONE_FOR_ONE)
		return false;
	return w.sup.opts.strategy == EFF_ONE_FOR_ALL || a->child.place > first->child.place;
}

static void on_start(struct eff_child *child)
{
	struct actor *a = actor_of(child);

	trace("starts", a);
	HOLDS(!w.over, a);
	HOLDS(a->wanted, a);
	HOLDS(!w.expects_give_up && !w.expects_backoff, a);
	if (w.sup.opts.order == EFF_SEQUENTIAL)
		HOLDS(those_before_let_it(a), a);
	HOLDS(needs_hold(a), a);
	HOLDS(!a->waiting || a->hurried || eff_now() - a->ended_at >= a->delay, a);
	EACH_ACTOR (o)
		HOLDS(!o->holding || !is_led_by(a, o) || o->hurried ||
				eff_now() - o->ended_at >= o->delay,
			a);
	HOLDS(child->restarted == a->restart, a);
	a->waiting = a->hurried = a->holding = a->member = a->restart = false;
	a->cycled = a->grouped = false;
}

/* ── what follows an end ── */

static bool policy_says(enum eff_restart restart, enum eff_tag tag)
{
	/* By the letters of the table: always, on-success, on-failure, on-abnormal, never. */
	static const char table[][5] = {"yyyy", "ynnn", "nyyy", "nnyn", "nnnn"};

	return table[restart][tag] == 'y';
}

static bool is_too_many(void)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < w.n_restarts; i++)
		n += w.restarts[w.n_restarts - 1] - w.restarts[i] <= w.sup.opts.period;
	return w.sup.opts.period > 0 && n > w.sup.opts.max_restarts;
}

static enum eff_verdict on_judge(struct eff_child *child, eff_exit exit)
{
	struct actor *a = actor_of(child);
	bool calls = policy_says(child->policy.restart, exit.tag);

	HOLDS(!w.over, a);
	HOLDS(a->wanted && !a->cycled && !a->grouped, a);
	if (calls && eff_child_failures(child) < child->policy.max_restarts) {
		w.restarts[w.n_restarts++] = eff_now();
		if (is_too_many())
			w.expects_give_up = child;
		else
			w.expects_backoff = child;
	} else if (child->policy.critical && (calls || exit.tag != EFF_OK)) {
		w.expects_give_up = child;
	}
	return EFF_BY_POLICY;
}

static void on_backoff(struct eff_child *child, eff_exit exit, eff_ns delay)
{
	struct actor *a = actor_of(child);

	(void)exit;
	trace("waits", a);
	HOLDS(w.expects_backoff == child, a);
	w.expects_backoff = NULL;
	a->waiting = a->restart = true;
	a->hurried = false;
	a->delay = delay;
}

static void all_expected_have_come(struct actor *a)
{
	EACH_ACTOR (o)
		HOLDS(!o->expected, a);
}

static void on_round(struct eff_sup *sup, struct eff_child *child, eff_exit exit)
{
	struct actor *first = actor_of(child);

	(void)sup;
	(void)exit;
	trace("leads", first);
	all_expected_have_come(first);
	HOLDS(first->waiting, first);
	first->holding = true;
	EACH_ACTOR (a)
		a->expected = a->added && a->child.fiber && !a->child.stopping &&
			is_led_by(a, first) && (a->running || a->child.delayed);
}

static void on_group(struct eff_child *child, struct eff_child *first, eff_exit exit)
{
	struct actor *a = actor_of(child);

	(void)exit;
	trace("is led", a);
	HOLDS(a->expected, a);
	HOLDS(actor_of(first)->holding, a);
	a->expected = a->holding = false;
	a->hurried = true;
	a->restart |= a->running && !a->cycled;
	a->member = child->policy.restart != EFF_NEVER;
	a->grouped |= a->running;
	a->wanted &= a->member || !a->running;
}

static void on_round_over(struct eff_sup *sup)
{
	(void)sup;
	EACH_ACTOR (a)
		HOLDS(!a->member || !a->wanted || a->child.stuck, a);
}

static void on_rest(struct eff_child *child, eff_exit exit, enum eff_rest rest)
{
	struct actor *a = actor_of(child);

	trace("rests", a);
	HOLDS(!w.expects_backoff, a);
	HOLDS(!a->running, a);
	switch (rest) {
	case EFF_REST_STOPPED:
		HOLDS(w.over || !a->wanted || child->start_again, a);
		break;
	case EFF_REST_GROUP:
		HOLDS(a->grouped && child->policy.restart == EFF_NEVER, a);
		break;
	case EFF_REST_MAX_RESTARTS:
		HOLDS(eff_child_failures(child) == child->policy.max_restarts, a);
		HOLDS(policy_says(child->policy.restart, exit.tag), a);
		break;
	case EFF_REST_DONE:
	case EFF_REST_FAILED:
		HOLDS(!policy_says(child->policy.restart, exit.tag), a);
		HOLDS((rest == EFF_REST_DONE) == (exit.tag == EFF_OK), a);
		break;
	}
	a->wanted = child->start_again;
	a->waiting = a->hurried = a->holding = a->member = a->restart = false;
	a->cycled = a->grouped = false;
}

static void on_give_up(struct eff_sup *sup, struct eff_child *child, eff_exit exit)
{
	struct actor *a = actor_of(child);

	(void)exit;
	trace("is given up", a);
	HOLDS(w.expects_give_up == child, a);
	HOLDS(sup->end == (a->wanted ? EFF_SUP_INTENSITY : EFF_SUP_CRITICAL), a);
	w.expects_give_up = NULL;
	w.over = true;
}

static const struct eff_sup_hooks hooks = {.on_start = on_start,
	.judge = on_judge,
	.on_backoff = on_backoff,
	.on_round = on_round,
	.on_group = on_group,
	.on_round_over = on_round_over,
	.on_rest = on_rest,
	.on_give_up = on_give_up};

#endif
