/* SPDX-License-Identifier: MIT */
/* Limits of control groups. What is written where is looked at in folders with files that play the kernel's, for the
 * kernel that tests run on may have no controllers; what it then says is looked at in the real one. */
#include <fcntl.h>

#include "cgroups.h"
#include "daemon/os_world.h"
#include "os/internal.h"

#define ALL (((1U << TERMS_N_CGROUP) - 1) << TERMS_CGROUP_SHIFT)
#define GIVEN(limit) (1U << (TERMS_CGROUP_SHIFT + TERMS_##limit))

static struct cgroups all;
static struct cgroup *group;

/* ── folders that play groups ── */

static void file_make(const char *name, const char *text)
{
	FILE *file = fopen(world_path(name), "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* What was written to it since it was last asked for. */
static const char *written(const char *name)
{
	static char text[256];
	FILE *file = fopen(world_path(name), "re");
	size_t n;

	if (!file)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	(void)fclose(file);
	file_make(name, "");
	return text;
}

static void folders_make(const char *controllers)
{
	static const char *const files[] = {"base/unit:web/memory.max",
		"base/unit:web/memory.high", "base/unit:web/cpu.max", "base/unit:web/cpu.weight",
		"base/unit:web/pids.max", "base/unit:web/io.weight", "base/unit:web/memory.events",
		"cgroup.subtree_control", "base/cgroup.subtree_control"};

	ck_assert_int_eq(mkdir(world_path("base"), 0755), 0);
	ck_assert_int_eq(mkdir(world_path("base/unit:web"), 0755), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		file_make(files[i], "");
	file_make("cgroup.controllers", controllers);
	os_cgroups_init(&all);
	all.home_fd = open(world_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	all.base_fd = open(world_path("base"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	all.folder = strdup("/home");
	group = os_cgroup_open(&all, "unit:web");
	ck_assert_ptr_nonnull(group);
}

static void folders_done(void)
{
	os_cgroup_free(group);
	os_cgroups_done(&all);
}

static int limit(const struct terms *terms, enum terms_cgroup_limit *ret_which)
{
	return os_cgroup_limit(group, terms, ret_which);
}

static const struct terms everything = {.given = ALL,
	.cgroup = {.memory_max = 1 << 30,
		.memory_high = 900 << 20,
		.cpu_max = 1.5,
		.cpu_weight = 50,
		.pids_max = 10,
		.io_weight = 200}};

OS_TEST(each_limit_is_written_where_its_controller_reads_it)
{
	enum terms_cgroup_limit which;

	folders_make("cpuset cpu io memory hugetlb pids\n");
	ck_assert_int_eq(limit(&everything, &which), 0);
	ck_assert_str_eq(written("base/unit:web/memory.max"), "1073741824");
	ck_assert_str_eq(written("base/unit:web/memory.high"), "943718400");
	ck_assert_str_eq(written("base/unit:web/cpu.max"), "150000 100000");
	ck_assert_str_eq(written("base/unit:web/cpu.weight"), "50");
	ck_assert_str_eq(written("base/unit:web/pids.max"), "10");
	ck_assert_str_eq(written("base/unit:web/io.weight"), "default 200");
	ck_assert_uint_eq(all.given, CGROUP_MEMORY | CGROUP_CPU | CGROUP_PIDS | CGROUP_IO);
	folders_done();
}

OS_TEST(what_is_not_limited_any_more_is_set_back)
{
	struct terms less = everything;
	enum terms_cgroup_limit which;

	folders_make("cpu io memory pids");
	ck_assert_int_eq(limit(&everything, &which), 0);
	less.given = GIVEN(PIDS_MAX);
	less.cgroup.pids_max = 7;
	(void)written("base/unit:web/pids.max");
	(void)written("base/unit:web/memory.max");
	(void)written("base/unit:web/cpu.max");
	(void)written("base/unit:web/io.weight");
	ck_assert_int_eq(limit(&less, &which), 0);
	ck_assert_str_eq(written("base/unit:web/pids.max"), "7");
	ck_assert_str_eq(written("base/unit:web/memory.max"), "max");
	ck_assert_str_eq(written("base/unit:web/cpu.max"), "max 100000");
	ck_assert_str_eq(written("base/unit:web/io.weight"), "default 100");
	ck_assert_int_eq(limit(NULL, &which), 0);
	ck_assert_str_eq(written("base/unit:web/pids.max"), "max");
	/* What was set back once is left alone. */
	ck_assert_int_eq(limit(NULL, &which), 0);
	ck_assert_str_eq(written("base/unit:web/pids.max"), "");
	folders_done();
}

OS_TEST(a_controller_is_asked_for_when_it_is_needed)
{
	const struct terms terms = {.given = GIVEN(CPU_MAX), .cgroup = {.cpu_max = 0.001}};
	enum terms_cgroup_limit which;

	folders_make("cpu memory");
	ck_assert_int_eq(limit(&terms, &which), 0);
	/* The kernel takes no less. */
	ck_assert_str_eq(written("base/unit:web/cpu.max"), "1000 100000");
	ck_assert_str_eq(written("cgroup.subtree_control"), "+cpu");
	ck_assert_str_eq(written("base/cgroup.subtree_control"), "+cpu");
	ck_assert_int_eq(limit(&terms, &which), 0);
	ck_assert_str_eq(written("cgroup.subtree_control"), "");
	/* It goes back when effd ends. */
	os_cgroup_free(group);
	os_cgroups_done(&all);
	ck_assert_str_eq(written("base/cgroup.subtree_control"), "-cpu");
	ck_assert_str_eq(written("cgroup.subtree_control"), "-cpu");
}

OS_TEST(a_controller_that_others_have_asked_for_is_left_to_them)
{
	const struct terms terms = {.given = GIVEN(PIDS_MAX), .cgroup = {.pids_max = 3}};
	enum terms_cgroup_limit which;

	folders_make("pids memory");
	file_make("cgroup.subtree_control", "memory pids\n");
	ck_assert_int_eq(limit(&terms, &which), 0);
	ck_assert_str_eq(written("base/cgroup.subtree_control"), "+pids");
	folders_done();
	ck_assert_str_eq(written("cgroup.subtree_control"), "memory pids\n");
}

OS_TEST(a_missing_controller_is_named)
{
	const struct terms terms = {.given = GIVEN(MEMORY_HIGH) | GIVEN(IO_WEIGHT)};
	enum terms_cgroup_limit which;
	char words[256];

	folders_make("cpu memoryless pids");
	ck_assert_int_eq(limit(&terms, &which), -EOPNOTSUPP);
	ck_assert_int_eq(which, TERMS_MEMORY_HIGH);
	os_cgroup_limit_words(&all, which, EOPNOTSUPP, words, sizeof(words));
	ck_assert_str_eq(words, "memory_high: there is no controller memory in /home");
	os_cgroup_limit_words(&all, TERMS_IO_WEIGHT, EBUSY, words, sizeof(words));
	ck_assert_str_eq(words,
		"io_weight: /home cannot give on its controller io, for others than effd are in it");
	all.given = CGROUP_PIDS;
	os_cgroup_limit_words(&all, TERMS_PIDS_MAX, EINVAL, words, sizeof(words));
	ck_assert_str_eq(words, "pids_max");
	folders_done();
}

/* BFQ counts to 1000, and 100 is the usual weight there, too. */
static const struct {
	unsigned weight;
	const char *written;
} weights[] = {
	{1, "default 1"}, {100, "default 100"}, {1090, "default 190"}, {10000, "default 1000"}};

static void weight_is_written(unsigned weight, const char *text)
{
	const struct terms terms = {.given = GIVEN(IO_WEIGHT), .cgroup = {.io_weight = weight}};
	enum terms_cgroup_limit which;

	file_make("base/unit:web/io.bfq.weight", "");
	ck_assert_int_eq(limit(&terms, &which), 0);
	ck_assert_str_eq(written("base/unit:web/io.bfq.weight"), text);
}

OS_TEST(disks_are_shared_by_either_of_the_kernels_ways)
{
	folders_make("io");
	ck_assert_int_eq(unlink(world_path("base/unit:web/io.weight")), 0);
	for (size_t i = 0; i < sizeof(weights) / sizeof(*weights); i++)
		weight_is_written(weights[i].weight, weights[i].written);
	folders_done();
}

static const struct {
	const char *events;
	bool oom;
} events[] = {
	{"low 0\nhigh 3\nmax 9\noom 2\noom_kill 0\noom_group_kill 0\n", false},
	{"low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\noom_group_kill 0\n", true},
	{"oom_kill 12\n", true},
	{"low 0\noom_group_kill 1\n", false},
	{"", false},
};

OS_TEST(who_was_killed_for_memory_is_told_by_the_groups_events)
{
	folders_make("memory");
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++) {
		file_make("base/unit:web/memory.events", events[i].events);
		all.given = 0;
		ck_assert(!os_cgroup_oom(group));
		all.given = CGROUP_MEMORY;
		ck_assert_int_eq(os_cgroup_oom(group), events[i].oom);
	}
	all.given = 0;
	folders_done();
}

OS_TEST(who_was_killed_in_an_earlier_run_is_not_counted_for_this_one)
{
	folders_make("memory");
	file_make("base/unit:web/cgroup.events", "populated 0\nfrozen 0\n");
	all.given = CGROUP_MEMORY;
	group->kept = true;
	file_make("base/unit:web/memory.events", "oom_kill 3\n");
	ck_assert(os_cgroup_oom(group));
	ck_assert(os_cgroup_renew(group));
	ck_assert(!os_cgroup_oom(group));
	file_make("base/unit:web/memory.events", "oom_kill 4\n");
	ck_assert(os_cgroup_oom(group));
	all.given = 0;
	folders_done();
}

struct sum {
	struct cgroup_procs procs;
	unsigned n;
	long long of;
};

static void add_up(struct cgroup_procs *procs, pid_t pid)
{
	struct sum *sum = (struct sum *)procs;

	sum->n++;
	sum->of += pid;
}

/* More than is read at once, with numbers of all lengths, effd's own, and those of another pid namespace. */
OS_TEST(all_that_are_in_a_group_are_seen_however_many_they_are)
{
	struct sum sum = {.procs = {.each = add_up}};
	FILE *file;
	long long expected = 0;
	int pid = 1;

	folders_make("");
	file = fopen(world_path("base/unit:web/cgroup.procs"), "we");
	ck_assert_ptr_nonnull(file);
	for (int i = 0; i < 2000; i++, pid = pid * 7 % 4194301) {
		ck_assert_int_gt(fprintf(file, "%d\n%s", pid, i % 50 ? "" : "0\n"), 0);
		expected += pid == getpid() ? 0 : pid;
	}
	ck_assert_int_gt(fprintf(file, "%d\n", (int)getpid()), 0);
	ck_assert_int_eq(fclose(file), 0);
	os_cgroup_each(group->fd, &sum.procs);
	ck_assert_uint_ge(sum.n, 1999);
	ck_assert_int_eq(sum.of, expected);
	folders_done();
}

/* ── the real kernel's ── */

static char home[4096];

static const struct terms few = {.given = GIVEN(PIDS_MAX), .cgroup = {.pids_max = 77}};

static void it_holds(struct os_child *child)
{
	char text[32];

	ck_assert_int_gt(os_cgroup_read(child->cgroup->fd, "pids.max", text, sizeof(text)), 0);
	ck_assert_str_eq(text, "77\n");
	kill_all(child);
}

static void it_is_missing(const struct os_fault *fault)
{
	ck_assert_str_eq(fault->stage, "cgroup");
	ck_assert_int_eq(fault->error, EOPNOTSUPP);
	ck_assert_ptr_nonnull(strstr(fault->what, "pids_max: there is no controller pids in /"));
}

static void a_limit(void)
{
	struct os_spawn spawn = shell("exec sleep 1000");
	struct os_child *child = NULL;
	struct os_fault fault = {0};

	ck_assert_int_eq(os_linux_hold(os), 0);
	spawn.terms = &few;
	spawn.all = OS_ALL_BEST;
	if (os->ops->spawn(os, &spawn, &child, &fault) == 0)
		it_holds(child);
	else
		it_is_missing(&fault);
	/* Without a limit it starts all the same. */
	spawn.terms = NULL;
	kill_all(started(spawn));
}

/* In a group of the test's own, which is empty when it has ended. */
static void run_at_home(void (*body)(void))
{
	char above[4096];
	int fd;

	if (!cgroup_own(above, sizeof(above)) || (fd = cgroup_new(home, sizeof(home))) < 0)
		return; /* there are no control groups here */
	close(fd);
	ck_assert(cgroup_join(home));
	world_run(body, (struct os_linux_opts){.nofile_soft = -1, .subreaper = true});
	ck_assert(cgroup_join(above));
	ck_assert_msg(rmdir(home) == 0, "%s: %s", home, strerror(errno));
}

START_TEST(a_limit_holds_or_the_controller_that_is_missing_is_named)
{
	run_at_home(a_limit);
}
END_TEST

/* Where memory and others are still held by groups of version 1 the kernel has this one for version 2: it plays memory. */
static const char *const huge[CGROUP_N_CONTROLLERS] = {"hugetlb", "cpu", "pids", "io"};
static struct os_child *other; /* in home as well */

static void a_controller_is_given_on(void)
{
	struct cgroups *own = &linux_of(os)->cgroups;
	struct os_spawn spawn = shell("exec sleep 1000");
	struct os_child *child;
	char text[256];

	if (other)
		other = started(shell("exec sleep 1000"));
	ck_assert_int_eq(os_linux_hold(os), 0);
	own->controllers = huge;
	ck_assert_int_eq(os_cgroups_give(own, CGROUP_MEMORY), other ? -EBUSY : 0);
	spawn.all = OS_ALL_CGROUP;
	child = started(spawn);
	ck_assert_int_gt(
		os_cgroup_read(child->cgroup->fd, "cgroup.controllers", text, sizeof(text)),
		other ? -1 : 0);
	ck_assert_str_eq(text, other ? "" : "hugetlb\n");
	/* effd has left its home, and what it starts without a group goes with it. */
	ck_assert(own->moved);
	ck_assert_int_gt(os_cgroup_read(own->base_fd, "daemon/cgroup.procs", text, sizeof(text)), 0);
	ck_assert_int_eq(atoi(text), getpid());
	kill_all(child);
	if (other)
		kill_all(other);
}

START_TEST(effd_leaves_its_home_where_that_is_to_give_a_controller)
{
	static struct os_child is_there;

	if (!cgroup_gives("+hugetlb"))
		return; /* there is none to be given here */
	other = _i ? &is_there : NULL;
	run_at_home(a_controller_is_given_on);
	(void)cgroup_gives("-hugetlb");
}
END_TEST

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_limits", &tcase);

	tcase_add_test(tcase, each_limit_is_written_where_its_controller_reads_it);
	tcase_add_test(tcase, what_is_not_limited_any_more_is_set_back);
	tcase_add_test(tcase, a_controller_is_asked_for_when_it_is_needed);
	tcase_add_test(tcase, a_controller_that_others_have_asked_for_is_left_to_them);
	tcase_add_test(tcase, a_missing_controller_is_named);
	tcase_add_test(tcase, disks_are_shared_by_either_of_the_kernels_ways);
	tcase_add_test(tcase, who_was_killed_for_memory_is_told_by_the_groups_events);
	tcase_add_test(tcase, who_was_killed_in_an_earlier_run_is_not_counted_for_this_one);
	tcase_add_test(tcase, all_that_are_in_a_group_are_seen_however_many_they_are);
	tcase_add_test(tcase, a_limit_holds_or_the_controller_that_is_missing_is_named);
	tcase_add_loop_test(tcase, effd_leaves_its_home_where_that_is_to_give_a_controller, 0, 2);
	return suite;
}
