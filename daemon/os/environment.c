/* SPDX-License-Identifier: MIT */
/* The environment of a child: what the unit gives it, and the few variables that effd adds because the unit asked for what
 * they tell. A variable that the unit gives is left as it is. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "os/internal.h"

enum { MOST_ADDED = 10 };

/* Where a program is searched when the environment does not say, as execvp(3) has it. */
static const char default_search[] = "/bin:/usr/bin";

static const char *value_of(const char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (; environment && *environment; environment++) {
		if (!strncmp(*environment, name, len) && (*environment)[len] == '=')
			return *environment + len + 1;
	}
	return NULL;
}

const char *os_search_of(const struct os_spawn *spawn)
{
	const char *search = value_of(spawn->environment, "PATH");

	return search ? search : default_search;
}

static size_t count_of(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

const char **os_strings_copy(struct arena *arena, const char *const *list, size_t more)
{
	size_t n = count_of(list);
	const char **copy = arena_alloc(arena, (n + more + 1) * sizeof(*copy));

	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = arena_strdup(arena, list[i]);
		if (!copy[i])
			return NULL;
	}
	return copy;
}

static bool add(struct arena *arena, const char **entries, const char *name, const char *value)
{
	size_t n = count_of(entries);

	if (!value || value_of(entries, name))
		return true;
	entries[n] = arena_printf(arena, "%s=%s", name, value);
	return entries[n];
}

/* A variable that is to be its own pid, which it writes itself. */
static bool add_pid(struct arena *arena, struct environment *environment, const char *name)
{
	if (value_of(environment->entries, name))
		return true;
	environment->pid_entries[environment->n_pid_entries++] = (int)count_of(environment->entries);
	return add(arena, environment->entries, name, "0123456789");
}

/* What tells it of its sockets. */
static bool add_sockets(
	struct arena *arena, const struct os_spawn *spawn, struct environment *environment)
{
	char number[24];
	size_t n = 0;

	while (spawn->sockets && spawn->sockets[n])
		n++;
	if (n == 0)
		return true;
	(void)snprintf(number, sizeof(number), "%zu", n);
	return add(arena, environment->entries, "LISTEN_FDS", number) &&
		add(arena, environment->entries, "LISTEN_FDNAMES", spawn->socket_names) &&
		add_pid(arena, environment, "LISTEN_PID");
}

/* What tells it that its signs of life are awaited. */
static bool add_watchdog(
	struct arena *arena, const struct os_spawn *spawn, struct environment *environment)
{
	char us[24];

	if (spawn->watchdog_ns <= 0)
		return true;
	(void)snprintf(us, sizeof(us), "%lld", (long long)(spawn->watchdog_ns / EFF_US(1)));
	return add(arena, environment->entries, "WATCHDOG_USEC", us) &&
		add_pid(arena, environment, "WATCHDOG_PID");
}

bool os_environment_make(struct arena *arena, const struct os_spawn *spawn,
	const struct ids *ids, const char *socket, struct environment *ret)
{
	const char *user = ids ? (ids->name ? ids->name : ids->user) : NULL;
	const char **entries = os_strings_copy(arena, spawn->environment, MOST_ADDED);

	*ret = (struct environment){.entries = entries};
	return entries && add(arena, entries, "NOTIFY_SOCKET", socket) &&
		add(arena, entries, "HOME", user ? ids->home : NULL) &&
		add(arena, entries, "USER", user) && add(arena, entries, "LOGNAME", user) &&
		add(arena, entries, "SHELL", user ? ids->shell : NULL) &&
		add_watchdog(arena, spawn, ret) && add_sockets(arena, spawn, ret);
}
