/* SPDX-License-Identifier: MIT */
/* What must block runs on a thread of a small pool. Threads are made when a job finds none idle, and end when idle for a
 * while. A few are enough for jobs that end; one that hangs is not counted as one of those few after a second, so that
 * it holds up others for no longer. A job is a piece of heap that belongs to the queue, then to its thread, then to the
 * loop's thread, which wakes who waits or, if nobody does any more, calls `done`. All hand-overs are under one mutex. When
 * the runtime ends with a job that hangs, its thread is left alone: it finds the pool deserted, touches nothing else, and
 * the last frees it. */
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "internal.h"

enum {
	THREADS_AT_WORK = 4,
	THREADS_IN_ALL = 64,     /* with those that hang */
	STACK_BYTES = 128 << 10, /* name services like some room */
	IDLE_S = 5,
	LEAVE_S = 2, /* what a job that hangs may delay the runtime's end by */
};

#define HANGS EFF_S(1)

struct job {
	struct eff_list link; /* in the queue, then among those at work, then among the finished */
	eff_ns began;         /* on the monotonic clock */
	void (*fn)(void *arg);
	void (*done)(void *arg);
	void *arg;
	struct eff__wait *waiter; /* of the loop's thread alone; NULL: it went away */
};

struct job_wait {
	struct eff__wait wait;
	struct job *job;
};

struct eff__threads {
	pthread_mutex_t lock;
	pthread_cond_t work, left; /* left: a thread has ended */
	struct eff_list queue, at_work, finished;
	struct eff_rt *rt;
	struct eff_post post;
	struct eff_timer again; /* while jobs wait for want of a thread: does one hang by now? */
	eff_ns again_at; /* the same in real time, with a virtual clock; EFF_FOREVER: there is no need */
	pthread_t ended[THREADS_IN_ALL]; /* to be joined */
	unsigned n_ended, n_threads, n_idle, n_queued;
	bool quit, deserted;
};

static struct timespec in_seconds(int seconds)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += seconds;
	return at;
}

static void threads_destroy(struct eff__threads *threads)
{
	pthread_cond_destroy(&threads->work);
	pthread_cond_destroy(&threads->left);
	pthread_mutex_destroy(&threads->lock);
	free(threads);
}

/* In the loop's thread: tell who waits. */
static void job_settle(struct job *job)
{
	if (job->waiter)
		eff__wake(job->waiter, 0);
	else if (job->done)
		job->done(job->arg);
	free(job);
}

static void collect(struct eff__threads *threads)
{
	struct eff_list *link;

	do {
		pthread_mutex_lock(&threads->lock);
		link = eff_list_pop(&threads->finished);
		pthread_mutex_unlock(&threads->lock);
		if (link)
			job_settle(eff_container(link, struct job, link));
	} while (link);
}

static void on_post(struct eff_post *post)
{
	collect(eff_container(post, struct eff__threads, post));
}

static struct job *job_begin(struct eff__threads *threads, struct eff_list *link)
{
	struct job *job = eff_container(link, struct job, link);

	job->began = eff__monotonic();
	eff_list_append(&threads->at_work, link);
	return job;
}

/* With the lock held: the next job, after waiting for one; NULL: the thread is not needed any more. */
static struct job *job_next(struct eff__threads *threads)
{
	struct timespec until = in_seconds(IDLE_S);
	int r = 0;

	while (eff_list_empty(&threads->queue) && !threads->quit && r != ETIMEDOUT)
		r = pthread_cond_clockwait(&threads->work, &threads->lock, CLOCK_MONOTONIC, &until);
	threads->n_idle--;
	if (eff_list_empty(&threads->queue) || threads->deserted)
		return NULL;
	threads->n_queued--;
	return job_begin(threads, eff_list_pop(&threads->queue));
}

static void *thread_main(void *arg)
{
	struct eff__threads *threads = arg;
	struct job *job;
	bool last;

	pthread_mutex_lock(&threads->lock);
	while ((job = job_next(threads)) != NULL) {
		pthread_mutex_unlock(&threads->lock);
		job->fn(job->arg);
		pthread_mutex_lock(&threads->lock);
		eff_list_remove(&job->link);
		if (threads->deserted) {
			free(job); /* nobody is left to tell */
			break;
		}
		eff_list_append(&threads->finished, &job->link);
		threads->n_idle++;
		eff_rt_post(threads->rt, &threads->post);
	}
	last = --threads->n_threads == 0 && threads->deserted;
	if (threads->deserted)
		pthread_detach(pthread_self());
	else
		threads->ended[threads->n_ended++] = pthread_self();
	pthread_cond_signal(&threads->left);
	pthread_mutex_unlock(&threads->lock);
	if (last)
		threads_destroy(threads);
	return NULL;
}

/* It is held for some instructions, or while the other side is woken: to look again soon costs less than to sleep. */
static void lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
	pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
}

static void look_again(struct eff_timer *timer);

static struct eff__threads *threads_of(struct eff_rt *rt)
{
	struct eff__threads *threads = rt->threads;

	if (threads)
		return threads;
	threads = calloc(1, sizeof *threads);
	if (!threads)
		return NULL;
	lock_init(&threads->lock);
	pthread_cond_init(&threads->work, NULL);
	pthread_cond_init(&threads->left, NULL);
	eff_list_init(&threads->queue);
	eff_list_init(&threads->at_work);
	eff_list_init(&threads->finished);
	threads->again.fire = look_again;
	threads->again_at = EFF_FOREVER;
	threads->rt = rt;
	threads->post.fn = on_post;
	rt->threads = threads;
	return threads;
}

/* With the lock held, which they take before they end: it is theirs for a few instructions more. */
static void join_ended(struct eff__threads *threads)
{
	while (threads->n_ended > 0) {
		pthread_t thread = threads->ended[--threads->n_ended];

		pthread_mutex_unlock(&threads->lock);
		pthread_join(thread, NULL);
		pthread_mutex_lock(&threads->lock);
	}
}

/* With the lock held. Signals are the loop's thread's business. */
static int thread_start(struct eff__threads *threads)
{
	pthread_attr_t attr;
	sigset_t all, before;
	pthread_t thread;
	int r = pthread_attr_init(&attr);

	if (r != 0)
		return -r;
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread, &attr, thread_main, threads);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (r == 0) {
		threads->n_threads++;
		threads->n_idle++;
	}
	return -r;
}

/* With the lock held. */
static bool may_have_another(const struct eff__threads *threads)
{
	unsigned n_hang = 0;
	eff_ns now;

	if (threads->n_threads < THREADS_AT_WORK)
		return true;
	now = eff__monotonic();
	for (struct eff_list *l = threads->at_work.next; l != &threads->at_work; l = l->next)
		n_hang += now - eff_container(l, struct job, link)->began >= HANGS;
	return threads->n_threads - n_hang < THREADS_AT_WORK && threads->n_threads < THREADS_IN_ALL;
}

/* With the lock held: if jobs wait for want of a thread, look in a while whether one hangs. */
static void watch_queue(struct eff__threads *threads)
{
	struct eff_rt *rt = threads->rt;

	if (threads->n_queued <= threads->n_idle || threads->again.armed)
		return;
	/* A job takes real time: a virtual clock that waited for it would run away, or stand still. */
	if (rt->clock) {
		threads->again_at = eff__monotonic() + HANGS;
		return;
	}
	eff__timer_arm(&rt->timers, &threads->again, eff_ns_add(eff__now(rt), HANGS));
	eff__stir(rt);
}

static void look_again(struct eff_timer *timer)
{
	struct eff__threads *threads = eff_container(timer, struct eff__threads, again);

	pthread_mutex_lock(&threads->lock);
	join_ended(threads);
	while (threads->n_idle < threads->n_queued && may_have_another(threads) &&
		thread_start(threads) == 0)
		;
	watch_queue(threads);
	pthread_mutex_unlock(&threads->lock);
}

eff_ns eff__threads_look(struct eff_rt *rt)
{
	struct eff__threads *threads = rt->threads;

	if (!threads || threads->again_at == EFF_FOREVER)
		return EFF_FOREVER;
	if (threads->again_at <= eff__monotonic()) {
		threads->again_at = EFF_FOREVER;
		look_again(&threads->again);
	}
	return threads->again_at;
}

/* Queue the job, and see that a thread will take it. */
static int job_start(struct eff__threads *threads, struct job *job)
{
	int r = 0;

	pthread_mutex_lock(&threads->lock);
	join_ended(threads);
	if (threads->n_idle <= threads->n_queued && may_have_another(threads))
		r = thread_start(threads);
	/* Without one more thread it waits for those that there are. */
	if (threads->n_threads > 0) {
		eff_list_append(&threads->queue, &job->link);
		threads->n_queued++;
		pthread_cond_signal(&threads->work);
		watch_queue(threads);
		r = 0;
	}
	pthread_mutex_unlock(&threads->lock);
	return r;
}

static void abandon(struct eff__wait *wait)
{
	eff_container(wait, struct job_wait, wait)->job->waiter = NULL;
}

int eff_blocking(void (*fn)(void *arg), void *arg, void (*done)(void *arg))
{
	struct eff_rt *rt = eff__in_fiber("eff_blocking")->rt;
	struct eff__threads *threads = threads_of(rt);
	struct job *job = calloc(1, sizeof *job);
	struct job_wait w = {
		.wait = {.fiber = rt->current, .what = "thread", .abort = abandon}, .job = job};
	/* The loop is woken when it has run; with a virtual clock there may be none yet. */
	int r = eff__rt_loop(rt);

	if (r >= 0 && !(job && threads))
		r = -ENOMEM;
	if (r >= 0) {
		*job = (struct job){.fn = fn, .arg = arg, .done = done, .waiter = &w.wait};
		r = job_start(threads, job);
	}
	if (r < 0)
		free(job);
	/* A filter lets nobody have threads (old ones refuse clone3 like this, and libc takes no other): rather late than never. */
	if (r == -EPERM)
		eff_deep(fn, arg);
	if (r < 0)
		return r == -EPERM ? 0 : r;
	eff_list_init(&w.wait.link);
	rt->external++;
	r = eff__park(&w.wait);
	rt->external--;
	return r;
}

static void list_move(struct eff_list *from, struct eff_list *to)
{
	struct eff_list *link;

	while ((link = eff_list_pop(from)) != NULL)
		eff_list_append(to, link);
}

/* Jobs in the queue still run, as was promised, if those before them end in time. */
void eff__threads_free(struct eff_rt *rt)
{
	struct eff__threads *threads = rt->threads;
	struct timespec until = in_seconds(LEAVE_S);
	struct eff_list *link, jobs;
	int r = 0;

	if (!threads)
		return;
	rt->threads = NULL;
	eff__timer_disarm(&rt->timers, &threads->again);
	eff_list_init(&jobs);
	pthread_mutex_lock(&threads->lock);
	threads->quit = true;
	pthread_cond_broadcast(&threads->work);
	while (threads->n_threads > 0 && r != ETIMEDOUT)
		r = pthread_cond_clockwait(&threads->left, &threads->lock, CLOCK_MONOTONIC, &until);
	join_ended(threads);
	threads->deserted = threads->n_threads > 0;
	list_move(&threads->finished, &jobs);
	list_move(&threads->queue, &jobs);
	r = threads->deserted;
	pthread_mutex_unlock(&threads->lock);
	if (!r)
		threads_destroy(threads);
	while ((link = eff_list_pop(&jobs)) != NULL)
		job_settle(eff_container(link, struct job, link));
}
