/* SPDX-License-Identifier: MIT */
/* A unit: one thing that is kept running, a process, an in-process fiber, or a group of further units.
 *
 * wanted    the standing wish that it runs. An operator, `activate`, or one that requires it changes it; an end never does.
 * held      an operator stopped it: nothing automatic starts it again.
 * state     where its story is, for people and for those who wait for it. It is written by unit_enter() alone, and a unit
 *           never branches on its own.
 * why       why its present run is being ended by effd, set by who ends it: unit_leave(). No such word: it ended by itself.
 * fault     what effd found wrong with the run (a probe, a timeout): then it ends, and is judged, as by itself.
 * last_exit how its last run ended: the one typed cause that policy, JSON and people read.
 *
 * A unit runs from `spec`, a row of a plan that it holds a reference on. A reload that changes nothing that the process
 * was made from moves the unit to the new plan at once (live fields then hold from the next look at them on, and what bounds
 * the run that there is, by what they are then); else the new row waits in `next` until the run has ended. */
#ifndef EFFD_UNIT_H
#define EFFD_UNIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <eff.h>

#include "base/cause.h"
#include "base/text.h"
#include "os/os.h"
#include "plan/plan.h"
#include "wire/states.h"

struct unit;
struct ring;
struct effd_fiber;

/* An edge of depends_on, seen from either end: what the newest plan's row says, and who is at the other end. */
struct unit_need {
	const struct plan_need *need;
	struct unit *unit;
};

/* What happened, upwards. Nothing here suspends. */
struct unit_hooks {
	void (*on_state)(struct unit *u, enum unit_state from, enum unit_state to);
	/* A run begins, by what a reload has put in the last one's place; its state may be the one that the last one had. */
	void (*on_begin)(struct unit *u);
	/* "left_behind", "log_lost", "stuck", "limit_failed" …, with words for people. */
	void (*on_event)(struct unit *u, const char *kind, const char *text);
};

/* Files put aside that are to be compressed; archive.c's. */
struct archives {
	struct archive_wish *wishes;
	bool is_at_it, told;
};
void archives_done(struct archives *archives);

/* Output that was lost. */
struct losses {
	eff_ns told_at; /* of the last word about it; -1: none */
	eff_ns over_at; /* of the last word that it is over; -1: none */
	uint64_t bytes; /* of which there was no word yet */
};

/* Large buffers between two uses; logs.c's. */
enum { N_LOG_SPARES = 3 };
struct log_spares {
	struct text list[N_LOG_SPARES];
	unsigned n;
};

struct held; /* a socket that effd opens, and keeps over the runs of those that are given it; sockets.c's */
struct sockets {
	struct held *list;       /* all that units of the tree name */
	struct held *gone;       /* that none names any more, and somebody uses or has */
	struct eff_pulse opened; /* one was, or could not be, or what was in its way is gone */
};

/* What all units of a tree share. The tree's. */
struct unit_world {
	struct os *os;
	const struct unit_hooks *hooks;
	struct unit *root;        /* who tells what nobody else can */
	const char *log_dir;      /* for `log: {stdout: file}` without a path */
	const char *state_dir;    /* what must outlive effd; NULL: nothing can */
	struct eff_scope *beside; /* where work on logs is done; NULL: the tree does not run */
	struct eff_list logs;     /* log files that are written to; logs.c's */
	struct eff_list log_folders;   /* with something to do; logs.c's */
	struct eff_pulse logs_settled; /* one of those has nothing to do any more */
	struct log_spares log_spares;
	size_t log_waiting; /* bytes that wait beside log files */
	struct archives archives;
	struct sockets sockets;
	struct eff_pulse output; /* some unit has a new line in its ring */
	struct eff_list unwritten; /* units of which the status file does not know all yet, if there is one */
	uint64_t next_line; /* lines are numbered through the whole tree */
	uint64_t n_made;    /* units, so far */
	/* Find the entry of a module; the tree's, with dlopen. Returns 0, or -errno with a reason. */
	int (*fiber_entry)(
		const struct plan_unit *spec, eff_fn **ret_entry, const char **ret_reason);
};

enum unit_health {
	UNIT_HEALTH_NONE,
	UNIT_HEALTH_UNKNOWN,
	UNIT_HEALTH_PASSING,
	UNIT_HEALTH_FAILING
};

struct unit {
	struct eff_child child; /* of its parent's supervisor; `failures` is its k */
	struct unit_world *world;
	struct unit *parent;           /* NULL: the root */
	struct plan *plan, *next_plan; /* references; next_plan NULL: nothing waits */
	const struct plan_unit *spec, *next;
	const char *name; /* its own copy, behind all else: outlives plans */
	uint64_t id; /* no other has had it, as another may have the same name, or lie in the same place */

	/* The others that its edges name, in the order of the newest plan's row. The tree's arrays. */
	struct unit_need *needs, *needed_by;
	struct unit **after, **before, **conflicts;
	uint32_t n_needs, n_after, n_needed_by, n_before, n_conflicts;

	/* What is shown of it, together: of thousands it is looked at in one go. */
	enum unit_state state;
	enum unit_health health;
	pid_t pid; /* 0: none */
	bool wanted, held, by_operator;
	bool gave_way; /* unwanted since one that it conflicts with was started by hand */
	bool listens; /* it is on demand, and effd listens for it: who depends on it need not wait */
	bool leaving; /* its run has been told to end; until the next run begins */
	bool ending; /* its run ends by itself, by its own word or as what is left is cleared away; until the next run begins */
	bool started; /* its program has been executed and has not ended */
	bool ended;   /* its run has ended by itself; until it rests or begins again */
	bool stuck; /* something of it survived the final signal; of a group: nothing else is left */
	eff_ns since, since_wall; /* of the state */
	struct cause *cause;      /* of the state; NULL */
	struct cause *last_exit, *why, *fault;
	char *status_text; /* of the present run; NULL. unit_say() writes it */
	uint64_t starts, restarts;
	uint64_t log_lost_bytes;
	struct eff_pulse changed; /* sent by unit_enter(), when its wish, edges or row change, and at a line that a probe awaits */

	struct eff_list unwritten; /* in the world's */
	uint32_t place;            /* in the status file; its writer's */
	uint32_t reloads;          /* so many commands of its own reload run */
	bool tells_ready;          /* its on_ready runs */
	bool settled; /* has once been up, done, failed, in backoff, or waits for such */
	bool removed; /* a reload, or an operator, took it out of the tree: it goes when it rests */
	bool forget;     /* it was added, and has ended for good: it is to leave the tree */
	bool group_open; /* a supervisor whose `sup` is open */
	bool in_round;   /* a group round has taken it out of `up` */
	bool ended_well; /* the last run that ended by itself: it was no failure, and no failed start */
	bool kill_now; /* its graces are cut short, until the next run begins */
	uint32_t n_said; /* changes of its state since `said_since` were to be in the log; the tree's */
	uint32_t n_words; /* so often status_text was another */
	eff_ns said_since;
	uint64_t ends; /* runs that ended by themselves, for who waits for an attempt */
	uint64_t began, left_up; /* the events with which its run began, and it left up the last time; the tree's */
	uint64_t verbs; /* by operators so far, the tree counts them: a later one takes over */
	uint64_t in_set; /* the last set of the tree that it was put into, or the last look that went by it */
	struct lingering *lingering; /* commands of its run that were killed and are not gone; command.c's */
	struct unit *awaits; /* whom it waits for now; NULL */

	uint32_t n_users; /* fibers besides its own that are at work on it: it is not freed under them */
	bool run_queued; /* another run was due while this one goes on */
	bool clock_off;  /* the fiber is to end */
	bool visited;    /* somebody has come to one of its sockets since they are watched */
	struct eff_fiber *clock; /* waits for the next moment of its schedule, or for who comes to its sockets; NULL */
	eff_ns due_at; /* of its next scheduled run, of the runtime's clock; -1 */

	struct eff_scope *run;     /* the present run's scope, for faults; NULL */
	struct eff_scope *grace;   /* the present grace; cancelled by unit_kill_now() */
	struct eff_scope *watched; /* while it is up: of the fibers that watch it; NULL */
	struct limit *limited; /* by start_timeout, max_runtime, the grace: the innermost that runs; NULL. limit.c's */
	struct os_child *process; /* of the present run; NULL */
	struct os_view *view; /* of the files, for all of the present run; NULL: effd's, so far */
	struct os_kept *kept; /* from one run to the next, while it is not at rest; NULL: none is */
	char *lacks;          /* what its start still waits for, if that can be said; NULL */
	struct liveness *liveness; /* the questions of its liveness probe, while there are any; NULL. probe.c's */
	bool watches_readiness, watches_liveness; /* one of `watched` is the probe's */
	bool reloading, says_stopping;            /* by its own word */
	uint16_t last_run; /* the run that ended with last_exit: the last bits of `starts` then */
	uint8_t lines_seen; /* bit 0: what startup_probe.log waits for was there, bit 1: readiness_probe's */

	struct ring *ring; /* its last lines; NULL until there are any */
	struct losses losses; /* of a fiber's lines, each of which has a sink and a file of its own */

	/* A supervisor has one, while group_open; others have no room for it. Behind it, or in its place, stands the name. */
	struct eff_sup sup[];
};

/* In the frame of who is bounded by it. */
typedef eff_ns limit_of(const struct plan_unit *spec);
struct limit {
	struct limit *outer;
	struct eff_scope within;
	limit_of *allows;
	eff_ns from, at;
	eff_ns asked_at; /* until when more was asked for; 0: it was not */
};

static inline struct unit *unit_of(struct eff_child *child)
{
	return eff_container(child, struct unit, child);
}

/* ── logs.c: log files of the world ── */

void logs_init(struct unit_world *world);
/* Suspends until all that waits is in its file, or lost. 0, -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int logs_await(struct unit_world *world);
/* Nothing waits, or runs, any more. */
void logs_done(struct unit_world *world);

/* Make a unit at rest (`down`). Takes a reference on the plan. NULL: out of memory. */
struct unit *unit_new(struct unit_world *world, struct plan *plan, const struct plan_unit *spec,
	struct unit *parent);
/* At rest. NULL is fine. Wakes who still waits for it. */
void unit_free(struct unit *u);
/* Hand it the row of a newer plan: at once when it rests or `now`; else when its present run has ended. */
void unit_adopt(struct unit *u, struct plan *plan, const struct plan_unit *spec, bool now);

/* ── output.c ── */

/* The path of its log, for a target that is a file. Appended. */
void unit_log_path(const struct unit *u, const struct plan_log_target *target, struct text *to);

/* ── life.c: the story ── */

/* One run of a process or a fiber: wait for needs, start, up, await the end, stop, judge. An effect. Suspends. */
EFF_SUSPENDS eff_exit unit_run(void *arg);
/* The same pieces for a group's story. */
void unit_begin(struct unit *u);
/* How the run ended, as the exit that the supervisor judges by: from why, fault and `end` (borrowed; NULL: nothing ran). An
 * end before it was ready is a failed start, and never clean. Writes last_exit. */
eff_exit unit_end(struct unit *u, struct cause *end, bool before_ready);
/* Its own reload: the signal or the command of its row. -ENOTSUP when it has none, -ESRCH when nothing runs. */
int unit_may_reload(const struct unit *u);
/* Do it. Suspends. 0; as unit_may_reload(); -EIO when the command failed or hung, -ECHILD when it could not be executed, both with words
 * for how ("exit 3"; the caller's, NULL: no memory); -ETIME when it does not say in time that it is done, -EINTR when the run
 * ended meanwhile, -ECANCELED. */
EFF_SUSPENDS int unit_reload(struct unit *u, char **ret_words);
/* The unit that a fiber is. */
struct unit *fiber_unit(const struct effd_fiber *self);
/* The built-in fiber of this name, of those that need no more than a module has; NULL: none. */
eff_fn *builtin_fiber(const char *name);

/* ── sockets.c ── */

/* All that enabled units of a plan name: those that are there already are to stay, others are not open yet. 0 or -ENOMEM. */
int sockets_make(struct plan *plan, struct held **ret_list);
/* They take the place of those that are there, which are closed. */
void sockets_take(struct unit_world *world, struct held *list);
/* Open those that are not open. What cannot be is told by `root` and tried again when a unit that is given it starts. Suspends.
 * 0 or -ECANCELED. */
EFF_SUSPENDS int sockets_open(struct unit_world *world, struct unit *root);
/* Close them all; `list`: one that nobody has taken. */
void sockets_close(struct unit_world *world);
void sockets_unmake(struct held *list);
/* Open those of the unit's row, whose plan the caller keeps, that are not open. Suspends. 0; -ECHILD with *ret_fault, which is
 * good until the next suspension; -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int sockets_ensure(struct unit *u, struct os_fault *ret_fault);
bool sockets_are_open(const struct unit *u);
/* When somebody comes to one of the unit's sockets, or is there already, `visited` is set and `changed` sent; once. Asking
 * again is fine. Does not suspend. 0 or -ENOMEM. */
int sockets_watch(struct unit *u);
void sockets_unwatch(struct unit *u);
/* Does effd listen there? For who shows it. */
bool socket_is_open(const struct unit_world *world, const struct plan_socket *spec);

/* ── hook.c ── */

struct hook_call {
	const struct plan_hook *hook;
	const char *name;
	const struct cause *cause; /* what has happened; NULL: nothing that has a name */
	char *words; /* why it failed: "pre_start: exit 3", the caller's; NULL: it did not, or no memory */
};
/* Run it, if there is one. Suspends. 0; -EIO, -ECHILD, -ENOMEM with words; -ECANCELED, -ETIMEDOUT of somebody around. */
EFF_SUSPENDS int hook_run(struct unit *u, struct hook_call *call);
/* The same, and tell people of a failure. Suspends. */
EFF_SUSPENDS int hook_run_told(struct unit *u, const struct plan_hook *hook, const char *name,
	const struct cause *cause);
/* pre_start. Suspends. 0; -ECHILD when it failed (the unit's fault says why); -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int hook_before_start(struct unit *u);
/* on_ready. An effect, arg: the unit. Suspends. */
EFF_SUSPENDS eff_exit hook_when_ready(void *arg);
/* post_stop; `end`: how it has ended. Masked, kill_now cuts it short. Suspends. */
EFF_SUSPENDS void hook_after_stop(struct unit *u, struct cause *end);
/* on_failure, for last_exit. Suspends. */
EFF_SUSPENDS void hook_after_failure(struct unit *u);

/* ── command.c ── */

/* Its run is over, and what it alone has seen of the files, and its runtime directories, with it. Suspends. */
EFF_SUSPENDS void unit_close_view(struct unit *u);
/* It is at rest: no run follows soon that would need its control group. */
void unit_close_kept(struct unit *u);

/* ── state.c ── */

/* The one place where a state is written. Takes the reference on `cause` (NULL: none). Does not suspend. */
void unit_enter(struct unit *u, enum unit_state state, struct cause *cause);
/* Tell its run to end for `why` (a reference is taken). Cutting the run short is the caller's next line. */
void unit_leave(struct unit *u, struct cause *why);
/* Something is wrong with the run: it ends as by itself. Takes the reference. The first fault counts. */
void unit_fault(struct unit *u, struct cause *fault);
/* What the status file has of it has changed: kept by those below, and by unit_enter() and unit_end(). */
void unit_show(struct unit *u);
void unit_set_pid(struct unit *u, pid_t pid);
void unit_set_health(struct unit *u, enum unit_health health);
/* One more, which may be a restart. */
void unit_count_start(struct unit *u);
/* Its own words are others now. Takes them; NULL: it has none. */
void unit_say(struct unit *u, char *text);
/* Say what its start still waits for, as a probe's last answer. NULL: nothing that has a name. */
void unit_lacks(struct unit *u, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Cut every grace short: the present one, and those of this run to come. */
void unit_kill_now(struct unit *u);
/* Has it, or a group around it, been told to end? */
bool unit_is_leaving(const struct unit *u);
/* What it is, in a sentence: "up", "in backoff", "being stopped". */
const char *unit_phrase(const struct unit *u);
/* Is something of it there, or about to be: not at rest, not merely waiting? */
bool unit_is_active(const struct unit *u);
struct cause *unit_cause(struct unit *u, enum cause_kind kind, struct cause *because,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
/* What its present process has used, and all that came of it where that is counted; false: there is none, or it is not known. */
bool unit_usage(const struct unit *u, struct os_usage *ret_usage);
/* Does it rest, with another run to come by its schedule, or when somebody comes? */
bool unit_awaits_schedule(const struct unit *u);
/* Has a group round stopped it, and its policy is `no`? Then it stays down, as it should, until it or its group is started. */
bool unit_is_left_out(const struct unit *u);
/* The policy of its row as the supervisor takes it. */
struct eff_policy unit_policy(const struct plan_unit *spec);
/* In success_exit? */
bool unit_end_is_clean(const struct plan_unit *spec, const struct cause *end);
bool ends_contain(const struct plan_ends *ends, const struct cause *end);

/* ── needs.c ── */

/* Wait until all that it depends on holds and nothing speaks against a start. Suspends. 0, -ECANCELED. */
EFF_SUSPENDS int unit_await_needs(struct unit *u);
/* Wait until those that require it or come after it, and are on their way out too, are gone. Suspends; masked. */
EFF_SUSPENDS void unit_await_dependants(struct unit *u);
/* The first that it has to wait for once it is its turn; NULL: it could start then. */
struct unit *unit_first_unmet(const struct unit *u);
/* The next of them from place *at on, which is then behind it; NULL: there is none. */
struct unit *unit_unmet_from(const struct unit *u, uint32_t *at);
/* The one whose turn comes before, or else the first of those; NULL: it could start now. */
struct unit *unit_first_awaited(const struct unit *u);
/* Show that it waits for that one. */
void unit_show_waiting(struct unit *u, struct unit *other);
/* Does this need of it hold? */
bool need_holds(const struct plan_need *need, const struct unit *other);
/* Can it come to hold without somebody's doing? */
bool need_can_hold(const struct plan_need *need, const struct unit *other);

#endif
