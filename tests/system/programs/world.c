/* SPDX-License-Identifier: MIT */
/* world [ARGS…]: prints what a process was given, one thing a line, so that a test can compare all of it. What differs from
 * run to run is named by what it is: a session or group of its own is `own`, the parent is looked at by the test.
 * With WORLD=env only the environment, with WORLD=args only the arguments are printed. */
#include <dirent.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_environment(void)
{
	size_t n = 0;

	while (environ[n])
		n++;
	qsort(environ, n, sizeof(*environ), by_text);
	for (size_t i = 0; i < n; i++)
		printf("env %s\n", environ[i]);
}

static const char *kind_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return "closed";
	return S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) ? "stream" : NULL;
}

static void print_descriptors(void)
{
	char path[64], target[PATH_MAX];

	for (int fd = 0; fd < 1 << 16; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		printf("fd %d %s\n", fd, kind_of(fd) ? kind_of(fd) : target);
	}
}

static void print_status_line(char *line)
{
	size_t end = strcspn(line, "\n");
	char *tab = memchr(line, '\t', end);

	if (tab)
		*tab = ' ';
	while (end > 0 && line[end - 1] == ' ' && &line[end - 1] != tab)
		end--;
	printf("status %.*s\n", (int)end, line);
}

static void print_status_lines(void)
{
	static const char *const names[] = {"SigBlk:", "SigIgn:", "SigCgt:", "NoNewPrivs:", "Groups:",
		"Cpus_allowed_list:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"};
	FILE *file = fopen("/proc/self/status", "re");
	char line[1024];

	while (file && fgets(line, sizeof(line), file))
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (strncmp(line, names[i], strlen(names[i])) == 0)
				print_status_line(line);
	if (file)
		fclose(file);
}

/* Both halves of each; -1 is infinity. */
static void print_limits(void)
{
	static const struct {
		const char *name;
		int resource;
	} limits[] = {{"as", RLIMIT_AS}, {"core", RLIMIT_CORE}, {"cpu", RLIMIT_CPU},
		{"data", RLIMIT_DATA}, {"fsize", RLIMIT_FSIZE}, {"locks", RLIMIT_LOCKS},
		{"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE},
		{"nice", RLIMIT_NICE}, {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC},
		{"rss", RLIMIT_RSS}, {"rtprio", RLIMIT_RTPRIO}, {"rttime", RLIMIT_RTTIME},
		{"sigpending", RLIMIT_SIGPENDING}, {"stack", RLIMIT_STACK}};
	struct rlimit limit;

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (getrlimit(limits[i].resource, &limit) == 0)
			printf("limit %s %lld %lld\n", limits[i].name,
				(long long)limit.rlim_cur, (long long)limit.rlim_max);
}

/* As the kernel has it: the score for its killer, nice, class and level of I/O, scheduler, processors. */
static void print_priorities(void)
{
	struct sched_param param = {0};
	char score[16] = "?";
	long io = syscall(SYS_ioprio_get, 1, 0);
	FILE *file = fopen("/proc/self/oom_score_adj", "re");

	if (file && fgets(score, sizeof(score), file))
		score[strcspn(score, "\n")] = '\0';
	if (file)
		fclose(file);
	sched_getparam(0, &param);
	printf("oom score %s\n", score);
	printf("nice %d\n", getpriority(PRIO_PROCESS, 0));
	printf("io %ld %ld\n", io >> 13, io & 7);
	printf("scheduler %d %d\n", sched_getscheduler(0), param.sched_priority);
}

static void print_ids(void)
{
	uid_t real_user, user, saved_user;
	gid_t real_group, group, saved_group;

	getresuid(&real_user, &user, &saved_user);
	getresgid(&real_group, &group, &saved_group);
	printf("uids %u %u %u\n", real_user, user, saved_user);
	printf("gids %u %u %u\n", real_group, group, saved_group);
}

/* Of version 2, as the kernel tells a process its own. */
static void print_group(void)
{
	char line[PATH_MAX];
	FILE *file = fopen("/proc/self/cgroup", "re");

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "0::", 3) == 0)
			printf("control group %.*s\n", (int)strcspn(line + 3, "\n"), line + 3);
	if (file)
		fclose(file);
}

int main(int argc, char **argv)
{
	const char *only = getenv("WORLD");
	char folder[PATH_MAX];
	int death_signal = 0;
	mode_t mask = umask(0);

	for (int i = 1; i < argc && (!only || strcmp(only, "args") == 0); i++)
		printf("arg %s\n", argv[i]);
	if (!only) {
		print_descriptors();
		print_status_lines();
		print_ids();
		printf("session %s\n", getsid(0) == getpid() ? "own" : "another's");
		printf("group %s\n", getpgrp() == getpid() ? "own" : "another's");
		printf("umask %04o\n", mask);
		print_limits();
		print_priorities();
		print_group();
		printf("folder %s\n", getcwd(folder, sizeof(folder)) ? folder : "?");
		prctl(PR_GET_PDEATHSIG, &death_signal);
		printf("death signal %d\n", death_signal);
	}
	if (!only || strcmp(only, "env") == 0)
		print_environment();
	puts("end");
	return 0;
}
