/* SPDX-License-Identifier: MIT */
/* Preloaded: one allocation of the process fails. The file in $NOALLOC_FILE, which is mapped, has three numbers: how many
 * there were, which one is to fail (0: none), and how many did. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

struct numbers {
	uint64_t count, at, failed;
};

static struct numbers unused, *numbers = &unused;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("NOALLOC_FILE");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map = fd < 0
		? MAP_FAILED
		: mmap(NULL, sizeof(*numbers), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	if (map != MAP_FAILED)
		numbers = map;
}

static int fails(void)
{
	uint64_t n = __atomic_add_fetch(&numbers->count, 1, __ATOMIC_SEQ_CST);

	if (n != __atomic_load_n(&numbers->at, __ATOMIC_SEQ_CST))
		return 0;
	__atomic_add_fetch(&numbers->failed, 1, __ATOMIC_SEQ_CST);
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}
