/* SPDX-License-Identifier: MIT */
/* What effd says of its tree when it begins and when it has ended. */
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/text.h"
#include "effd/effd.h"
#include "wire/address.h"

static bool socket_is_default(const struct effd *e)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];

	return address_default(path) == 0 && strcmp(e->socket, path) == 0;
}

/* A command alone is mostly where nobody would. */
static void say_that_none_asks(const struct effd *e)
{
	const char *name = plan_name(e->tree->plan);

	if (e->options.command)
		log_info("%s: without a control socket", name);
	else
		log_warn("%s: without a control socket, for no place of one can be written to: effctl cannot reach it; "
			 "mount a tmpfs at /run or /tmp, or name a place with --socket PATH, EFFD_SOCKET or `daemon.socket`",
			name);
}

/* Root without it may become another user, and never reach who it has become: containers are often given no more than that. */
static bool may_signal_all(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct halves[2] = {{0}};

	return geteuid() != 0 || syscall(SYS_capget, &head, halves) < 0 ||
		halves[0].effective & 1U << CAP_KILL;
}

static void say_what_cannot_be_signalled(const struct effd *e)
{
	const struct plan *plan = e->tree->plan;
	struct text names = {0};

	if (may_signal_all())
		return;
	for (uint32_t i = 0; i < plan_n_units(plan); i++) {
		const char *user = plan_unit(plan, i)->user;

		if (user && strcmp(user, "root") != 0 && strcmp(user, "0") != 0)
			text_printf(&names, "%s%s", names.len ? ", " : "", plan_unit(plan, i)->name);
	}
	if (names.bytes)
		log_warn("effd may not signal other users, so that these do not hear that they are to stop: %s; "
			 "give its container the capability KILL",
			names.bytes);
	text_done(&names);
}

void say_where(const struct effd *e)
{
	bool known = e->socket && socket_is_default(e);

	say_what_cannot_be_signalled(e);
	if (!e->socket) {
		say_that_none_asks(e);
		return;
	}
	log_info("%s: control socket %s; look with: effctl%s%s status", plan_name(e->tree->plan),
		e->socket, known ? "" : " -s ", known ? "" : e->socket);
}

void say_how_it_ended(const struct effd *e, eff_exit end)
{
	const struct unit *root = e->tree->units[0];
	const char *name = plan_name(e->tree->plan);
	char words[512];

	if (root->state == UNIT_FAILED)
		log_error("%s has failed: %s", name, cause_line(root->cause, words, sizeof(words)));
	else if (eff_is_ok(end))
		log_info("%s %s", name, root->state == UNIT_DONE ? "is done" : "has stopped");
	else
		log_error("%s has ended: %s", name, eff_exit_text(end, words, sizeof(words)));
}

/* Who left its unit's session and group, and whose parents have all gone, is nobody's any more: it outlives effd. As PID 1
 * it does not, for the kernel ends what is left. */
void say_who_is_left(const struct effd *e)
{
	enum { TOLD = 8 };
	struct os_left left[TOLD];
	struct text text = {0};
	size_t n;

	if (getpid() == 1 || !plan_daemon(e->tree->plan)->subreaper)
		return;
	n = os_linux_strays(left, TOLD);
	for (size_t i = 0; i < n && i < TOLD; i++)
		text_printf(&text, "%s pid %d (%s)", i ? "," : "", (int)left[i].pid,
			left[i].command);
	if (n > TOLD)
		text_printf(&text, " and %zu more", n - TOLD);
	if (text.bytes)
		log_warn("left behind, for no unit could be told to own it:%s", text.bytes);
	text_done(&text);
}
