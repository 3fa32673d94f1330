/* SPDX-License-Identifier: MIT */
/* It is read in one piece, and a record that was being written just then is read again. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "wire/ledger.h"

enum { TRIES = 100 };
#define FILE_MOST ((off_t)64 << 20)

static uint64_t sum_of(const void *words, size_t bytes)
{
	const uint64_t *word = words;
	uint64_t sum = 0;

	for (size_t n = bytes / sizeof(*word); n > 0; n--)
		sum += *word++ * n;
	return sum;
}

static uint64_t head_sum(const struct ledger_head *head)
{
	return sum_of(&head->check + 1, sizeof(*head) - offsetof(struct ledger_head, is_over));
}

static uint64_t record_sum(const struct ledger_record *record)
{
	return sum_of(&record->check + 1, sizeof(*record) - sizeof(record->check));
}

void ledger_seal_head(struct ledger_head *head)
{
	head->check = head_sum(head);
}

void ledger_seal(struct ledger_record *record)
{
	record->check = record_sum(record);
}

static bool record_is_whole(const struct ledger_record *record)
{
	return record->check == record_sum(record) && !record->name[LEDGER_NAME_BYTES - 1];
}

void ledger_name(struct ledger_record *record, const char *name)
{
	size_t len = strlen(name);

	record->name_is_cut = len >= LEDGER_NAME_BYTES;
	memcpy(record->name, name, record->name_is_cut ? LEDGER_NAME_BYTES - 1 : len);
}

static int head_judge(const struct ledger_head *head, size_t size)
{
	if (size < sizeof(*head) || memcmp(head->magic, LEDGER_MAGIC, sizeof(head->magic)) != 0)
		return -EBADMSG;
	if (head->check != head_sum(head))
		return -EAGAIN;
	if (head->is_over)
		return -ESTALE;
	if (head->head_bytes != sizeof(*head) || head->record_bytes != sizeof(struct ledger_record) ||
		head->n_units > (size - sizeof(*head)) / sizeof(struct ledger_record))
		return -EBADMSG;
	return 0;
}

/* Nobody but its owner writes to it, and that is who asks, or root. */
static int file_judge(int fd, size_t *ret_size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MOST)
		return -EBADMSG;
	if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 022))
		return -EPERM;
	*ret_size = (size_t)st.st_size;
	return 0;
}

static int piece_read(int fd, void *to, size_t len, off_t at)
{
	ssize_t n = pread(fd, to, len, at);

	return n < 0 ? -errno : (size_t)n < len ? -EBADMSG : 0;
}

/* Until it is whole: a write takes less than a look. */
static int record_reread(int fd, struct ledger_record *record, off_t at)
{
	int r = 0;

	for (int i = 0; i < TRIES && r == 0 && !record_is_whole(record); i++)
		r = piece_read(fd, record, sizeof(*record), at);
	return r < 0 ? r : record_is_whole(record) ? 0 : -EAGAIN;
}

static int bytes_judge(int fd, char *bytes, size_t size)
{
	struct ledger_head *head = (struct ledger_head *)bytes;
	struct ledger_record *records = (struct ledger_record *)(head + 1);
	int r = head_judge(head, size);

	for (int i = 0; i < TRIES && r == -EAGAIN; i++) {
		r = piece_read(fd, head, sizeof(*head), 0);
		r = r < 0 ? r : head_judge(head, size);
	}
	for (uint32_t i = 0; r == 0 && i < head->n_units; i++)
		r = record_reread(fd, &records[i], (off_t)((char *)&records[i] - bytes));
	return r;
}

int ledger_read(const char *path, struct ledger *ret)
{
	auto_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	auto_free char *bytes = NULL;
	size_t size = 0;
	int r = fd < 0 ? -errno : file_judge(fd, &size);

	if (r < 0)
		return r;
	bytes = alloc_new(size + 1);
	if (!bytes)
		return -ENOMEM;
	r = piece_read(fd, bytes, size, 0);
	r = r < 0 ? r : bytes_judge(fd, bytes, size);
	if (r < 0)
		return r;
	*ret = (struct ledger){.bytes = bytes, .head = (const struct ledger_head *)bytes};
	ret->records = (const struct ledger_record *)(ret->head + 1);
	bytes = NULL;
	return 0;
}

void ledger_done(struct ledger *ledger)
{
	free(ledger->bytes);
	*ledger = (struct ledger){0};
}
