/* SPDX-License-Identifier: MIT */
/* hang PATH COMMAND ARGS…: runs a command, in which no process can execute PATH: each that tries hangs in execve(), as on a
 * file system that does not answer, until it is killed. Ends when no process of the command is left, with its status. */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* From here on each execve() of this process and its children is told to who reads the descriptor; -1: not possible. */
static int filter_execve(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = code};

	if (geteuid() != 0)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

/* Send a descriptor, or receive one when `fd` is -1. Returns it, or -1. */
static int pass(int channel, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 0;
	struct iovec text = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (fd < 0) {
		if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) == 1 &&
			(header = CMSG_FIRSTHDR(&message)))
			memcpy(&fd, CMSG_DATA(header), sizeof(int));
		return fd;
	}
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	return sendmsg(channel, &message, 0) < 0 ? -1 : fd;
}

static int is_path(const struct seccomp_notif *asked, const char *path)
{
	char name[64], text[4096];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "/proc/%u/mem", asked->pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	n = pread(fd, text, sizeof(text) - 1, (off_t)asked->data.args[0]);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return strcmp(text, path) == 0;
}

/* Let each go on but who asks for `path`, until nobody can ask any more. */
static void serve(int listener, const char *path)
{
	struct pollfd wait_for = {.fd = listener, .events = POLLIN};

	while (poll(&wait_for, 1, -1) > 0 && (wait_for.revents & POLLIN)) {
		struct seccomp_notif asked = {0};
		struct seccomp_notif_resp answer = {.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0 || is_path(&asked, path))
			continue;
		answer.id = asked.id;
		(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
}

int main(int argc, char **argv)
{
	int ends[2], status, listener;
	pid_t pid;

	if (argc < 3 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ||
		(pid = fork()) < 0)
		return 2;
	if (pid == 0) {
		listener = filter_execve();
		if (listener < 0 || pass(ends[1], listener) < 0)
			_exit(2);
		close(listener);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	close(ends[1]);
	listener = pass(ends[0], -1);
	if (listener >= 0)
		serve(listener, argv[1]);
	if (waitpid(pid, &status, 0) < 0)
		return 2;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
