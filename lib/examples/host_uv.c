/* SPDX-License-Identifier: MIT */
/* A program that lives in a libuv loop of its own hosts fibers in it.
 *
 * The host has a timer and one end of a socket; at the other end two fibers read, think and answer. All that the host
 * does for them is to watch one descriptor and to turn the runtime when it is readable. */
#include <stdio.h>

#include <eff.h>

#ifdef EFF_HAVE_UV

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <uv.h>

enum { QUESTIONS = 3 };

/* ── the fibers ── */

struct talk {
	int fd;
	struct eff_event asked, answered;
	char question[64], answer[80];
};

static eff_exit think(void *arg)
{
	struct talk *talk = arg;
	int r;

	while ((r = eff_event_await(&talk->asked)) >= 0) {
		eff_event_reset(&talk->asked);
		r = eff_sleep(EFF_MS(10));
		if (r < 0)
			break;
		(void)snprintf(talk->answer, sizeof(talk->answer), "answer to %s", talk->question);
		puts("thinker: has thought for 10 ms");
		eff_event_set(&talk->answered);
	}
	return eff_exit_of(r);
}

/* The root: it ends, and the thinker with it, when the host hangs up. */
static eff_exit converse(void *arg)
{
	struct talk *talk = arg;
	ssize_t n;
	int r = eff_fork(EFF(think, talk), NULL);

	while (r >= 0 && (n = eff_read(talk->fd, talk->question, sizeof(talk->question) - 1)) > 0) {
		talk->question[n] = '\0';
		printf("reader: hears \"%s\"\n", talk->question);
		eff_event_set(&talk->asked);
		r = eff_event_await(&talk->answered);
		eff_event_reset(&talk->answered);
		if (r >= 0)
			r = eff_write_all(talk->fd, talk->answer, strlen(talk->answer));
	}
	puts("reader: the host has hung up");
	eff_fd_close(talk->fd);
	return eff_exit_of(r);
}

/* ── the host ── */

struct host {
	uv_loop_t loop;
	uv_timer_t pause;
	uv_pipe_t line;
	uv_poll_t due;
	uv_write_t write;
	struct eff_rt *rt;
	int n;
	char question[64], heard[64];
};

static void must(int r, const char *what)
{
	if (r >= 0)
		return;
	(void)fprintf(stderr, "host: cannot %s: %s\n", what, uv_strerror(r));
	exit(1);
}

static void on_due(uv_poll_t *due, int status, int events)
{
	struct host *host = due->data;

	(void)events;
	must(status, "watch the runtime");
	if (!eff_rt_turn(host->rt))
		uv_close((uv_handle_t *)due, NULL);
}

static void ask(uv_timer_t *pause)
{
	struct host *host = pause->data;
	uv_buf_t buf = uv_buf_init(host->question,
		(unsigned)snprintf(
			host->question, sizeof(host->question), "question %d", ++host->n));

	printf("host: asks %s\n", host->question);
	must(uv_write(&host->write, (uv_stream_t *)&host->line, &buf, 1, NULL), "ask");
}

static void give_buffer(uv_handle_t *line, size_t suggested, uv_buf_t *ret_buf)
{
	struct host *host = line->data;

	(void)suggested;
	*ret_buf = uv_buf_init(host->heard, sizeof(host->heard));
}

static void on_answer(uv_stream_t *line, ssize_t n, const uv_buf_t *buf)
{
	struct host *host = line->data;

	must((int)n, "hear");
	printf("host: hears \"%.*s\"\n", (int)n, buf->base);
	if (host->n < QUESTIONS) {
		must(uv_timer_start(&host->pause, ask, 5, 0), "pause");
		return;
	}
	uv_close((uv_handle_t *)line, NULL);
	uv_close((uv_handle_t *)&host->pause, NULL);
}

static void open_host(struct host *host, int fd)
{
	host->due.data = host->line.data = host->pause.data = host;
	must(uv_loop_init(&host->loop), "make a loop");
	must(uv_timer_init(&host->loop, &host->pause), "make a timer");
	must(uv_pipe_init(&host->loop, &host->line, 0), "make a pipe");
	must(uv_pipe_open(&host->line, fd), "open the pipe");
	must(uv_read_start((uv_stream_t *)&host->line, give_buffer, on_answer), "listen");
	must(uv_timer_start(&host->pause, ask, 5, 0), "pause");
	/* This is what hosting takes. */
	must(uv_poll_init(&host->loop, &host->due, eff_rt_fd(host->rt)), "host the runtime");
	must(uv_poll_start(&host->due, UV_READABLE, on_due), "host the runtime");
}

int main(void)
{
	struct eff_rt_opts opts = {.backend = eff_backend_uv()};
	static struct talk talk;
	static struct host host;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
		return 1;
	talk.fd = ends[0];
	eff_event_init(&talk.asked);
	eff_event_init(&talk.answered);
	must(eff_rt_new(&opts, &host.rt), "make a runtime");
	must(eff_rt_attach(host.rt, EFF(converse, &talk)), "make a fiber");
	open_host(&host, ends[1]);
	must(uv_run(&host.loop, UV_RUN_DEFAULT), "run");
	puts("host: nothing is left to do");
	must(eff_rt_shutdown(host.rt, EFF_S(1)), "shut down");
	eff_rt_free(host.rt);
	must(uv_loop_close(&host.loop), "close the loop");
	return 0;
}

#else

int main(void)
{
	puts("host: not available (build with libuv)");
	return 0;
}

#endif
