/* SPDX-License-Identifier: MIT */
/* effd as a service: what sd_notify(3) knows. READY when the tree has settled; until then, while it reloads and while it
 * stops, more time is asked for as long as effd lives; STATUS says in a line how the tree is. Where nobody listens nothing is sent, and no
 * child inherits the address. */
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

static void __attribute__((format(printf, 2, 3)))
notify_send(const struct notify *n, const char *format, ...)
{
	char message[1024];
	va_list args;
	int len;

	if (n->fd < 0)
		return;
	va_start(args, format);
	len = vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (len > 0)
		(void)sendto(n->fd, message,
			(size_t)len < sizeof(message) ? (size_t)len : sizeof(message) - 1,
			MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&n->address,
			n->address_len);
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

void notify_init(struct notify *n)
{
	*n = (struct notify){.fd = -1};
	if (address_read(getenv("NOTIFY_SOCKET"), n))
		n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd >= 0)
		n->watchdog_ns = watchdog_of(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

void notify_done(struct notify *n)
{
	if (n->fd >= 0)
		(void)close(n->fd);
	n->fd = -1;
}

static void notify_ready(struct notify *n)
{
	char status[512];

	n->told_ready = true;
	notify_send(n, "READY=1\nSTATUS=%s", tree_summary(n->tree, status, sizeof(status)));
}

/* Two may overlap, the one reading while the other applies: what is told is the first's beginning and the last's end. */
void notify_reload(struct notify *n, bool begins)
{
	if (begins)
		n->reloads++;
	else
		n->reloads--;
	if (!n->told_ready || n->reloads != begins)
		return;
	if (begins)
		notify_send(n, "RELOADING=1\nMONOTONIC_USEC=%lld\n" EXTEND_BY,
			(long long)(eff_now() / 1000));
	else if (!n->tree->shutting_down)
		notify_ready(n);
}

void notify_stopping(struct notify *n)
{
	notify_send(n, "STOPPING=1\nSTATUS=stopping\n" EXTEND_BY);
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

eff_exit notify_run(void *arg)
{
	struct notify *n = arg;
	eff_ns extended_at = eff_now() - EXTEND_EVERY;
	char last[512] = "";
	int r = 0;

	while (r == 0) {
		char status[512];

		if (!n->told_ready && !n->tree->shutting_down && tree_is_settled(n->tree))
			notify_ready(n);
		if (notify_needs_time(n) && eff_now() - extended_at >= EXTEND_EVERY) {
			notify_send(n, EXTEND_BY);
			extended_at = eff_now();
		}
		(void)tree_summary(n->tree, status, sizeof(status));
		if (strcmp(status, last) != 0) {
			notify_send(n, "STATUS=%s%s",
				n->tree->shutting_down ? "stopping; " : "", status);
			memcpy(last, status, sizeof(last));
		}
		r = await_change(n->tree, EXTEND_EVERY);
		/* Readiness is told at once, the rest is for people. */
		if (r == 0 && n->told_ready)
			r = eff_sleep(STATUS_EVERY);
	}
	return eff_interrupted();
}

eff_exit notify_watchdog(void *arg)
{
	const struct notify *n = arg;

	do
		notify_send(n, "WATCHDOG=1");
	while (eff_sleep(n->watchdog_ns / 2) == 0);
	return eff_interrupted();
}
