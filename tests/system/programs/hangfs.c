/* SPDX-License-Identifier: MIT */
/* hangfs FOLDER: a file system in FOLDER that does not answer, as a dead server's: it has two files, `program` and `file`,
 * and whoever opens one hangs, also after a SIGKILL, for the kernel waits for an answer to what it has asked. Whoever asks
 * for `slow` hangs before. Says `mounted`, and `held` for each who hangs; at a line on the standard input all get EIO, and
 * at its end the file system is gone. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PROGRAM = 2, FILE_NODE = 3, HELD_MOST = 64 };

static uint64_t held[HELD_MOST];
static int fuse_fd, n_held;

static void answer(uint64_t unique, int error, const void *what, size_t size)
{
	struct fuse_out_header header = {
		.len = (uint32_t)(sizeof(header) + size), .error = -error, .unique = unique};
	struct iovec parts[] = {{&header, sizeof(header)}, {(void *)what, size}};

	(void)!writev(fuse_fd, parts, size ? 2 : 1);
}

static void hold(uint64_t unique)
{
	if (n_held < HELD_MOST)
		held[n_held++] = unique;
	puts("held");
}

static struct fuse_attr attr_of(uint64_t node)
{
	return (struct fuse_attr){.ino = node,
		.size = node == FUSE_ROOT_ID ? 0 : 4096,
		.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0755,
		.nlink = 1,
		.blksize = 4096};
}

static void look_up(uint64_t unique, const char *name)
{
	uint64_t node = !strcmp(name, "program") ? PROGRAM
		: !strcmp(name, "file")          ? FILE_NODE
						 : 0;
	struct fuse_entry_out entry = {.nodeid = node, .attr = attr_of(node)};

	if (!strcmp(name, "slow"))
		hold(unique);
	else if (!node)
		answer(unique, ENOENT, NULL, 0);
	else
		answer(unique, 0, &entry, sizeof(entry));
}

static void serve(const struct fuse_in_header *in)
{
	struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION,
		.minor = FUSE_KERNEL_MINOR_VERSION,
		.max_write = 4096,
		.max_background = 16,
		.congestion_threshold = 12};
	struct fuse_attr_out attr = {.attr = attr_of(in->nodeid)};

	switch (in->opcode) {
	case FUSE_INIT:
		answer(in->unique, 0, &init, sizeof(init));
		puts("mounted");
		break;
	case FUSE_LOOKUP:
		look_up(in->unique, (const char *)(in + 1));
		break;
	case FUSE_GETATTR:
		answer(in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		hold(in->unique);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		answer(in->unique, ENOSYS, NULL, 0);
	}
}

static int mount_at(const char *folder)
{
	char options[128];

	fuse_fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fuse_fd < 0)
		return -1;
	snprintf(options, sizeof(options),
		"fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other", fuse_fd);
	return mount("hangfs", folder, "fuse", MS_NODEV, options);
}

int main(int argc, char **argv)
{
	static _Alignas(8) char request[FUSE_MIN_READ_BUFFER + 4096];
	struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.events = POLLIN}};
	char line[64];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2 || mount_at(argv[1]) < 0) {
		perror("hangfs");
		return 1;
	}
	fds[1].fd = fuse_fd;
	for (;;) {
		poll(fds, 2, -1);
		if (fds[0].revents) {
			if (read(STDIN_FILENO, line, sizeof(line)) <= 0)
				break;
			while (n_held > 0)
				answer(held[--n_held], EIO, NULL, 0);
		}
		if (fds[1].revents && read(fuse_fd, request, sizeof(request)) > 0)
			serve((const struct fuse_in_header *)request);
	}
	umount2(argv[1], MNT_DETACH);
	return 0;
}
