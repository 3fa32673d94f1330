/* SPDX-License-Identifier: MIT */
/* What effd says of its tree when it begins and when it has ended. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/text.h"
#include "effd/effd.h"

static bool socket_is_default(const struct effd *e)
{
	auto_free char *path = options_default_socket();
	const char *other = getenv("EFFD_SOCKET");

	return strcmp(e->socket, other && *other ? other : path ? path : "") == 0;
}

void say_where(const struct effd *e)
{
	bool known = e->control && socket_is_default(e);

	if (!e->control) {
		log_info("%s: without a control socket", plan_name(e->tree->plan));
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
