/* SPDX-License-Identifier: MIT */
/* effd as a service: what sd_notify(3) knows. READY when the tree has settled; until then, while it reloads and while it
 * stops, more time is asked for as long as effd lives; STATUS says in a line how the tree is. Where nobody listens nothing
 * is sent, and no child inherits the address. The manager's queue is short (10 datagrams in a network namespace of its
 * own): what it must hear waits until there is room, what is for people does without. */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "effd/effd.h"

#define EXTEND_EVERY EFF_S(5)
#define EXTEND_BY "EXTEND_TIMEOUT_USEC=20000000"
/* A storm of changes is one line of status a second. */
#define STATUS_EVERY EFF_S(1)

/* How long there may be no room before it is tried again, at first and at most. */
#define AGAIN_FIRST EFF_MS(10)
#define AGAIN_MOST EFF_S(1)

/* Returns 0, or -EAGAIN when there is no room for it now. That nobody listens is no error. */
static int __attribute__((format(printf, 2, 3)))
notify_send(const struct notify *n, const char *format, ...)
{
	char message[1024];
	va_list args;
	int len;

	if (n->fd < 0)
		return 0;
	va_start(args, format);
	len = vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (len <= 0)
		return 0;
	if (len >= (int)sizeof(message))
		len = sizeof(message) - 1;
	if (sendto(n->fd, message, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT,
		    (const struct sockaddr *)&n->address, n->address_len) >= 0)
		return 0;
	return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM ? -EAGAIN : 0;
}

/* The address is used with each message: who listens may be replaced. */
static bool address_read(const char *path, struct notify *n)
{
	size_t len = path ? strlen(path) : 0;

	if (len < 2 || len >= sizeof(n->address.sun_path) || (*path != '/' && *path != '@'))
		return false;
	n->address.sun_family = AF_UNIX;
	memcpy(n->address.sun_path, path, len);
	if (*path == '@')
		n->address.sun_path[0] = '\0';
	n->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

static eff_ns watchdog_of(const char *usec, const char *pid)
{
	unsigned long long n;
	char *end;

	if (!usec || *usec < '0' || *usec > '9' || (pid && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	errno = 0;
	n = strtoull(usec, &end, 10);
	return errno || *end || n == 0 || n > UINT64_C(1000000000000) ? 0 : EFF_US((eff_ns)n);
}

int notify_init(struct notify *n)
{
	int r = 0;

	*n = (struct notify){.fd = -1};
	eff_event_init(&n->is_due);
	if (address_read(getenv("NOTIFY_SOCKET"), n))
		n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->address_len && n->fd < 0)
		r = -errno;
	if (n->fd >= 0)
		n->watchdog_ns = watchdog_of(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	return r;
}

void notify_done(struct notify *n)
{
	if (n->fd >= 0)
		(void)close(n->fd);
	n->fd = -1;
}

static int notify_say(const struct notify *n, unsigned i)
{
	char status[512];

	switch (n->due[i].word) {
	case NOTIFY_READY:
		return notify_send(
			n, "READY=1\nSTATUS=%s", tree_summary(n->tree, status, sizeof(status)));
	case NOTIFY_RELOADING:
		return notify_send(n, "RELOADING=1\nMONOTONIC_USEC=%lld\n" EXTEND_BY,
			(long long)(n->due[i].at / 1000));
	case NOTIFY_STOPPING:
		break;
	}
	return notify_send(n, "STOPPING=1\nSTATUS=stopping\n" EXTEND_BY);
}

/* Say all that is due, as far as there is room. Returns 0 or -EAGAIN. */
static int notify_say_due(struct notify *n)
{
	unsigned said = 0;
	int r = 0;

	while (said < n->n_due && r == 0) {
		r = notify_say(n, said);
		said += r == 0;
	}
	n->n_due -= said;
	memmove(n->due, n->due + said, n->n_due * sizeof(*n->due));
	return r;
}

static bool notify_is_last(const struct notify *n, unsigned from_end, enum notify_word word)
{
	return n->n_due >= from_end && n->due[n->n_due - from_end].word == word;
}

static void notify_due(struct notify *n, enum notify_word word)
{
	if (n->fd < 0 || notify_is_last(n, 1, word))
		return;
	/* A reload that nobody has heard of yet goes on, if another begins. */
	if (word == NOTIFY_RELOADING && notify_is_last(n, 1, NOTIFY_READY) &&
		notify_is_last(n, 2, NOTIFY_RELOADING))
		n->n_due -= 2;
	assert(n->n_due < sizeof(n->due) / sizeof(*n->due));
	n->due[n->n_due].word = word;
	n->due[n->n_due++].at = eff_now();
	if (notify_say_due(n) < 0)
		eff_event_set(&n->is_due);
}

eff_exit notify_deliver(void *arg)
{
	struct notify *n = arg;

	while (eff_event_await(&n->is_due) == 0) {
		eff_ns pause = AGAIN_FIRST;

		while (notify_say_due(n) < 0 && eff_sleep(pause) == 0)
			pause = pause * 2 < AGAIN_MOST ? pause * 2 : AGAIN_MOST;
		eff_event_reset(&n->is_due);
	}
	return eff_interrupted();
}

static void notify_ready(struct notify *n)
{
	n->told_ready = true;
	notify_due(n, NOTIFY_READY);
}

/* Two may overlap, the one reading while the other applies: what is told is the first's beginning and the last's end. */
void notify_reload(struct notify *n, bool begins)
{
	if (begins)
		n->reloads++;
	else
		n->reloads--;
	if (!n->told_ready || n->tree->shutting_down || n->reloads != begins)
		return;
	if (begins)
		notify_due(n, NOTIFY_RELOADING);
	else
		notify_ready(n);
}

void notify_stopping(struct notify *n)
{
	notify_due(n, NOTIFY_STOPPING);
}

/* Until something changes, but no longer than `most`. 0 or -ECANCELED. */
static int await_change(struct tree *t, eff_ns most)
{
	struct eff_scope within;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), most));
	r = eff_pulse_await(&t->changed);
	(void)eff_scope_close(&within);
	return r == -ECANCELED ? r : 0;
}

static bool notify_needs_time(const struct notify *n)
{
	return !n->told_ready || n->reloads > 0 || n->tree->shutting_down;
}

struct told {
	char status[512];
	eff_ns looked_at;
};

/* One line a second at most: a storm of changes leaves room for what must be heard, and the line is made of all units, which
 * is too much for every change of one. Returns whether a line may be owed. */
static bool status_tell(const struct notify *n, struct told *told)
{
	char status[sizeof(told->status)];

	if (eff_now() - told->looked_at < STATUS_EVERY)
		return true;
	told->looked_at = eff_now();
	(void)tree_summary(n->tree, status, sizeof(status));
	if (strcmp(status, told->status) == 0)
		return false;
	if (notify_send(n, "STATUS=%s%s", n->tree->shutting_down ? "stopping; " : "", status) < 0)
		return true;
	memcpy(told->status, status, sizeof(status));
	return false;
}

eff_exit notify_run(void *arg)
{
	struct notify *n = arg;
	eff_ns extended_at = eff_now() - EXTEND_EVERY;
	struct told told = {.looked_at = eff_now()}; /* of a tree that has not begun there is nothing to tell */
	int r = 0;

	while (r == 0) {
		if (!n->told_ready && !n->tree->shutting_down && tree_is_settled(n->tree))
			notify_ready(n);
		if (notify_needs_time(n) && eff_now() - extended_at >= EXTEND_EVERY) {
			(void)notify_send(n, EXTEND_BY);
			extended_at = eff_now();
		}
		r = await_change(n->tree, status_tell(n, &told) ? STATUS_EVERY : EXTEND_EVERY);
		/* Readiness is told at once, the rest is for people. */
		if (r == 0 && n->told_ready)
			r = eff_sleep(STATUS_EVERY);
	}
	return eff_interrupted();
}

eff_exit notify_watchdog(void *arg)
{
	const struct notify *n = arg;

	eff_ns pause = 0;

	/* One that finds no room is tried again before it is too late. */
	while (eff_sleep(pause) == 0)
		pause = n->watchdog_ns / (notify_send(n, "WATCHDOG=1") == 0 ? 2 : 16);
	return eff_interrupted();
}
