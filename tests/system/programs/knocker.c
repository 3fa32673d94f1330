/* SPDX-License-Identifier: MIT */
/* knocker N ADDRESS: connects N times, one after the other, or sends N datagrams, and prints what each is answered. It ends
 * with 1 and says why at the first that is refused, cut off, or left without an answer for a minute. ADDRESS is
 * tcp:PORT or udp:PORT of 127.0.0.1, or unix:PATH. `knocker 0 …` goes on until SIGTERM, and then says how many it were. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* SIGTERM is looked at between two, so that it cuts none off. */
static int is_told_to_end(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && sigismember(&pending, SIGTERM);
}

static int fail(const char *what)
{
	perror(what);
	exit(1);
}

static void knock(const char *address, char *buf, size_t size)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int is_unix = !strncmp(address, "unix:", 5), is_udp = !strncmp(address, "udp:", 4);
	int fd = socket(is_unix ? AF_UNIX : AF_INET, is_udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	struct timeval limit = {.tv_sec = 60};
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (is_unix)
		snprintf(un.sun_path, sizeof(un.sun_path), "%s", address + 5);
	else
		in.sin_port = htons((unsigned short)atoi(address + 4));
	if (connect(fd, is_unix ? (struct sockaddr *)&un : (struct sockaddr *)&in,
		    is_unix ? sizeof(un) : sizeof(in)) < 0)
		fail("connect");
	if (is_udp && send(fd, "x", 1, 0) < 0)
		fail("send");
	n = recv(fd, buf, size - 1, 0);
	if (n <= 0)
		fail(n < 0 ? "recv" : "cut off");
	buf[n] = '\0';
	close(fd);
}

int main(int argc, char **argv)
{
	sigset_t term;
	long wanted = argc == 3 ? atol(argv[1]) : -1, n = 0;
	char buf[64];

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	while (wanted >= 0 && (wanted == 0 ? !is_told_to_end() : n < wanted)) {
		knock(argv[2], buf, sizeof(buf));
		if (wanted)
			fputs(buf, stdout);
		n++;
		if (wanted == 0 && n == 1) {
			puts("begun");
			fflush(stdout);
		}
	}
	if (wanted == 0)
		printf("%ld\n", n);
	return wanted < 0;
}
