/* SPDX-License-Identifier: MIT */
/* Children are made a few a turn: to make one takes the loop's time, and requests are answered between the turns. The first
 * in line waits for the next turn, and then lets those behind it go as far as they may; the next one waits on. So each is
 * woken once, however long the line is.
 *
 * Where children come to life slower than they are made it waits for those, so that not hundreds of them are half-made;
 * but not for long: some may hang, on a file system that does not answer, and that holds up nobody else. */
#include <eff/clock.h>
#include <eff/fiber.h>
#include <eff/runtime.h>
#include <eff/scope.h>

#include "os/internal.h"

#define PATIENCE EFF_MS(2)

struct waiter {
	struct eff_list link;
	struct eff_event called; /* it may go, or it is the first now */
	bool may_go;
};

static struct waiter *first_of(const struct gate *gate)
{
	return eff_list_empty(&gate->line) ? NULL
					   : eff_container(gate->line.next, struct waiter, link);
}

static void gate_refill(struct gate *gate)
{
	struct eff_rt_stats stats;

	eff_rt_stats(eff_rt_current(), &stats);
	if (gate->turn != stats.turns)
		gate->n = 0;
	gate->turn = stats.turns;
}

/* Let go whom this turn has room for, and tell the next one that it is the first. */
static void gate_open(struct gate *gate)
{
	struct waiter *w;

	gate_refill(gate);
	while ((w = first_of(gate)) && gate->n < SPAWNS_A_TURN) {
		eff_list_remove(&w->link);
		w->may_go = true;
		gate->n++;
		eff_event_set(&w->called);
	}
	if (w)
		eff_event_set(&w->called);
}

void os_gate_init(struct gate *gate)
{
	*gate = (struct gate){0};
	eff_list_init(&gate->line);
	eff_list_init(&gate->unborn);
	eff_pulse_init(&gate->born);
}

void os_gate_done(struct gate *gate)
{
	struct eff_list *link;

	while ((link = eff_list_pop(&gate->unborn)))
		eff_container(link, struct unborn, link)->gate = NULL;
}

void os_gate_made(struct gate *gate, struct unborn *child)
{
	child->gate = gate;
	eff_list_append(&gate->unborn, &child->link);
	gate->n_unborn++;
}

void os_gate_born(struct unborn *child)
{
	struct gate *gate = child->gate;

	if (!gate)
		return;
	child->gate = NULL;
	eff_list_remove(&child->link);
	gate->n_unborn--;
	eff_pulse_send(&gate->born);
}

/* Until the next turn, and until some of many that were made have come to life. */
static int await_room(struct gate *gate)
{
	struct eff_scope within;
	int r = eff_await_turn();

	if (r < 0 || gate->n_unborn < UNBORN_MOST)
		return r;
	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), PATIENCE));
	while (r == 0 && gate->n_unborn >= UNBORN_MOST)
		r = eff_pulse_await(&gate->born);
	(void)eff_scope_close(&within);
	return eff_check();
}

static int wait_in_line(struct gate *gate, struct waiter *me)
{
	int r = 0;

	while (r == 0 && !me->may_go) {
		if (first_of(gate) == me) {
			r = await_room(gate);
			if (r == 0)
				gate_open(gate);
		} else {
			r = eff_event_await(&me->called);
		}
	}
	return me->may_go ? 0 : r;
}

int os_gate_await(struct gate *gate)
{
	struct waiter me = {.may_go = false};
	bool was_first;
	int r;

	gate_refill(gate);
	if (!first_of(gate) && gate->n < SPAWNS_A_TURN && gate->n_unborn < UNBORN_MOST) {
		gate->n++;
		return 0;
	}
	eff_event_init(&me.called);
	eff_list_append(&gate->line, &me.link);
	r = wait_in_line(gate, &me);
	was_first = first_of(gate) == &me;
	eff_list_remove(&me.link);
	if (was_first && first_of(gate))
		eff_event_set(&first_of(gate)->called);
	return r;
}
