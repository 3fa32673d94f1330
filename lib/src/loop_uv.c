/* SPDX-License-Identifier: MIT */
/* The loop on libuv: descriptors and a wake-up, nothing else; the optional second one.
 *
 * It is a loop of its own, never the default one, and neither uv_signal, uv_process nor uv_timer is used: no handler is
 * installed and no child reaped. A descriptor is a uv_poll; the next deadline is one timerfd among them. A uv_poll is closed
 * as soon as nothing is awaited of its descriptor, for the number may be another file afterwards, and libuv ends the
 * process when the kernel refuses what it has checked before. Closing is done in a later run of the loop: the handle lives
 * until then, and is used again. Two things libuv does are undone: it makes a descriptor non-blocking, which others who
 * have it open would see, and it calls whatever epoll calls an error a bad descriptor. libuv keeps a pipe of its own open
 * for the life of the process from the first loop on. */
#include "loop.h"

#ifdef EFF_HAVE_UV

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

#include <uv.h>

struct watch {
	uv_poll_t poll;
	struct eff__backend_state *state;
	struct watch *next; /* among the spare */
	int fd;
	int events; /* EFF_READ, EFF_WRITE */
};

struct eff__backend_state {
	uv_loop_t loop;
	struct eff_rt *rt;
	struct watch **watches; /* by descriptor */
	int n_watches;
	struct watch *spare;
	uv_async_t waker;
	uv_poll_t timer;
	struct eff__alarm alarm;
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void on_timer(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	eff__alarm_heard(&eff_container(poll, struct eff__backend_state, timer)->alarm);
}

static void on_wake(uv_async_t *async)
{
	(void)async; /* the runtime looks at what was posted */
}

static void on_closed(uv_handle_t *handle)
{
	struct watch *watch = eff_container((uv_poll_t *)handle, struct watch, poll);

	watch->next = watch->state->spare;
	watch->state->spare = watch;
}

static void watch_drop(struct watch *watch)
{
	watch->state->watches[watch->fd] = NULL;
	uv_close((uv_handle_t *)&watch->poll, on_closed);
}

static int watch_start(struct watch *watch, int events)
{
	watch->events = events;
	return uv_poll_start(&watch->poll,
		(events & EFF_READ ? UV_READABLE : 0) | (events & EFF_WRITE ? UV_WRITABLE : 0),
		on_poll);
}

/* A refused connection, a pipe that nobody reads: libuv has stopped watching, and the descriptor is mostly a good one. */
static void on_error(struct watch *watch)
{
	struct eff_rt *rt = watch->state->rt;
	struct pollfd look = {.fd = watch->fd};
	int there = watch->events;

	if (poll(&look, 1, 0) < 0 || (look.revents & POLLNVAL) || watch_start(watch, there) < 0) {
		there = 0;
		watch_drop(watch);
	}
	eff__fd_ready(rt, look.fd, there);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = eff_container(poll, struct watch, poll);

	if (status < 0)
		on_error(watch);
	else
		eff__fd_ready(watch->state->rt, watch->fd,
			(events & UV_READABLE ? EFF_READ : 0) |
				(events & UV_WRITABLE ? EFF_WRITE : 0));
}

/* ── the loop ── */

static void close_handle(uv_handle_t *handle, void *arg)
{
	struct eff__backend_state *state = arg;
	bool own = handle == (uv_handle_t *)&state->waker || handle == (uv_handle_t *)&state->timer;

	if (!uv_is_closing(handle))
		uv_close(handle, own ? NULL : on_closed);
}

static void loop_free(struct eff__backend_state *state)
{
	struct watch *watch;

	while ((watch = state->spare)) {
		state->spare = watch->next;
		free(watch);
	}
	eff__alarm_close(&state->alarm);
	free(state->watches);
	free(state);
}

static void loop_close(struct eff__backend_state *state)
{
	uv_walk(&state->loop, close_handle, state);
	while (uv_loop_close(&state->loop) == UV_EBUSY)
		(void)uv_run(&state->loop, UV_RUN_NOWAIT);
	loop_free(state);
}

static int handles_open(struct eff__backend_state *state)
{
	int r = uv_async_init(&state->loop, &state->waker, on_wake);

	if (r >= 0)
		r = uv_poll_init(&state->loop, &state->timer, state->alarm.fd);
	if (r >= 0)
		r = uv_poll_start(&state->timer, UV_READABLE, on_timer);
	return r;
}

/* One that fails leaves its epoll descriptor open. */
static int loop_init(uv_loop_t *loop)
{
	int r = uv_loop_init(loop);

	if (r < 0 && uv_backend_fd(loop) > 0)
		close(uv_backend_fd(loop));
	return r;
}

static int loop_open(struct eff_rt *rt, struct eff__backend_state **ret_state)
{
	struct eff__backend_state *state = calloc(1, sizeof *state);
	int r;

	if (!state)
		return -ENOMEM;
	state->rt = rt;
	r = eff__alarm_open(&state->alarm);
	if (r >= 0)
		r = loop_init(&state->loop);
	if (r < 0) {
		loop_free(state);
		return r;
	}
	r = handles_open(state);
	if (r < 0) {
		loop_close(state);
		return r;
	}
	*ret_state = state;
	return 0;
}

static int watches_grow(struct eff__backend_state *state, int fd)
{
	int n = state->n_watches ? state->n_watches : 64;
	struct watch **watches;

	while (n <= fd)
		n *= 2;
	watches = realloc(state->watches, (size_t)n * sizeof *watches);
	if (!watches)
		return -ENOMEM;
	for (int i = state->n_watches; i < n; i++)
		watches[i] = NULL;
	state->watches = watches;
	state->n_watches = n;
	return 0;
}

/* A descriptor that was blocking is so again: whoever else has it open, a shell or a child, relies on that. */
static int poll_init(struct eff__backend_state *state, struct watch *watch, int fd)
{
	int flags = fcntl(fd, F_GETFL);
	int r = uv_poll_init(&state->loop, &watch->poll, fd);

	if (flags >= 0 && !(flags & O_NONBLOCK))
		(void)fcntl(fd, F_SETFL, flags);
	return r;
}

static int watch_new(struct eff__backend_state *state, int fd, struct watch **ret_watch)
{
	struct watch *watch = state->spare;
	int r;

	if (fd >= state->n_watches && watches_grow(state, fd) < 0)
		return -ENOMEM;
	if (watch)
		state->spare = watch->next;
	else
		watch = malloc(sizeof *watch);
	if (!watch)
		return -ENOMEM;
	watch->state = state;
	watch->fd = fd;
	r = poll_init(state, watch, fd);
	if (r < 0) {
		watch->next = state->spare;
		state->spare = watch;
		return r;
	}
	state->watches[fd] = watch;
	*ret_watch = watch;
	return 0;
}

static int loop_watch(struct eff__backend_state *state, int fd, int events)
{
	struct watch *watch = fd < state->n_watches ? state->watches[fd] : NULL;
	int r = 0;

	if (!events) {
		if (watch)
			watch_drop(watch);
		return 0;
	}
	if (!watch)
		r = watch_new(state, fd, &watch);
	/* Starting anew takes back an event that is pending, too. */
	return r < 0 ? r : watch_start(watch, events);
}

static void loop_wait(struct eff__backend_state *state, eff_ns deadline)
{
	bool due = deadline <= 0 || deadline <= eff__monotonic();

	if (!due)
		eff__alarm_set(&state->alarm, deadline);
	(void)uv_run(&state->loop, due ? UV_RUN_NOWAIT : UV_RUN_ONCE);
}

static void loop_wake(struct eff__backend_state *state)
{
	int saved = errno; /* a signal handler may call this */

	(void)uv_async_send(&state->waker);
	errno = saved;
}

const struct eff_backend *eff_backend_uv(void)
{
	static const struct eff_backend backend = {
		.name = "uv",
		.open = loop_open,
		.close = loop_close,
		.watch = loop_watch,
		.wait = loop_wait,
		.wake = loop_wake,
	};

	return &backend;
}

#else

const struct eff_backend *eff_backend_uv(void)
{
	return NULL;
}

#endif
