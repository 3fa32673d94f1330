/* SPDX-License-Identifier: MIT */
/* The kernel's threads, on one processor and on small stacks: what a fiber stands in for. */
#include <pthread.h>
#include <sched.h>

#include "driver.h"

enum {
	STACK = 65536,
	FEWER_SWITCHES = SWITCHES / 50,
	FEWER_FORKS = FORKS / 20,
	FEWER_LIVE = LIVE / 10
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static pthread_attr_t small;
static int turn;

static void *takes_turns(void *arg)
{
	int me = arg != NULL;

	(void)pthread_mutex_lock(&lock);
	for (long i = 0; i < FEWER_SWITCHES / 2; i++) {
		while (turn != me)
			(void)pthread_cond_wait(&turned, &lock);
		turn = !me;
		(void)pthread_cond_signal(&turned);
	}
	(void)pthread_mutex_unlock(&lock);
	return NULL;
}

static void *nothing(void *arg)
{
	return arg;
}

static void *waits(void *arg)
{
	(void)pause();
	return arg;
}

static void measure_switch(void)
{
	cpu_set_t one;
	pthread_t other;
	double began;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	(void)sched_setaffinity(0, sizeof(one), &one);
	(void)pthread_create(&other, &small, takes_turns, &turn);
	began = now_ns();
	(void)takes_turns(NULL);
	(void)pthread_join(other, NULL);
	report("switch", (now_ns() - began) / FEWER_SWITCHES, "ns");
}

static void measure_fork(void)
{
	double began = now_ns();

	for (long i = 0; i < FEWER_FORKS; i++) {
		pthread_t thread;

		if (pthread_create(&thread, &small, nothing, NULL) != 0)
			return;
		(void)pthread_join(thread, NULL);
	}
	report("fork_await", (now_ns() - began) / FEWER_FORKS, "ns");
}

static void measure_live(void)
{
	struct kept before = kept_bytes();
	double began = now_ns();

	for (long i = 0; i < FEWER_LIVE; i++) {
		pthread_t thread;

		if (pthread_create(&thread, &small, waits, NULL) != 0)
			return;
	}
	report_live(began, before, FEWER_LIVE);
	_exit(0);
}

int main(int argc, char **argv)
{
	static const struct measure list[] = {{"switch", measure_switch},
		{"fork_await", measure_fork}, {"live", measure_live}, {NULL, NULL}};

	(void)pthread_attr_init(&small);
	(void)pthread_attr_setstacksize(&small, STACK);
	return measure_run(list, argc, argv);
}
