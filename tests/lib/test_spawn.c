/* SPDX-License-Identifier: MIT */
/* Making a child: what cannot be had is told with nothing left behind, and an execve() that hangs holds nobody up. A filter
 * on system calls plays the kernel that lacks clone3, the limit on processes, and the hung file system. */
#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#include "cgroups.h"
#include "children.h"
#include "procs.h"

static const char *const true_argv[] = {"/bin/true", NULL};
static struct outcome got;

/* ── what cannot be had ── */

static eff_exit no_descriptor(void *arg)
{
	int n_released = 0, fd = dup(2);
	struct eff_spawn spawn = spawn_of(true_argv, &n_released);
	struct rlimit before, none;
	struct eff_proc *proc = NULL;

	close(fd);
	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = (rlim_t)fd;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(eff_spawn(&spawn, &proc), -EMFILE);
	ck_assert_int_eq(n_released, 1);
	/* Enough for the pipe; the pidfd is one too many. */
	none.rlim_cur = (rlim_t)fd + 2;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(eff_spawn(&spawn, &proc), -EMFILE);
	ck_assert_int_eq(n_released, 2);
	ck_assert_ptr_null(proc);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	run_simply(true_argv, NULL, 0, &got);
	ck_assert_int_eq(got.exec, 0);
	return eff_ok(arg);
}

START_TEST(without_a_descriptor_nothing_is_made)
{
	run_root(no_descriptor);
}
END_TEST

static eff_exit no_process(void *arg)
{
	int n_released = 0;
	struct eff_spawn spawn = spawn_of(true_argv, &n_released);
	struct eff_proc *proc;

	for (int i = 1; i <= 40; i++) {
		ck_assert_int_eq(eff_spawn(&spawn, &proc), -EAGAIN);
		ck_assert_int_eq(n_released, i);
	}
	return eff_ok(arg);
}

START_TEST(without_a_process_nothing_is_made)
{
	pid_t pid = fork();
	int status;

	/* In a process that ends at once: leak checkers want a thread at its end. */
	if (pid == 0) {
		eff__proc_without = ways[_i];
		ck_assert_int_eq(filter(SYS_clone3, SECCOMP_RET_ERRNO | EAGAIN), 0);
		ck_assert_int_eq(filter(SYS_clone, SECCOMP_RET_ERRNO | EAGAIN), 0);
		run_root(no_process);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

static eff_exit plain(void *arg)
{
	for (int i = 0; i < 3; i++) {
		run_simply(true_argv, NULL, 0, &got);
		ck_assert_int_eq(got.exec, 0);
		ck_assert_int_eq(got.status, 0);
	}
	return eff_ok(arg);
}

START_TEST(a_kernel_that_lacks_calls_makes_children_all_the_same)
{
	static const int errors[] = {ENOSYS, EPERM, EINVAL};

	ck_assert_int_eq(filter(SYS_clone3, SECCOMP_RET_ERRNO | errors[_i]), 0);
	ck_assert_int_eq(filter(SYS_pidfd_open, SECCOMP_RET_ERRNO | ENOSYS), 0);
	ck_assert_int_eq(filter(SYS_pidfd_send_signal, SECCOMP_RET_ERRNO | ENOSYS), 0);
	ck_assert_int_eq(filter(SYS_close_range, SECCOMP_RET_ERRNO | ENOSYS), 0);
	run_root(plain);
}
END_TEST

/* ── an execve() that hangs ── */

static int listener;

struct question {
	struct eff_proc *proc;
	struct eff_spawn_fault fault;
	int result;
};

static eff_exit asks(void *arg)
{
	struct question *question = arg;

	question->result = eff_proc_await_exec(question->proc, &question->fault);
	return eff_ok(NULL);
}

/* Suspends until the child hangs in execve(). Returns the number to let it go by. */
static uint64_t hang_await(void)
{
	struct seccomp_notif notice = {0};

	ck_assert_int_gt(eff_wait_fd(listener, EFF_READ), 0);
	ck_assert_int_eq(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notice), 0);
	return notice.id;
}

static void let_go(uint64_t id)
{
	struct seccomp_notif_resp answer = {.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};

	ck_assert_int_eq(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer), 0);
}

static eff_exit killed_in_exec(void *arg)
{
	int n_released = 0, status = 0;
	struct eff_spawn spawn = spawn_of(true_argv, &n_released);
	struct question question = {.result = 1};
	struct eff_fiber *fiber;

	ck_assert_int_eq(eff_spawn(&spawn, &question.proc), 0);
	ck_assert_int_eq(eff_fork(EFF(asks, &question), &fiber), 0);
	(void)hang_await();
	/* It hangs, we do not; and its memory is its own until it is gone. */
	ck_assert_int_eq(question.result, 1);
	ck_assert_int_eq(n_released, 0);
	ck_assert_int_eq(eff_proc_signal(question.proc, SIGKILL), 0);
	ck_assert_int_eq(eff_await(fiber, NULL), 0);
	ck_assert_int_eq(question.result, -ECHILD);
	ck_assert_ptr_null(question.fault.stage);
	ck_assert_int_eq(n_released, 1);
	ck_assert_int_eq(eff_proc_await_end(question.proc, &status), 0);
	ck_assert_int_eq(status, SIGKILL);
	eff_fiber_unref(fiber);
	eff_proc_free(question.proc);
	return eff_ok(arg);
}

static eff_exit given_up_in_exec(void *arg)
{
	int n_released = 0, other_released = 0, status;
	struct eff_spawn spawn = spawn_of(true_argv, &n_released);
	struct eff_proc *hung, *other;
	struct eff_scope within;

	ck_assert_int_eq(eff_spawn(&spawn, &hung), 0);
	(void)hang_await();
	eff_scope_open(&within);
	eff_scope_cancel(&within);
	ck_assert_int_eq(eff_proc_await_exec(hung, NULL), -ECANCELED);
	ck_assert_int_eq(eff_scope_close(&within), -ECANCELED);
	eff_proc_free(hung);
	/* One that was made later is through before. */
	spawn.context = &other_released;
	ck_assert_int_eq(eff_spawn(&spawn, &other), 0);
	let_go(hang_await());
	ck_assert_int_eq(eff_proc_await_exec(other, NULL), 0);
	ck_assert_int_eq(eff_proc_await_end(other, &status), 0);
	ck_assert_int_eq(status, 0);
	eff_proc_free(other);
	ck_assert_int_eq(other_released, 1);
	return eff_ok(arg);
}

static void with_listener(eff_fn *fn, int way)
{
	eff__proc_without = ways[way];
	listener = filter(SYS_execve, SECCOMP_RET_USER_NOTIF);
	ck_assert_int_ge(listener, 0);
	run_root(fn);
	close(listener);
}

START_TEST(a_child_that_hangs_in_execve_is_killed_there_and_had_not_begun)
{
	with_listener(killed_in_exec, _i);
}
END_TEST

START_TEST(a_child_that_hangs_in_execve_delays_no_other)
{
	with_listener(given_up_in_exec, _i);
}
END_TEST

/* ── memory of its own ── */

static eff_exit own_memory(void *arg)
{
	/* All of it on a fiber's stack, which the child does not have. */
	char word[] = "word", name[] = "V=of the fiber", folder[] = "/usr";
	char sh[] = "/bin/sh", script[] = "echo $0 $V; pwd", c[] = "-c";
	const char *const argv[] = {sh, c, script, word, NULL}, *const envp[] = {name, NULL};
	const struct eff_step step = {.kind = EFF_STEP_CHDIR, .stage = "chdir", .path = folder};
	int fds[3] = {-1, -1, 2}, n_released;
	struct eff_spawn spawn = spawn_of(argv, &n_released);

	spawn.own_memory = true;
	spawn.envp = envp;
	spawn.steps = &step;
	spawn.n_steps = 1;
	run_child(spawn, fds, &got);
	ck_assert_int_eq(got.exec, 0);
	ck_assert_str_eq(got.out, "word of the fiber\n/usr\n");
	return eff_ok(arg);
}

START_TEST(a_child_with_its_own_memory_reads_what_is_on_a_fibers_stack)
{
	eff__proc_without = ways[_i];
	run_root(own_memory);
}
END_TEST

static eff_exit errno_kept(void *arg)
{
	int n_released = 0;
	const char *const argv[] = {"/no/such/program", NULL};
	struct eff_spawn spawn = spawn_of(argv, &n_released);
	struct eff_spawn_fault fault;
	struct eff_proc *proc;
	int status;

	ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
	errno = 12345;
	/* Its failing execve() happens while we are here, and its errno is nobody's. */
	while (waitid(P_PID, (id_t)eff_proc_pid(proc), &(siginfo_t){0}, WEXITED | WNOWAIT) < 0)
		;
	ck_assert_int_eq(errno, 12345);
	ck_assert_int_eq(eff_proc_await_exec(proc, &fault), -ECHILD);
	ck_assert_str_eq(fault.stage, "exec");
	ck_assert_int_eq(eff_proc_await_end(proc, &status), 0);
	eff_proc_free(proc);
	return eff_ok(arg);
}

START_TEST(a_child_does_not_write_the_parents_errno)
{
	eff__proc_without = ways[_i];
	run_root(errno_kept);
}
END_TEST

/* ── a control group ── */

static const unsigned placings[] = {
	0,
	EFF__WITH_MANY_FDS,
	EFF__WITHOUT_CLONE3,
	EFF__WITHOUT_INTO_CGROUP,
	EFF__WITHOUT_INTO_CGROUP | EFF__WITH_MANY_FDS,
};
enum { N_PLACINGS = sizeof placings / sizeof *placings };

static eff_exit placed(void *arg)
{
	const char *const argv[] = {"/bin/cat", "/proc/self/cgroup", NULL};
	int fds[3] = {-1, -1, 2}, n_released;
	struct eff_spawn spawn = spawn_of(argv, &n_released);
	char path[4096];
	const char *name, *line;
	int group = cgroup_new(path, sizeof path);

	if (group < 0)
		return eff_ok(arg); /* there are no control groups here */
	name = strrchr(path, '/');
	spawn.cgroup_fd = group;
	for (int i = 0; i < 2; i++) {
		spawn.own_memory = i == 1;
		run_child(spawn, fds, &got);
		ck_assert_int_eq(got.exec, 0);
		line = strstr(got.out, "0::");
		ck_assert_ptr_nonnull(line);
		ck_assert_msg(strncmp(strchr(line, '\n') - strlen(name), name, strlen(name)) == 0,
			"%s is not %s", line, name);
	}
	close(group);
	ck_assert_int_eq(rmdir(path), 0);
	return eff_ok(arg);
}

START_TEST(a_child_begins_in_its_control_group)
{
	eff__proc_without = placings[_i];
	run_root(placed);
}
END_TEST

/* Kernels from 6.14 on kill it as it is born, if the group was killed at any time before and its parent's was not. */
static void lives_or_was_never(const struct eff_spawn *spawn)
{
	struct eff_spawn_fault fault = {0};
	struct eff_proc *proc;
	int status, r;

	ck_assert_int_eq(eff_spawn(spawn, &proc), 0);
	r = eff_proc_await_exec(proc, &fault);
	ck_assert(r == 0 || r == -ECHILD);
	ck_assert_ptr_null(fault.stage);
	ck_assert_int_eq(eff_proc_await_end(proc, &status), 0);
	ck_assert_int_eq(status, r == 0 ? 0 : SIGKILL);
	eff_proc_free(proc);
}

static eff_exit placed_where_all_were_killed(void *arg)
{
	int n_released = 0;
	struct eff_spawn spawn = spawn_of(true_argv, &n_released);
	char path[4096];
	int group = cgroup_new(path, sizeof path);
	int kill = group < 0 ? -1 : openat(group, "cgroup.kill", O_WRONLY | O_CLOEXEC);

	if (kill >= 0)
		ck_assert_int_eq(write(kill, "1", 1), 1);
	spawn.cgroup_fd = group;
	for (int i = 0; kill >= 0 && i < 40; i++) {
		spawn.own_memory = i % 2 == 1;
		lives_or_was_never(&spawn);
	}
	close(kill);
	close(group);
	if (group >= 0)
		ck_assert_int_eq(rmdir(path), 0);
	return eff_ok(arg);
}

START_TEST(a_child_that_is_killed_at_birth_has_executed_nothing)
{
	eff__proc_without = placings[_i];
	run_root(placed_where_all_were_killed);
}
END_TEST

/* It takes that place itself, and tells why it could not. */
static void joins_in_vain(const struct eff_spawn *spawn)
{
	struct eff_spawn_fault fault = {0};
	struct eff_proc *proc;
	int status;

	ck_assert_int_eq(eff_spawn(spawn, &proc), 0);
	ck_assert_int_eq(eff_proc_await_exec(proc, &fault), -ECHILD);
	ck_assert_str_eq(fault.stage, "cgroup");
	ck_assert_int_eq(fault.error, ENOENT);
	ck_assert_int_eq(eff_proc_await_end(proc, &status), 0);
	eff_proc_free(proc);
}

static eff_exit misplaced(void *arg)
{
	int n_released = 0, folder = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct eff_spawn spawn = spawn_of(true_argv, &n_released);
	struct eff_proc *proc;

	spawn.cgroup_fd = folder;
	if (eff__proc_without & (EFF__WITHOUT_CLONE3 | EFF__WITHOUT_INTO_CGROUP))
		joins_in_vain(&spawn);
	else
		ck_assert_int_eq(eff_spawn(&spawn, &proc), -EBADF);
	ck_assert_int_eq(n_released, 1);
	close(folder);
	return eff_ok(arg);
}

START_TEST(a_child_whose_control_group_cannot_be_had_is_not_begun)
{
	eff__proc_without = placings[_i];
	run_root(misplaced);
}
END_TEST

Suite *test_suite(void);
static eff_exit cannot_take_its_descriptors(void *arg)
{
	const char *const argv[] = {"/bin/sh", "-c", "exit 1", NULL};
	int n_released;
	struct eff_spawn spawn = spawn_of(argv, &n_released);
	int fds[3] = {-1, -1, 2};

	ck_assert_int_eq(filter(SYS_recvmsg, SECCOMP_RET_ERRNO | EPERM), 0);
	for (int own = 0; own < 2; own++) {
		spawn.own_memory = own;
		run_child(spawn, fds, &got);
		ck_assert_int_eq(got.exec, -ECHILD);
		ck_assert_str_eq(got.fault.stage, "fds");
		ck_assert_int_eq(got.fault.error, EPERM);
		/* What is left in it is nobody else's. */
		ck_assert_uint_eq(eff__rt->procs->stacks.n_carriers, 0);
	}
	return eff_ok(arg);
}

/* Nor the pipe that it would say it through: then its end says it. */
START_TEST(a_child_that_cannot_take_its_descriptors_says_so)
{
	eff__proc_without = EFF__WITH_MANY_FDS;
	run_root(cannot_take_its_descriptors);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("spawn");
	TCase *tcase = tcase_create("making");

	test_leak_guard(tcase);
	tcase_add_test(tcase, without_a_descriptor_nothing_is_made);
	tcase_add_loop_test(tcase, without_a_process_nothing_is_made, 0, N_WAYS);
	tcase_add_loop_test(tcase, a_kernel_that_lacks_calls_makes_children_all_the_same, 0, 3);
	tcase_add_loop_test(tcase,
		a_child_that_hangs_in_execve_is_killed_there_and_had_not_begun, 0, N_WAYS);
	tcase_add_loop_test(tcase, a_child_that_hangs_in_execve_delays_no_other, 0, N_WAYS);
	tcase_add_loop_test(
		tcase, a_child_with_its_own_memory_reads_what_is_on_a_fibers_stack, 0, N_WAYS);
	tcase_add_loop_test(tcase, a_child_does_not_write_the_parents_errno, 0, N_WAYS);
	tcase_add_loop_test(tcase, a_child_begins_in_its_control_group, 0, N_PLACINGS);
	tcase_add_loop_test(
		tcase, a_child_that_is_killed_at_birth_has_executed_nothing, 0, N_PLACINGS);
	tcase_add_loop_test(
		tcase, a_child_whose_control_group_cannot_be_had_is_not_begun, 0, N_PLACINGS);
	tcase_add_test(tcase, a_child_that_cannot_take_its_descriptors_says_so);
	suite_add_tcase(suite, tcase);
	return suite;
}
