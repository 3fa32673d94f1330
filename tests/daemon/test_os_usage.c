/* SPDX-License-Identifier: MIT */
/* What a child has used: of its main process, or of all of it, where its control group counts that. The kernel that tests
 * run on may have no controller of memory: files play it. */
#include <fcntl.h>
#include <time.h>

#include "cgroups.h"
#include "daemon/os_world.h"
#include "os/internal.h"

static void burn(void)
{
	clock_t now = clock();

	while (clock() - now < CLOCKS_PER_SEC / 5)
		;
}

static void play(const char *name)
{
	if (!strcmp(name, "burns")) {
		char *memory = malloc(64 << 20);

		memset(memory, 1, 64 << 20);
		burn();
		dprintf(1, "%d\n", memory[1 << 20]);
		pause();
	}
	/* Somebody else does, and is nobody's by then: its parent, who would have its time, has ended before. */
	if (!strcmp(name, "has it done")) {
		if (fork() == 0) {
			if (fork() == 0) {
				burn();
				dprintf(1, "done\n");
			}
			_exit(0);
		}
		pause();
	}
}
OS_ROLES(play)

static double cpu_of(struct os_child *child)
{
	struct os_usage usage;

	ck_assert(os->ops->usage(child, &usage));
	return usage.cpu_s;
}

OS_TEST(it_tells_time_and_memory_while_it_lives)
{
	struct os_child *child = started(role("burns"));
	struct os_usage usage;
	char text[16];

	(void)read_lines(child, text, sizeof(text), 1);
	ck_assert(os->ops->usage(child, &usage));
	ck_assert(usage.cpu_s >= 0.15 && usage.cpu_s < 10);
	ck_assert_uint_ge(usage.memory_bytes, 64 << 20);
	ck_assert_int_eq(os->ops->signal(child, SIGKILL, OS_MAIN), 0);
	(void)ended(child);
	ck_assert(!os->ops->usage(child, &usage));
	finish(child);
}

OS_TEST(without_a_group_it_is_the_main_process_alone)
{
	struct os_child *child = started(role("has it done"));
	char text[16];

	(void)read_lines(child, text, sizeof(text), 1);
	ck_assert(cpu_of(child) < 0.15);
	kill_all(child);
}

static void in_a_group(void)
{
	struct os_spawn spawn = role("has it done");
	struct os_child *child;
	struct os_usage usage;
	char text[16];

	ck_assert_int_eq(os_linux_hold(os), 0);
	spawn.all = OS_ALL_CGROUP;
	child = started(spawn);
	(void)read_lines(child, text, sizeof(text), 1);
	ck_assert(os->ops->usage(child, &usage));
	ck_assert(usage.cpu_s >= 0.15 && usage.cpu_s < 10);
	ck_assert_uint_gt(usage.memory_bytes, 0);
	kill_all(child);
}

START_TEST(in_a_group_who_has_ended_counts_too)
{
	char above[4096], home[4096];
	int fd;

	if (!cgroup_own(above, sizeof(above)) || (fd = cgroup_new(home, sizeof(home))) < 0)
		return; /* there are no control groups here */
	close(fd);
	ck_assert(cgroup_join(home));
	world_run(in_a_group, (struct os_linux_opts){.nofile_soft = -1, .subreaper = true});
	ck_assert(cgroup_join(above));
	ck_assert_int_eq(rmdir(home), 0);
}
END_TEST

static void file_make(const char *name, const char *text)
{
	FILE *file = fopen(world_path(name), "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

OS_TEST(memory_is_the_groups_where_it_is_counted)
{
	static const char *const odd[] = {
		"", "\n", "max\n", "12", "12 13\n", "-\n", "99999999999999999999999\n"};
	struct cgroup group = {.fd = open(world_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	struct os_usage usage = {.cpu_s = 3, .memory_bytes = 4};

	ck_assert(!os_usage_of_group(&group, &usage));
	ck_assert(usage.cpu_s == 3 && usage.memory_bytes == 4);
	file_make("cpu.stat", "usage_usec 2500000\nuser_usec 1\nsystem_usec 2\n");
	ck_assert(!os_usage_of_group(&group, &usage));
	ck_assert(usage.cpu_s == 2.5 && usage.memory_bytes == 4);
	file_make("memory.current", "17179869184\n");
	ck_assert(os_usage_of_group(&group, &usage));
	ck_assert_uint_eq(usage.memory_bytes, UINT64_C(16) << 30);
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		file_make("memory.current", odd[i]);
		ck_assert_msg(!os_usage_of_group(&group, &usage), "%s", odd[i]);
		ck_assert_uint_eq(usage.memory_bytes, UINT64_C(16) << 30);
	}
	close(group.fd);
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_usage", &tcase);

	tcase_add_test(tcase, it_tells_time_and_memory_while_it_lives);
	tcase_add_test(tcase, without_a_group_it_is_the_main_process_alone);
	tcase_add_test(tcase, in_a_group_who_has_ended_counts_too);
	tcase_add_test(tcase, memory_is_the_groups_where_it_is_counted);
	return suite;
}
