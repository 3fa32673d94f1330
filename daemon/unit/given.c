/* SPDX-License-Identifier: MIT */
/* Sockets on their way to a process: opened where they were not, named, and used until the process has them; and had by it
 * until it is gone. */
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "unit/held.h"
#include "unit/internal.h"

static int given_names(struct given *given, const struct plan_socket *const *specs)
{
	struct text names = {0};

	for (size_t i = 0; i < given->n; i++)
		text_printf(&names, "%s%s", i ? ":" : "", specs[i]->name);
	given->names = names.bytes;
	return names.failed ? -ENOMEM : 0;
}

static int given_make(struct given *given, const struct plan_socket *const *specs)
{
	size_t n = 0;

	while (specs[n])
		n++;
	given->held = alloc_new(n * sizeof(*given->held));
	given->sockets = alloc_new((n + 1) * sizeof(*given->sockets));
	if (!given->held || !given->sockets)
		return -ENOMEM;
	given->n = n;
	return given_names(given, specs);
}

static int given_open(struct unit *u, struct given *given, size_t i,
	const struct plan_socket *spec, struct os_fault *fault)
{
	struct held *h = held_find(u->world->sockets.list, spec->name);
	bool is_taken;
	int r;

	*fault = (struct os_fault){.stage = "socket", .error = ENOENT};
	if (!h)
		return -ECHILD;
	h->n_users++;
	given->held[i] = h;
	is_taken = held_is_taken(u->world, h);
	if (is_taken)
		unit_lacks(u, "%s is not free before another has stopped", spec->listen);
	r = held_open(u->world, h, fault);
	if (is_taken && r == 0)
		unit_lacks(u, NULL);
	given->sockets[i] = h->socket;
	return r;
}

int sockets_give(struct unit *u, struct given *ret, struct os_fault *ret_fault)
{
	const struct plan_socket *const *specs = plan_unit_sockets(u->spec);
	int r = 0;

	*ret = (struct given){0};
	if (!specs)
		return 0;
	*ret_fault = (struct os_fault){.stage = "socket", .error = ENOMEM, .what = specs[0]->name};
	if (given_make(ret, specs) < 0)
		return -ECHILD;
	for (size_t i = 0; r == 0 && i < ret->n; i++) {
		r = given_open(u, ret, i, specs[i], ret_fault);
		if (r == -ECHILD)
			ret_fault->what = specs[i]->listen;
	}
	return r;
}

int sockets_ensure(struct unit *u, struct os_fault *ret_fault)
{
	struct given given;
	int r = sockets_give(u, &given, ret_fault);

	sockets_give_back(u->world, &given);
	return r;
}

void sockets_keep(struct unit_world *world, struct given *given)
{
	for (size_t i = 0; i < given->n; i++) {
		given->held[i]->n_runs++;
		held_leave(world, given->held[i]);
	}
	free(given->sockets);
	free(given->names);
	given->sockets = NULL;
	given->names = NULL;
}

void sockets_let_go(struct unit_world *world, struct given *given)
{
	for (size_t i = 0; i < given->n; i++)
		held_let_go(world, given->held[i]);
	free(given->held);
	*given = (struct given){0};
}

void sockets_give_back(struct unit_world *world, struct given *given)
{
	for (size_t i = 0; i < given->n; i++)
		if (given->held[i])
			held_leave(world, given->held[i]);
	free(given->held);
	free(given->sockets);
	free(given->names);
	*given = (struct given){0};
}
