/* SPDX-License-Identifier: MIT */
/* Takes what comes at descriptor 3, a stream's connections or datagrams, and answers each with its pid and a newline. It
 * says first what it was told of its sockets and which descriptors it has. At SIGTERM it answers the one at hand and ends;
 * at SIGUSR1 it does so with 7. `answerer once` ends after the first; `answerer none` ends with 3 and takes nothing. */
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t ends;

static void end(int sig)
{
	ends = sig;
}

static const char *told(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "-";
}

static void say_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int n = 0;

	while (dir && (entry = readdir(dir)))
		n += entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir);
	if (dir)
		closedir(dir);
	printf("%s %s %s, %d descriptors\n", told("LISTEN_FDS"), told("LISTEN_FDNAMES"),
		atoi(told("LISTEN_PID")) == getpid() ? "mine" : "not mine", n);
	fflush(stdout);
}

static int answer_stream(const char *text)
{
	int fd = accept(3, NULL, NULL);

	if (fd < 0)
		return 0;
	if (write(fd, text, strlen(text)) < 0)
		perror("answerer");
	close(fd);
	return 1;
}

static int answer_datagram(const char *text)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char buf[64];

	if (recvfrom(3, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len) < 0)
		return 0;
	(void)sendto(3, text, strlen(text), 0, (struct sockaddr *)&from, len);
	return 1;
}

/* Signals come while it waits, and at no other time. */
static void await_somebody(void)
{
	struct pollfd at = {.fd = 3, .events = POLLIN};
	sigset_t none;

	sigemptyset(&none);
	while (!ends && ppoll(&at, 1, NULL, &none) < 0)
		;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = end};
	sigset_t both;
	socklen_t len = sizeof(int);
	int type = 0, once = argc > 1 && !strcmp(argv[1], "once");
	char text[32];

	sigemptyset(&both);
	sigaddset(&both, SIGTERM);
	sigaddset(&both, SIGUSR1);
	sigprocmask(SIG_BLOCK, &both, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	say_descriptors();
	if (argc > 1 && !strcmp(argv[1], "none"))
		return 3;
	if (getsockopt(3, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		return 4;
	snprintf(text, sizeof(text), "%d\n", (int)getpid());
	for (await_somebody(); !ends; await_somebody())
		if ((type == SOCK_DGRAM ? answer_datagram(text) : answer_stream(text)) && once)
			return 0;
	return ends == SIGUSR1 ? 7 : 0;
}
