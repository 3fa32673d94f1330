/* SPDX-License-Identifier: MIT */
/* What a loop around ours watches: one descriptor, whatever loop ours is.
 *
 * It is an epoll set of all that could make a turn worth while: the descriptors that fibers wait for, the next deadline, and
 * a bell for what no descriptor tells. Nothing is read from the set itself; that it is readable is all that it says. The
 * loop's own set would not do: libev gives it to nobody, and makes it anew when it sees fit.
 *
 * At the end of a turn the bell is rung when more is to be done, or else the alarm is set. What happens between turns,
 * because the host does something with a fiber, finds `asleep` set and rings. */
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "loop.h"

struct eff__host {
	int set, bell;
	struct eff__alarm alarm;
	bool complete; /* all that was watched before is in it */
};

void eff__host_free(struct eff__host *host)
{
	if (!host)
		return;
	eff__alarm_close(&host->alarm);
	if (host->bell >= 0)
		close(host->bell);
	if (host->set >= 0)
		close(host->set);
	free(host);
}

static int host_new(struct eff__host **ret_host)
{
	struct eff__host *host = malloc(sizeof *host);
	int r;

	if (!host)
		return -ENOMEM;
	host->bell = host->set = -1;
	host->complete = false;
	r = eff__alarm_open(&host->alarm);
	if (r < 0)
		goto fail;
	host->set = epoll_create1(EPOLL_CLOEXEC);
	if (host->set >= 0)
		host->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = host->bell < 0 ? -errno : eff__host_watch(host, host->bell, EFF_READ);
	if (r >= 0)
		r = eff__host_watch(host, host->alarm.fd, EFF_READ);
	if (r < 0)
		goto fail;
	*ret_host = host;
	return 0;
fail:
	eff__host_free(host);
	return r;
}

int eff__host_watch(struct eff__host *host, int fd, int events)
{
	struct epoll_event event = {.data.fd = fd};

	event.events = (events & EFF_READ ? (unsigned)EPOLLIN : 0) |
		(events & EFF_WRITE ? (unsigned)EPOLLOUT : 0);
	if (!events)
		(void)epoll_ctl(host->set, EPOLL_CTL_DEL, fd, &event); /* it may be closed */
	else if (epoll_ctl(host->set, EPOLL_CTL_ADD, fd, &event) < 0 &&
		(errno != EEXIST || epoll_ctl(host->set, EPOLL_CTL_MOD, fd, &event) < 0))
		return -errno;
	return 0;
}

void eff__host_ring(struct eff__host *host)
{
	const uint64_t one = 1;
	int saved = errno; /* a signal handler may call this */
	ssize_t r = write(host->bell, &one, sizeof one);

	(void)r; /* EAGAIN: the counter is full, so it rings */
	errno = saved;
}

void eff__host_heard(struct eff__host *host)
{
	uint64_t n;
	ssize_t r = read(host->bell, &n, sizeof n);

	(void)r; /* once or often is the same */
	if (host->alarm.at != EFF_FOREVER)
		eff__alarm_hush(&host->alarm);
}

void eff__rouse(struct eff_rt *rt)
{
	rt->asleep = false;
	eff__host_ring(rt->host);
}

void eff__host_leave(struct eff_rt *rt)
{
	bool advancing = rt->clock && eff__clock_wanted(rt->clock) > INT64_MIN;

	if (!rt->host)
		return;
	if (rt->ready || advancing || atomic_load(&rt->posted)) {
		eff__rouse(rt);
		return;
	}
	if (!rt->clock && rt->timers.root)
		eff__alarm_set(&rt->host->alarm, eff__next_look(rt));
	rt->asleep = true;
}

int eff_rt_fd(struct eff_rt *rt)
{
	struct eff__host *host = rt->host;
	int r;

	eff__not_in_fiber(rt, "eff_rt_fd");
	r = eff__rt_loop(rt);
	if (r >= 0 && !host)
		r = host_new(&host);
	if (r < 0)
		return r;
	if (host->complete)
		return host->set;
	/* Posters on other threads look whether there is somebody to wake, at any time: so from here on it stays. */
	__atomic_store_n(&rt->host, host, __ATOMIC_SEQ_CST);
	r = eff__fds_host(rt);
	if (r < 0)
		return r;
	host->complete = true;
	eff__host_leave(rt);
	return host->set;
}
