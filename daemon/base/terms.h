/* SPDX-License-Identifier: MIT */
/* The terms that a process runs on, besides whom it is and where: its limits, how it is scheduled, what it may do. The plan
 * says them, and the seam to the kernel sees to them. Plain data, without a pointer. */
#ifndef EFFD_TERMS_H
#define EFFD_TERMS_H

#include <stdbool.h>
#include <stdint.h>

#define TERMS_N_LIMITS 16
#define TERMS_INFINITY UINT64_MAX

/* A limit of which one half is not given has that half from effd. */
struct terms_limit {
	uint64_t soft, hard; /* as the kernel counts it; TERMS_INFINITY */
	bool has_soft, has_hard;
};

enum terms_ionice { TERMS_IO_NONE, TERMS_IO_REALTIME, TERMS_IO_BEST_EFFORT, TERMS_IO_IDLE };
enum terms_sched {
	TERMS_SCHED_OTHER,
	TERMS_SCHED_FIFO,
	TERMS_SCHED_RR,
	TERMS_SCHED_BATCH,
	TERMS_SCHED_IDLE
};

/* What of them was given, where no value could tell. */
enum {
	TERMS_NICE = 1,
	TERMS_OOM_SCORE_ADJ = 2,
	TERMS_IONICE = 4,
	TERMS_IONICE_LEVEL = 8,
	TERMS_CPUS = 16,
	TERMS_SCHED = 32,
	TERMS_SCHED_PRIORITY = 64,
	TERMS_CAPABILITIES = 128,
	TERMS_CGROUP_SHIFT = 8, /* from here on those of the control group, in their order */
};

/* The limits of a control group, in the order of their list. */
enum terms_cgroup_limit {
#define CGROUP_LIMIT(symbol, name, type, least, most, controller, file, none, help) \
	TERMS_##symbol,
#include "base/cgroup.def"
#undef CGROUP_LIMIT
	TERMS_N_CGROUP
};
#define TERMS_CGROUP (((1U << TERMS_N_CGROUP) - 1) << TERMS_CGROUP_SHIFT)
struct terms_cgroup {
	uint64_t memory_max, memory_high; /* bytes */
	double cpu_max;                   /* 1.0 is a whole processor */
	uint32_t cpu_weight, pids_max, io_weight;
};

#define TERMS_N_CPUS 1024
#define TERMS_CPUS_BITS (8 * sizeof(unsigned long)) /* in a word of the mask */
struct terms_cpus {
	unsigned long words[TERMS_N_CPUS / TERMS_CPUS_BITS];
};

struct terms {
	struct terms_limit limits[TERMS_N_LIMITS]; /* by RLIMIT_… */
	unsigned given;                            /* TERMS_NICE … */
	int nice, oom_score_adj;
	enum terms_ionice ionice;
	uint32_t ionice_level;
	enum terms_sched sched;
	uint32_t sched_priority; /* of FIFO and RR */
	struct terms_cpus cpus;
	struct terms_cgroup cgroup;
	uint64_t capabilities,
		ambient; /* bit n: capability n; what it may ever have, and has without being root */
	bool no_new_privileges;
};

/* "nofile" */
const char *terms_limit_name(int resource);
/* Was any limit of a control group given? */
static inline bool terms_limit_a_cgroup(const struct terms *terms)
{
	return terms && terms->given & TERMS_CGROUP;
}
/* "NET_RAW"; NULL: there is none of that number. */
const char *terms_capability_name(unsigned number);
#define TERMS_N_CAPABILITIES 64

#endif
