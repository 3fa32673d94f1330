/* SPDX-License-Identifier: MIT */
/* What is measured, of any peer. */
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

enum {
	STORM_MS = 4000,
	IDLE_MS = 10000,
	STATUS_MS = 1500,
	SETTLE_MS = 1300,
	ENOUGH_S = 4U,
	LINE = 100,
	MOST_SERVICES = 16384
};

static pid_t found[MOST_SERVICES];

static int by_value(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

/* ── a restart ── */

/* From the kill to the new process's first instruction, µs; below 0: it did not come. */
static double kill_one(struct box *box, unsigned number)
{
	uint64_t at;

	box_find(box, found);
	if (found[number] <= 0)
		return -1;
	at = now_ns();
	(void)kill(found[number], SIGKILL);
	if (!box_await_stamp(box, number, box->starts[number] + 1, 15))
		return -1;
	return (double)(box->last_ns[number] - at) / 1e3;
}

static void measure_restart(const struct peer *peer, struct box *box)
{
	uint64_t until;
	double us[64];
	unsigned n = 0;

	/* Who forces a pause on a service that lived for less than a second is not asked to. */
	pause_ms(SETTLE_MS);
	until = now_ns() + ENOUGH_S * 1000000000U;
	for (; n < box->n && now_ns() < until; n++) {
		us[n] = kill_one(box, n);
		if (us[n] < 0)
			return;
		pause_ms(5);
	}
	qsort(us, n, sizeof(*us), by_value);
	result("restart_p50", peer, us[n / 2], "us", false);
	result("restart_min", peer, us[0], "us", false);
	result("restart_p90", peer, us[n * 9 / 10], "us", false);
	/* What has just started is killed at once. */
	for (n = 0; n < 9 && (n < 2 || now_ns() < until); n++)
		if (kill_one(box, n) < 0 || (us[n] = kill_one(box, n)) < 0)
			return;
	qsort(us, n, sizeof(*us), by_value);
	result("restart_again_p50", peer, us[n / 2], "us", false);
}

/* ── start and stop of many ── */

static void measure_start(const struct peer *peer, struct box *box)
{
	uint64_t last = 0;
	char name[32];

	for (unsigned i = 0; i < box->n; i++)
		last = box->first_ns[i] > last ? box->first_ns[i] : last;
	(void)snprintf(name, sizeof(name), "start_%u", box->n);
	result(name, peer, (double)(last - box->began_ns) / 1e6, "ms", false);
	pause_ms(300);
	(void)snprintf(name, sizeof(name), "start_%u_cpu", box->n);
	result(name, peer, box_cpu_us(box) / 1e3, "ms", false);
}

/* From the word to stop until no service is left. */
static void measure_stop(const struct peer *peer, struct box *box)
{
	struct epoll_event event = {.events = EPOLLIN}, events[64];
	int fd = epoll_create1(EPOLL_CLOEXEC);
	unsigned left = 0;
	char name[32];
	uint64_t began;

	box_find(box, found);
	for (unsigned i = 0; i < box->n; i++) {
		int pidfd = (int)syscall(SYS_pidfd_open, found[i], 0);

		event.data.fd = pidfd;
		if (pidfd >= 0 && epoll_ctl(fd, EPOLL_CTL_ADD, pidfd, &event) == 0)
			left++;
	}
	began = now_ns();
	box->peer->stop(box);
	while (left > 0 && now_ns() - began < 60000000000U) {
		int n = epoll_wait(fd, events, 64, 1000);

		for (int i = 0; i < n; i++)
			(void)close(events[i].data.fd);
		left -= n > 0 ? (unsigned)n : 0;
		/* Not to take a processor from those who have work to do. */
		if (left > 0)
			pause_ms(1);
	}
	(void)close(fd);
	(void)snprintf(name, sizeof(name), "stop_%u", box->n);
	if (left == 0)
		result(name, peer, (double)(now_ns() - began) / 1e6, "ms", false);
}

/* ── at rest ── */

static void measure_memory(const struct peer *peer, struct box *box)
{
	static double alone[32];
	unsigned row = 0;

	pause_ms(1000);
	while (peers[row] != peer)
		row++;
	if (box->n == 0) {
		double kib = box_pss_kib(box);

		alone[row] = !alone[row] || kib < alone[row] ? kib : alone[row];
		result("memory_alone", peer, kib, "KiB", false);
	} else if (alone[row] > 0) {
		result("memory_a_service", peer, (box_pss_kib(box) - alone[row]) / box->n,
			"KiB", false);
	}
}

static void measure_idle(const struct peer *peer, struct box *box)
{
	double cpu_us, switches;

	pause_ms(3000);
	cpu_us = box_cpu_us(box);
	switches = box_switches(box);
	pause_ms(IDLE_MS);
	result("idle_cpu", peer, box_cpu_us(box) - cpu_us, "us", false);
	result("idle_switches", peer, box_switches(box) - switches, "times", false);
}

/* ── status ── */

size_t answer_bytes[2];

static void measure_one_status(const struct peer *peer, struct box *box, enum ask ask, bool native)
{
	static struct query query;
	struct answers answers;
	double cpu_us = box_cpu_us(box);
	char name[64];
	pid_t pid;
	int fd;

	if (!peer->query || !peer->query(box, ask, native, &query))
		return;
	pid = query_fork(&query, STATUS_MS / 1e3, 0, &fd);
	if (query_join(pid, fd, &answers)) {
		(void)snprintf(name, sizeof(name), "status_%s_%s",
			ask == ASK_ONE ? "one" : "all", native ? "native" : "command");
		result(name, peer, answers.p50_us, "us", false);
		(void)snprintf(name + strlen(name), sizeof(name) - strlen(name), "_cpu");
		result(name, peer, (box_cpu_us(box) - cpu_us) / (double)answers.n, "us", false);
		if (native)
			answer_bytes[ask] = answers.bytes;
	}
	words_free(&query.words);
}

static void measure_status_file(const struct peer *peer, struct box *box, enum ask ask)
{
	static struct query query;
	struct answers answers;

	if (peer->file_query && peer->file_query(box, ask, &query) &&
		query_run(&query, STATUS_MS / 1e3, 0, &answers))
		result(ask == ASK_ONE ? "status_one_file" : "status_all_file", peer,
			answers.p50_us, "us", false);
	words_free(&query.words);
}

static void measure_status(const struct peer *peer, struct box *box)
{
	pause_ms(500);
	for (int i = 0; i < 4; i++)
		measure_one_status(peer, box, i % 2 ? ASK_ALL : ASK_ONE, i < 2);
	measure_status_file(peer, box, ASK_ONE);
	measure_status_file(peer, box, ASK_ALL);
}

/* ── a storm ── */

static void measure_storm(const struct peer *peer, struct box *box)
{
	static struct query query, file;
	struct answers answers;
	unsigned n = 0;
	double cpu_us;
	uint64_t began;
	pid_t pid = 0, file_pid = 0;
	int fd = -1, file_fd = -1;

	pause_ms(500);
	(void)box_stamps(box);
	if (peer->file_query && peer->file_query(box, ASK_ONE, &file))
		file_pid = query_fork(&file, STORM_MS / 1e3, 5000, &file_fd);
	if (peer->query &&
		(peer->query(box, ASK_ONE, true, &query) || peer->query(box, ASK_ONE, false, &query)))
		pid = query_fork(&query, STORM_MS / 1e3, 5000, &fd);
	cpu_us = box_cpu_us(box);
	began = now_ns();
	while (now_ns() - began < STORM_MS * 1000000UL) {
		pause_ms(20);
		n += box_stamps(box);
	}
	result("storm_rate", peer, n / ((double)(now_ns() - began) / 1e9), "/s", true);
	result("storm_cpu_a_restart", peer, (box_cpu_us(box) - cpu_us) / (n ? n : 1), "us", false);
	if (pid && query_join(pid, fd, &answers)) {
		result("storm_status_p50", peer, answers.p50_us, "us", false);
		result("storm_status_p99", peer, answers.p99_us, "us", false);
	}
	if (file_pid && query_join(file_pid, file_fd, &answers))
		result("storm_status_file_p99", peer, answers.p99_us, "us", false);
	words_free(&query.words);
	words_free(&file.words);
}

/* ── logs ── */

struct written {
	size_t bytes, torn, lines;
};

/* What is in the folder of logs; with `look` line by line. */
static struct written written(const struct box *box, bool look)
{
	struct written w = {0};
	char path[3 * PATH_BYTES], line[LINE * 2];
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/out", box->dir);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		FILE *file;

		(void)snprintf(path, sizeof(path), "%s/out/%s", box->dir, entry->d_name);
		if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
			!strcmp(entry->d_name, "lock") || !strcmp(entry->d_name, "config"))
			continue;
		w.bytes += (size_t)st.st_size;
		file = look ? fopen(path, "re") : NULL;
		while (file && fgets(line, sizeof(line), file)) {
			w.lines++;
			w.torn += strlen(line) != LINE || line[LINE - 1] != '\n' ||
				line[LINE - 2] != '.';
		}
		if (file)
			(void)fclose(file);
	}
	if (dir)
		(void)closedir(dir);
	return w;
}

static void measure_logs(const struct peer *peer, struct box *box)
{
	const char *kind = box->size > 1000 ? "blocks" : "lines";
	double began_us = box_cpu_us(box), gb = (double)box->total / 1e9;
	uint64_t until = now_ns() + 60000000000U, done;
	struct written w;
	char name[32];

	while ((w = written(box, false)).bytes < box->total && now_ns() < until)
		pause_ms(2);
	done = now_ns();
	(void)box_stamps(box);
	(void)snprintf(name, sizeof(name), "log_%s", kind);
	result(name, peer, (double)w.bytes / 1e6 / ((double)(done - box->first_ns[0]) / 1e9),
		"MB/s", true);
	(void)snprintf(name, sizeof(name), "log_%s_cpu", kind);
	result(name, peer, (box_cpu_us(box) - began_us) / 1e6 / gb, "s/GB", false);
	w = written(box, true);
	(void)snprintf(name, sizeof(name), "log_%s_lost", kind);
	result(name, peer, (double)(box->total / LINE) - (double)w.lines, "lines", false);
	(void)snprintf(name, sizeof(name), "log_%s_torn", kind);
	result(name, peer, (double)w.torn, "lines", false);
}

/* One boot of a thousand serves all that is asked of a thousand: some take a minute for it. */
const struct boot boots[] = {
	{40, SERVES, {{"restart", measure_restart, false}}},
	{0, SERVES, {{"memory", measure_memory, false}}},
	{1000, SERVES,
		{{"start", measure_start, false}, {"memory", measure_memory, false},
			{"idle", measure_idle, true}, {"status", measure_status, false},
			{"stop", measure_stop, false}}},
	{200, CRASHES, {{"storm", measure_storm, false}}},
	{65500, WRITES, {{"log", measure_logs, false}}},
	{100, WRITES, {{"log", measure_logs, false}}},
	{0, SERVES, {{NULL, NULL, false}}},
};
