/* SPDX-License-Identifier: MIT */
/* The runtime: it owns every fiber of its thread, the clock and the loop. One per thread. */
#ifndef EFF_RUNTIME_H
#define EFF_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eff/exit.h>
#include <eff/fiber.h>
#include <eff/list.h>

struct eff_env;
struct eff_rt;
struct eff_testclock;

/* What a loop must give: descriptors and a wake-up. The vtable is private to the library and its backends. */
struct eff_backend;
EFF_API const struct eff_backend *eff_backend_ev(void);
/* The same on libuv; NULL when the library was built without it. Whoever has a descriptor open beside us sees it
 * non-blocking for a moment, when it is waited for first. */
EFF_API const struct eff_backend *eff_backend_uv(void);

/* Without a hook, NULL, it is said on stderr; of a deadlock and a late end, with the tree of all fibers. */
struct eff_hooks {
	/* A fiber has failed or died and nobody has awaited it when its last reference went; or something deferred has, in a
	 * scope of this fiber that was closed without an exit to put that behind. The exit is borrowed. */
	void (*on_unhandled)(void *context, const char *fiber_name, eff_exit exit);
	/* All fibers wait and nothing can wake any, as far as is known: see eff_rt_expect(). Called once for each fiber that
	 * waits. */
	void (*on_deadlock)(void *context, const struct eff_fiber_info *fiber);
	/* The grace of a shutdown is over. Called once for each fiber that has not ended. */
	void (*on_late)(void *context, const struct eff_fiber_info *fiber);
	/* A fiber has run for `stall_ns` (see eff_rt_opts) without a wait or a yield, and holds up all others; told once each
	 * time, when it has done so for `held_ns`. Called in the watchdog's thread while the fiber runs on: of this library it
	 * may call eff_rt_post(), which is done when the fiber has let go. The name is a copy and lives until it returns, which
	 * eff_rt_free() waits for. */
	void (*on_stall)(void *context, const char *fiber_name, uint64_t fiber_id, int64_t held_ns);
	void *context;
};

struct eff_rt_opts {
	const struct eff_backend *backend; /* NULL: libev */
	struct eff_testclock *clock;       /* NULL: real time */
	uint64_t seed;                     /* 0: from the kernel */
	size_t stack_bytes;                /* default of a fiber's stack; 0: 64 KiB */
	const struct eff_env *env; /* services that all fibers find; live as long as it does */
	/* Above 0 a thread looks for fibers that run for longer, in real time. It tells of one when that was so for certain and
	 * at most a quarter later, never of time in which the process was stopped or suspended; it sleeps while the loop does. */
	int64_t stall_ns;
	struct eff_hooks hooks;
};

/* NULL options are the defaults. Returns 0, -EBUSY when the thread has one already or another goes by that clock, -ENOMEM, or
 * what the loop or the watchdog could not get. */
EFF_API int eff_rt_new(const struct eff_rt_opts *opts, struct eff_rt **ret_rt);
/* Run `e` as the root fiber until it has ended, with all that it owns. Returns its exit, which the caller drops; FAIL with what
 * eff_rt_attach() says, or INTERRUPT after a shutdown: then it never ran. A deadlock ends the root: DIE "deadlock". Not from
 * a fiber. */
EFF_API eff_exit eff_rt_run(struct eff_rt *rt, eff e);

/* A program with a loop of its own (libuv, libev, GLib, poll) hosts the runtime in it: it attaches a root, has its loop
 * watch eff_rt_fd() for reading, and calls eff_rt_turn() whenever that is readable. That is all: deadlines, descriptors,
 * posts and what the host itself does between turns (setting an event, forking a daemon, interrupting) make it readable.
 * Nothing is polled, and a turn is short: a host with other work gets to it between turns. No deadlock is told, for the
 * host may still wake anybody. */

/* Begin `e` as the root fiber without running it. Returns 0; -EBUSY when there is a root that has not ended, -ECANCELED after a
 * shutdown, or -ENOMEM. */
EFF_API int eff_rt_attach(struct eff_rt *rt, eff e);
/* The descriptor that is readable (level-triggered) while eff_rt_turn() has something to do. It is the runtime's and always
 * the same; only watch it. Not from a fiber. Returns it, or -errno. */
EFF_API int eff_rt_fd(struct eff_rt *rt);
/* Run fibers that are ready, each once and 256 at most, look at descriptors without waiting, fire what is due. Not from a
 * fiber. Returns true while the root fiber lives. */
EFF_API bool eff_rt_turn(struct eff_rt *rt);
/* Interrupt all fibers and run until they have ended, at most `grace_ns` of the runtime's clock. Not from a fiber.
 * Returns 0, or -ETIMEDOUT when some are left, after telling who they are and what they wait for. Idempotent. */
EFF_API int eff_rt_shutdown(struct eff_rt *rt, int64_t grace_ns);
/* After eff_rt_shutdown() returned 0, or eff_rt_run() with no daemon fibers left. NULL is fine. */
EFF_API void eff_rt_free(struct eff_rt *rt);
/* The runtime of this thread; NULL when there is none. */
EFF_API struct eff_rt *eff_rt_current(void);

/* Counted since the start: what costs are in proportion to. */
struct eff_rt_stats {
	uint64_t turns, switches, forks, fibers_live, fibers_peak, timers_armed;
	size_t stack_bytes_mapped;
};
EFF_API void eff_rt_stats(const struct eff_rt *rt, struct eff_rt_stats *ret_stats);
/* Call `each` with every fiber that has not ended, in the order of their births. */
EFF_API void eff_rt_each(struct eff_rt *rt,
	void (*each)(void *context, const struct eff_fiber_info *info), void *context);

/* Say what every fiber does, a line each: its id and name, its state, what it waits for and how long yet, the limit it is
 * under, its age, the fiber that owns it, the one that forked it if that is another, its stack in bytes: used now, asked
 * for, and ever touched (see eff_fiber_stack_peak()). As a list in the order of births, or as a tree in which what a fiber
 * owns is indented below it; without memory for that, as a list. In the runtime's thread, from a fiber or not; elsewhere,
 * and in a signal handler, let eff_rt_post() do it. Does not suspend; `fn` must not either. A line has no newline and
 * lives until `fn` returns. */
enum eff_dump { EFF_DUMP_LIST, EFF_DUMP_TREE };
typedef void eff_dump_fn(void *context, const char *line);
EFF_API void eff_rt_dump(struct eff_rt *rt, enum eff_dump how, eff_dump_fn *fn, void *context);
/* A ready-made one: writes the line to stderr. */
EFF_API void eff_dump_stderr(void *context, const char *line);

/* The runtime's seeded source. */
EFF_API uint64_t eff_random(void);
EFF_API double eff_random_unit(void); /* [0, 1) */

/* The only call that another thread or a signal handler may make: run fn(node) in the loop soon. The node is the caller's;
 * posted again before it ran is one run. */
struct eff_post {
	struct eff_post *next;
	void (*fn)(struct eff_post *post);
	int posted;
};
EFF_API void eff_rt_post(struct eff_rt *rt, struct eff_post *post);
/* Say that one more (1), or one less (-1), may yet post from outside. As long as there are such it is no deadlock when all
 * fibers wait, which it is at once otherwise: nobody else can know of them. In the runtime's thread. Does not suspend. */
EFF_API void eff_rt_expect(struct eff_rt *rt, int change);

/* Have fn(arg) called at the end of each turn, when those that were ready have run and before anything is waited for; for
 * what is cheaper done once for all of them. Outside of fibers: it does not wait. One at a time; NULL: none. */
EFF_API void eff_rt_on_turn(struct eff_rt *rt, void (*fn)(void *arg), void *arg);

#endif
