/* SPDX-License-Identifier: MIT */
/* Probes that need no process: does somebody accept a connection, and what does an HTTP server answer? Of an answer only
 * the status line is read, 4 KiB at most; the rest is the server's to keep. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <eff/io.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/text.h"
#include "os/internal.h"

enum { LINE_MOST = 4096, HTTP_PORT = 80 };

static const char http_begin[] = "HTTP/1.";

int linux_connect_tcp(struct os *os, const char *host, uint16_t port)
{
	int fd = os_connect_tcp(host, port);

	(void)os;
	eff_fd_close(fd);
	return fd < 0 ? fd : 0;
}

int linux_connect_unix(struct os *os, const char *path)
{
	int fd = os_connect_unix(path);

	(void)os;
	eff_fd_close(fd);
	return fd < 0 ? fd : 0;
}

/* What would end a line or a word early does not go out. */
static bool is_one_word(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	}
	return true;
}

static int http_ask(int fd, const struct os_http *request)
{
	const char *host = request->host && *request->host ? request->host : "localhost";
	const char *path = request->path && *request->path ? request->path : "/";
	bool brackets = strchr(host, ':') && *host != '[';
	struct text text = {0};
	int r = -ENOMEM;

	if (!is_one_word(host) || !is_one_word(path))
		return -EINVAL;
	text_printf(&text, "GET %s%s HTTP/1.1\r\nHost: ", *path == '/' ? "" : "/", path);
	text_printf(&text, brackets ? "[%s]" : "%s", host);
	if (request->port && request->port != HTTP_PORT)
		text_printf(&text, ":%u", (unsigned)request->port);
	text_add(&text, "\r\nUser-Agent: effd\r\nAccept: */*\r\nConnection: close\r\n\r\n");
	if (!text.failed)
		r = eff_write_all(fd, text.bytes, text.len);
	text_done(&text);
	return r;
}

/* "HTTP/1.1 200 OK": 200; 0: more is needed; -EPROTO. */
static int status_of(const char *line, size_t len)
{
	const size_t begin = sizeof(http_begin) - 1;
	const char *code = line + begin + 2;
	int status = 0;

	if (memcmp(line, http_begin, len < begin ? len : begin) != 0)
		return -EPROTO;
	if (!memchr(line, '\n', len))
		return len < LINE_MOST ? 0 : -EPROTO;
	if (len < begin + 6 || line[begin] < '0' || line[begin] > '9' || line[begin + 1] != ' ')
		return -EPROTO;
	for (int i = 0; i < 3; i++) {
		if (code[i] < '0' || code[i] > '9')
			return -EPROTO;
		status = status * 10 + (code[i] - '0');
	}
	if (!strchr(" \r\n", code[3]) || status < 100 || status > 599)
		return -EPROTO;
	return status;
}

static int http_answer(int fd)
{
	auto_free char *line = alloc_new(LINE_MOST);
	size_t len = 0;
	int status = 0;

	while (line && !status) {
		ssize_t n = eff_read(fd, line + len, LINE_MOST - len);

		if (n <= 0)
			return n < 0 ? (int)n : -EPROTO;
		len += (size_t)n;
		status = status_of(line, len);
	}
	return line ? status : -ENOMEM;
}

int linux_http_get(struct os *os, const struct os_http *request)
{
	int fd = request->port ? os_connect_tcp(request->host, request->port)
			       : os_connect_unix(request->path_unix ? request->path_unix : "");
	int r = fd;

	(void)os;
	if (r >= 0)
		r = http_ask(fd, request);
	if (r >= 0)
		r = http_answer(fd);
	eff_fd_close(fd);
	return r;
}
