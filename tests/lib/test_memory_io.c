/* SPDX-License-Identifier: MIT */
/* Whichever allocation fails, in real time and on either loop: descriptors, processes, threads, signals, a host, a program.
 * Nothing hangs; no descriptor, child or thread is left, which the guard around each test sees too. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "spawn.h"

Suite *test_suite(void);

/* ── descriptors ── */

static bool pair_make(int pair[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0;
}

static eff_exit echoes(void *arg)
{
	const int *fd = arg;
	ssize_t n;
	char c;

	while ((n = eff_read(*fd, &c, 1)) > 0) {
		int r = eff_write_all(*fd, &c, 1);

		HOLDS(memory_said(r) || r == -EPIPE);
		if (r < 0)
			break;
	}
	HOLDS(n >= 0 || n == -ENOMEM);
	shutdown(*fd, SHUT_RDWR); /* so that the other end does not wait for what will not come */
	return eff_ok(NULL);
}

struct told {
	struct eff_watch watch;
	struct eff_event event;
};

static void on_watch(struct eff_watch *watch)
{
	eff_event_set(&eff_container(watch, struct told, watch)->event);
}

static eff_exit streams(void *arg)
{
	struct told told = {.watch.fn = on_watch};
	struct eff_fiber *fiber = NULL;
	int pair[2], r;
	char c = 'x';

	HOLDS(pair_make(pair));
	eff_event_init(&told.event);
	r = eff_fd_watch(pair[0], EFF_READ, &told.watch);
	HOLDS(memory_said(r));
	HOLDS(write(pair[1], &c, 1) == 1);
	if (r == 0)
		HOLDS(eff_event_await(&told.event) == 0);
	HOLDS(read(pair[0], &c, 1) == 1);
	HOLDS(memory_said(eff_fork(EFF(echoes, &pair[1]), &fiber)));
	for (int i = 0; fiber && i < 3; i++) {
		r = eff_write_all(pair[0], &c, 1);
		r = r < 0 ? r : (int)eff_read(pair[0], &c, 1);
		/* 0: the other one had no memory. */
		HOLDS(r == 1 || r == 0 || r == -ENOMEM || r == -EPIPE);
	}
	shutdown(pair[0], SHUT_RDWR);
	if (fiber)
		HOLDS(eff_await(fiber, NULL) == 0);
	eff_fiber_unref(fiber);
	eff_fd_close(pair[0]);
	eff_fd_close(pair[1]);
	return eff_ok(arg);
}

static struct sockaddr_un address;

static eff_exit connects(void *arg)
{
	int fd = eff_connect((struct sockaddr *)&address, sizeof(address));

	HOLDS(fd >= 0 || fd == -ENOMEM);
	eff_fd_close(fd);
	return eff_ok(arg);
}

static eff_exit connections(void *arg)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int client = -1;

	address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "eff-%d", (int)getpid());
	HOLDS(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	HOLDS(listen(fd, 4) == 0);
	if (eff_fork(EFF(connects, arg), NULL) == 0)
		client = eff_accept(fd);
	HOLDS(client >= 0 || client == -ENOMEM || client == -1);
	eff_fd_close(client);
	eff_fd_close(fd);
	return eff_ok(NULL);
}

/* ── processes ── */

static const char *const no_environment[] = {NULL};
static int n_made, n_released;

static void on_release(void *context)
{
	(void)context;
	n_released++;
}

static struct eff_spawn spawn_of(const char *const *argv)
{
	static int fds[] = {-1, -1, -1};

	n_made++;
	return (struct eff_spawn){.path = argv[0],
		.argv = argv,
		.envp = no_environment,
		.fds = fds,
		.n_fds = 3,
		.release = on_release};
}

static eff_exit one_process(void *arg)
{
	static const char *const quick[] = {"/bin/true", NULL};
	static const char *const slow[] = {"/bin/sleep", "1000", NULL};
	struct eff_spawn spawn = spawn_of(arg ? slow : quick);
	struct eff_proc *proc;
	int status = -1;
	int r = eff_spawn(&spawn, &proc);

	HOLDS(memory_said(r));
	if (r < 0)
		return eff_exit_of(r);
	r = eff_proc_await_exec(proc, NULL);
	HOLDS(r == 0);
	if (arg)
		HOLDS(eff_proc_signal(proc, SIGTERM) == 0);
	HOLDS(eff_proc_await_end(proc, &status) == 0);
	HOLDS(arg ? WIFSIGNALED(status) : status == 0);
	eff_proc_free(proc);
	return eff_ok(NULL);
}

static eff_exit processes(void *arg)
{
	static const char *const slow[] = {"/bin/sleep", "1000", NULL};
	static const char *const none[] = {"/no/such/program", NULL};
	struct eff_spawn spawn, missing;
	struct eff_process as_effect = {.spawn = &spawn, .grace = EFF_S(60)};
	eff_exit exit;

	n_made = n_released = 0;
	(void)one_process(NULL);
	(void)one_process(&n_made);
	spawn = spawn_of(slow);
	exit = eff_timeout(EFF_MS(1), EFF(eff_process_run, &as_effect));
	HOLDS(exit.tag == EFF_FAIL && (exit.code == ETIMEDOUT || exit.code == ENOMEM));
	eff_exit_drop(exit);
	missing = spawn_of(none);
	as_effect.spawn = &missing;
	exit = eff_process_run(&as_effect);
	HOLDS(exit.tag == EFF_FAIL && (exit.code == ENOENT || exit.code == ENOMEM));
	eff_exit_drop(exit);
	HOLDS(n_released == n_made);
	return eff_ok(arg);
}

/* Their ends come by SIGCHLD, which a set of signals takes over for a while. */
static eff_exit processes_by_signal(void *arg)
{
	static const char *const slow[] = {"/bin/sleep", "1000", NULL};
	struct eff_spawn spawn = spawn_of(slow);
	struct eff_signals signals;
	struct eff_proc *proc;
	sigset_t set;
	int r;

	eff__proc_without = EFF__WITHOUT_PIDFD;
	r = eff_spawn(&spawn, &proc);
	HOLDS(memory_said(r));
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	HOLDS(eff_signals_open(&signals, &set) == 0);
	if (r == 0)
		HOLDS(eff_proc_await_exec(proc, NULL) == 0);
	eff_signals_close(&signals);
	if (r == 0) {
		/* It is looked at once by the time, for what came before the signal was blocked. */
		HOLDS(eff_sleep(EFF_MS(60)) == 0);
		(void)eff_proc_signal(proc, SIGKILL);
		HOLDS(eff_proc_await_end(proc, NULL) == 0);
		eff_proc_free(proc);
	}
	eff__proc_without = 0;
	return eff_ok(arg);
}

/* ── threads ── */

static void adds_one(void *arg)
{
	__atomic_add_fetch((int *)arg, 1, __ATOMIC_SEQ_CST);
}

static eff_exit blocks(void *arg)
{
	int r = eff_blocking(adds_one, arg, NULL);

	HOLDS(memory_said(r));
	return eff_exit_of(r);
}

static eff_exit threads(void *arg)
{
	static int n;
	const eff effects[] = {EFF(blocks, &n), EFF(blocks, &n), EFF(blocks, &n)};
	eff_exit outs[3];
	int n_ok = 0;

	(void)arg;
	n = 0;
	eff_exit_drop(eff_all(effects, 3, 0, outs, EFF_COLLECT));
	for (int i = 0; i < 3; i++) {
		HOLDS(memory_ended(outs[i]));
		n_ok += eff_is_ok(outs[i]);
		eff_exit_drop(outs[i]);
	}
	HOLDS(n_ok == n);
	return eff_ok(NULL);
}

/* ── hosts and programs ── */

static eff_exit hosted(void *arg)
{
	int r = eff_sleep(EFF_MS(1));

	return r < 0 ? eff_exit_of(r) : streams(arg);
}

static void host_play(const struct scene *scene)
{
	struct eff_testclock *clock;
	struct eff_rt *rt = memory_runtime(scene, &clock);
	struct pollfd look = {.events = POLLIN};
	int r;

	if (!rt)
		return;
	look.fd = eff_rt_fd(rt);
	HOLDS(look.fd >= 0 || look.fd == -ENOMEM);
	r = look.fd < 0 ? -ENOMEM : eff_rt_attach(rt, EFF(scene->fn, NULL));
	HOLDS(memory_said(r));
	while (r == 0 && eff_rt_turn(rt))
		HOLDS(poll(&look, 1, -1) == 1);
	HOLDS(eff_rt_shutdown(rt, EFF_M(1)) == 0);
	eff_rt_free(rt);
}

static eff_exit a_program(void *arg)
{
	struct eff_fiber *fiber;
	int r = eff_fork(EFF(hosted, arg), &fiber);
	eff_exit exit;

	HOLDS(memory_said(r));
	if (r < 0)
		return eff_exit_of(r);
	r = eff_await(fiber, &exit);
	eff_fiber_unref(fiber);
	return r < 0 ? eff_exit_of(r) : exit;
}

static void main_play(const struct scene *scene)
{
	/* With a watchdog, which allocates too, and whose thread is joined. */
	struct eff_rt_opts opts = {.hooks = memory_hooks, .stall_ns = EFF_M(1)};
	int code = eff_main(EFF(scene->fn, NULL), &opts);

	HOLDS(code == 0 || code == ENOMEM);
	HOLDS(!eff_rt_current());
}

/* ── */

static const struct {
	struct scene scene;
	void (*play)(const struct scene *scene);
	int least;
} scenes[] = {
	{{streams, true}, memory_play, 8},
	{{connections, true}, memory_play, 8},
	{{processes, true}, memory_play, 10},
	{{processes_by_signal, true}, memory_play, 8},
	{{threads, true}, memory_play, 10},
	{{threads, false}, memory_play, 10},
	{{hosted, true}, host_play, 10},
	{{a_program, true}, main_play, 12},
};

START_TEST(whichever_allocation_fails_nothing_hangs_and_nothing_is_left)
{
	memory_sweeps(scenes[_i].play, &scenes[_i].scene, scenes[_i].least);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("memory_io");
	TCase *tcase = tcase_create("memory_io");

	test_leak_guard(tcase);
	tcase_add_loop_test(tcase, whichever_allocation_fails_nothing_hangs_and_nothing_is_left,
		0, sizeof(scenes) / sizeof(scenes[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
