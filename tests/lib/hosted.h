/* SPDX-License-Identifier: MIT */
/* A host: a loop of somebody else, here poll(), that watches one descriptor and turns the runtime when it is readable. What
 * it would have slept through is a lost wake-up, which ends in the limit of the test. */
#ifndef TESTS_LIB_HOSTED_H
#define TESTS_LIB_HOSTED_H

#include <poll.h>

#include <eff.h>

#include "internal.h"
#include "leak.h"

static struct eff_rt *rt;
static int fd;
static struct eff_event event;
static int n_told;

static inline void open_host(void)
{
	ck_assert_int_eq(eff_rt_new(NULL, &rt), 0);
	fd = eff_rt_fd(rt);
	ck_assert_int_ge(fd, 0);
	eff_event_init(&event);
	n_told = 0;
}

static inline void close_host(void)
{
	ck_assert_int_eq(eff_rt_shutdown(rt, EFF_S(5)), 0);
	eff_rt_free(rt);
}

static inline bool is_due(void)
{
	struct pollfd look = {.fd = fd, .events = POLLIN};

	return poll(&look, 1, 0) == 1;
}

static inline void await_due(void)
{
	struct pollfd look = {.fd = fd, .events = POLLIN};

	ck_assert_int_eq(poll(&look, 1, -1), 1);
}

/* Turn until it is not due. Returns how often. */
static inline int settle(void)
{
	int n = 0;

	while (is_due()) {
		(void)eff_rt_turn(rt);
		ck_assert_int_lt(n++, 1000);
	}
	return n;
}

static inline int host_until_ended(void)
{
	int n = 0;

	do {
		await_due();
		n++;
	} while (eff_rt_turn(rt));
	return n;
}

static inline void attach(eff_fn *fn, void *arg)
{
	ck_assert_int_eq(eff_rt_attach(rt, EFF(fn, arg)), 0);
}

static inline eff_exit await_event(void *arg)
{
	int r = eff_event_await(&event);

	n_told++;
	(void)arg;
	return eff_exit_of(r);
}

#endif
