/* SPDX-License-Identifier: MIT */
/* Lines for the system's log, each a datagram: syslog's as RFC 3164 has them and every syslogd reads them, the journal's as its
 * native protocol, where one that is too large for a datagram goes as a sealed memfd. The socket is not connected, so that
 * who comes back is found by the next line, and never waits. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <eff/io.h>

#include "os/internal.h"

enum { FACILITY_DAEMON = 3, HEAD_BYTES = 512 };

/* A message in pieces. */
struct pieces {
	struct iovec list[3];
	int n;
};

static struct iovec piece(const void *bytes, size_t len)
{
	return (struct iovec){.iov_base = (void *)bytes, .iov_len = len};
}

static int socket_of(struct os_linux *os)
{
	if (os->record_fd < 0)
		os->record_fd = eff_fd_raise(
			socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	return os->record_fd < 0 ? -errno : 0;
}

static int send_to(struct os_linux *os, const char *path, struct msghdr message)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int r = socket_of(os);

	if (r < 0)
		return r;
	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path, strlen(path) + 1);
	message.msg_name = &to;
	message.msg_namelen = sizeof(to);
	return sendmsg(os->record_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int send_pieces(struct os_linux *os, const char *path, struct pieces *p)
{
	struct msghdr message = {.msg_iov = p->list, .msg_iovlen = (size_t)p->n};

	return send_to(os, path, message);
}

static size_t add(char *buf, size_t len, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static size_t add(char *buf, size_t len, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(buf + len, HEAD_BYTES - len, format, args);
	va_end(args);
	return n < 0 || len + (size_t)n >= HEAD_BYTES ? HEAD_BYTES - 1 : len + (size_t)n;
}

/* ── syslog ── */

static int send_syslog(struct os_linux *os, const struct os_record *record)
{
	/* As the protocol has them, whatever the locale. */
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char head[HEAD_BYTES];
	struct pieces p = {.n = 2};
	time_t now = time(NULL);
	struct tm tm;
	size_t len;

	if (!localtime_r(&now, &tm))
		return -EOVERFLOW;
	len = add(head, 0, "<%d>%.3s %2d %02d:%02d:%02d %s",
		FACILITY_DAEMON * 8 + record->priority, months + (size_t)3 * (size_t)tm.tm_mon,
		tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, record->unit);
	if (record->pid > 0)
		len = add(head, len, "[%d]", (int)record->pid);
	len = add(head, len, ": ");
	p.list[0] = piece(head, len);
	p.list[1] = piece(record->text, record->len);
	return send_pieces(os, os->syslog_path, &p);
}

/* ── the journal ── */

/* Whom it is handed to wants to be sure that it does not change under the reading. Returns a descriptor or -errno. */
static int memfd_of(const struct pieces *p)
{
	int fd = memfd_create("effd-record", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return -errno;
	for (int i = 0; i < p->n; i++) {
		size_t written = 0;

		while (written < p->list[i].iov_len) {
			ssize_t n = write(fd, (const char *)p->list[i].iov_base + written,
				p->list[i].iov_len - written);

			if (n <= 0)
				goto fail;
			written += (size_t)n;
		}
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) >= 0)
		return fd;
fail:
	r = errno ? -errno : -EIO;
	(void)close(fd);
	return r;
}

static int send_memfd(struct os_linux *os, const struct pieces *p)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct msghdr message = {
		.msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
	int fd = memfd_of(p);
	int r;

	if (fd < 0)
		return fd;
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &fd, sizeof(int));
	r = send_to(os, os->journal_path, message);
	(void)close(fd);
	return r;
}

static int send_journal(struct os_linux *os, const struct os_record *record)
{
	char fields[HEAD_BYTES];
	struct pieces p = {.n = 3};
	size_t len;
	int r;

	len = add(fields, 0, "\nPRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=%s\n",
		record->priority, FACILITY_DAEMON, record->unit);
	len = add(fields, len, "EFFD_UNIT=%s\nEFFD_STREAM=%s\n", record->unit,
		record->stream == OS_STDERR ? "stderr" : "stdout");
	if (record->pid > 0)
		len = add(fields, len, "SYSLOG_PID=%d\nOBJECT_PID=%d\n", (int)record->pid,
			(int)record->pid);
	p.list[0] = piece("MESSAGE=", 8);
	p.list[1] = piece(record->text, record->len);
	p.list[2] = piece(fields, len);
	r = send_pieces(os, os->journal_path, &p);
	return r == -EMSGSIZE || r == -ENOBUFS ? send_memfd(os, &p) : r;
}

int linux_send_record(struct os *os, const struct os_record *record)
{
	struct os_linux *own = linux_of(os);

	return record->to_journal ? send_journal(own, record) : send_syslog(own, record);
}

void os_records_done(struct os_linux *os)
{
	if (os->record_fd >= 0)
		(void)close(os->record_fd);
	os->record_fd = -1;
}
