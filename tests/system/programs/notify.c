/* SPDX-License-Identifier: MIT */
/* notify [MESSAGE | @FIFO | +MESSAGE | =MESSAGE | ~MESSAGE]…: does each in turn, then waits for signals. A message is sent to
 * $NOTIFY_SOCKET as one datagram (`;` stands for a newline); `+` sends it from a child that stays, `=` from one that waits
 * for the barrier behind it and goes, `~` sends it unless it cannot be, and ends with 0 either way: a stranger's message.
 * @FIFO waits until a line of the FIFO can be read. */
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int connect_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	socklen_t size;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!path || strlen(path) >= sizeof(address.sun_path) || fd < 0)
		return -1;
	memcpy(address.sun_path, path, strlen(path));
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	else
		size++;
	return connect(fd, (struct sockaddr *)&address, size) < 0 ? -1 : fd;
}

static int send_message(const char *message)
{
	char text[1024];
	int fd = connect_socket();

	snprintf(text, sizeof(text), "%s", message);
	for (char *c = text; *c; c++)
		if (*c == ';')
			*c = '\n';
	return fd < 0 || send(fd, text, strlen(text), 0) < 0 ? -1 : 0;
}

/* As sd_notify_barrier(3) has it: what was sent before is done when the descriptor sent along has been closed. */
static int await_barrier(void)
{
	static char barrier[] = "BARRIER=1";
	struct iovec text = {.iov_base = barrier, .iov_len = strlen(barrier)};
	char control[CMSG_SPACE(sizeof(int))] = {0}, byte;
	struct msghdr message = {.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int ends[2], fd = connect_socket();

	if (fd < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &ends[1], sizeof(int));
	if (sendmsg(fd, &message, 0) < 0)
		return -1;
	close(ends[1]);
	return (int)read(ends[0], &byte, 1);
}

static void stay(void)
{
	for (;;)
		pause();
}

/* From a child; returns when it has been sent. */
static void send_from_child(const char *message, int stays)
{
	int ends[2];
	char byte;

	if (pipe2(ends, O_CLOEXEC) < 0)
		exit(3);
	if (fork() == 0) {
		if (send_message(message) < 0)
			_exit(2);
		close(ends[1]);
		if (!stays)
			_exit(await_barrier() < 0);
		stay();
	}
	close(ends[1]);
	(void)!read(ends[0], &byte, 1);
	if (!stays)
		wait(NULL);
}

static void await_line(const char *path)
{
	char line[64];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, line, sizeof(line)) < 0)
		exit(3);
	close(fd);
}

static void act(const char *step)
{
	switch (step[0]) {
	case '@':
		await_line(step + 1);
		break;
	case '~':
		(void)send_message(step + 1);
		exit(0);
	case '+':
	case '=':
		send_from_child(step + 1, step[0] == '+');
		break;
	default:
		if (send_message(step) < 0) {
			perror("notify: cannot send");
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		act(argv[i]);
	stay();
}
