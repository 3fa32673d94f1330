/* SPDX-License-Identifier: MIT */
/* The steps that say how a child is scheduled and what it may do, where it is, and how each of them fails. */
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>

#include "children.h"
#include "folder.h"

enum { IOPRIO_IDLE = 3 << 13, BITS = 8 * sizeof(long) };
#define BIT(n) (UINT64_C(1) << (n))

static struct outcome got;

static void check_failed(const char *stage, int error)
{
	ck_assert_int_eq(got.exec, -ECHILD);
	ck_assert_str_eq(got.fault.stage, stage);
	ck_assert_int_eq(got.fault.error, error);
	ck_assert_int_eq(got.status, 127 << 8);
}

static void run_steps(const char *script, const struct eff_step *steps, unsigned n)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	int fds[3] = {-1, -1, 2}, n_released;
	struct eff_spawn spawn = spawn_of(argv, &n_released);

	spawn.steps = steps;
	spawn.n_steps = n;
	spawn.own_memory = true;
	run_child(spawn, fds, &got);
}

static int first_processor(void)
{
	cpu_set_t set;
	int cpu = 0;

	ck_assert_int_eq(sched_getaffinity(0, sizeof set, &set), 0);
	while (!CPU_ISSET(cpu, &set))
		cpu++;
	return cpu;
}

static eff_exit scheduled(void *arg)
{
	int cpu = first_processor();
	unsigned long mask[16] = {0};
	const struct eff_step steps[] = {
		{.kind = EFF_STEP_WRITE,
			.stage = "oom_score_adj",
			.file = {"/proc/self/oom_score_adj", "567"}},
		{.kind = EFF_STEP_NICE, .stage = "nice", .number = 7},
		{.kind = EFF_STEP_IOPRIO, .stage = "ionice", .number = IOPRIO_IDLE},
		{.kind = EFF_STEP_SCHEDULER, .stage = "sched", .sched = {SCHED_BATCH, 0}},
		{.kind = EFF_STEP_AFFINITY, .stage = "cpus", .mask = {mask, 16}},
	};
	char wanted[64];

	mask[cpu / (int)BITS] = 1UL << cpu % (int)BITS;
	run_steps("cat /proc/self/oom_score_adj; nice; ionice; cut -d ' ' -f 41 /proc/self/stat;"
		  "sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status",
		steps, 5);
	ck_assert_int_eq(got.exec, 0);
	snprintf(wanted, sizeof wanted, "567\n7\nidle\n3\n%d\n", cpu);
	ck_assert_str_eq(got.out, wanted);
	/* And nothing of it has touched the parent. */
	ck_assert_int_eq(sched_getscheduler(0), SCHED_OTHER);
	return eff_ok(arg);
}

START_TEST(a_child_is_scheduled_as_it_was_told)
{
	eff__proc_without = ways[_i];
	run_root(scheduled);
}
END_TEST

static const char rights_script[] =
	"grep -E '^(Uid|Cap.*|NoNewPrivs):' /proc/self/status | tr -d '\\t' | sed -E 's/:0+([0-9a-f])/:\\1/'";

static eff_exit rights(void *arg)
{
	const uint64_t may = BIT(CAP_KILL) | BIT(CAP_NET_BIND_SERVICE);
	const struct eff_step steps[] = {
		{.kind = EFF_STEP_BOUNDING, .stage = "capabilities", .capabilities = may},
		{.kind = EFF_STEP_KEEP_CAPS, .stage = "ambient"},
		{.kind = EFF_STEP_SETUID, .stage = "user", .id = 1001},
		{.kind = EFF_STEP_AMBIENT, .stage = "ambient", .capabilities = BIT(CAP_NET_BIND_SERVICE)},
		{.kind = EFF_STEP_NO_NEW_PRIVS, .stage = "no_new_privileges"},
	};
	const struct eff_step root[] = {
		{.kind = EFF_STEP_BOUNDING, .stage = "capabilities", .capabilities = may},
		{.kind = EFF_STEP_AMBIENT, .stage = "ambient", .capabilities = 0},
	};

	run_steps(rights_script, steps, 5);
	ck_assert_int_eq(got.exec, 0);
	ck_assert_str_eq(got.out,
		"Uid:1001100110011001\n"
		"CapInh:400\nCapPrm:400\nCapEff:400\nCapBnd:420\nCapAmb:400\nNoNewPrivs:1\n");
	/* Root has all that is in its bounding set, and no more. */
	run_steps(rights_script, root, 2);
	ck_assert_str_eq(got.out,
		"Uid:0\nCapInh:0\nCapPrm:420\nCapEff:420\nCapBnd:420\nCapAmb:0\nNoNewPrivs:0\n");
	return eff_ok(arg);
}

START_TEST(a_child_may_do_what_it_was_granted_and_no_more)
{
	eff__proc_without = ways[_i];
	if (getuid() == 0)
		run_root(rights);
}
END_TEST

static char folder[64];

static eff_exit another_root(void *arg)
{
	const char *const argv[] = {"/bin/true", NULL};
	const struct eff_step steps[] = {
		{.kind = EFF_STEP_CHROOT, .stage = "root", .path = folder},
		{.kind = EFF_STEP_CHDIR, .stage = "here", .path = "only-here"},
		{.kind = EFF_STEP_CHDIR, .stage = "above", .path = "/only-here"},
		{.kind = EFF_STEP_CHDIR, .stage = "outside", .path = "/usr"},
	};

	run_simply(argv, steps, 4, &got);
	check_failed("outside", ENOENT);
	run_simply(argv, steps, 3, &got);
	check_failed("exec", ENOENT);
	return eff_ok(arg);
}

START_TEST(a_child_may_see_a_folder_as_the_root)
{
	char inside[96];

	(void)test_folder(folder, sizeof(folder));
	snprintf(inside, sizeof inside, "%s/only-here", folder);
	ck_assert_int_eq(mkdir(inside, 0755), 0);
	eff__proc_without = ways[_i];
	if (getuid() == 0)
		run_root(another_root);
	ck_assert_int_eq(rmdir(inside), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* Those of a thread that has parted from ours. */
static void *other_names(void *ret_fd)
{
	ck_assert_int_eq(unshare(CLONE_NEWUTS), 0);
	ck_assert_int_eq(sethostname("elsewhere", 9), 0);
	*(int *)ret_fd = open("/proc/thread-self/ns/uts", O_RDONLY | O_CLOEXEC);
	return NULL;
}

static eff_exit another_namespace(void *arg)
{
	const char *const argv[] = {"/bin/sh", "-c", "uname -n; echo /proc/self/fd/*", NULL};
	const struct eff_step step = {.kind = EFF_STEP_NAMESPACE, .stage = "there", .number = 3};
	int fds[4] = {-1, -1, 2, -1}, n_released;
	struct eff_spawn spawn = spawn_of(argv, &n_released);
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, other_names, &fds[3]), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_ge(fds[3], 0);
	spawn.steps = &step;
	spawn.n_steps = 1;
	spawn.n_fds = 4;
	run_child(spawn, fds, &got);
	ck_assert_int_eq(got.exec, 0);
	/* The first one is the shell's own, which looks. */
	ck_assert_str_eq(got.out, "elsewhere\n/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2\n");
	close(fds[3]);

	fds[3] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	run_child(spawn, fds, &got);
	check_failed("there", EINVAL);
	close(fds[3]);
	return eff_ok(arg);
}

START_TEST(a_child_enters_a_namespace_and_holds_it_no_more)
{
	eff__proc_without = ways[_i];
	if (getuid() == 0)
		run_root(another_namespace);
}
END_TEST

/* Who asks for its parent ends. */
static const struct sock_filter no_parent[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static eff_exit filtered(void *arg)
{
	const struct eff_step steps[] = {
		{.kind = EFF_STEP_SETUID, .stage = "user", .id = 1001},
		{.kind = EFF_STEP_NO_NEW_PRIVS, .stage = "no_new_privileges"},
		{.kind = EFF_STEP_FILTER, .stage = "seccomp", .filter = {no_parent, 4}},
	};
	unsigned from = getuid() == 0 ? 0 : 1;

	/* Every shell asks for its parent when it begins; nothing did before that. */
	run_steps("echo it goes on", steps + from, 3 - from);
	ck_assert_int_eq(got.exec, 0);
	ck_assert(WIFSIGNALED(got.status) && WTERMSIG(got.status) == SIGSYS);
	ck_assert_str_eq(got.out, "");
	return eff_ok(arg);
}

START_TEST(a_child_is_filtered_from_its_program_on)
{
	eff__proc_without = ways[_i];
	run_root(filtered);
}
END_TEST

static const struct {
	struct eff_step step;
	int error;
	bool privileged; /* it would succeed for who has not become somebody else */
} failing[] = {
	{{.kind = EFF_STEP_NICE, .number = -5}, EACCES, true},
	{{.kind = EFF_STEP_IOPRIO, .number = 7 << 13}, EINVAL, false},
	{{.kind = EFF_STEP_SCHEDULER, .sched = {99, 0}}, EINVAL, false},
	{{.kind = EFF_STEP_SCHEDULER, .sched = {SCHED_FIFO, 9}}, EPERM, true},
	{{.kind = EFF_STEP_AFFINITY, .mask = {(const unsigned long[1]){0}, 1}}, EINVAL, false},
	{{.kind = EFF_STEP_WRITE, .file = {"/nowhere/x", "1"}}, ENOENT, false},
	{{.kind = EFF_STEP_WRITE, .file = {"/dev/full", "1"}}, ENOSPC, false},
	{{.kind = EFF_STEP_CHROOT, .path = "/nowhere"}, ENOENT, false},
	{{.kind = EFF_STEP_CHROOT, .path = "/"}, EPERM, true},
	{{.kind = EFF_STEP_BOUNDING, .capabilities = 0}, EPERM, true},
	{{.kind = EFF_STEP_AMBIENT, .capabilities = BIT(CAP_KILL)}, EPERM, true},
	{{.kind = EFF_STEP_FILTER, .filter = {no_parent, 4}}, EACCES, true},
	{{.kind = EFF_STEP_FILTER, .filter = {no_parent, 3}}, EINVAL, false},
	{{.kind = EFF_STEP_RLIMIT, .limit = {RLIMIT_NOFILE, {2, 1}}}, EINVAL, false},
};

static eff_exit failures(void *arg)
{
	struct eff_step steps[2] = {{.kind = EFF_STEP_SETUID, .stage = "user", .id = 1001}};
	bool is_root = getuid() == 0;

	for (size_t i = 0; i < sizeof failing / sizeof *failing; i++) {
		bool other = failing[i].privileged && is_root;

		steps[1] = failing[i].step;
		steps[1].stage = "it";
		run_steps("true", other ? steps : steps + 1, other ? 2 : 1);
		ck_assert_msg(got.exec < 0, "step %zu of the list did not fail", i);
		check_failed("it", failing[i].error);
	}
	return eff_ok(arg);
}

START_TEST(each_step_tells_how_it_failed)
{
	eff__proc_without = ways[_i];
	run_root(failures);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("spawn_steps");
	TCase *tcase = tcase_create("steps");

	test_leak_guard(tcase);
	tcase_add_loop_test(tcase, a_child_is_scheduled_as_it_was_told, 0, N_WAYS);
	tcase_add_loop_test(tcase, a_child_may_do_what_it_was_granted_and_no_more, 0, N_WAYS);
	tcase_add_loop_test(tcase, a_child_may_see_a_folder_as_the_root, 0, N_WAYS);
	tcase_add_loop_test(tcase, a_child_enters_a_namespace_and_holds_it_no_more, 0, N_WAYS);
	tcase_add_loop_test(tcase, a_child_is_filtered_from_its_program_on, 0, N_WAYS);
	tcase_add_loop_test(tcase, each_step_tells_how_it_failed, 0, N_WAYS);
	suite_add_tcase(suite, tcase);
	return suite;
}
