/* SPDX-License-Identifier: MIT */
/* Sockets that are held for units: addresses in a table, with how many wait there that nobody has taken. What is given to a
 * process it keeps until it is gone, and nobody else may listen there as long. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake/fake_parts.h"

/* An address. */
struct fake_address {
	struct fake_address *next;
	char *listen;
	struct os_socket *socket; /* NULL: effd does not listen there */
	unsigned n_opened, n_waiting, n_others;
	int error;
	eff_ns takes;
};

struct os_socket {
	struct fake_address *at;
	struct eff_watch *watch;
};

static struct fake_address *address_of(struct os_fake *fake, const char *listen)
{
	struct fake_address *a = fake->addresses;

	while (a && strcmp(a->listen, listen) != 0)
		a = a->next;
	if (a)
		return a;
	a = fake_zalloc(sizeof(*a));
	a->listen = strdup(listen);
	a->next = fake->addresses;
	return fake->addresses = a;
}

int fake_listen(struct os *os, const struct os_listen *wanted, struct os_socket **ret_socket,
	struct os_fault *ret_fault)
{
	struct fake_address *a = address_of(fake_of(os), wanted->listen);
	int error, r = a->takes > 0 ? eff_sleep(a->takes) : 0;

	if (r < 0)
		return r;
	error = a->error ? a->error : a->socket || a->n_others ? EADDRINUSE : 0;
	if (error) {
		*ret_fault = (struct os_fault){
			.stage = "socket", .error = error, .what = wanted->listen};
		return -ECHILD;
	}
	a->socket = fake_zalloc(sizeof(*a->socket));
	a->socket->at = a;
	a->n_opened++;
	*ret_socket = a->socket;
	return 0;
}

bool fake_watch_socket(struct os_socket *socket, struct eff_watch *watch)
{
	if (socket->at->n_waiting == 0 || !watch)
		socket->watch = watch;
	return watch && socket->at->n_waiting > 0;
}

void fake_close_socket(struct os_socket *socket)
{
	socket->at->socket = NULL;
	/* Those who wait are refused when the last one has closed it. */
	if (socket->at->n_others == 0)
		socket->at->n_waiting = 0;
	free(socket);
}

void fake_sockets_given(struct os_child *p, struct os_socket *const *sockets)
{
	size_t n = 0;

	while (sockets && sockets[n])
		n++;
	p->addresses = fake_zalloc((n + 1) * sizeof(*p->addresses));
	for (size_t i = 0; i < n; i++) {
		p->addresses[i] = sockets[i]->at;
		p->addresses[i]->n_others++;
	}
}

void fake_sockets_serve(struct os_child *p)
{
	for (struct fake_address **a = p->addresses; !p->script.deaf && *a; a++)
		(*a)->n_waiting = 0;
}

void fake_sockets_left(struct os_child *p)
{
	for (struct fake_address **a = p->addresses; a && *a; a++)
		(*a)->n_others--;
	free(p->addresses);
	p->addresses = NULL;
}

/* ── the test's side ── */

bool os_fake_connect(struct os_fake *fake, const char *listen)
{
	struct fake_address *a = address_of(fake, listen);
	struct eff_watch *watch = a->socket ? a->socket->watch : NULL;

	if (!a->socket && !a->n_others)
		return false;
	for (struct eff_list *l = fake->children.next; l != &fake->children; l = l->next) {
		struct os_child *p = eff_container(l, struct os_child, link);

		for (struct fake_address **has = p->addresses; has && *has; has++)
			if (*has == a && p->executed && !p->ended && !p->script.deaf)
				return true;
	}
	a->n_waiting++;
	if (watch) {
		a->socket->watch = NULL;
		watch->fn(watch);
	}
	return true;
}

void os_fake_listen_fails(struct os_fake *fake, const char *listen, int error)
{
	address_of(fake, listen)->error = error;
}

void os_fake_listen_takes(struct os_fake *fake, const char *listen, eff_ns takes)
{
	address_of(fake, listen)->takes = takes;
}

bool os_fake_listens(struct os_fake *fake, const char *listen)
{
	return address_of(fake, listen)->socket;
}

size_t os_fake_sockets(const struct os_fake *fake)
{
	size_t n = 0;

	for (const struct fake_address *a = fake->addresses; a; a = a->next)
		n += a->socket != NULL;
	return n;
}

unsigned os_fake_opened(struct os_fake *fake, const char *listen)
{
	return address_of(fake, listen)->n_opened;
}

unsigned os_fake_waiting(struct os_fake *fake, const char *listen)
{
	return address_of(fake, listen)->n_waiting;
}

void fake_sockets_free(struct os_fake *fake)
{
	for (struct fake_address *a; (a = fake->addresses);) {
		fake->addresses = a->next;
		free(a->listen);
		free(a);
	}
}
