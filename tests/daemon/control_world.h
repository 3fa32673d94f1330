/* SPDX-License-Identifier: MIT */
/* A control socket on a world: the tree runs on the fake kernel in virtual time, the socket and its clients are real. The
 * test is the client; nothing is served until it lets the runtime have its turn. */
#ifndef TESTS_DAEMON_CONTROL_WORLD_H
#define TESTS_DAEMON_CONTROL_WORLD_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <check.h>

#include "control/control.h"
#include "fake/world.h"
#include "folder.h"
#include "leak.h"
#include "wire/json.h"

#define CONTROL "org.effd.Control."
enum { CLIENT_BYTES = 1 << 24, TURNS_MAX = 2000 };

struct server {
	struct world *w;
	struct control *control;
	struct eff_fiber *fiber;
	char dir[32], path[64];
	const char *document; /* what a reload reads */
	const char *env;      /* and at any path that ends with "/env"; NULL: the same */
	void (*meanwhile)(struct server *s); /* while something is added; NULL */
	unsigned n_shutdowns;
	struct asker shut_down_by;
};

struct client {
	struct server *s;
	int fd;
	char *bytes; /* received and not taken */
	size_t n;
	bool ended;
};

static inline int server_read(
	void *context, const char *path, size_t limit, char **ret_bytes, size_t *ret_size)
{
	const struct server *s = context;
	size_t len = strlen(path);
	bool is_env = s->env && len > 4 && strcmp(path + len - 4, "/env") == 0;

	(void)limit;
	*ret_bytes = strdup(is_env ? s->env : s->document);
	*ret_size = strlen(is_env ? s->env : s->document);
	return *ret_bytes ? 0 : -ENOMEM;
}

static inline int server_list(void *context, const char *path, char ***ret_names)
{
	(void)context;
	(void)path;
	(void)ret_names;
	return -ENOTDIR;
}

static const char *const server_environment[] = {"HOME=/root", "PATH=/usr/bin:/bin", NULL};

static inline int server_load(
	void *context, const struct plan *present, struct plan **ret_plan, struct diags *diags)
{
	struct plan_source source = {.read = server_read,
		.list = server_list,
		.context = context,
		.environment = server_environment};

	return plan_load_again("/world/test.yaml", &source, present, ret_plan, diags);
}

static inline int server_add(void *context, const struct plan *present,
	struct plan_addition *addition, struct plan **ret_plan, struct diags *diags)
{
	struct plan_source source = {.read = server_read,
		.list = server_list,
		.context = context,
		.environment = server_environment};
	struct server *s = context;

	/* What happens while the thread reads. */
	if (s->meanwhile)
		s->meanwhile(s);
	return plan_add(present, addition, &source, ret_plan, diags);
}

static inline void server_shut_down(void *context, const struct asker *by)
{
	struct server *s = context;

	s->n_shutdowns++;
	s->shut_down_by = *by;
	tree_shutdown(s->w->tree, by, false);
}

/* As world_new(); the socket is there, and the tree has had its first turns. */
static inline struct server *server_new_with(const char *units, uint32_t most_clients)
{
	struct server *s = calloc(1, sizeof(*s));
	struct control_opts opts = {.most_clients = most_clients,
		.host = {.load = server_load,
			.add = server_add,
			.shut_down = server_shut_down,
			.context = s}};
	struct text why = {0};

	ck_assert_ptr_nonnull(s);
	s->w = world_new(units);
	(void)test_folder(s->dir, sizeof(s->dir));
	(void)snprintf(s->path, sizeof(s->path), "%s/control.sock", s->dir);
	opts.tree = s->w->tree;
	opts.path = s->path;
	ck_assert_msg(control_open(&opts, &s->control, &why) == 0, "%s", why.bytes);
	ck_assert_int_eq(eff_fork_daemon(EFF(control_run, s->control), &s->fiber), 0);
	return s;
}

static inline struct server *server_new(const char *units)
{
	return server_new_with(units, 0);
}

/* A web server that needs a database, and a group of one that dies each second and one that does not. */
static inline struct server *server_shop(void)
{
	struct server *s = server_new(
		"db: {command: [run]}\n"
		"web: {command: [run], depends_on: [db], environment: {SECRET: hidden}}\n"
		"g:\n  units:\n    a: {command: [dies], restart: {backoff: {jitter: 0}}}\n    b: {command: [run]}\n");

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "dies", (struct script){.lives = EFF_S(1), .dies_by = 9});
	world_run_for(s->w, EFF_MS(1100));
	return s;
}

static inline void server_free(struct server *s)
{
	eff_interrupt_async(s->fiber);
	world_run_for(s->w, 0);
	ck_assert(eff_poll(s->fiber, NULL));
	eff_fiber_unref(s->fiber);
	control_close(s->control);
	world_free(s->w);
	ck_assert_int_lt(access(s->path, F_OK), 0);
	ck_assert_int_eq(rmdir(s->dir), 0);
	free(s);
}

/* Let all happen that can without time passing. */
static inline void server_turn(struct server *s)
{
	for (int i = 0; i < 8; i++)
		world_run_for(s->w, 0);
}

static inline struct client *client_new(struct server *s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct client *c = calloc(1, sizeof(*c));

	ck_assert_ptr_nonnull(c);
	c->s = s;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	c->bytes = malloc(CLIENT_BYTES);
	ck_assert_ptr_nonnull(c->bytes);
	(void)strcpy(address.sun_path, s->path);
	ck_assert_int_eq(connect(c->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return c;
}

static inline void client_free(struct client *c)
{
	(void)close(c->fd);
	free(c->bytes);
	free(c);
}

/* Send bytes as they are, as far as they are taken. */
static inline size_t client_write(struct client *c, const char *bytes, size_t n)
{
	size_t sent = 0;

	while (sent < n) {
		ssize_t one = send(c->fd, bytes + sent, n - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (one < 0 && errno == EAGAIN)
			server_turn(c->s);
		else if (one < 0)
			break;
		else
			sent += (size_t)one;
	}
	return sent;
}

/* Send one message. */
static inline void client_send(struct client *c, const char *text)
{
	ck_assert_uint_eq(client_write(c, text, strlen(text) + 1), strlen(text) + 1);
}

static inline void client_receive(struct client *c)
{
	ssize_t n = 1;

	while (n > 0 && c->n < CLIENT_BYTES) {
		n = recv(c->fd, c->bytes + c->n, CLIENT_BYTES - c->n, MSG_DONTWAIT);
		if (n > 0)
			c->n += (size_t)n;
		else if (n == 0 || errno != EAGAIN)
			c->ended = true;
	}
}

/* The next message that is there without time passing; NULL: none. The caller frees it. */
static inline struct json *client_reply(struct client *c)
{
	struct json_error error = {0};
	struct json *reply;
	char *end = NULL;

	for (int i = 0; i < TURNS_MAX && !end; i++) {
		client_receive(c);
		end = memchr(c->bytes, '\0', c->n);
		if (c->ended || (!end && i > 20 && c->n == 0))
			break;
		if (!end)
			world_run_for(c->s->w, 0);
	}
	if (!end)
		return NULL;
	ck_assert_msg(json_parse(c->bytes, (size_t)(end - c->bytes), 0, &reply, &error) == 0,
		"no JSON at %zu: %s", error.offset, error.what);
	c->n -= (size_t)(end + 1 - c->bytes);
	memmove(c->bytes, end + 1, c->n);
	return reply;
}

/* Has it been closed by the other side? */
static inline bool client_is_closed(struct client *c)
{
	for (int i = 0; i < 20 && !c->ended; i++) {
		server_turn(c->s);
		client_receive(c);
	}
	return c->ended;
}

static inline void client_call(
	struct client *c, const char *method, const char *parameters, bool more)
{
	struct text text = {0};

	text_printf(&text, "{\"method\":\"%s%s\"", strchr(method, '.') ? "" : CONTROL, method);
	if (parameters)
		text_printf(&text, ",\"parameters\":%s", parameters);
	text_add(&text, more ? ",\"more\":true}" : "}");
	client_send(c, text.bytes);
	text_done(&text);
}

/* Call and take the answer. */
static inline struct json *client_ask(struct client *c, const char *method, const char *parameters)
{
	struct json *reply;

	client_call(c, method, parameters, false);
	reply = client_reply(c);
	ck_assert_msg(reply != NULL, "no answer to %s", method);
	return reply;
}

/* The name of the error without the interface of effd; "" for none. Frees the reply. */
static inline const char *reply_error(struct json *reply)
{
	static char name[128];
	const char *error = json_get_text(reply, "error", "");

	if (strncmp(error, CONTROL, strlen(CONTROL)) == 0)
		error += strlen(CONTROL);
	(void)snprintf(name, sizeof(name), "%s", error);
	json_free(reply);
	return name;
}

/* A member below the reply by a dotted path ("parameters.units.0.state"). */
static inline const struct json *reply_at(const struct json *reply, const char *path)
{
	while (reply && *path) {
		char key[64];
		size_t len = strcspn(path, ".");

		(void)snprintf(key, sizeof(key), "%.*s", (int)len, path);
		path += len + (path[len] == '.');
		if (json_type(reply) == JSON_ARRAY) {
			const struct json *v = json_first(reply);

			for (long i = strtol(key, NULL, 10); i > 0; i--)
				v = json_next(v);
			reply = v;
		} else {
			reply = json_get(reply, key);
		}
	}
	return reply;
}

static inline const char *reply_text(const struct json *reply, const char *path)
{
	const char *text = json_as_text(reply_at(reply, path));

	return text ? text : "(none)";
}

/* "web done up, db unchanged up": the results of a verb. Frees the reply. */
static inline const char *reply_results(struct json *reply)
{
	static char words[1024];
	size_t n = 0;

	words[0] = '\0';
	if (json_get(reply, "error"))
		(void)snprintf(words, sizeof(words), "%s", json_get_text(reply, "error", ""));
	for (const struct json *v = json_first(reply_at(reply, "parameters.units")); v;
		v = json_next(v))
		n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s %s %s", n ? ", " : "",
			json_get_text(v, "name", "?"), json_get_text(v, "outcome", "?"),
			json_get_text(v, "state", "?"));
	json_free(reply);
	return words;
}

#endif
