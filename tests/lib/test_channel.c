/* SPDX-License-Identifier: MIT */
/* Random programs of fibers that give each other messages, permits and locks while they are interrupted and run out of
 * time. Whatever they do: no message is lost or there twice, each producer's come in order, no permit is leaked, one at
 * most is inside, every waiter ends; and the same seed gives the same trace. A failure names its seed. */
#include <errno.h>

#include <eff/channel.h>
#include <eff/scope.h>

#include "leak.h"
#include "run.h"

Suite *test_suite(void);

enum {
	TASKS_MOST = 24,
	STEPS_MOST = 30,
	MESSAGES_MOST = TASKS_MOST * STEPS_MOST,
	ROOM_MOST = 4,
	PROGRAMS = 150
};

/* What became of a message. Whether it was sent its sender knows later than who received it. */
enum fate { UNKNOWN, SENT, NOT_SENT };

/* A message is its number in here. */
struct message {
	int producer;
	enum fate fate;
	int n_received; /* of the queue */
	bool numbered;  /* of the hub: some subscriber has seen it */
};

struct task {
	int number;
	struct eff_fiber *fiber;
	int last_of[TASKS_MOST]; /* the last message that it received of each producer */
};

static struct {
	uint64_t seed, state, hash;
	struct task tasks[TASKS_MOST];
	int n_tasks;
	struct message queued[MESSAGES_MOST], cast[MESSAGES_MOST];
	int n_queued, n_cast;
	struct eff_queue queue;
	struct eff_hub hub;
	int order[MESSAGES_MOST]; /* what the hub's messages are by their numbers; -1: nobody has seen */
	struct eff_sem sem;
	uint64_t permits, held;
	struct eff_mutex mutex;
	int n_inside;
	struct eff_deferred deferred;
	int queue_ring[ROOM_MOST], hub_ring[ROOM_MOST];
} world;

/* A ck_assert() tells its place to another process each time it is passed; here only a failure does. */
#define ck_holds(claim) \
	do { \
		if (!(claim)) \
			ck_abort_msg("seed %llu: %s", (unsigned long long)world.seed, #claim); \
	} while (0)

static unsigned draw(unsigned n)
{
	world.state = world.state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(world.state >> 33) % n;
}

static void trace(int what, int64_t detail)
{
	world.hash = (world.hash ^ (uint64_t)what) * 0x100000001b3u;
	world.hash = (world.hash ^ (uint64_t)detail) * 0x100000001b3u;
	world.hash = (world.hash ^ (uint64_t)eff_now()) * 0x100000001b3u;
}

/* Whoever waits has a reason to, in every moment. */
static void check_waiting(void)
{
	const struct eff_queue *queue = &world.queue;
	const struct eff_hub *hub = &world.hub;
	uint64_t first = hub->next;
	size_t n_first = 0;

	ck_holds(eff_list_empty(&queue->senders) || queue->count == queue->capacity);
	ck_holds(eff_list_empty(&queue->receivers) || !queue->count);
	ck_holds(eff_list_empty(&queue->senders) || eff_list_empty(&queue->receivers));
	for (struct eff_list *l = hub->subscribers.next; l != &hub->subscribers; l = l->next) {
		uint64_t next = eff_container(l, struct eff_subscriber, link)->next;

		n_first = next < first ? 1 : n_first + (next == first);
		first = next < first ? next : first;
		ck_holds(next == hub->next ||
			eff_list_empty(&eff_container(l, struct eff_subscriber, link)->receivers));
	}
	ck_holds(hub->first == first && hub->n_first == n_first);
	ck_holds(hub->next - first <= hub->capacity);
	ck_holds(eff_list_empty(&hub->senders) || hub->next - first == hub->capacity);
	ck_holds(eff_list_empty(&world.sem.waiters) || world.sem.permits < world.permits);
	ck_holds(eff_list_empty(&world.mutex.waiters) || world.mutex.owner);
}

/* What an end may say; a cut is one only where the scope is, and remains, cut. */
static void check_result(int r, bool tried)
{
	if (r == -ECANCELED || r == -ETIMEDOUT)
		ck_holds(!tried && eff_check() == r);
	else
		ck_holds(r == 0 || r == 1 || r == -EPIPE || (tried && r == -EAGAIN));
	check_waiting();
	trace('r', r);
}

/* ── the queue ── */

static void send_one(struct task *task)
{
	int number = world.n_queued++;
	struct message *message = &world.queued[number];
	bool tries = !draw(4);
	bool drops_it = world.queue.full == EFF_FULL_DROPS_NEW || !world.queue.capacity;
	int r;

	*message = (struct message){.producer = task->number};
	r = tries ? eff_queue_try_send(&world.queue, &number)
		  : eff_queue_send(&world.queue, &number);
	check_result(r, tries);
	ck_holds(r != 1 || world.queue.full != EFF_FULL_WAITS);
	message->fate = r < 0 || (r == 1 && drops_it) ? NOT_SENT : SENT;
	ck_holds(message->fate == SENT || !message->n_received);
}

static void receive_one(struct task *task)
{
	int number = -1;
	bool tries = !draw(4);
	int r = tries ? eff_queue_try_receive(&world.queue, &number)
		      : eff_queue_receive(&world.queue, &number);
	struct message *message;

	check_result(r, tries);
	ck_holds((r < 0) == (number < 0));
	if (r < 0)
		return;
	message = &world.queued[number];
	ck_holds(message->fate != NOT_SENT && !message->n_received);
	message->n_received++;
	ck_holds(task->last_of[message->producer] < number);
	task->last_of[message->producer] = number;
	trace('m', number);
}

/* ── the hub ── */

static void cast_one(struct task *task)
{
	int number = world.n_cast++;
	struct message *message = &world.cast[number];
	bool tries = !draw(4);
	int r;

	*message = (struct message){.producer = task->number};
	r = tries ? eff_hub_try_send(&world.hub, &number) : eff_hub_send(&world.hub, &number);
	check_result(r, tries);
	message->fate = r < 0 || (r == 1 && world.hub.full == EFF_FULL_DROPS_NEW) ? NOT_SENT : SENT;
	ck_holds(message->fate == SENT || !message->numbered);
}

/* Whoever sees the hub's n-th message sees the same. */
static void check_order(uint64_t n, int number)
{
	ck_holds(n < MESSAGES_MOST);
	ck_holds(world.order[n] == number || (world.order[n] < 0 && !world.cast[number].numbered));
	world.order[n] = number;
	world.cast[number].numbered = true;
}

static void subscribe(struct task *task)
{
	int last_of[TASKS_MOST];
	struct eff_subscriber subscriber;
	uint64_t joined = world.hub.next;
	uint64_t n_received = 0;

	memset(last_of, -1, sizeof(last_of));
	eff_hub_join(&world.hub, &subscriber);
	for (unsigned n = draw(12); n; n--) {
		int number = -1;
		bool tries = !draw(4);
		int r = tries ? eff_hub_try_receive(&subscriber, &number)
			      : eff_hub_receive(&subscriber, &number);
		int producer;

		check_result(r, tries);
		if (r < 0)
			continue;
		producer = world.cast[number].producer;
		ck_holds(world.cast[number].fate != NOT_SENT && last_of[producer] < number);
		last_of[producer] = number;
		if (!subscriber.missed)
			check_order(joined + n_received, number);
		n_received++;
	}
	ck_holds(subscriber.next - joined == n_received + subscriber.missed);
	ck_holds(!subscriber.missed || world.hub.full == EFF_FULL_DROPS_OLD);
	trace('h', (int64_t)n_received + task->number);
	eff_hub_leave(&subscriber);
}

/* ── permits, the lock, the deferred ── */

static void rest(void)
{
	check_waiting();
	check_result(draw(2) ? eff_yield() : eff_sleep(EFF_MS(draw(9))), false);
}

static void hold_permits(void)
{
	uint64_t n = draw((unsigned)world.permits + 1);
	bool tries = !draw(4);
	int r = tries ? eff_sem_try_acquire(&world.sem, n) : eff_sem_acquire(&world.sem, n);

	check_result(r, tries);
	if (r < 0)
		return;
	world.held += n;
	ck_holds(world.held + world.sem.permits <= world.permits);
	rest();
	world.held -= n;
	eff_sem_release(&world.sem, n);
}

static void lock(void)
{
	bool tries = !draw(4);
	int r = tries ? eff_mutex_try_lock(&world.mutex) : eff_mutex_lock(&world.mutex);

	check_result(r, tries);
	if (r < 0)
		return;
	ck_holds(!world.n_inside++);
	rest();
	ck_holds(!--world.n_inside);
	eff_mutex_unlock(&world.mutex);
}

static void await_deferred(void)
{
	eff_exit exit = eff_ok_number(0);
	int r;

	if (!draw(20)) {
		r = eff_deferred_complete(&world.deferred, eff_failf(7, "words"));
		ck_holds(r == 0 || r == -EALREADY);
		return;
	}
	r = eff_deferred_await(&world.deferred, &exit);
	check_result(r, false);
	ck_holds((exit.code == 7) == (r == 0));
	eff_exit_drop(exit);
}

/* ── programs ── */

static void step(struct task *task)
{
	switch (draw(11)) {
	case 0:
	case 1:
		send_one(task);
		break;
	case 2:
	case 3:
		receive_one(task);
		break;
	case 4:
	case 5:
	case 6:
		cast_one(task);
		break;
	case 7:
		subscribe(task);
		break;
	case 8:
		hold_permits();
		break;
	case 9:
		lock();
		break;
	default:
		await_deferred();
	}
}

/* A step that may be cut short by time, or by nothing else. */
static void step_within(struct task *task)
{
	struct eff_scope within;
	eff_masked masked = 0;
	bool hides = !draw(3);

	if (hides)
		masked = eff_mask();
	eff_scope_open(&within);
	eff_scope_limit(&within, eff_now() + EFF_MS(draw(20)));
	step(task);
	(void)eff_scope_close(&within);
	if (hides)
		eff_unmask(masked);
}

static eff_exit task_main(void *arg)
{
	struct task *task = arg;

	for (unsigned n = draw(STEPS_MOST); n; n--) {
		struct task *other = &world.tasks[draw((unsigned)world.n_tasks)];

		if (draw(3))
			step_within(task);
		else
			step(task);
		if (!draw(12))
			eff_interrupt_async(other->fiber);
		if (!draw(3))
			rest();
	}
	return eff_ok(NULL);
}

static void world_init(uint64_t seed)
{
	memset(&world, 0, sizeof(world));
	world.seed = seed;
	world.state = seed * 0x9e3779b97f4a7c15u;
	memset(world.order, -1, sizeof(world.order));
	eff_queue_init(&world.queue, world.queue_ring, sizeof(int), draw(ROOM_MOST + 1),
		(enum eff_full)draw(3));
	eff_hub_init(&world.hub, world.hub_ring, sizeof(int), 1 + draw(ROOM_MOST),
		(enum eff_full)draw(3));
	world.permits = 1 + draw(4);
	eff_sem_init(&world.sem, world.permits);
	eff_mutex_init(&world.mutex);
	eff_deferred_init(&world.deferred);
}

static eff_exit root_main(void *arg)
{
	struct eff_scope scope;
	int n_tasks = 2 + (int)draw(TASKS_MOST - 1);

	eff_scope_open(&scope);
	for (int i = 0; i < n_tasks; i++) {
		struct task *task = &world.tasks[i];

		task->number = i;
		memset(task->last_of, -1, sizeof(task->last_of));
		task->fiber = forked(task_main, task);
	}
	world.n_tasks = n_tasks;
	ck_holds(eff_sleep(EFF_MS(draw(300))) == 0);
	/* Either closing ends those who wait, or their owner does. */
	if (draw(2)) {
		eff_queue_close(&world.queue);
		eff_hub_close(&world.hub);
		(void)eff_deferred_complete(&world.deferred, eff_fail(7));
		for (int i = 0; i < n_tasks; i++)
			ck_holds(eff_await(world.tasks[i].fiber, NULL) == 0);
	}
	(void)eff_scope_close(&scope);
	for (int i = 0; i < n_tasks; i++)
		eff_fiber_unref(world.tasks[i].fiber);
	return eff_ok(arg);
}

static void check_messages(void)
{
	uint64_t n_lost = 0;
	uint64_t n_not_sent = 0;
	uint64_t n_cast = 0;
	int number;

	while (eff_queue_try_receive(&world.queue, &number) == 0)
		world.queued[number].n_received++;
	for (int i = 0; i < world.n_queued; i++) {
		const struct message *message = &world.queued[i];

		ck_holds(message->fate != UNKNOWN);
		ck_holds(message->n_received <= (message->fate == SENT));
		n_lost += message->fate == SENT && !message->n_received;
	}
	for (int i = 0; i < world.n_cast; i++) {
		ck_holds(world.cast[i].fate == SENT || !world.cast[i].numbered);
		n_cast += world.cast[i].fate == SENT;
		n_not_sent += world.cast[i].fate == NOT_SENT;
	}
	/* Only what was said to be dropped is missing. */
	ck_holds(world.queue.full == EFF_FULL_DROPS_OLD && world.queue.capacity
			? n_lost == world.queue.dropped
			: !n_lost);
	ck_holds(world.hub.next == n_cast);
	ck_holds(world.hub.full != EFF_FULL_DROPS_NEW || world.hub.dropped <= n_not_sent);
}

static uint64_t run_program(uint64_t seed)
{
	struct eff_rt_stats stats;

	world_init(seed);
	run_setup();
	run_ok(root_main, NULL);
	check_messages();
	ck_holds(!world.held && world.sem.permits == world.permits);
	ck_holds(!world.n_inside && !world.mutex.owner);
	ck_holds(eff_list_empty(&world.queue.senders) && eff_list_empty(&world.queue.receivers));
	ck_holds(eff_list_empty(&world.hub.senders) && eff_list_empty(&world.hub.subscribers));
	ck_holds(eff_list_empty(&world.sem.waiters) && eff_list_empty(&world.mutex.waiters));
	eff_deferred_done(&world.deferred);
	eff_rt_stats(run_rt, &stats);
	ck_holds(!stats.fibers_live && !stats.timers_armed);
	trace('n', (int64_t)stats.switches);
	run_teardown();
	return world.hash;
}

START_TEST(whatever_fibers_give_each_other_arrives_once_and_it_does_so_again)
{
	uint64_t first = (uint64_t)_i * PROGRAMS;

	for (uint64_t seed = first; seed < first + PROGRAMS; seed++) {
		uint64_t hash = run_program(seed);

		ck_assert_msg(run_program(seed) == hash, "seed %llu gave another trace",
			(unsigned long long)seed);
	}
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("channel");
	TCase *tcase = tcase_create("channel");

	test_leak_guard(tcase);
	tcase_add_loop_test(
		tcase, whatever_fibers_give_each_other_arrives_once_and_it_does_so_again, 0, 8);
	suite_add_tcase(suite, tcase);
	return suite;
}
