/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/endpoint.h"
#include "control/web.h"

#define PATIENCE EFF_S(10)

enum { BACKLOG = 64, MOST_CLIENTS = 32, REQUEST_MOST = 8192, PATH_MOST = 256 };

struct web {
	struct tree *tree;
	web_maker *make;
	struct effd_fiber *self;
	struct eff_list silent; /* visits of which something is to come: who has been silent for the longest first */
	int n_clients;
};

struct visit {
	struct web *web;
	struct eff_list link; /* in web.silent, or in none */
	int fd;
	bool sent_away;
	char request[REQUEST_MOST + 1];
};

struct head {
	bool only; /* HEAD: what GET would say, without it */
	char path[PATH_MOST];
};

/* ── one visit ── */

static void visit_is_silent(struct visit *v)
{
	eff_list_remove(&v->link);
	if (!v->sent_away)
		eff_list_append(&v->web->silent, &v->link);
}

/* Its place is another's. What it waits for ends. */
static void visit_send_away(struct visit *v)
{
	v->sent_away = true;
	eff_list_remove(&v->link);
	v->web->n_clients--;
	(void)shutdown(v->fd, SHUT_RDWR);
}

/* Suspends until the empty line. Returns 0, -EMSGSIZE, -ENODATA or what the wait ended with. */
static int request_read(struct visit *v)
{
	size_t len = 0;

	while (len < REQUEST_MOST) {
		ssize_t n;

		visit_is_silent(v);
		n = eff_read(v->fd, v->request + len, REQUEST_MOST - len);
		if (n <= 0)
			return n < 0 ? (int)n : -ENODATA;
		len += (size_t)n;
		v->request[len] = '\0';
		if (strlen(v->request) < len)
			return -EBADMSG;
		if (strstr(v->request, "\r\n\r\n") || strstr(v->request, "\n\n"))
			return 0;
	}
	return -EMSGSIZE;
}

/* "GET /path?query HTTP/1.1". Returns 200 and it, or the status to refuse it with. */
static int request_parse(const char *line, struct head *head)
{
	const char *path = strchr(line, ' ');
	size_t method = path ? (size_t)(path - line) : 0, len, rest;

	if (!path || path[1] != '/')
		return 400;
	path++;
	len = strcspn(path, " ?\r\n");
	rest = len + strcspn(path + len, " \r\n");
	if (strncmp(path + rest, " HTTP/1.", 8) != 0)
		return 400;
	head->only = method == 4 && strncmp(line, "HEAD", 4) == 0;
	if (!head->only && (method != 3 || strncmp(line, "GET", 3) != 0))
		return 405;
	if (len >= sizeof(head->path))
		return 404;
	memcpy(head->path, path, len);
	head->path[len] = '\0';
	return 200;
}

static const char *reason_of(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 431:
		return "Request Header Fields Too Large";
	case 500:
		return "Internal Server Error";
	default:
		return "Service Unavailable";
	}
}

static void page_refuse(struct web_page *page, int status)
{
	text_done(&page->body);
	*page = (struct web_page){.status = status};
	text_printf(&page->body, "%s\n", reason_of(status));
}

static void page_send(const struct visit *v, const struct head *head, struct web_page *page)
{
	struct text answer = {0};

	text_printf(&answer,
		"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
		"Cache-Control: no-store\r\nConnection: close\r\n\r\n",
		page->status, reason_of(page->status),
		page->type ? page->type : "text/plain; charset=utf-8", page->body.len,
		page->status == 405 ? "Allow: GET, HEAD\r\n" : "");
	if (!head->only)
		text_add_bytes(&answer, page->body.bytes, page->body.len);
	if (!answer.failed)
		(void)eff_write_all(v->fd, answer.bytes, answer.len);
	text_done(&answer);
}

static void visit_answer(struct visit *v, int r)
{
	struct web_page page = {0};
	struct head head = {0};
	int status = r == -EMSGSIZE ? 431 : r < 0 ? 400 : request_parse(v->request, &head);

	if (status == 200) {
		v->web->make(v->web->tree, head.path, &page);
		status = page.body.failed ? 500 : page.status ? page.status : 404;
	}
	if (status != page.status || page.body.failed)
		page_refuse(&page, status);
	page_send(v, &head, &page);
	text_done(&page.body);
}

/* What it has written must be read, or it loses the answer when the socket is closed. */
static void visit_linger(struct visit *v)
{
	char sink[1024];

	(void)shutdown(v->fd, SHUT_WR);
	visit_is_silent(v);
	for (int n = 0; n < MOST_CLIENTS && eff_read(v->fd, sink, sizeof(sink)) > 0;)
		n++;
}

static void visit_free(struct visit *v)
{
	eff_list_remove(&v->link);
	eff_fd_close(v->fd);
	if (!v->sent_away)
		v->web->n_clients--;
	free(v);
}

static eff_exit visit_run(void *arg)
{
	struct visit *v = arg;
	struct eff_scope within;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), PATIENCE));
	r = request_read(v);
	eff_list_remove(&v->link);
	if (!v->sent_away && (r == 0 || r == -EMSGSIZE || r == -EBADMSG)) {
		visit_answer(v, r);
		visit_linger(v);
	}
	(void)eff_scope_close(&within);
	visit_free(v);
	return eff_ok(NULL);
}

/* ── the door ── */

/* Is there a place? Where there is none, who has been silent for the longest gives up its own: those that say nothing keep
 * nobody out. */
static bool web_has_room(struct web *web)
{
	for (struct eff_list *link = web->silent.next;
		web->n_clients >= MOST_CLIENTS && link != &web->silent; link = link->next) {
		struct visit *v = eff_container(link, struct visit, link);

		if (!endpoint_has_input(v->fd)) {
			visit_send_away(v);
			break;
		}
	}
	return web->n_clients < MOST_CLIENTS;
}

static void visit_begin(struct web *web, struct eff_scope *visits, int fd)
{
	struct visit *v = web_has_room(web) ? alloc_new(sizeof(*v)) : NULL;

	if (v) {
		v->web = web;
		v->fd = fd;
		eff_list_init(&v->link);
		if (eff_fork_in(visits, EFF(visit_run, v), NULL) == 0) {
			web->n_clients++;
			visit_is_silent(v);
			return;
		}
	}
	free(v);
	(void)close(fd);
}

/* One that nobody listens on was left behind by one who was killed. */
static void clear_stale(const struct endpoint *at)
{
	const struct sockaddr_un *un = &at->address.un;
	struct stat st;

	if (at->address.any.sa_family == AF_UNIX && lstat(un->sun_path, &st) == 0 &&
		S_ISSOCK(st.st_mode) && endpoint_is_stale(un))
		(void)unlink(un->sun_path);
}

static int listen_at(struct endpoint *at)
{
	int fd = endpoint_socket(at, SOCK_NONBLOCK), family = at->address.any.sa_family, r = 0,
	    on = 1;

	if (fd < 0)
		return fd;
	clear_stale(at);
	if (family != AF_UNIX)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &at->address.any, at->len) < 0 || listen(fd, BACKLOG) < 0) {
		r = -errno;
		(void)close(fd);
	}
	return r < 0 ? r : eff_fd_raise(fd);
}

static int accept_all(struct web *web, int fd)
{
	struct eff_list *left, *next;
	struct eff_scope visits;
	int client = 0;

	eff_list_init(&web->silent);
	eff_scope_open(&visits);
	while (client != -ECANCELED && client != -ETIMEDOUT) {
		client = eff_accept(fd);
		if (client >= 0)
			visit_begin(web, &visits, client);
		else if (client != -ECANCELED)
			client = eff_sleep(EFF_MS(100)); /* no descriptor, no memory */
	}
	eff_scope_cancel(&visits);
	(void)eff_scope_close(&visits);
	/* Of those whose fiber was ended before its first step. */
	for (left = web->silent.next; left != &web->silent; left = next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the one after it is another, which the analyzer does not follow. */
		next = left->next;
		visit_free(eff_container(left, struct visit, link));
	}
	return client;
}

eff_exit web_serve(struct effd_fiber *self, web_maker *make)
{
	struct web web = {.tree = tree_of(fiber_unit(self)), .make = make, .self = self};
	const char *where = effd_fiber_text(self, "listen", "");
	struct endpoint at;
	int fd = endpoint_parse(where, &at);

	if (fd < 0)
		return eff_failf(1, "listen: \"%s\" is no address", where);
	fd = listen_at(&at);
	if (fd < 0)
		return eff_failf(1, "cannot listen at %s: %s", where, strerror(-fd));
	effd_fiber_ready(self);
	(void)accept_all(&web, fd);
	eff_fd_close(fd);
	if (at.address.any.sa_family == AF_UNIX)
		(void)unlink(at.address.un.sun_path);
	return eff_interrupted();
}
