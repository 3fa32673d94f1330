/* SPDX-License-Identifier: MIT */
/* guard COMMAND ARGS…: runs a test and sees to it that nothing outlives it. As a subreaper, or as PID 1, it inherits
 * whatever the test and its daemons leave behind; when the test has ended, each such process that still lives is named
 * and killed, and a test that passed until then has failed. SIGTERM, the runner's limit, ends all at once. */
#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t main_pid;

/* In a network namespace of one's own the loopback device is down. */
static void raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (ioctl(fd, SIOCGIFFLAGS, &request) == 0 && !(request.ifr_flags & IFF_UP)) {
		request.ifr_flags |= IFF_UP;
		(void)ioctl(fd, SIOCSIFFLAGS, &request);
	}
	close(fd);
}

/* A file of a process's in /proc, NUL-terminated; empty when it is not there. Returns its length. */
static size_t read_of(int pid, const char *name, char *text, size_t size)
{
	char path[64];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	file = fopen(path, "re");
	n = file ? fread(text, 1, size - 1, file) : 0;
	if (file)
		fclose(file);
	text[n] = '\0';
	return n;
}

static void name_process(int pid)
{
	char line[256];
	size_t n = read_of(pid, "cmdline", line, sizeof(line));

	for (size_t i = 0; i + 1 < n; i++)
		if (line[i] == '\0')
			line[i] = ' ';
	fprintf(stderr, "FAIL: a process is left: %d %s\n", pid, line);
}

/* Has its end begun? A control group is empty before the last of it can be collected, which has no memory, no files and no
 * name by then: whoever waited for the group has seen its end. The kernel's PF_EXITING says so. */
static int is_ending(int pid)
{
	char line[512];
	unsigned flags = 0;
	const char *rest;

	(void)read_of(pid, "stat", line, sizeof(line));
	rest = strrchr(line, ')');
	return rest && sscanf(rest, ") %*c %*d %*d %*d %*d %*d %u", &flags) == 1 && (flags & 4);
}

/* Kill the children that are there now, and their children as they become ours. Returns how many lived. */
static int end_children(int quiet)
{
	char path[64];
	int n = 0, pid, r;
	FILE *file;

	while ((r = waitpid(-1, NULL, WNOHANG | __WALL)) >= 0) {
		if (r > 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
		file = fopen(path, "re");
		if (!file)
			return -1;
		while (fscanf(file, "%d", &pid) == 1) {
			if (!is_ending(pid)) {
				n++;
				if (!quiet)
					name_process(pid);
				kill(pid, SIGKILL);
			}
			waitpid(pid, NULL, __WALL);
		}
		fclose(file);
	}
	return n;
}

static void limit_reached(int signal_number)
{
	(void)signal_number;
	if (main_pid)
		kill((pid_t)main_pid, SIGKILL);
}

int main(int argc, char **argv)
{
	const char *folder = getenv("DIR");
	char failed[4096];
	int status = 0, pid, left, quiet;

	if (argc < 2)
		return 2;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	raise_loopback();
	pid = fork();
	if (pid == 0) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	main_pid = pid;
	signal(SIGTERM, limit_reached);
	signal(SIGINT, limit_reached);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	snprintf(failed, sizeof(failed), "%s/failed", folder ? folder : ".");
	quiet = access(failed, F_OK) == 0 || WIFSIGNALED(status);
	left = end_children(quiet);
	if (WIFSIGNALED(status)) {
		fprintf(stderr, "FAIL: the test was killed by signal %d\n", WTERMSIG(status));
		return 1;
	}
	if (WEXITSTATUS(status) != 0)
		return WEXITSTATUS(status);
	return left == 0 ? 0 : 1;
}
