/* SPDX-License-Identifier: MIT */
/* Probes against a small server inside the test: what it says, says half, or never says. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <eff/io.h>

#include "daemon/os_world.h"

/* Answers each connection with the next text, having read the request to its end; NULL ends it. */
struct server {
	int fd;
	uint16_t port;
	const char *const *answers;
	char request[1024];
};

static void answer(struct server *server, const char *text)
{
	int fd = eff_accept(server->fd);
	size_t len = 0;

	ck_assert_int_ge(fd, 0);
	server->request[0] = '\0';
	while (!strstr(server->request, "\r\n\r\n")) {
		ssize_t n = eff_read(fd, server->request + len, sizeof(server->request) - 1 - len);

		if (n <= 0)
			break;
		len += (size_t)n;
		server->request[len] = '\0';
	}
	/* The client may close in the middle of it: it has seen enough. */
	(void)eff_write_all(fd, text, strlen(text));
	eff_fd_close(fd);
}

static eff_exit serve(void *arg)
{
	struct server *server = arg;

	for (; *server->answers; server->answers++)
		answer(server, *server->answers);
	return eff_ok(NULL);
}

/* A port that is taken, and where nobody listens: there a connection is refused, whoever else looks for a port. */
static int bound_at(const struct sockaddr *address, socklen_t len)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, address, len) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int listen_at(const struct sockaddr *address, socklen_t len)
{
	int fd = bound_at(address, len);

	if (fd >= 0)
		ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

static struct sockaddr_in loopback_at(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static struct server server_of(const char *const *answers)
{
	struct sockaddr_in address = loopback_at(0);
	struct server server = {.answers = answers};
	socklen_t len = sizeof(address);

	server.fd = listen_at((struct sockaddr *)&address, sizeof(address));
	ck_assert_int_ge(server.fd, 0);
	ck_assert_int_eq(getsockname(server.fd, (struct sockaddr *)&address, &len), 0);
	server.port = ntohs(address.sin_port);
	return server;
}

OS_TEST(tcp_connects_or_is_refused)
{
	struct server server = server_of(NULL);
	struct sockaddr_in address = loopback_at(0);
	socklen_t len = sizeof(address);
	int deaf = bound_at((struct sockaddr *)&address, sizeof(address));

	ck_assert_int_eq(os->ops->connect_tcp(os, "127.0.0.1", server.port), 0);
	ck_assert_int_eq(os->ops->connect_tcp(os, "localhost", server.port), 0);
	ck_assert_int_eq(os->ops->connect_tcp(os, NULL, server.port), 0);
	ck_assert_int_eq(getsockname(deaf, (struct sockaddr *)&address, &len), 0);
	ck_assert_int_eq(
		os->ops->connect_tcp(os, "127.0.0.1", ntohs(address.sin_port)), -ECONNREFUSED);
	ck_assert_int_lt(os->ops->connect_tcp(os, "localhost", ntohs(address.sin_port)), 0);
	eff_fd_close(server.fd);
	close(deaf);
}

/* Listen on a port of ::1 that on 127.0.0.1 is taken and deaf. Returns it; 0: there is no IPv6 on this machine. */
static uint16_t listen_on_six_alone(int *ret_six, int *ret_four)
{
	for (*ret_four = -1; *ret_four < 0;) {
		struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
		struct sockaddr_in four;
		socklen_t len = sizeof(six);

		*ret_six = listen_at((struct sockaddr *)&six, sizeof(six));
		if (*ret_six < 0)
			return 0;
		ck_assert_int_eq(getsockname(*ret_six, (struct sockaddr *)&six, &len), 0);
		four = loopback_at(ntohs(six.sin6_port));
		*ret_four = bound_at((struct sockaddr *)&four, sizeof(four));
		if (*ret_four >= 0)
			return ntohs(six.sin6_port);
		close(*ret_six);
	}
	return 0;
}

OS_TEST(localhost_is_both_of_its_addresses)
{
	int six, four;
	uint16_t port = listen_on_six_alone(&six, &four);

	if (port == 0)
		return;
	ck_assert_int_eq(os->ops->connect_tcp(os, "::1", port), 0);
	ck_assert_int_eq(os->ops->connect_tcp(os, "localhost", port), 0);
	ck_assert_int_eq(os->ops->connect_tcp(os, "127.0.0.1", port), -ECONNREFUSED);
	eff_fd_close(six);
	close(four);
}

OS_TEST(a_name_goes_through_the_resolver)
{
	struct server server = server_of(NULL);
	struct eff_scope within;
	char name[300];

	/* The resolver itself knows what an address is, in spellings that we do not. */
	ck_assert_int_eq(os->ops->connect_tcp(os, "127.1", server.port), 0);
	ck_assert_int_eq(os->ops->connect_tcp(os, "no such host", server.port), -ENODATA);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(os->ops->connect_tcp(os, name, server.port), -ENAMETOOLONG);
	eff_scope_open(&within);
	eff_scope_cancel(&within);
	ck_assert_int_eq(os->ops->connect_tcp(os, "127.1", server.port), -ECANCELED);
	(void)eff_scope_close(&within);
	eff_fd_close(server.fd);
}

OS_TEST(a_unix_socket_is_reached_by_its_path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char path[200];
	int fd;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", world_path("socket"));
	ck_assert_int_eq(os->ops->connect_unix(os, address.sun_path), -ENOENT);
	fd = listen_at((struct sockaddr *)&address, sizeof(address));
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(os->ops->connect_unix(os, address.sun_path), 0);
	eff_fd_close(fd);
	ck_assert_int_eq(os->ops->connect_unix(os, address.sun_path), -ECONNREFUSED);
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(os->ops->connect_unix(os, path), -ENAMETOOLONG);
}

OS_TEST(http_tells_the_status)
{
	static const char *const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.0 503\r\n\r\n", "HTTP/1.1 404 Not Found\n", NULL};
	struct server server = server_of(answers);
	struct os_http request = {
		.host = "127.0.0.1", .port = server.port, .path = "/health?deep=1"};
	char expected[64];

	ck_assert_int_eq(eff_fork(EFF(serve, &server), NULL), 0);
	ck_assert_int_eq(os->ops->http_get(os, &request), 200);
	ck_assert_ptr_nonnull(strstr(server.request, "GET /health?deep=1 HTTP/1.1\r\n"));
	(void)snprintf(expected, sizeof(expected), "\r\nHost: 127.0.0.1:%u\r\n", server.port);
	ck_assert_ptr_nonnull(strstr(server.request, expected));
	ck_assert_ptr_nonnull(strstr(server.request, "\r\nConnection: close\r\n"));
	request.path = NULL;
	ck_assert_int_eq(os->ops->http_get(os, &request), 503);
	ck_assert_ptr_nonnull(strstr(server.request, "GET / HTTP/1.1\r\n"));
	ck_assert_int_eq(os->ops->http_get(os, &request), 404);
	eff_fd_close(server.fd);
	ck_assert_int_eq(os->ops->http_get(os, &request), -ECONNREFUSED);
}

OS_TEST(http_goes_over_a_unix_socket_too)
{
	static const char *const answers[] = {"HTTP/1.1 204 No Content\r\n\r\n", NULL};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct server server = {.answers = answers};
	struct os_http request = {.path = "ping"};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", world_path("socket"));
	server.fd = listen_at((struct sockaddr *)&address, sizeof(address));
	ck_assert_int_ge(server.fd, 0);
	ck_assert_int_eq(eff_fork(EFF(serve, &server), NULL), 0);
	request.path_unix = address.sun_path;
	ck_assert_int_eq(os->ops->http_get(os, &request), 204);
	ck_assert_ptr_nonnull(strstr(server.request, "GET /ping HTTP/1.1\r\nHost: localhost\r\n"));
	eff_fd_close(server.fd);
}

OS_TEST(what_is_not_http_is_a_protocol_error)
{
	static char endless[6000];
	static const char *const answers[] = {"", "SSH-2.0-x\r\n", "H", "HTTP/1.1 2000 OK\r\n",
		"HTTP/2 200\r\n", "HTTP/1.1 099 x\r\n", "HTTP/1.1 600 x\r\n", "HTTP/1.1\r\n",
		"HTTP/1.1 200 OK", endless, NULL};
	struct server server = server_of(answers);
	const struct os_http request = {.host = "127.0.0.1", .port = server.port, .path = "/"};

	(void)snprintf(endless, sizeof(endless), "HTTP/1.1 200%5900s", "");
	ck_assert_int_eq(eff_fork(EFF(serve, &server), NULL), 0);
	for (size_t i = 0; answers[i]; i++)
		ck_assert_int_eq(os->ops->http_get(os, &request), -EPROTO);
	eff_fd_close(server.fd);
}

OS_TEST(what_would_break_the_request_is_not_sent)
{
	struct server server = server_of(NULL);
	struct os_http request = {
		.host = "127.0.0.1", .port = server.port, .path = "/ HTTP/1.1\r\nX: y"};

	ck_assert_int_eq(os->ops->http_get(os, &request), -EINVAL);
	eff_fd_close(server.fd);
}

OS_TEST(a_server_that_says_nothing_costs_its_time_alone)
{
	struct server server = server_of(NULL);
	const struct os_http request = {.host = "127.0.0.1", .port = server.port, .path = "/"};
	struct eff_scope within;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_now() + EFF_MS(20));
	ck_assert_int_eq(os->ops->http_get(os, &request), -ETIMEDOUT);
	ck_assert_int_eq(eff_scope_close(&within), -ETIMEDOUT);
	eff_fd_close(server.fd);
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_probes", &tcase);

	tcase_add_test(tcase, tcp_connects_or_is_refused);
	tcase_add_test(tcase, localhost_is_both_of_its_addresses);
	tcase_add_test(tcase, a_name_goes_through_the_resolver);
	tcase_add_test(tcase, a_unix_socket_is_reached_by_its_path);
	tcase_add_test(tcase, http_tells_the_status);
	tcase_add_test(tcase, http_goes_over_a_unix_socket_too);
	tcase_add_test(tcase, what_is_not_http_is_a_protocol_error);
	tcase_add_test(tcase, what_would_break_the_request_is_not_sent);
	tcase_add_test(tcase, a_server_that_says_nothing_costs_its_time_alone);
	return suite;
}
