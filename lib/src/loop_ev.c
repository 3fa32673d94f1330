/* SPDX-License-Identifier: MIT */
/* The loop on libev: descriptors and a wake-up, nothing else.
 *
 * It is a loop of its own, never the default one, whose SIGCHLD watcher steals the ends of children; ev_signal, ev_child
 * and ev_timer are not used. The next deadline is one timerfd, watched like any descriptor. libev calls in the reverse of the
 * order in which the kernel has told it, so its callbacks only note who is ready: io.c hears of them in the kernel's order, when
 * all are known, and fibers run after wait() has returned. A watch lives in the slot of its descriptor, for libev holds its
 * address. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <ev.h>

#include "loop.h"
#include "slots.h"

struct watch {
	struct ev_io io;
	int revents;        /* libev's word, which io.c has not heard; 0: there is none */
	struct watch *next; /* who was ready after it */
};

struct eff__backend_state {
	struct ev_loop *loop;
	struct eff_rt *rt;
	struct eff__slots watches; /* struct watch */
	struct watch *ready;       /* of the wait that runs, in the kernel's order */
	struct ev_io timer, waker;
	struct eff__alarm alarm;
	int wake_fd;
	bool refused; /* the kernel has not taken one of these two */
};

/* libev has given it up. It begins a new epoll now and then, into which it puts all again: so that may happen at any time, and
 * without these two the loop sleeps for ever. */
static void own_again(struct ev_loop *loop, struct ev_io *io)
{
	struct eff__backend_state *state = ev_userdata(loop);

	state->refused = true;
	/* Without being set anew it is taken for one that is there. */
	ev_io_set(io, io->fd, EV_READ);
	ev_io_start(loop, io);
}

static void on_timer(struct ev_loop *loop, struct ev_io *io, int revents)
{
	struct eff__backend_state *state = ev_userdata(loop);

	if (revents & EV_ERROR)
		own_again(loop, io);
	eff__alarm_heard(&state->alarm);
}

static void on_wake(struct ev_loop *loop, struct ev_io *io, int revents)
{
	uint64_t n;
	ssize_t r;

	if (revents & EV_ERROR)
		own_again(loop, io);
	r = read(io->fd, &n, sizeof n);
	(void)r; /* the runtime looks at what was posted, whatever the count is */
}

/* The last of whom libev calls was ready first. */
static void on_io(struct ev_loop *loop, struct ev_io *io, int revents)
{
	struct eff__backend_state *state = ev_userdata(loop);
	struct watch *watch = (struct watch *)io;

	if (!watch->revents) {
		watch->next = state->ready;
		state->ready = watch;
	}
	watch->revents |= revents;
}

/* Who hears may stop others, and watch them anew: what was known of them before is not told. */
static void tell_ready(struct eff__backend_state *state)
{
	struct watch *watch;
	int revents;
	int events;

	while ((watch = state->ready)) {
		state->ready = watch->next;
		revents = watch->revents;
		watch->revents = 0;
		if (!revents)
			continue;
		events = 0;
		if (!(revents & EV_ERROR)) {
			events |= revents & EV_READ ? EFF_READ : 0;
			events |= revents & EV_WRITE ? EFF_WRITE : 0;
		}
		eff__fd_ready(state->rt, watch->io.fd, events);
	}
}

/* libev ends the process for what it cannot do without. Where it has let the old epoll go and the kernel has no new one for
 * it yet, that is put off until there is one: it asks again as soon as this returns. libev has one ear for the whole process. */
static void on_system_error(const char *message)
{
	const struct timespec pause = {.tv_nsec = EFF_MS(1)};

	if (strcmp(message, "(libev) epoll_create") == 0) {
		(void)nanosleep(&pause, NULL);
		return;
	}
	perror(message);
	abort();
}

static void loop_wake(struct eff__backend_state *state);

/* What the kernel refuses is an event just before the wait, and libev waits all the same. */
static void on_wait(struct ev_loop *loop)
{
	struct eff__backend_state *state = ev_userdata(loop);

	if (ev_pending_count(loop) == 0)
		return;
	loop_wake(state);
	eff__alarm_set(&state->alarm, 1);
}

/* Takes back what was not told yet, too. */
static void watch_stop(struct eff__backend_state *state, struct watch *watch)
{
	if (!watch)
		return;
	ev_io_stop(state->loop, &watch->io);
	watch->revents = 0;
}

static void loop_close(struct eff__backend_state *state)
{
	if (!state)
		return;
	if (state->loop) {
		for (int fd = 0; fd < state->watches.n; fd++)
			watch_stop(state, eff__slot(&state->watches, fd));
		ev_io_stop(state->loop, &state->timer);
		ev_io_stop(state->loop, &state->waker);
		ev_loop_destroy(state->loop);
	}
	eff__slots_done(&state->watches);
	eff__alarm_close(&state->alarm);
	if (state->wake_fd >= 0)
		close(state->wake_fd);
	free(state);
}

/* They are watched from the first moment to the last: whether the kernel takes them is known by then, and not found out by
 * a fiber that sleeps for ever. */
static int own_start(struct eff__backend_state *state)
{
	ev_io_init(&state->timer, on_timer, state->alarm.fd, EV_READ);
	ev_io_init(&state->waker, on_wake, state->wake_fd, EV_READ);
	ev_io_start(state->loop, &state->timer);
	ev_io_start(state->loop, &state->waker);
	errno = 0;
	ev_run(state->loop, EVRUN_NOWAIT);
	if (!state->refused)
		return 0;
	return errno ? -errno : -ENOMEM;
}

static int loop_open(struct eff_rt *rt, struct eff__backend_state **ret_state)
{
	struct eff__backend_state *state = calloc(1, sizeof *state);
	int r = -ENOMEM;

	if (!state)
		return r;
	state->rt = rt;
	state->watches.size = sizeof(struct watch);
	state->wake_fd = -1;
	r = eff__alarm_open(&state->alarm);
	if (r < 0)
		goto fail;
	state->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (state->wake_fd < 0) {
		r = -errno;
		goto fail;
	}
	ev_set_syserr_cb(on_system_error);
	/* The environment (LIBEV_FLAGS) has no say. NULL without a reason is mostly a lack of descriptors. */
	errno = 0;
	state->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV | EVFLAG_NOSIGMASK);
	if (!state->loop) {
		r = errno ? -errno : -ENOMEM;
		goto fail;
	}
	ev_set_userdata(state->loop, state);
	ev_set_loop_release_cb(state->loop, on_wait, NULL);
	r = own_start(state);
	if (r < 0)
		goto fail;
	*ret_state = state;
	return 0;
fail:
	loop_close(state);
	return r;
}

static int loop_watch(struct eff__backend_state *state, int fd, int events)
{
	int wanted = (events & EFF_READ ? EV_READ : 0) | (events & EFF_WRITE ? EV_WRITE : 0);
	struct watch *watch = eff__slot(&state->watches, fd);

	/* libev gathers changes until its next wait. */
	watch_stop(state, watch);
	if (!wanted)
		return 0;
	if (!watch)
		watch = eff__slot_make(&state->watches, fd);
	if (!watch)
		return -ENOMEM;
	ev_io_init(&watch->io, on_io, fd, wanted);
	ev_io_start(state->loop, &watch->io);
	return 0;
}

static void loop_wait(struct eff__backend_state *state, eff_ns deadline)
{
	if (deadline <= 0 || deadline <= eff__monotonic()) {
		ev_run(state->loop, EVRUN_NOWAIT);
	} else {
		eff__alarm_set(&state->alarm, deadline);
		ev_run(state->loop, EVRUN_ONCE);
	}
	tell_ready(state);
}

static void loop_wake(struct eff__backend_state *state)
{
	const uint64_t one = 1;
	int saved = errno; /* a signal handler may call this */
	ssize_t r = write(state->wake_fd, &one, sizeof one);

	(void)r; /* EAGAIN: the counter is full, so it is awake */
	errno = saved;
}

const struct eff_backend *eff_backend_ev(void)
{
	static const struct eff_backend backend = {
		.name = "ev",
		.open = loop_open,
		.close = loop_close,
		.watch = loop_watch,
		.wait = loop_wait,
		.wake = loop_wake,
	};

	return &backend;
}
