/* SPDX-License-Identifier: MIT */
/* client SOCKET send: sends standard input, and prints every reply on a line of its own until
 *     effd closes, or until so many replies came as requests were sent that want one.
 * client SOCKET vanish: sends standard input and goes without a look.
 * client SOCKET deaf: sends standard input, says `sent`, reads nothing until a line can be read from the FIFO in $GATE,
 *     and then prints the last message before the end.
 * client SOCKET attach: sends standard input with as many descriptors as a message can have, prints the reply, and when nobody
 *     has the descriptors any more, `let go`.
 * client SOCKET crowd N: connects N times, asks each for Ping, prints how many were answered with what, says `held`, and
 *     holds all until a line can be read from the FIFO in $GATE. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { REPLY_MAX = 4 << 20 };

static char bytes[REPLY_MAX];

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		perror("client: cannot connect");
		exit(1);
	}
	return fd;
}

/* Send standard input, as far as it is taken; it is read to its end, for who writes it shall not fail. Returns how many
 * replies it asks for. */
static int send_input(int fd)
{
	static char chunk[65536];
	ssize_t n;
	int n_requests = 0, refused = 0;

	while ((n = read(STDIN_FILENO, chunk, sizeof(chunk))) > 0) {
		if (refused)
			continue;
		for (ssize_t i = 0; i < n; i++)
			n_requests += chunk[i] == '\0';
		if (memmem(chunk, (size_t)n, "\"oneway\":true", 13))
			n_requests--;
		for (ssize_t sent = 0, r; sent < n && !refused; sent += r) {
			r = send(fd, chunk + sent, (size_t)(n - sent), MSG_NOSIGNAL);
			/* Refused before it was whole: the answer tells why. */
			refused = r < 0;
		}
	}
	return n_requests;
}

/* Print replies until there are so many (0: until the end). Returns how many came; -1 when the end was a reset. */
static int print_replies(int fd, int wanted)
{
	int n_replies = 0;
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			n_replies += bytes[i] == '\0';
			putchar(bytes[i] == '\0' ? '\n' : bytes[i]);
		}
		fflush(stdout);
		if (wanted && n_replies >= wanted)
			return n_replies;
	}
	return n < 0 ? -1 : n_replies;
}

static int converse(int fd)
{
	int wanted = send_input(fd);
	int got = print_replies(fd, wanted);

	if (!wanted || got < wanted)
		puts(got < 0 ? "reset" : "closed");
	return 0;
}

static void await_gate(void)
{
	const char *path = getenv("GATE");
	int gate = open(path ? path : "/dev/null", O_RDONLY | O_CLOEXEC);
	char byte;

	(void)!read(gate, &byte, 1);
	close(gate);
}

static int be_deaf(int fd)
{
	size_t len = 0, last = 0;
	ssize_t n;

	send_input(fd);
	puts("sent");
	fflush(stdout);
	await_gate();
	/* Only what stands behind the last NUL but one matters. */
	while ((n = read(fd, bytes + len, sizeof(bytes) - len)) > 0) {
		len += (size_t)n;
		for (size_t i = last; i + 1 < len; i++)
			if (bytes[i] == '\0')
				last = i + 1;
		memmove(bytes, bytes + last, len - last);
		len -= last;
		last = 0;
	}
	printf("%.*s\n%s\n", (int)len, bytes, n < 0 ? "reset" : "closed");
	return 0;
}

/* All of them ask for what happens, or never say a word. */
static int be_a_crowd(const char *path, int n, int silent)
{
	static const char ask[] = "{\"method\":\"org.effd.Control.Events\",\"more\":true,"
				  "\"parameters\":{\"follow\":true,\"snapshot\":true}}";
	int n_served = 0, n_busy = 0, n_other = 0, fds[1024];
	struct rlimit files;

	if (n > 1024)
		return 2;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	for (int i = 0; i < n; i++) {
		fds[i] = connect_to(path);
		if (!silent)
			(void)send(fds[i], ask, sizeof(ask), MSG_NOSIGNAL);
	}
	for (int i = 0; i < n && !silent; i++) {
		ssize_t got = read(fds[i], bytes, sizeof(bytes) - 1);

		bytes[got > 0 ? got : 0] = '\0';
		if (strstr(bytes, "Busy"))
			n_busy++;
		else if (strstr(bytes, "parameters"))
			n_served++;
		else
			n_other++;
	}
	printf("served %d busy %d other %d\n", n_served, n_busy, n_other);
	puts("held");
	fflush(stdout);
	await_gate();
	return 0;
}

/* They are all the one end of a pipe, whose other end tells. */
static int attach(int fd)
{
	enum { MOST = 253 };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(MOST * sizeof(int))];
	} control = {0};
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
	struct iovec text = {.iov_base = bytes, .iov_len = n > 0 ? (size_t)n : 0};
	struct msghdr message = {.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	int ends[2];

	if (n <= 0 || pipe2(ends, O_CLOEXEC) < 0)
		return 1;
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(MOST * sizeof(int));
	for (int i = 0; i < MOST; i++)
		memcpy(CMSG_DATA(&control.head) + (size_t)i * sizeof(int), &ends[1], sizeof(int));
	if (sendmsg(fd, &message, MSG_NOSIGNAL) != n)
		return 1;
	close(ends[1]);
	(void)print_replies(fd, 1);
	if (read(ends[0], bytes, 1) == 0)
		puts("let go");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	if ((strcmp(argv[2], "crowd") == 0 || strcmp(argv[2], "silent") == 0) && argc == 4)
		return be_a_crowd(argv[1], atoi(argv[3]), argv[2][0] == 's');
	if (strcmp(argv[2], "vanish") == 0)
		return send_input(connect_to(argv[1])) < 0;
	if (strcmp(argv[2], "deaf") == 0)
		return be_deaf(connect_to(argv[1]));
	if (strcmp(argv[2], "attach") == 0)
		return attach(connect_to(argv[1]));
	if (strcmp(argv[2], "send") == 0)
		return converse(connect_to(argv[1]));
	return 2;
}
