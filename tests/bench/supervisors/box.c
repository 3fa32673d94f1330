/* SPDX-License-Identifier: MIT */
/* A boot: the folder, the FIFO that services stamp, the processes that came of it. This process is a subreaper, so whoever
 * detaches is still its descendant; what is left at the end is killed by number, supervisors before services. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum { FIFO_BYTES = 1 << 20 };

struct stamp {
	uint64_t at_ns;
	uint32_t pid, number;
};

uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

void pause_ms(unsigned ms)
{
	(void)poll(NULL, 0, (int)ms);
}

void words_add(struct words *words, const char *format, ...)
{
	va_list args;

	if (words->n + 2 > words->room) {
		words->room = words->room ? 2 * words->room : 8;
		words->list = realloc(words->list, words->room * sizeof(*words->list));
		if (!words->list)
			abort();
	}
	va_start(args, format);
	if (vasprintf(&words->list[words->n], format, args) < 0)
		abort();
	va_end(args);
	words->list[++words->n] = NULL;
}

void words_free(struct words *words)
{
	while (words->n > 0)
		free(words->list[--words->n]);
	free(words->list);
	*words = (struct words){0};
}

void box_write(const struct box *box, const char *name, int mode, const char *format, ...)
{
	char path[2 * PATH_BYTES];
	va_list args;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", box->dir, name);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	file = fopen(path, "ae");
	if (!file)
		abort();
	va_start(args, format);
	(void)vfprintf(file, format, args);
	va_end(args);
	(void)fclose(file);
	(void)chmod(path, (mode_t)mode);
}

void box_service(const struct box *box, unsigned number, struct words *ret)
{
	if (box->mode == WRITES) {
		words_add(ret, "%s", program_path("writer"));
		words_add(ret, "%s", box->fifo);
		words_add(ret, "%zu", box->total);
		words_add(ret, "%zu", box->size);
		return;
	}
	words_add(ret, "%s", program_path("service"));
	words_add(ret, "%s", box->fifo);
	words_add(ret, "%u", number);
	if (box->mode == CRASHES)
		words_add(ret, "crash");
}

static void start(struct box *box)
{
	struct words command = {.n = 0};
	char path[2 * PATH_BYTES];

	box->peer->command(box, &command);
	(void)snprintf(path, sizeof(path), "%s/log", box->dir);
	box->began_ns = now_ns();
	box->root = fork();
	if (box->root == 0) {
		int null = open("/dev/null", O_RDWR);
		int log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

		(void)dup2(null, 0);
		(void)dup2(null, 1);
		(void)dup2(log, 2);
		(void)chdir(box->dir);
		(void)setenv("BENCH_FIFO", box->fifo, 1);
		if (box->mode == CRASHES)
			(void)setenv("BENCH_CRASH", "1", 1);
		(void)execvp(command.list[0], command.list);
		_exit(127);
	}
	words_free(&command);
}

bool box_open(struct box *box, bool wait)
{
	uint64_t until;

	(void)snprintf(box->dir, sizeof(box->dir), "%s/effd-bench.XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(box->dir))
		abort();
	(void)snprintf(box->quick, sizeof(box->quick), "/dev/shm/effd-bench.XXXXXX");
	if (!mkdtemp(box->quick))
		memcpy(box->quick, box->dir, sizeof(box->quick));
	(void)snprintf(box->fifo, sizeof(box->fifo), "%.200s/fifo", box->dir);
	(void)mkfifo(box->fifo, 0600);
	box->fifo_fd = open(box->fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	(void)fcntl(box->fifo_fd, F_SETPIPE_SZ, FIFO_BYTES);
	box->pids = calloc(box->n + 2, sizeof(*box->pids));
	box->starts = calloc(box->n + 2, sizeof(*box->starts));
	box->first_ns = calloc(box->n + 2, sizeof(*box->first_ns));
	box->last_ns = calloc(box->n + 2, sizeof(*box->last_ns));
	box->peer->configure(box);
	start(box);
	until = box->began_ns + (uint64_t)(box->peer->patience_s * 1e9);
	while (wait && box->n_seen < box->n && now_ns() < until) {
		pause_ms(1);
		(void)box_stamps(box);
		if (waitpid(box->root, NULL, WNOHANG) == box->root)
			break;
	}
	return !wait || box->n_seen == box->n;
}

unsigned box_stamps(struct box *box)
{
	static struct stamp stamps[FIFO_BYTES / sizeof(struct stamp)];
	ssize_t n = read(box->fifo_fd, stamps, sizeof(stamps));
	unsigned count = n > 0 ? (unsigned)((size_t)n / sizeof(*stamps)) : 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned at = stamps[i].number;

		if (at > box->n)
			continue;
		if (!box->starts[at]++) {
			box->first_ns[at] = stamps[i].at_ns;
			box->n_seen++;
		}
		box->pids[at] = (pid_t)stamps[i].pid;
		box->last_ns[at] = stamps[i].at_ns;
	}
	return count;
}

bool box_await_stamp(struct box *box, unsigned number, unsigned starts, double seconds)
{
	uint64_t until = now_ns() + (uint64_t)(seconds * 1e9);

	while (box->starts[number] < starts && now_ns() < until) {
		struct pollfd in = {.fd = box->fifo_fd, .events = POLLIN};

		(void)poll(&in, 1, 100);
		(void)box_stamps(box);
	}
	return box->starts[number] >= starts;
}

static void reap_all(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* Kill what is left, supervisors first, or they start their services again. */
static void kill_all(void)
{
	static pid_t pids[MOST_PROCESSES];
	unsigned n = descendants(pids, MOST_PROCESSES);

	for (int pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < n; i++)
			if (is_service(pids[i]) == (pass == 1))
				(void)kill(pids[i], SIGKILL);
}

static bool all_gone(unsigned ms)
{
	for (unsigned i = 0; i < ms / 5; i++) {
		reap_all();
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return true;
		pause_ms(5);
	}
	return false;
}

void box_close(struct box *box)
{
	struct words remove = {.n = 0};
	pid_t pid;

	if (kill(box->root, 0) == 0)
		box->peer->stop(box);
	if (!all_gone(box->peer->end_ms           ? box->peer->end_ms
			    : box->mode == SERVES ? 3000
						  : 1000))
		do
			kill_all();
		while (!all_gone(2000));
	(void)close(box->fifo_fd);
	free(box->pids);
	free(box->starts);
	free(box->first_ns);
	free(box->last_ns);
	words_add(&remove, "rm");
	words_add(&remove, "-rf");
	words_add(&remove, "%s", box->dir);
	words_add(&remove, "%s", box->quick);
	pid = fork();
	if (pid == 0) {
		(void)execvp("rm", remove.list);
		_exit(127);
	}
	(void)waitpid(pid, NULL, 0);
	words_free(&remove);
}
