/* SPDX-License-Identifier: MIT */
/* Readers of what units write, one a stream. A stream that is silent costs no fiber: the loop tells of output, and it is taken.
 * A fiber begins where something is to be waited for, and ends with it: output is taken at most every 2 ms, for to wake for each
 * line costs thirty times as much, unless it comes so fast that its writer would have to wait. At the end of the unit nothing
 * waits, and it is read until nothing is there: a pipe that is kept for the next run tells of no end. */
#include <errno.h>

#include "unit/internal.h"

#define PACE EFF_MS(2)
/* How often who takes no more is asked again. */
#define TRY_AGAIN EFF_MS(10)

enum { CHUNK = 256 << 10, ROUND_MOST = 1 << 20, MUCH = 128 << 10 };

/* Every reader reads into the same buffer: between the read and the copying of what came nobody else runs. */
static char chunk[CHUNK];

static void on_output(struct eff_watch *watch);

static const struct os_ops *ops_of(const struct pump *p)
{
	return p->sink.unit->world->os->ops;
}

/* Where to read to, and how much: of what comes fast, where it goes, if it may. */
static char *pump_room(struct pump *p, size_t *ret_most)
{
	char *room;

	*ret_most = ROUND_MOST;
	room = p->is_fast ? sink_room(&p->sink, ret_most) : NULL;
	if (room)
		return room;
	*ret_most = CHUNK;
	return chunk;
}

/* Take what is there, up to a bound. Returns how much it was. */
static size_t pump_take(struct pump *p)
{
	size_t most, all = 0;
	ssize_t n;

	do {
		char *room = pump_room(p, &most);

		n = ops_of(p)->read(p->process, p->sink.stream, room, most);
		if (n > 0) {
			sink_take(&p->sink, room, (size_t)n);
			all += (size_t)n;
		}
		/* Less than there was room for: that was all. */
	} while (n == (ssize_t)most && all < ROUND_MOST && !sink_is_full(&p->sink));
	p->is_dry = n == -EAGAIN;
	if (n <= 0 && !p->is_dry) {
		sink_end(&p->sink);
		p->at_end = true;
	}
	p->read_at = eff_now();
	return all;
}

/* What was taken last is still to be handed over, or was not all: there is nothing to wait for. */
static bool pump_is_late(const struct pump *p)
{
	return p->is_fast || p->at_end || p->sink.out.len > 0 || eff_now() - p->read_at >= PACE;
}

/* Suspends until enough may have gathered. */
static int pump_gather(struct pump *p)
{
	struct eff_scope within;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(p->read_at, PACE));
	p->is_due = true;
	(void)eff_event_await(&p->hurry);
	(void)eff_scope_close(&within);
	return eff_check();
}

/* Take until it goes slower than it is taken. Suspends. 0 or -ECANCELED. */
static int pump_catch_up(struct pump *p)
{
	size_t n, all = 0;
	int r = 0;

	/* What the other stream has kept back was written before: a word on stderr is not to overtake it. */
	p->is_due = false;
	if (p->beside && p->beside->is_due)
		(void)pump_take(p->beside);
	do {
		n = p->at_end ? 0 : pump_take(p);
		all += n;
		r = sink_flush(&p->sink, p->at_end);
		if (r == 0 && n >= MUCH)
			r = eff_await_turn();
	} while (r == 0 && n >= MUCH && !p->at_end);
	p->is_fast = all >= MUCH;
	return r;
}

/* Is it to go on: is something there, or may something come for what waits? Else another may begin. Suspends. */
static bool pump_goes_on(struct pump *p)
{
	if (p->at_end)
		return false;
	if (p->sink.out.len > 0)
		return eff_sleep(TRY_AGAIN) == 0;
	/* Who waits for the end wants it read, for nothing else need tell of it; but somebody who was left may write on and on. */
	if (p->hurry.set && !p->is_dry)
		return eff_await_turn() == 0;
	return ops_of(p)->watch(p->process, p->sink.stream, &p->watch);
}

/* From output to silence, or to the end. */
static eff_exit pump_run(void *arg)
{
	struct pump *p = arg;
	int r = 0;

	do {
		if (!pump_is_late(p))
			r = pump_gather(p);
		if (r == 0)
			r = pump_catch_up(p);
	} while (r == 0 && pump_goes_on(p));
	p->is_due = false;
	if (p->at_end)
		eff_event_set(&p->done);
	sink_give_up(&p->sink);
	sink_rest(&p->sink);
	eff_fiber_unref(p->fiber);
	p->fiber = NULL;
	return eff_ok(NULL);
}

static int pump_begin(struct pump *p)
{
	int r = eff_fork_in(p->scope, EFF_NAMED(p->sink.unit->name, pump_run, p), &p->fiber);

	p->is_due = r == 0;
	return r;
}

/* Take what is there where nothing has to be waited for. False: something has. */
static bool pump_glance(struct pump *p)
{
	if (!pump_is_late(p) || (p->beside && p->beside->is_due))
		return false;
	p->is_fast = pump_take(p) >= MUCH;
	if (!sink_hand_over(&p->sink, p->at_end))
		return false;
	sink_rest(&p->sink);
	if (p->at_end)
		eff_event_set(&p->done);
	return p->at_end || !ops_of(p)->watch(p->process, p->sink.stream, &p->watch);
}

/* Without memory for a fiber: what can be done without waiting. */
static void pump_go_without(struct pump *p)
{
	do
		(void)pump_take(p);
	while (p->hurry.set && !p->at_end && !p->is_dry);
	if (p->at_end)
		eff_event_set(&p->done);
	else if (ops_of(p)->watch(p->process, p->sink.stream, &p->watch))
		(void)pump_begin(p);
}

/* In a fiber, if there is none yet. */
static void pump_go(struct pump *p)
{
	if (!p->fiber && !p->done.set && pump_begin(p) < 0)
		pump_go_without(p);
}

static void on_output(struct eff_watch *watch)
{
	struct pump *p = eff_container(watch, struct pump, watch);

	/* One that waits for the end may have seen to it before it is told of. */
	if (!p->fiber && !p->at_end && !pump_glance(p))
		pump_go(p);
}

int pump_start(struct pump *p, const struct pump_spec *spec)
{
	int r = 0;

	*p = (struct pump){.watch.fn = on_output,
		.scope = spec->scope,
		.process = spec->process,
		.read_at = -PACE};
	eff_event_init(&p->hurry);
	eff_event_init(&p->done);
	sink_init(&p->sink, spec->unit, spec->stream);
	p->sink.pid = ops_of(p)->pid(p->process);
	if (ops_of(p)->watch(p->process, p->sink.stream, &p->watch))
		r = pump_begin(p);
	if (r < 0)
		p->process = NULL;
	return r;
}

void pump_pair(struct pump *a, struct pump *b)
{
	a->beside = b;
	b->beside = a;
}

int pump_await(struct pump *p)
{
	if (!p->process)
		return 0;
	eff_event_set(&p->hurry);
	pump_go(p);
	return eff_event_await(&p->done);
}

void pump_stop(struct pump *p)
{
	if (!p->process)
		return;
	(void)ops_of(p)->watch(p->process, p->sink.stream, NULL);
	if (p->fiber) {
		struct eff_fiber *fiber = eff_fiber_ref(p->fiber);

		(void)eff_interrupt(fiber, NULL);
		eff_fiber_unref(fiber);
		eff_fiber_unref(p->fiber); /* one that never began has not let go of itself */
	}
	if (p->beside)
		p->beside->beside = NULL;
	sink_done(&p->sink);
	p->process = NULL;
}
