/* SPDX-License-Identifier: MIT */
/* The server: it accepts clients and gives each a fiber of its own. Where there is no room for one that comes, who has been
 * silent for the longest is closed; if nobody is, whoever comes is told so and turned away. When descriptors run out one kept in reserve is given up for the moment, so that a client that cannot be
 * served is closed and not left in the queue, where it would make the loop spin. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "control/conn.h"
#include "control/errand.h"

enum {
	CLIENTS_MAX = 256,
	DESCRIPTORS_OF_EFFD = 48,
	DESCRIPTORS_PER_UNIT = 10, /* pidfd, pipes, notify socket, control group, log files, a probe */
};

/* Where the tree does not say it. */
static mode_t mode_for(const struct plan_daemon *daemon, bool has_group)
{
	if (daemon->n_readers)
		return 0666;
	return has_group ? 0660 : 0600;
}

mode_t control_socket_mode(const struct plan_daemon *daemon)
{
	return daemon->has_socket_mode ? daemon->socket_mode & 0666
				       : mode_for(daemon, daemon->socket_group != NULL);
}

static int control_listen(struct control *control, const struct control_opts *with, struct text *why)
{
	const struct plan_daemon *daemon = plan_daemon(control->tree->plan);
	struct listen_opts opts = {.path = with->path,
		.mode = control_socket_mode(daemon),
		.given_fd = with->given_fd};
	int r = access_resolve(daemon, &control->access);

	if (r == -ENOENT)
		text_printf(why, "cannot give %s to the group \"%s\": there is no such group",
			with->path ? with->path : "the control socket", daemon->socket_group);
	if (r < 0)
		return r;
	control->access_generation = control->tree->generation;
	control->mode_is_given = daemon->has_socket_mode;
	opts.group = control->access.socket_group;
	return with->path ? listen_open(&opts, &control->listener, why) : 0;
}

void control_let_in(struct control *control)
{
	const struct plan_daemon *daemon = plan_daemon(control->tree->plan);
	bool has_group = control->access.socket_group != ACCESS_NO_GROUP;
	int r = 0;

	/* Its own mode and group, if they have changed, are for effd's next start. */
	if (!control->mode_is_given)
		r = listen_change(&control->listener, mode_for(daemon, has_group));
	if (r < 0)
		log_warn("cannot change the mode of %s: %s", control->listener.path, strerror(-r));
}

void control_keep_spare_fds(struct control *control)
{
	while (control->n_spare_fds < SPARE_FDS) {
		int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			return;
		control->spare_fds[control->n_spare_fds++] = fd;
	}
}

int control_open(const struct control_opts *opts, struct control **ret, struct text *why)
{
	struct control *control = alloc_new(sizeof(*control));
	int r;

	if (!control)
		return -ENOMEM;
	control->tree = opts->tree;
	control->host = opts->host;
	control->most_clients = opts->most_clients ? opts->most_clients : CLIENTS_MAX;
	control->listener = (struct listener){.fd = -1, .lock_fd = -1};
	control->access.socket_group = ACCESS_NO_GROUP;
	eff_list_init(&control->conns);
	eff_list_init(&control->errands);
	control_keep_spare_fds(control);
	r = control_listen(control, opts, why);
	if (r < 0) {
		control_close(control);
		return r;
	}
	if (control->listener.path)
		status_file_begin(&control->status_file, control->tree, control->listener.path,
			control->access.socket_group);
	*ret = control;
	return 0;
}

void control_close(struct control *control)
{
	if (!control)
		return;
	if (control->listener.fd >= 0)
		eff_fd_forget(control->listener.fd);
	/* The folder is this effd's as long as it has the socket's lock. */
	status_file_end(&control->status_file);
	listen_close(&control->listener);
	access_done(&control->access);
	rows_done(&control->rows);
	while (control->n_spare_fds > 0)
		(void)close(control->spare_fds[--control->n_spare_fds]);
	free(control);
}

uint32_t control_clients(const struct control *control)
{
	return control->n_clients;
}

/* Every unit of the tree comes before any client. */
static uint32_t clients_allowed(const struct control *control)
{
	uint64_t kept = DESCRIPTORS_OF_EFFD + (uint64_t)control->tree->n_units * DESCRIPTORS_PER_UNIT;
	struct rlimit limit;
	uint64_t left;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return control->most_clients;
	left = limit.rlim_cur > kept ? limit.rlim_cur - kept : 0;
	if (left < CLIENTS_MIN)
		left = CLIENTS_MIN;
	return left < control->most_clients ? (uint32_t)left : control->most_clients;
}

/* Say Busy. What it has written already is taken, else it could not read the word when it is closed. */
static void client_turn_away(int fd)
{
	struct json *busy = varlink_error(error_row(ERROR_BUSY)->name, NULL);
	char *text = busy ? json_print(busy) : NULL;
	char sink[512];

	if (text)
		(void)send(fd, text, strlen(text) + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)shutdown(fd, SHUT_WR);
	(void)recv(fd, sink, sizeof(sink), MSG_DONTWAIT);
	free(text);
	json_free(busy);
}

/* Who shares a limit with one that has just come. */
enum share { SHARE_ALL, SHARE_OTHERS, SHARE_USER };

static bool conn_is_in(const struct conn *c, enum share share, const struct conn *newcomer)
{
	if (share == SHARE_USER)
		return c->peer.who.uid == newcomer->peer.who.uid;
	return share == SHARE_ALL || !access_is_self(&c->control->access, &c->peer);
}

static uint32_t share_count(enum share share, const struct conn *newcomer)
{
	const struct eff_list *conns = &newcomer->control->conns;
	uint32_t n = 0;

	for (const struct eff_list *link = conns->next; link != conns; link = link->next) {
		const struct conn *c = eff_container(link, struct conn, link);

		n += !c->gone && conn_is_in(c, share, newcomer);
	}
	return n;
}

/* Who has been silent for the longest; NULL: each waits for something, or has just said something. */
static struct conn *share_idle(enum share share, const struct conn *newcomer)
{
	struct eff_list *conns = &newcomer->control->conns;
	struct conn *found = NULL;

	for (struct eff_list *link = conns->next; link != conns; link = link->next) {
		struct conn *c = eff_container(link, struct conn, link);

		if (c != newcomer && conn_is_in(c, share, newcomer) &&
			(!found || c->idle_since < found->idle_since) && conn_is_idle(c))
			found = c;
	}
	return found;
}

/* Of at most `most` clients that share something; the newcomer is among them already. Where it is one too many the one that has
 * been silent for the longest goes: those that say nothing keep nobody out. */
static bool share_has_room(enum share share, const struct conn *newcomer, uint32_t most)
{
	struct conn *idle;

	if (share_count(share, newcomer) <= most)
		return true;
	idle = share_idle(share, newcomer);
	if (idle)
		conn_dismiss(idle);
	return idle != NULL;
}

/* Is there room for one that has just come? Users but root and effd's own have each a quarter of it at most, and all of them
 * three quarters, so that nobody keeps out who may always come. */
static bool client_has_room(const struct control *control, const struct conn *c)
{
	uint32_t most = clients_allowed(control), quarter = most > 4 ? most / 4 : 1;

	if (!access_is_self(&control->access, &c->peer) &&
		(!share_has_room(SHARE_USER, c, quarter) ||
			!share_has_room(SHARE_OTHERS, c, most - quarter)))
		return false;
	return share_has_room(SHARE_ALL, c, most);
}

static void client_take(struct control *control, int fd)
{
	struct conn *c = conn_new(control, fd);

	if (!c)
		return;
	if (!client_has_room(control, c)) {
		client_turn_away(fd);
		conn_free(c);
	} else if (eff_fork(EFF(conn_run, c), NULL) < 0) {
		conn_free(c);
	}
}

/* Units have every other descriptor: the next client is served with one that is kept for that, so that who has to mend it can
 * ask, and stop them. The last one says Busy. Suspends until somebody comes. Returns 0 or -ECANCELED. */
static int client_take_with_spare(struct control *control)
{
	int r = eff_wait_fd(control->listener.fd, EFF_READ), fd = -1;

	if (r < 0)
		return r;
	if (control->n_spare_fds > 0) {
		(void)close(control->spare_fds[--control->n_spare_fds]);
		fd = accept4(control->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	}
	if (fd >= 0 && control->n_spare_fds > 0) {
		client_take(control, fd);
		return 0;
	}
	if (fd >= 0) {
		client_turn_away(fd);
		(void)close(fd);
	}
	control_keep_spare_fds(control);
	return eff_sleep(EFF_MS(control->n_spare_fds > 0 ? 10 : 100));
}

static void conns_free(struct control *control)
{
	while (!eff_list_empty(&control->conns))
		conn_free(eff_container(control->conns.next, struct conn, link));
}

eff_exit control_run(void *arg)
{
	struct control *control = arg;
	struct eff_scope scope;
	int r = 0;

	eff_scope_open(&scope);
	control->scope = &scope;
	if (control->listener.fd < 0)
		r = eff_sleep(EFF_FOREVER);
	while (r != -ECANCELED && r != -ETIMEDOUT && r != -EBADF) {
		r = eff_accept(control->listener.fd);
		if (r >= 0) {
			client_take(control, r);
		} else if (r == -EMFILE || r == -ENFILE) {
			r = client_take_with_spare(control);
		} else if (r != -ECANCELED && r != -ETIMEDOUT) {
			log_warn("cannot accept a client: %s", strerror(-r));
			r = eff_sleep(EFF_MS(100));
		}
	}
	(void)eff_scope_close(&scope);
	/* Of clients, and of errands, whose fiber was ended before its first step. */
	conns_free(control);
	errands_drop(control);
	return eff_interrupted();
}
