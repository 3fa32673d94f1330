/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "control/status_file.h"
#include "fake/shown.h"

static void write_all(struct shown *s)
{
	struct tree *t = s->world->tree;

	WORLD_ASSERT(s->world, t->n_units <= SHOWN_MOST, "there are too many units");
	s->generation = t->generation;
	for (uint32_t i = 0; i < t->n_units; i++) {
		t->units[i]->place = i;
		s->records[i] = status_record(t->units[i], 0);
	}
}

static void turn_end(void *arg)
{
	struct shown *s = arg;
	struct tree *t = s->world->tree;
	struct eff_list *link;

	if (s->generation != t->generation)
		write_all(s);
	while ((link = eff_list_pop(&t->world.unwritten))) {
		const struct unit *u = eff_container(link, struct unit, unwritten);

		if (u->place < t->n_units && t->units[u->place] == u)
			s->records[u->place] = status_record(u, 0);
	}
}

void shown_begin(struct shown *s, struct world *w)
{
	s->world = w;
	write_all(s);
	tree_on_turn(w->tree, turn_end, s);
}

void shown_check(const struct shown *s)
{
	const struct tree *t = s->world->tree;

	for (uint32_t i = 0; i < t->n_units; i++) {
		struct ledger_record is = status_record(t->units[i], 0);
		const struct ledger_record *was = &s->records[i];

		WORLD_ASSERT(s->world, !memcmp(&is, was, sizeof(is)),
			"the status file says of %s: state %u pid %d starts %llu health %u, and it is %u %d %llu %u",
			is.name, was->state, was->pid, (unsigned long long)was->starts,
			was->health, is.state, is.pid, (unsigned long long)is.starts, is.health);
	}
}
