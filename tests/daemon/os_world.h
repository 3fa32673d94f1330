/* SPDX-License-Identifier: MIT */
/* A runtime with the real kernel behind the seam, a folder of its own, and a fiber that reaps when SIGCHLD comes; and
 * children that are shells or, by a role in their environment, this very test program. Nothing may be left of any. */
#ifndef TESTS_DAEMON_OS_WORLD_H
#define TESTS_DAEMON_OS_WORLD_H

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include <eff/clock.h>
#include <eff/event.h>
#include <eff/io.h>
#include <eff/runtime.h>
#include <eff/scope.h>
#include <eff/signal.h>

#include "folder.h"
#include "leak.h"
#include "os/os_linux.h"

/* Run the tests of a suite in a runtime: OS_TEST(name) { … } and then os_tests(suite, …). */
#define OS_TEST(name) \
	static void body_of_##name(void); \
	START_TEST(name) \
	{ \
		world_run(body_of_##name, \
			(struct os_linux_opts){.nofile_soft = -1, .subreaper = true}); \
	} \
	END_TEST \
	static void body_of_##name(void)

static struct os *os;
static char world_dir[32];
static bool no_places
	__attribute__((unused)); /* for folders of units; else they are in the world's folder */
static struct {
	void (*body)(void);
	struct os_linux_opts opts;
	struct eff_signals signals;
} world;

/* A path in the world's folder; valid until the fourth call from now. */
static inline const char *world_path(const char *name)
{
	static char paths[4][512];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	(void)snprintf(path, sizeof(*paths), "%s/%s", world_dir, name);
	return path;
}

static inline eff_exit world_reaper(void *arg)
{
	int r = 0;

	(void)arg;
	while (r >= 0) {
		while (os_linux_reap(os, 16))
			;
		r = eff_signals_await(&world.signals, NULL, NULL);
	}
	return eff_exit_of(r);
}

/* A child that is gone for who waits for it may have left others that are ours by now, and whose ends have not been told yet. */
static inline void world_reap_rest(void)
{
	siginfo_t info;
	struct eff_scope within;
	int r = 0;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), EFF_S(5)));
	while (r >= 0) {
		while (os_linux_reap(os, 16))
			;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0)
			break;
		r = eff_signals_await(&world.signals, NULL, NULL);
	}
	(void)eff_scope_close(&within);
}

static inline eff_exit world_root(void *arg)
{
	static const char *const places[OS_N_PLACES] = {"runtime", "state", "cache", "logs"};
	char runtime_dir[64];
	struct eff_scope scope;
	sigset_t set;

	(void)arg;
	(void)snprintf(runtime_dir, sizeof(runtime_dir), "%s/run", world_dir);
	if (!world.opts.runtime_dir)
		world.opts.runtime_dir = runtime_dir;
	for (int i = 0; i < OS_N_PLACES && !no_places; i++)
		world.opts.places[i] = world_path(places[i]);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	ck_assert_int_eq(eff_signals_open(&world.signals, &set), 0);
	ck_assert_int_eq(os_linux_new(&world.opts, &os), 0);
	eff_scope_open(&scope);
	ck_assert_int_eq(eff_fork(EFF(world_reaper, NULL), NULL), 0);
	world.body();
	(void)eff_scope_close(&scope);
	world_reap_rest();
	eff_signals_close(&world.signals);
	os_linux_free(os);
	ck_assert_int_eq(access(runtime_dir, F_OK), -1);
	return eff_ok(NULL);
}

static inline void world_run(void (*body)(void), struct os_linux_opts opts)
{
	const struct eff_rt_opts rt_opts = {.stack_bytes = (size_t)256 * 1024};
	struct eff_rt *rt;
	eff_exit exit;
	char text[128];
	char remove[64];

	world.body = body;
	world.opts = opts;
	(void)test_folder(world_dir, sizeof(world_dir));
	ck_assert_int_eq(chmod(world_dir, 0755), 0);
	ck_assert_int_eq(eff_rt_new(&rt_opts, &rt), 0);
	exit = eff_rt_run(rt, EFF(world_root, NULL));
	ck_assert_msg(eff_is_ok(exit), "%s", eff_exit_text(exit, text, sizeof(text)));
	ck_assert_int_eq(eff_rt_shutdown(rt, EFF_M(1)), 0);
	eff_rt_free(rt);
	(void)snprintf(remove, sizeof(remove), "rm -rf %s", world_dir);
	ck_assert_int_eq(system(remove), 0);
}

/* ── children ── */

static const char *const world_environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", NULL};

/* Any program with its output captured. */
static inline struct os_spawn spawn_of(const char *const *argv)
{
	return (struct os_spawn){.unit = "test",
		.argv = argv,
		.environment = world_environment,
		.umask = 022,
		.out = OS_CAPTURE,
		.err = OS_MERGE};
}

/* A shell; its argv is static, so one description at a time. */
static inline struct os_spawn shell(const char *script)
{
	static const char *argv[] = {"sh", "-c", NULL, NULL};

	argv[2] = script;
	return spawn_of(argv);
}

/* This program in a role: what role_play() of its file does. */
static inline struct os_spawn role(const char *name)
{
	static const char *const argv[] = {"/proc/self/exe", NULL};
	static char variable[128];
	static const char *const environment[] = {variable, "ASAN_OPTIONS=detect_leaks=0", NULL};
	struct os_spawn spawn = spawn_of(argv);

	(void)snprintf(variable, sizeof(variable), "EFFD_TEST_ROLE=%s", name);
	spawn.environment = environment;
	return spawn;
}

/* A file that has roles says so; the function ends the process. */
#define OS_ROLES(play) \
	__attribute__((constructor)) static void begin_in_role(void) \
	{ \
		const char *name = getenv("EFFD_TEST_ROLE"); \
\
		if (name) { \
			play(name); \
			_exit(0); \
		} \
	}

static inline struct os_child *started(struct os_spawn spawn)
{
	struct os_child *child = NULL;
	struct os_fault fault = {0};
	int r = os->ops->spawn(os, &spawn, &child, &fault);

	ck_assert_msg(r == 0, "%d: %s: %s: %s", r, fault.stage, strerror(fault.error), fault.what);
	ck_assert_ptr_nonnull(child);
	return child;
}

struct world_watch {
	struct eff_watch watch;
	struct eff_event told;
};

static inline void world_told(struct eff_watch *watch)
{
	eff_event_set(&eff_container(watch, struct world_watch, watch)->told);
}

/* Wait until there is output, and take it. */
static inline ssize_t world_read(
	struct os_child *child, enum os_stream stream, void *buf, size_t size)
{
	struct world_watch w = {.watch = {.fn = world_told}};
	ssize_t n;

	while ((n = os->ops->read(child, stream, buf, size)) == -EAGAIN) {
		eff_event_init(&w.told);
		ck_assert(!os->ops->watch(child, stream, &w.watch));
		ck_assert_int_eq(eff_event_await(&w.told), 0);
	}
	return n;
}

/* Read until the end, or until there is `until` lines; NUL-terminated. */
static inline size_t read_lines(struct os_child *child, char *buf, size_t size, unsigned until)
{
	size_t len = 0;
	unsigned n_lines = 0;

	while (n_lines < until && len < size - 1) {
		ssize_t n = world_read(child, OS_STDOUT, buf + len, 1);

		ck_assert_int_ge(n, 0);
		if (n == 0)
			break;
		n_lines += buf[len] == '\n';
		len++;
	}
	buf[len] = '\0';
	return len;
}

/* The next line of its output, which is a pid. */
static inline pid_t line_of_pid(struct os_child *child)
{
	char line[32];

	ck_assert_uint_gt(read_lines(child, line, sizeof(line), 1), 0);
	return (pid_t)atoi(line);
}

static inline struct os_end ended(struct os_child *child)
{
	struct os_end end;

	ck_assert_int_eq(os->ops->await_end(child, &end), 0);
	return end;
}

static inline void finish(struct os_child *child)
{
	ck_assert_int_eq(os->ops->await_gone(child), 0);
	os->ops->free(child);
}

static inline void kill_all(struct os_child *child)
{
	(void)os->ops->signal(child, SIGKILL, OS_GROUP);
	finish(child);
}

/* What it prints, all of it, no more than a pipe holds; it must end well. */
static inline const char *output_of(struct os_spawn spawn)
{
	static char text[4096];
	struct os_child *child = started(spawn);
	int code = ended(child).code;

	(void)read_lines(child, text, sizeof(text), UINT32_MAX);
	ck_assert_msg(code == 0, "it ended badly: %s", text);
	finish(child);
	return text;
}

/* A start that must fail; returns how. The child, if there is one, is ended. */
static inline struct os_fault fault_of(struct os_spawn spawn)
{
	struct os_child *child = NULL;
	struct os_fault fault = {0};

	ck_assert_int_eq(os->ops->spawn(os, &spawn, &child, &fault), -ECHILD);
	if (child) {
		(void)ended(child);
		finish(child);
	}
	return fault;
}

/* ── suites ── */

Suite *test_suite(void);

static inline Suite *world_suite(const char *name, TCase **ret_tcase)
{
	Suite *suite = suite_create(name);

	*ret_tcase = tcase_create(name);
	test_leak_guard(*ret_tcase);
	suite_add_tcase(suite, *ret_tcase);
	return suite;
}

#endif
