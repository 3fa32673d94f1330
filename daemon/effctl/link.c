/* SPDX-License-Identifier: MIT */
/* What can be done at once is; else poll(2) waits, with what is left of the time. A reply may be long: effd's tree may have
 * any number of units. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "effctl/link.h"

#define REPLY_LIMIT ((size_t)1 << 30)
#define CONNECT_TIMEOUT_S 10

static eff_ns now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return EFF_S(ts.tv_sec) + ts.tv_nsec;
}

void link_init(struct link *link)
{
	link->fd = -1;
	link->limit_at = EFF_FOREVER;
	link->out = (struct frame_out){0};
	frame_in_init(&link->in, REPLY_LIMIT);
}

void link_close(struct link *link)
{
	if (link->fd >= 0)
		(void)close(link->fd);
	link->fd = -1;
	frame_in_done(&link->in);
	frame_out_done(&link->out);
}

void link_limit(struct link *link, double seconds)
{
	link->limit_at = seconds < 0 || seconds > 1e9 ? EFF_FOREVER
						      : now() + (eff_ns)(seconds * 1e9);
}

int link_open(struct link *link, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval within = {.tv_sec = CONNECT_TIMEOUT_S};

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (link->fd < 0)
		return -errno;
	/* It bounds connect(2) too, which waits while the queue of effd's socket is full. */
	(void)setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, &within, sizeof(within));
	if (connect(link->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return 0;
}

bool link_has_ended(const struct link *link)
{
	char byte;

	return link->fd >= 0 && !frame_in_is_partial(&link->in) &&
		recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

pid_t link_peer(const struct link *link)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(link->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return 0;
	return peer.uid == 0 || peer.uid == geteuid() ? peer.pid : 0;
}

/* What is left of the time, for poll(2), which knows no more than 24 days at a time; -1: there is no limit. */
static int left_ms(const struct link *link)
{
	eff_ns left_ns;

	if (link->limit_at == EFF_FOREVER)
		return -1;
	left_ns = link->limit_at - now();
	if (left_ns <= 0)
		return 0;
	return left_ns < EFF_MS(INT_MAX) ? (int)((left_ns + EFF_MS(1) - 1) / EFF_MS(1)) : INT_MAX;
}

/* Wait until it can be read from (POLLIN) or written to. Returns 0, -ETIMEDOUT, -errno. */
static int wait_for(const struct link *link, short events)
{
	struct pollfd poll_fd = {.fd = link->fd, .events = events};

	for (;;) {
		int n = poll(&poll_fd, 1, left_ms(link));

		if (n > 0)
			return 0;
		if (n == 0 && left_ms(link) == 0)
			return -ETIMEDOUT;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

int link_send(struct link *link, struct json *message)
{
	int r = frame_out_add(&link->out, message);

	json_free(message);
	while (r == 0 && frame_out_pending(&link->out) > 0) {
		ssize_t n = send(link->fd, frame_out_bytes(&link->out),
			frame_out_pending(&link->out), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			frame_out_sent(&link->out, (size_t)n);
		else if (errno == EAGAIN)
			r = wait_for(link, POLLOUT);
		else if (errno != EINTR)
			r = -errno;
	}
	return r;
}

/* Returns 1 when bytes came, or may come now; 0 when effd has gone. */
static int receive_bytes(struct link *link)
{
	size_t size;
	char *room;
	ssize_t n;
	int r = frame_in_room(&link->in, &room, &size);

	if (r < 0)
		return r;
	n = recv(link->fd, room, size, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN) {
		r = wait_for(link, POLLIN);
		return r < 0 ? r : 1;
	}
	if (n < 0)
		return errno == EINTR ? 1 : errno == ECONNRESET ? 0 : -errno;
	frame_in_came(&link->in, (size_t)n);
	return n > 0;
}

int reply_read(const char *text, size_t len, struct reply *ret_reply)
{
	struct reply reply = {0};
	int r = json_parse(text, len, 0, &reply.document, NULL);

	if (r < 0)
		return r;
	if (json_type(reply.document) != JSON_OBJECT) {
		json_free(reply.document);
		return -EBADMSG;
	}
	reply.parameters = json_get(reply.document, "parameters");
	reply.error = json_get_text(reply.document, "error", NULL);
	reply.continues = json_get_bool(reply.document, "continues", false);
	*ret_reply = reply;
	return 1;
}

bool link_await(const struct link *link, double seconds)
{
	struct pollfd p = {.fd = link->fd, .events = POLLIN};

	return frame_in_is_partial(&link->in) || poll(&p, 1, (int)(seconds * 1000)) != 0;
}

int link_receive_text(struct link *link, char **ret_text, size_t *ret_len)
{
	for (;;) {
		int r = frame_in_next(&link->in, ret_text, ret_len);

		if (r != 0)
			return r;
		r = receive_bytes(link);
		if (r <= 0)
			return r;
	}
}

int link_receive(struct link *link, struct reply *ret_reply)
{
	char *text;
	size_t len;
	int r = link_receive_text(link, &text, &len);

	return r > 0 ? reply_read(text, len, ret_reply) : r;
}

void reply_done(struct reply *reply)
{
	json_free(reply->document);
	*reply = (struct reply){0};
}
