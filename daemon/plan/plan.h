/* SPDX-License-Identifier: MIT */
/* A plan: what is wanted, as data. It is built from YAML by plan_load(), checked, sealed and from then on const.
 * Every unit of it is a struct plan_unit in declared order, depth first, the root first (index 0). Strings and
 * arrays belong to the plan's arena and live until the last reference to the plan is given back. A running unit
 * keeps a reference on the plan that it was started from, so a reload never pulls a specification away. */
#ifndef EFFD_PLAN_H
#define EFFD_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <eff/time.h>

#include "base/calendar.h"
#include "base/filter.h"
#include "base/terms.h"
#include "plan/logs.h"
#include "plan/probes.h"
#include "plan/signals.h"
#include "plan/sockets.h"
#include "plan/source.h"

struct diags;
struct plan;
struct plan_batch; /* a text that was added to a tree while it ran; the plan's own business */

#define PLAN_FOREVER EFF_FOREVER /* the duration `infinity` */
/* Where programs are looked for when the environment has no PATH. */
#define PLAN_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define PLAN_NONE UINT32_MAX      /* no such unit */
#define PLAN_UNLIMITED UINT32_MAX /* the count `infinity` */

enum plan_kind { PLAN_PROCESS, PLAN_FIBER, PLAN_SUPERVISOR };
enum plan_type { PLAN_EXEC, PLAN_NOTIFY, PLAN_NOTIFY_FD, PLAN_ONESHOT, PLAN_FORKING };
enum plan_activate { PLAN_BOOT, PLAN_MANUAL, PLAN_ON_DEMAND };
enum plan_condition { PLAN_STARTED, PLAN_READY, PLAN_COMPLETED, PLAN_COMPLETED_SUCCESSFULLY };
enum plan_restart { PLAN_ALWAYS, PLAN_ON_SUCCESS, PLAN_ON_FAILURE, PLAN_ON_ABNORMAL, PLAN_NO };
enum plan_stop_mode {
	PLAN_STOP_AUTO,
	PLAN_STOP_GROUP,
	PLAN_STOP_MIXED,
	PLAN_STOP_PROCESS,
	PLAN_STOP_CGROUP
};
enum plan_strategy {
	PLAN_ONE_FOR_ONE,
	PLAN_ONE_FOR_ALL,
	PLAN_REST_FOR_ONE,
	PLAN_SIMPLE_ONE_FOR_ONE
};
enum plan_auto_shutdown { PLAN_AUTO_NEVER, PLAN_AUTO_ANY, PLAN_AUTO_ALL };
enum plan_start_order { PLAN_PARALLEL, PLAN_SEQUENTIAL };
enum plan_give_up { PLAN_GIVE_UP_EXIT, PLAN_GIVE_UP_IDLE };

struct plan_pair {
	const char *name;
	const char *value;
};

/* One edge of depends_on. `condition` is resolved: the strongest that the other can give where none was said. */
struct plan_need {
	uint32_t unit; /* index of the other */
	enum plan_condition condition;
	bool required, restart, bind;
	uint32_t all_of; /* one of those that a name without a number stands for: the first replica; PLAN_NONE: by itself */
	struct plan_place at;
};

/* A set of ends: exit codes, signals, names of causes. */
struct plan_ends {
	uint8_t codes[32]; /* bit n: exit code n */
	uint64_t signals;  /* bit n: signal n */
	uint64_t causes;   /* bit n: enum cause_kind n (base/causes.def) */
};

struct plan_intensity {
	uint32_t max_restarts;
	eff_ns period_ns; /* 0: no limit */
};

struct plan_backoff {
	eff_ns initial_ns;
	double factor;
	eff_ns max_ns;
	double jitter; /* 0.1 is up to 10 % more */
	eff_ns reset_after_ns;
};

enum plan_catch_up { PLAN_CATCH_UP_NO, PLAN_CATCH_UP_ONCE };
enum plan_overlap { PLAN_OVERLAP_SKIP, PLAN_OVERLAP_QUEUE, PLAN_OVERLAP_KILL };

/* When it runs, if not all the time. */
struct plan_schedule {
	bool is_there, by_cron;
	eff_ns every_ns;
	struct cron cron;
	const char *zone;
	eff_ns jitter_ns;
	enum plan_catch_up catch_up;
	enum plan_overlap overlap;
};

/* A command at a turn of a unit's life. */
struct plan_hook {
	plan_strv argv; /* NULL: none */
	eff_ns timeout_ns;
};

struct plan_hooks {
	struct plan_hook pre_start, on_ready, post_stop, on_failure, on_give_up;
};

struct plan_stop {
	int signal, final_signal;
	eff_ns timeout_ns;
	enum plan_stop_mode mode;
	plan_strv command; /* NULL: none */
};

/* One value of a unit as the author gave it (or a `defaults` above did), in canonical text, and where. A field
 * that nobody set has no entry. Sorted by field; `field` is an index into plan_fields(). */
struct plan_value {
	uint16_t field;
	const char *text;
	struct plan_place at;
};

/* Where directories are made. */
enum plan_place_of { PLAN_RUNTIME, PLAN_STATE, PLAN_CACHE, PLAN_LOGS, PLAN_N_PLACES };

/* What few processes are given, apart from the rest, for there are many units. */
struct plan_process {
	struct terms terms;
	const char *root_dir;                 /* NULL: effd's own */
	plan_strv groups;                     /* supplementary_groups, as `group`; NULL: none */
	plan_strv directories[PLAN_N_PLACES]; /* paths below the place; NULL: none */
	mode_t directories_mode;
	bool private_tmp;
	struct filter_rules calls;   /* as they are read; then nothing */
	const struct filter *filter; /* of its system calls; NULL: none */
	plan_strv read_only_paths;   /* absolute; "?PATH" may be missing; NULL: none */
	const struct plan_socket *const *sockets; /* NULL-terminated, in the order of their descriptors; NULL: none */
};

/* What few units say, or many alike: kept apart from the rest, once for those that follow each other and say the same. */
struct plan_rules {
	struct plan_ends success_exit, prevent_exit, force_exit;
	struct plan_probe startup, readiness, liveness;
	struct plan_hooks hooks;
	struct plan_schedule schedule;
};

/* How it is run and kept: of most units what the tree's defaults, or ours, say. Kept apart likewise, and apart from the rules, so
 * that one that has a way of its own costs no more than that. */
struct plan_ways {
	struct plan_backoff backoff;
	eff_ns start_timeout_ns, max_runtime_ns; /* PLAN_FOREVER */
	struct plan_stop stop;
	uint32_t max_restarts; /* PLAN_UNLIMITED */

	/* supervisors */
	enum plan_strategy strategy;
	enum plan_start_order start_order;
	enum plan_auto_shutdown auto_shutdown;
	struct plan_intensity intensity;

	/* processes and fibers */
	eff_ns watchdog_ns;     /* 0: off */
	bool remain_after_exit; /* a oneshot */

	/* processes */
	bool timestamps;
	mode_t umask;
	uint32_t notify_fd;       /* of PLAN_NOTIFY_FD */
	int reload_signal;        /* 0: none */
	plan_strv reload_command; /* NULL: none */
	const char *pid_file;     /* of PLAN_FORKING */
	uint32_t ring_bytes, max_line_bytes;
	struct plan_rotate rotate;
	enum plan_format format;
	enum plan_on_block on_block;

	/* fibers */
	size_t stack_bytes;
};

struct plan_unit {
	const char *name;     /* full: "workers/index"; the root's is "/" */
	const char *key;      /* its own part: "index"; the root's is the tree's name */
	struct plan_place at; /* of its key */
	enum plan_kind kind;
	uint32_t index, parent, next_sibling, first_child,
		n_children; /* PLAN_NONE where there is none */
	uint32_t end;       /* index after its last descendant: [index, end) is its subtree */
	uint32_t replica; /* its number among the replicas of a unit, from 1; 0: that does not say `replicas` */
	uint32_t n_replicas;
	const char *stem; /* the full name of all of them: "workers/fetch" of "workers/fetch@2"; NULL: is none */
	const struct plan_batch *added; /* what it was added with at run time; NULL: it stands in the tree */

	const char *description; /* NULL: none */
	const struct plan_pair *labels;
	uint32_t n_labels;
	bool enabled; /* false also when a supervisor above is disabled */
	enum plan_activate activate;
	bool critical, significant;

	const struct plan_need *needs;
	const uint32_t *after;     /* order only: `after`, others' `before` */
	const uint32_t *needed_by; /* the inverse of needs: who names me in depends_on */
	const uint32_t *before;    /* the inverse of after */
	const uint32_t *conflicts; /* each is in the other's, whoever said it */
	const uint32_t *named_by;  /* of one that was added: who names it, whatever for */
	uint32_t n_needs, n_after, n_needed_by, n_before, n_conflicts, n_named_by;

	enum plan_restart restart;
	const struct plan_rules *rules;
	const struct plan_ways *ways;

	/* processes and fibers */
	enum plan_type type;

	/* of processes, and of the commands beside fibers and supervisors */
	plan_strv environment; /* "NAME=value", sorted, complete but for what `user` and effd add */
	const char *working_dir; /* absolute */

	/* processes */
	plan_strv argv;                  /* command, or {"/bin/sh", "-c", text} */
	const char *user, *group;        /* NULL: effd's own; a name or decimal digits */
	const struct plan_process *more; /* NULL: nothing of it was given */
	struct plan_log_target out, err; /* err: PLAN_LOG_STDOUT by default */

	/* fibers */
	const char *builtin; /* NULL when it is a module */
	const char *module, *entry;
	const struct plan_pair *with; /* nested mappings are flattened: "a.b"; lists: "a.0" */

	const struct plan_value *values;
	uint32_t n_with, n_values;
};

/* Is it wanted as soon as its supervisor begins, be it only to wait for who comes? */
static inline bool plan_unit_boots(const struct plan_unit *unit)
{
	return unit->enabled && unit->activate != PLAN_MANUAL;
}

/* Those that it is given; NULL: none. */
static inline const struct plan_socket *const *plan_unit_sockets(const struct plan_unit *unit)
{
	return unit->more ? unit->more->sockets : NULL;
}

/* The root's `daemon:`. NULL or 0 where the caller's default holds. */
struct plan_daemon {
	const char *socket, *socket_group, *log_level, *log_dir, *state_dir;
	const struct plan_pair *readers; /* name: a user, or "@group"; value unused */
	uint32_t n_readers;
	mode_t socket_mode;
	bool has_socket_mode, subreaper, watch;
	eff_ns shutdown_timeout_ns;
	enum plan_give_up on_give_up;
	uint32_t exit_code_from;                    /* PLAN_NONE */
	struct plan_signal signals[PLAN_N_SIGNALS]; /* by number */
	const struct plan_value *values;
	uint32_t n_values;
};

/* Load the tree at `path` (a file or a folder; made absolute by the caller), check it, seal it. Never suspends, never
 * logs. Returns 0 and a plan with one reference, or -EINVAL with at least one error in `diags`, or -ENOMEM. Warnings
 * go to `diags` too. */
int plan_load(const char *path, const struct plan_source *source, struct plan **ret_plan,
	struct diags *diags);
/* A tree of one unit from a command line: `effd -- COMMAND ARGS…`. restart: no, exit_code_from it. */
int plan_of_command(plan_strv argv, const struct plan_source *source, struct plan **ret_plan,
	struct diags *diags);

/* ── what is added at run time ── */

/* The text of a file that holds `units:`, for a supervisor whose strategy is simple_one_for_one. */
struct plan_addition {
	const char *supervisor; /* its full name */
	const char *file; /* absolute: how diagnostics name it; relative paths are relative to its folder */
	const char *text;
	size_t size;
	char *taken; /* after -EEXIST: the full name that is not free; malloc'd, the caller's */
};
/* As plan_load(); what was added to `present` is laid over the new tree's templates, as far as its supervisors are there
 * still. `present` may be in use by others meanwhile: it is only read. */
int plan_load_again(const char *path, const struct plan_source *source,
	const struct plan *present, struct plan **ret_plan, struct diags *diags);
/* The tree of `present` as it was read, not as its files are now, and the addition. Returns as plan_load(), with warnings
 * about the addition alone; or -EEXIST when a name is taken. `present` is only read. */
int plan_add(const struct plan *present, struct plan_addition *addition,
	const struct plan_source *source, struct plan **ret_plan, struct diags *diags);
/* Did this plan add it, and not one before? */
bool plan_is_new(const struct plan_unit *unit);
/* A plan without these units, and what is below them: `gone` has a mark for each unit of `plan`. None that stays may name
 * one that goes. Returns 0 and a plan with one reference, or -ENOMEM. */
int plan_without(struct plan *plan, const bool *gone, struct plan **ret_plan);

struct plan *plan_ref(struct plan *plan);
void plan_unref(struct plan *plan); /* NULL is fine */

const char *plan_name(const struct plan *plan);
const struct plan_daemon *plan_daemon(const struct plan *plan);
uint32_t plan_n_units(const struct plan *plan);
const struct plan_unit *plan_unit(const struct plan *plan, uint32_t index);
/* By full name; NULL when there is none. */
const struct plan_unit *plan_find(const struct plan *plan, const char *name);
/* All that a full name stands for, which follow each other in the plan: one unit, or the replicas of one that says
 * `replicas`, of which there may be none. False: nothing has this name. */
bool plan_find_all(const struct plan *plan, const char *name, uint32_t *ret_first, uint32_t *ret_n);
/* Every file that the plan was read from, env_files too, NULL-terminated. */
plan_strv plan_files(const struct plan *plan);
/* The env_files that may be missing, and were, likewise. */
plan_strv plan_absent_files(const struct plan *plan);
/* When they began to be read: what the source said. */
eff_ns plan_read_at(const struct plan *plan);

/* The table of fields (fields.def), and where each is a row. */
enum plan_effect { PLAN_LIVE, PLAN_RESTART, PLAN_INSTANCES, PLAN_EFFD };
struct plan_field {
	const char *name; /* dotted: "restart.backoff.initial" */
	enum plan_effect effect;
	const char *preset; /* the default, as text; NULL: none */
	const char *help;
};
uint32_t plan_n_fields(void);
const struct plan_field *plan_field(uint32_t field);

#endif
