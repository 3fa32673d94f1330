/* SPDX-License-Identifier: MIT */
/* Supervisors side by side. A peer is a row that knows how one supervisor is configured, started, stopped and asked; a
 * measure knows none of them. Peers are taken in turns within each measure, round by round, and the best round counts:
 * the neighbours of a shared machine make a timing longer, never shorter. */
#ifndef BENCH_H
#define BENCH_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum mode { SERVES, CRASHES, WRITES };
enum ask { ASK_ONE, ASK_ALL };

enum { PATH_BYTES = 256, MOST_PROCESSES = 65536 };

/* An argument list. */
struct words {
	char **list; /* NULL at its end */
	unsigned n, room;
};
void words_add(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));
void words_free(struct words *words);

/* How a supervisor is asked for the status of one service, or of all. */
struct query {
	enum { BY_SOCKET, BY_FILES, BY_PART, BY_COMMAND } how;
	char socket[PATH_BYTES];
	char hello[64], request[1024]; /* sent once, and each time */
	size_t n_hello, n_request;
	size_t hello_bytes, reply_bytes; /* of the answers; reply_bytes 0: up to a NUL */
	bool is_http;                    /* what Content-Length says */
	bool reconnect;                  /* a connection a request */
	struct words words;              /* the files, or the command */
	size_t part_at, part_bytes;      /* of the first of them */
	bool (*part_is_good)(const void *part, size_t bytes);
};
struct answers {
	unsigned long n;
	double p50_us, p99_us, min_us;
	size_t bytes;
};
/* Ask again and again for so long, pausing `gap_us` in between. False when it cannot be asked. */
bool query_run(const struct query *query, double seconds, unsigned gap_us, struct answers *ret);
/* The same beside the caller; join gives the answers. */
extern size_t answer_bytes[2]; /* by enum ask: of the supervisor asked last, natively */
pid_t query_fork(const struct query *query, double seconds, unsigned gap_us, int *ret_fd);
bool query_join(pid_t pid, int fd, struct answers *ret);
int unix_connect(const char *path); /* -1: not */

/* One boot of one supervisor, in a folder of its own. */
struct box {
	const struct peer *peer;
	char dir[PATH_BYTES], fifo[PATH_BYTES];
	char quick[PATH_BYTES]; /* a folder in memory; where there is none, `dir` */
	int fifo_fd;
	unsigned n, round;
	enum mode mode;
	size_t total, size; /* of a writer */
	pid_t root;         /* the process that was started */
	uint64_t began_ns;
	/* By the services' numbers. */
	pid_t *pids; /* as they know themselves: box_find() */
	uint64_t *first_ns, *last_ns;
	unsigned *starts;
	unsigned n_seen;
};

struct peer {
	const char *name;
	bool is_limit;
	unsigned most; /* services that it takes */
	unsigned rounds; /* of a thousand and of a storm, at most; 0: all. What takes long is asked seldom */
	double patience_s;
	unsigned end_ms; /* that it is given to end by itself, when not what others get */
	bool is_apart;   /* its services have other process ids */
	const char *only; /* how the programs' names end that are its own; NULL: all but services */
	const char *needs; /* to take logs: a program on the path, or NULL */
	bool (*is_here)(void);
	void (*configure)(const struct box *box);
	void (*command)(const struct box *box, struct words *ret);
	void (*stop)(const struct box *box);
	bool (*query)(const struct box *box, enum ask ask, bool native,
		struct query *ret); /* NULL: cannot be asked */
	bool (*file_query)(const struct box *box, enum ask ask,
		struct query *ret); /* where there is a file for that besides; NULL */
	bool logs;                  /* captures output, and rotates by 16 MB */
};
extern const struct peer *const peers[];
extern const struct peer peer_dinit, peer_s6, peer_runit, peer_daemontools, peer_supervisord,
	peer_systemd;
bool on_path(const char *program);

/* Start it; with `wait` until every service has stamped. */
bool box_open(struct box *box, bool wait);
/* Read what the services have stamped. Returns how many stamps there were. */
unsigned box_stamps(struct box *box);
bool box_await_stamp(struct box *box, unsigned number, unsigned starts, double seconds);
/* The process of each service, as this process knows it, 0 of one that cannot be found. `ret` has room for box->n. */
void box_find(const struct box *box, pid_t *ret);
void box_close(struct box *box);
void box_write(const struct box *box, const char *name, int mode, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The argument list of service `number`. */
void box_service(const struct box *box, unsigned number, struct words *ret);
/* Of all processes of the supervision, services excluded. */
double box_cpu_us(const struct box *box);
double box_pss_kib(const struct box *box);
double box_switches(const struct box *box);
unsigned box_processes(const struct box *box, pid_t *ret, unsigned most);
/* All descendants of this process; and is that one a service? */
unsigned descendants(pid_t *ret, unsigned most);
bool is_service(pid_t pid);

uint64_t now_ns(void);
void pause_ms(unsigned ms);
const char *program_path(const char *name); /* of the helpers, and of effd */

/* The best value of a measure over all rounds. `higher`: is more better? */
void result(const char *measure, const struct peer *peer, double value, const char *unit,
	bool higher);

/* What is measured of one boot, part by part. */
enum { MOST_PARTS = 6 };
typedef void measure_fn(const struct peer *peer, struct box *box);
struct boot {
	unsigned n; /* services; of WRITES the size of a write */
	enum mode mode;
	struct part {
		const char *name; /* NULL after the last one */
		measure_fn *fn;
		bool once; /* in the first round alone */
	} parts[MOST_PARTS];
};
extern const struct boot boots[]; /* the last one has no parts */

#endif
