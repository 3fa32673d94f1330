/* SPDX-License-Identifier: MIT */
/* The processes that came of a boot, and what they have used: by what the kernel says of the descendants of this one. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

static pid_t parent_of(pid_t pid)
{
	char path[64], text[512], *end;
	int fd, parent = 0;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		(void)close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	end = strrchr(text, ')');
	return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

/* The path of its program; empty of a process that is no more. */
static void program_of(pid_t pid, char ret[static 2 * PATH_BYTES])
{
	char path[64];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, ret, 2 * PATH_BYTES - 1);
	ret[n < 0 ? 0 : n] = '\0';
}

bool is_service(pid_t pid)
{
	char exe[2 * PATH_BYTES];

	program_of(pid, exe);
	return !strcmp(exe, program_path("service")) || !strcmp(exe, program_path("writer"));
}

static bool is_of(const struct peer *peer, pid_t pid)
{
	char exe[2 * PATH_BYTES];
	size_t len, end;

	if (!peer->only)
		return !is_service(pid);
	program_of(pid, exe);
	len = strlen(exe);
	end = strlen(peer->only);
	return len >= end && !strcmp(exe + len - end, peer->only);
}

/* A parent mostly has the lower number; until nothing is added, for when not. */
unsigned descendants(pid_t *ret, unsigned most)
{
	static pid_t pids[MOST_PROCESSES], above[MOST_PROCESSES];
	static bool ours[1 << 22];
	unsigned n_all = 0, n = 0;
	bool more = true;
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) && n_all < MOST_PROCESSES) {
		pid_t pid = atoi(entry->d_name);

		if (pid <= 0)
			continue;
		pids[n_all] = pid;
		above[n_all++] = parent_of(pid);
	}
	if (dir)
		(void)closedir(dir);
	ours[getpid()] = true;
	while (more) {
		more = false;
		for (unsigned i = 0; i < n_all; i++) {
			if (!ours[above[i]] || ours[pids[i]])
				continue;
			ours[pids[i]] = more = true;
			if (n < most)
				ret[n++] = pids[i];
		}
	}
	for (unsigned i = 0; i < n_all; i++)
		ours[pids[i]] = false;
	ours[getpid()] = false;
	return n;
}

unsigned box_processes(const struct box *box, pid_t *ret, unsigned most)
{
	static pid_t all[MOST_PROCESSES];
	unsigned n_all = descendants(all, MOST_PROCESSES), n = 0;

	for (unsigned i = 0; i < n_all && n < most; i++)
		if (is_of(box->peer, all[i]))
			ret[n++] = all[i];
	return n;
}

/* Its number in the innermost namespace. */
static pid_t inner_pid(pid_t pid)
{
	char path[64], line[256];
	pid_t inner = 0;
	FILE *in;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	in = fopen(path, "re");
	while (in && !inner && fgets(line, sizeof(line), in))
		if (!strncmp(line, "NSpid:", 6))
			inner = atoi(strrchr(line, '\t') + 1);
	if (in)
		(void)fclose(in);
	return inner;
}

void box_find(const struct box *box, pid_t *ret)
{
	static pid_t all[MOST_PROCESSES], outer[1 << 22];
	unsigned n_all;

	if (!box->peer->is_apart) {
		memcpy(ret, box->pids, box->n * sizeof(*ret));
		return;
	}
	memset(outer, 0, sizeof(outer));
	n_all = descendants(all, MOST_PROCESSES);
	for (unsigned i = 0; i < n_all; i++)
		outer[inner_pid(all[i])] = all[i];
	for (unsigned i = 0; i < box->n; i++)
		ret[i] = outer[box->pids[i]];
}

static double sum(const struct box *box, double (*of)(pid_t pid))
{
	static pid_t pids[MOST_PROCESSES];
	unsigned n = box_processes(box, pids, MOST_PROCESSES);
	double all = 0;

	for (unsigned i = 0; i < n; i++)
		all += of(pids[i]);
	return all;
}

static double cpu_us(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t) < 0)
		return 0;
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* The sum of a file's lines that begin with `key`. */
static double sum_of_lines(pid_t pid, const char *file, const char *key)
{
	char path[64], line[256];
	double all = 0;
	FILE *in;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	in = fopen(path, "re");
	while (in && fgets(line, sizeof(line), in)) {
		const char *at = strstr(line, key);

		if (at)
			all += strtod(at + strlen(key), NULL);
	}
	if (in)
		(void)fclose(in);
	return all;
}

static double pss_kib(pid_t pid)
{
	return sum_of_lines(pid, "smaps_rollup", "Pss:");
}

static double switches(pid_t pid)
{
	return sum_of_lines(pid, "status", "voluntary_ctxt_switches:");
}

double box_cpu_us(const struct box *box)
{
	return sum(box, cpu_us);
}

double box_pss_kib(const struct box *box)
{
	return sum(box, pss_kib);
}

double box_switches(const struct box *box)
{
	return sum(box, switches);
}
