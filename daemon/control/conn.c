/* SPDX-License-Identifier: MIT */
/* A client's connection: bytes in, bytes out, bounded both ways.
 *
 * Its fiber reads a request, answers it, reads the next: what a client sends ahead waits in the socket. Answers are sent
 * at once as far as the socket takes them; for the rest a second fiber waits, so that nobody else does. While a call
 * takes time a third one reads ahead, to see that the client is still there. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/endpoint.h"
#include "base/text.h"
#include "control/conn.h"

enum { LINGER_READS = 16384, WATCH_EVERY_S = 1 };

struct conn *conn_new(struct control *control, int fd)
{
	struct conn *c = alloc_new(sizeof(*c));

	if (!c || peer_read(fd, &c->peer) < 0) {
		free(c);
		eff_fd_close(fd);
		return NULL;
	}
	c->control = control;
	c->fd = fd;
	frame_in_init(&c->in, FRAME_LIMIT);
	eff_pulse_init(&c->progress);
	c->idle_since = eff_now();
	eff_list_append(&control->conns, &c->link);
	control->n_clients++;
	return c;
}

void conn_free(struct conn *c)
{
	if (!c)
		return;
	eff_list_remove(&c->link);
	c->control->n_clients--;
	eff_fd_close(c->fd);
	control_keep_spare_fds(c->control);
	frame_in_done(&c->in);
	frame_out_done(&c->out);
	call_done(&c->asked.call);
	peer_done(&c->peer);
	free(c);
}

bool conn_is_idle(const struct conn *c)
{
	return !c->serving && !c->gone && !frame_in_is_partial(&c->in) &&
		!frame_out_pending(&c->out) && !endpoint_has_input(c->fd);
}

void conn_dismiss(struct conn *c)
{
	c->gone = true;
	(void)shutdown(c->fd, SHUT_RDWR);
}

/* ── out ── */

static void conn_give_up(struct conn *c)
{
	c->gone = true;
	if (c->call)
		eff_scope_cancel(c->call);
	eff_pulse_send(&c->progress);
}

/* Send what the socket takes now. */
static void conn_flush(struct conn *c)
{
	while (!c->gone && frame_out_pending(&c->out) > 0) {
		const char *bytes = frame_out_bytes(&c->out);
		ssize_t n = send(
			c->fd, bytes, frame_out_pending(&c->out), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				conn_give_up(c);
			return;
		}
		c->mid_message = bytes[n - 1] != '\0';
		frame_out_sent(&c->out, (size_t)n);
		eff_pulse_send(&c->progress);
	}
}

static eff_exit conn_write(void *arg)
{
	struct conn *c = arg;

	while (!c->gone && frame_out_pending(&c->out) > 0) {
		int r = eff_wait_fd(c->fd, EFF_WRITE);

		if (r < 0)
			break;
		conn_flush(c);
	}
	c->writing = false;
	return eff_ok(NULL);
}

static void conn_push(struct conn *c)
{
	conn_flush(c);
	if (c->gone || c->writing || frame_out_pending(&c->out) == 0)
		return;
	c->writing = eff_fork_in(c->scope, EFF(conn_write, c), NULL) == 0;
	if (!c->writing)
		conn_give_up(c);
}

/* Drop what has not begun to be sent, and say so: that is the last message. */
void conn_lose(struct conn *c)
{
	struct json *last = varlink_error(error_row(ERROR_LOST)->name, NULL);
	const char *bytes = frame_out_bytes(&c->out);
	size_t pending = frame_out_pending(&c->out);
	int room = 1 << 20;
	const char *end;

	c->lost = true;
	end = c->mid_message && pending ? memchr(bytes, '\0', pending) : NULL;
	c->out.end = c->out.start + (end ? (size_t)(end + 1 - bytes) : 0);
	/* The socket is full, or we would not be here: more room in it lets the word through at once. */
	(void)setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (!last || frame_out_add(&c->out, last) < 0)
		conn_give_up(c);
	json_free(last);
	conn_push(c);
	if (c->call)
		eff_scope_cancel(c->call);
}

/* What was queued, if it could be. */
static int conn_sent(struct conn *c, int r)
{
	if (r == 0)
		conn_push(c);
	else
		conn_give_up(c);
	return c->gone ? -ECANCELED : r;
}

int conn_send(struct conn *c, struct json *message)
{
	bool takes = !c->gone && !c->lost;
	int r = -ECANCELED;

	if (takes)
		r = message ? frame_out_add(&c->out, message) : -ENOMEM;
	json_free(message);
	return takes ? conn_sent(c, r) : r;
}

int conn_send_text(struct conn *c, struct text *message)
{
	if (!c->gone && !c->lost)
		return conn_sent(c, frame_out_take(&c->out, message));
	text_done(message);
	return -ECANCELED;
}

int conn_bound(struct conn *c)
{
	if (!c->gone && !c->lost && frame_out_pending(&c->out) > CONN_UNREAD_MAX)
		conn_lose(c);
	return c->gone || c->lost ? -ECANCELED : 0;
}

int conn_drain(struct conn *c, size_t left)
{
	while (!c->gone && frame_out_pending(&c->out) > left) {
		struct eff_scope within;
		int r;

		eff_scope_open(&within);
		eff_scope_limit(&within, eff_ns_add(eff_now(), CONN_PATIENCE));
		r = eff_pulse_await(&c->progress);
		(void)eff_scope_close(&within);
		if (r == -ETIMEDOUT) {
			if (!c->lost)
				conn_lose(c);
			conn_give_up(c);
		}
		if (r < 0)
			return -ECANCELED;
	}
	return c->gone ? -ECANCELED : 0;
}

/* ── in ── */

/* Has the other end been closed in both directions? One that only sends no more may still read. */
static bool conn_is_hung_up(const struct conn *c)
{
	struct pollfd p = {.fd = c->fd};

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL));
}

/* Read once. Suspends. 1; 0 at the end; -ENOBUFS when enough waits already; -errno. */
static int conn_read(struct conn *c)
{
	char *bytes;
	size_t size;
	ssize_t n;
	int r = frame_in_room(&c->in, &bytes, &size);

	/* What left room has taken all that there was, and mostly nothing has come since: it need not be tried. */
	if (r == 0 && c->input_drained)
		r = eff_wait_fd(c->fd, EFF_READ);
	if (r < 0)
		return r;
	n = eff_read(c->fd, bytes, size);
	if (n < 0)
		return (int)n;
	c->input_drained = (size_t)n < size;
	if (n == 0) {
		c->input_ended = true;
		return 0;
	}
	frame_in_came(&c->in, (size_t)n);
	return 1;
}

/* The request's first byte is there, now the rest of it. */
static int conn_read_rest(struct conn *c, char **ret_text, size_t *ret_len)
{
	struct eff_scope within;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), CONN_PATIENCE));
	do
		r = c->input_ended ? 0 : conn_read(c);
	while (r > 0 && (r = frame_in_next(&c->in, ret_text, ret_len)) == 0);
	(void)eff_scope_close(&within);
	return r;
}

int conn_await_request(struct conn *c, char **ret_text, size_t *ret_len)
{
	int r;

	while (!frame_in_is_partial(&c->in)) {
		r = c->input_ended || c->gone ? 0 : conn_read(c);
		if (r <= 0)
			return r;
	}
	/* Mostly all of it is there. */
	r = frame_in_next(&c->in, ret_text, ret_len);
	return r != 0 ? r : conn_read_rest(c, ret_text, ret_len);
}

eff_exit conn_watch(void *arg)
{
	struct conn *c = arg;
	int r = 0;

	while (!c->gone && r != -ECANCELED && r != -ETIMEDOUT) {
		r = c->input_ended ? -ENODATA : conn_read(c);
		if (r > 0)
			continue;
		if (conn_is_hung_up(c) ||
			(r < 0 && r != -ENODATA && r != -ENOBUFS && r != -ECANCELED))
			conn_give_up(c);
		/* Nothing tells of the end now but looking. */
		if (!c->gone && r != -ECANCELED)
			r = eff_sleep(EFF_S(WATCH_EVERY_S));
	}
	return eff_interrupted();
}

/* ── its story ── */

/* After a refusal: let it read the answer, and finish what it writes, before the socket goes. */
static void conn_linger(struct conn *c)
{
	struct eff_scope within;
	char sink[1024];
	int n = 0;

	(void)shutdown(c->fd, SHUT_WR);
	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), EFF_S(1)));
	while (n < LINGER_READS && eff_read(c->fd, sink, sizeof(sink)) > 0)
		n++;
	(void)eff_scope_close(&within);
}

static void conn_story(struct conn *c)
{
	bool goes_on = true;

	while (goes_on && !c->gone && !c->lost) {
		char *text = NULL;
		size_t len = 0;
		int r = conn_await_request(c, &text, &len);

		if (r == -EMSGSIZE)
			request_refuse(c, ERROR_BAD_REQUEST, "a request has at most 1 MiB",
				(long)FRAME_LIMIT);
		else if (r == -ETIMEDOUT)
			request_refuse(c, ERROR_BAD_REQUEST,
				"a request must be whole within 10 s", -1);
		c->serving = true;
		goes_on = r == 1 && request_serve(c, text, len);
		(void)conn_drain(c, 0);
		c->serving = false;
		c->idle_since = eff_now();
		if ((r == 1 && !goes_on) || r == -EMSGSIZE || r == -ETIMEDOUT)
			conn_linger(c);
	}
}

eff_exit conn_run(void *arg)
{
	struct conn *c = arg;
	struct eff_scope scope;

	eff_scope_open(&scope);
	c->scope = &scope;
	conn_story(c);
	/* The end of effd cuts waits short, but an answer that is ready still goes out as far as the socket takes it. */
	conn_flush(c);
	(void)eff_scope_close(&scope);
	conn_free(c);
	return eff_ok(NULL);
}
