/* SPDX-License-Identifier: MIT */
/* Files that the command line names. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "effctl/file.h"

char *file_absolute(const char *path)
{
	char *folder;
	char *absolute;

	if (*path == '/')
		return strdup(path);
	folder = getcwd(NULL, 0);
	if (!folder ||
		asprintf(&absolute, "%s/%s", strcmp(folder, "/") != 0 ? folder : "", path) < 0)
		absolute = NULL;
	free(folder);
	return absolute;
}

static int all_read(int fd, size_t limit, struct text *to)
{
	char bytes[1024];
	ssize_t n = 1;

	while (n > 0) {
		n = read(fd, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			return -errno;
		else if (to->len + (size_t)n > limit)
			return -EFBIG;
		else
			text_add_bytes(to, bytes, (size_t)n);
	}
	if (to->failed)
		return -ENOMEM;
	return 0;
}

int file_take(const char *path, size_t limit, struct text *to)
{
	auto_close int file = -1;
	int r;

	if (strcmp(path, "-") != 0) {
		file = open(path, O_RDONLY | O_CLOEXEC);
		if (file < 0)
			return -errno;
	}
	r = all_read(file < 0 ? STDIN_FILENO : file, limit, to);
	if (r == 0 && to->len > 0 &&
		(utf8_span(to->bytes, to->len) < to->len || memchr(to->bytes, '\0', to->len)))
		r = -EILSEQ;
	return r;
}
