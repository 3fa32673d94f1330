/* SPDX-License-Identifier: MIT */
/* loghost SOCKET: stands in for syslogd or journald. Binds the datagram socket, says `bound`, then writes every datagram as a
 * line, newlines in it as `|`, and of one that comes as a file how large that is. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char datagram[1 << 20];

static int bind_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path));
	(void)unlink(path);
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

static void print_file(struct msghdr *message)
{
	struct cmsghdr *rights = CMSG_FIRSTHDR(message);
	struct stat st;
	int fd;

	if (!rights)
		return;
	memcpy(&fd, CMSG_DATA(rights), sizeof(fd));
	if (fstat(fd, &st) == 0)
		printf("file of %lld bytes\n", (long long)st.st_size);
	close(fd);
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? bind_socket(argv[1]) : -1;
	char control[CMSG_SPACE(sizeof(int))];

	if (fd < 0) {
		perror("loghost: cannot bind");
		return 1;
	}
	puts("bound");
	for (;;) {
		struct iovec iov = {datagram, sizeof(datagram)};
		struct msghdr message = {.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control)};
		ssize_t n;

		fflush(stdout);
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
		if (n < 0)
			return 1;
		for (ssize_t i = 0; i < n; i++)
			putchar(datagram[i] == '\n' ? '|' : datagram[i]);
		if (n > 0)
			putchar('\n');
		print_file(&message);
	}
}
