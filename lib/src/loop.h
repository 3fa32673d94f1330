/* SPDX-License-Identifier: MIT */
/* What a loop is, for the backends and for who drives them; and what a loop around ours watches. */
#ifndef EFF_LOOP_H
#define EFF_LOOP_H

#include "internal.h"

/* The next deadline as a descriptor that becomes readable: what every backend watches. */
struct eff__alarm {
	int fd;
	eff_ns at;  /* EFF_FOREVER: not set */
	bool rings; /* and was heard */
};
/* 0 or -errno; then the descriptor is -1. */
int eff__alarm_open(struct eff__alarm *alarm);
void eff__alarm_close(struct eff__alarm *alarm);
/* Ring at `at` (CLOCK_MONOTONIC), or before; EFF_FOREVER: be silent at least until what it was set to before. */
void eff__alarm_set(struct eff__alarm *alarm, eff_ns at);
/* It is readable, and stays so until it is set the next time, to whatever it is. */
void eff__alarm_heard(struct eff__alarm *alarm);
/* It may be readable: now it is not. */
void eff__alarm_hush(struct eff__alarm *alarm);

/* A loop: descriptors and a wake-up; deadlines stay here. */
struct eff_backend {
	const char *name;
	int (*open)(struct eff_rt *rt, struct eff__backend_state **ret_state);
	void (*close)(struct eff__backend_state *state);
	/* Watch `fd` for `events` (0: no more), replacing what was watched. 0 or -errno. When it is ready the backend calls
	 * eff__fd_ready(rt, fd, events) during wait(); who was ready first is told first. */
	int (*watch)(struct eff__backend_state *state, int fd, int events);
	/* Wait for descriptors until `deadline` (CLOCK_MONOTONIC; 0: look and return; EFF_FOREVER: no limit). */
	void (*wait)(struct eff__backend_state *state, eff_ns deadline);
	/* From any thread or signal handler: make wait() return soon. */
	void (*wake)(struct eff__backend_state *state);
};

/* When to look again for what is due first, by the real clock; EFF_FOREVER: nothing is armed. */
eff_ns eff__next_look(const struct eff_rt *rt);

/* ── a host ── */

void eff__host_free(struct eff__host *host); /* NULL is fine */
/* As a backend's watch(). */
int eff__host_watch(struct eff__host *host, int fd, int events);
/* Make its descriptor readable; from any thread or signal handler. */
void eff__host_ring(struct eff__host *host);
/* A turn begins: what has made it readable by ringing and by the time is heard. */
void eff__host_heard(struct eff__host *host);
/* The runtime is left to its host, if it has one: until there is something to do. */
void eff__host_leave(struct eff_rt *rt);

#endif
