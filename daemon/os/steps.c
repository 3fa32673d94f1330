/* SPDX-License-Identifier: MIT */
/* What a child does before its program, in the order that is safe.
 *
 * The score for the kernel's killer comes first, for it takes a descriptor, which a limit might refuse; then limits, which
 * may allow a priority, then priorities. Another view of the files is entered, another root in it, and capabilities are
 * bounded, while that may be done; they are ambient only when all others are gone, and in between groups change before the
 * group before the user. The folder is entered with the rights that the program will have. The signal at effd's death
 * follows, since a change of ids forgets it, then what forbids to gain anything, and last a filter. The word of a step is the field it is
 * for, and os_step_fault() makes of it what people are told. */
#include <linux/filter.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "base/arena.h"
#include "os/internal.h"

enum { MOST_STEPS = TERMS_N_LIMITS + 21, IO_CLASS_SHIFT = 13, IO_LEVEL_USUAL = 4 };

void os_step_add(struct steps *steps, struct eff_step step)
{
	steps->list[steps->n++] = step;
}

/* The half that is not given is effd's; descriptors have a soft limit that effd raised for itself alone. */
static void limit_add(struct steps *steps, const struct os_linux *os,
	const struct os_spawn *spawn, int resource)
{
	const struct terms_limit *limit = spawn->terms ? &spawn->terms->limits[resource] : NULL;
	bool given = limit && (limit->has_soft || limit->has_hard);
	struct rlimit value = os->nofile;

	if (!given && !(resource == RLIMIT_NOFILE && os->set_nofile))
		return;
	if (resource != RLIMIT_NOFILE)
		(void)getrlimit((__rlimit_resource_t)resource, &value);
	if (given && limit->has_hard)
		value.rlim_max = (rlim_t)limit->hard;
	if (given && limit->has_soft)
		value.rlim_cur = (rlim_t)limit->soft;
	else if (value.rlim_cur > value.rlim_max)
		value.rlim_cur = value.rlim_max;
	os_step_add(steps,
		(struct eff_step){.kind = EFF_STEP_RLIMIT,
			.stage = terms_limit_name(resource),
			.limit = {.resource = resource, .value = value}});
}

/* The kernel knows a fifth policy between BATCH and IDLE, which nobody may have. */
static int policy_of(enum terms_sched sched)
{
	static const int policies[] = {SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE};

	return policies[sched];
}

static bool is_realtime(enum terms_sched sched)
{
	return sched == TERMS_SCHED_FIFO || sched == TERMS_SCHED_RR;
}

/* Class and level in one. */
static int ioprio_of(const struct terms *terms)
{
	uint32_t level = terms->given & TERMS_IONICE_LEVEL ? terms->ionice_level : IO_LEVEL_USUAL;

	if (terms->ionice == TERMS_IO_NONE || terms->ionice == TERMS_IO_IDLE)
		level = 0;
	return (int)((uint32_t)terms->ionice << IO_CLASS_SHIFT | level);
}

static void priorities_add(struct steps *steps, const struct terms *terms)
{
	if (terms->given & TERMS_NICE)
		os_step_add(steps,
			(struct eff_step){.kind = EFF_STEP_NICE,
				.stage = "priority.nice",
				.number = terms->nice});
	if (terms->given & TERMS_IONICE)
		os_step_add(steps,
			(struct eff_step){.kind = EFF_STEP_IOPRIO,
				.stage = "priority.ionice",
				.number = ioprio_of(terms)});
	if (terms->given & TERMS_SCHED)
		os_step_add(steps,
			(struct eff_step){.kind = EFF_STEP_SCHEDULER,
				.stage = "priority.sched",
				.sched = {.policy = policy_of(terms->sched),
					.priority = is_realtime(terms->sched) ? (int)terms->sched_priority
									      : 0}});
}

static bool cpus_add(struct steps *steps, struct arena *arena, const struct terms *terms)
{
	struct terms_cpus *cpus;

	if (!(terms->given & TERMS_CPUS))
		return true;
	cpus = arena_alloc(arena, sizeof(*cpus));
	if (!cpus)
		return false;
	*cpus = terms->cpus;
	os_step_add(steps,
		(struct eff_step){.kind = EFF_STEP_AFFINITY,
			.stage = "priority.cpus",
			.mask = {.list = cpus->words,
				.n = sizeof(cpus->words) / sizeof(cpus->words[0])}});
	return true;
}

/* The kernel gives the score to all that share its memory, so it shares none. */
static bool oom_add(struct steps *steps, struct arena *arena, const struct terms *terms)
{
	const char *text;

	if (!(terms->given & TERMS_OOM_SCORE_ADJ))
		return true;
	text = arena_printf(arena, "%d", terms->oom_score_adj);
	if (!text)
		return false;
	os_step_add(steps,
		(struct eff_step){.kind = EFF_STEP_WRITE,
			.stage = "priority.oom_score_adj",
			.file = {.path = "/proc/self/oom_score_adj", .text = text}});
	steps->own_memory = true;
	return true;
}

static void ids_add(struct steps *steps, const struct os_spawn *spawn, const struct ids *ids)
{
	const char *stage = spawn->group ? "group" : "user";

	if (!ids || !os_ids_change(ids))
		return;
	os_step_add(steps,
		(struct eff_step){.kind = EFF_STEP_SETGROUPS,
			.stage = spawn->groups ? "group" : stage,
			.ids = {.list = ids->groups, .n = ids->n_groups}});
	os_step_add(steps,
		(struct eff_step){.kind = EFF_STEP_SETGID, .stage = stage, .id = ids->gid});
	if (spawn->user)
		os_step_add(steps,
			(struct eff_step){.kind = EFF_STEP_SETUID, .stage = "user", .id = ids->uid});
	steps->own_memory = true;
}

/* Capabilities are taken away while that may still be done. */
static void bounds_add(struct steps *steps, const struct terms *terms)
{
	if (!(terms->given & TERMS_CAPABILITIES))
		return;
	os_step_add(steps,
		(struct eff_step){.kind = EFF_STEP_BOUNDING,
			.stage = "security.capabilities",
			.capabilities = terms->capabilities});
	steps->own_memory = true;
}

/* A change of ids takes them all away, but for what it is told to leave; only then can some be ambient. */
static void keep_add(struct steps *steps, const struct os_spawn *spawn)
{
	if (spawn->terms->ambient && spawn->user)
		os_step_add(steps,
			(struct eff_step){.kind = EFF_STEP_KEEP_CAPS, .stage = "security.ambient"});
}

/* effd's own are for nobody who did not ask. */
static void ambient_add(struct steps *steps, const struct os_linux *os, const struct terms *terms)
{
	uint64_t ambient = terms ? terms->ambient : 0;

	if (!ambient && !os->has_ambient)
		return;
	os_step_add(steps,
		(struct eff_step){.kind = EFF_STEP_AMBIENT,
			.stage = "security.ambient",
			.capabilities = ambient});
	steps->own_memory |= ambient != 0;
}

/* `path`, NULL: none, in a step of that kind. */
static bool path_add(struct steps *steps, struct arena *arena, struct eff_step step, const char *path)
{
	step.path = path ? arena_strdup(arena, path) : NULL;
	if (step.path)
		os_step_add(steps, step);
	return step.path || !path;
}

static void view_add(struct steps *steps, const struct os_spawn *spawn)
{
	if (os_view_fd(spawn) > 0)
		os_step_add(steps,
			(struct eff_step){.kind = EFF_STEP_NAMESPACE,
				.stage = spawn->private_tmp ? "security.private_tmp"
							    : "security.read_only_paths",
				.number = (int)os_view_fd(spawn)});
}

bool os_steps_make(struct arena *arena, const struct os_linux *os, const struct os_spawn *spawn,
	const struct ids *ids, struct steps *ret)
{
	*ret = (struct steps){.list = arena_alloc(arena, MOST_STEPS * sizeof(*ret->list))};
	if (!ret->list)
		return false;
	os_step_add(ret,
		(struct eff_step){
			.kind = EFF_STEP_UMASK, .stage = "fork", .number = (int)spawn->umask});
	if (spawn->terms && !oom_add(ret, arena, spawn->terms))
		return false;
	for (int resource = 0; resource < TERMS_N_LIMITS; resource++)
		limit_add(ret, os, spawn, resource);
	if (spawn->terms)
		priorities_add(ret, spawn->terms);
	if (spawn->terms && !cpus_add(ret, arena, spawn->terms))
		return false;
	view_add(ret, spawn);
	if (!path_add(ret, arena, (struct eff_step){.kind = EFF_STEP_CHROOT, .stage = "root"},
		    spawn->root_dir))
		return false;
	if (spawn->terms)
		bounds_add(ret, spawn->terms);
	if (spawn->terms)
		keep_add(ret, spawn);
	ids_add(ret, spawn, ids);
	ambient_add(ret, os, spawn->terms);
	if (!path_add(ret, arena, (struct eff_step){.kind = EFF_STEP_CHDIR, .stage = "chdir"},
		    spawn->working_dir))
		return false;
	os_step_add(ret,
		(struct eff_step){.kind = EFF_STEP_DEATHSIG, .stage = "fork", .number = SIGKILL});
	if (spawn->filter || (spawn->terms && spawn->terms->no_new_privileges))
		os_step_add(ret,
			(struct eff_step){.kind = EFF_STEP_NO_NEW_PRIVS,
				.stage = "security.no_new_privileges"});
	return true;
}

bool os_filter_add(struct steps *steps, struct arena *arena, const struct filter *filter)
{
	struct sock_filter *list;

	if (!filter)
		return true;
	list = arena_alloc(arena, filter->n * sizeof(*list));
	if (!list)
		return false;
	memcpy(list, filter->list, filter->n * sizeof(*list));
	os_step_add(steps,
		(struct eff_step){.kind = EFF_STEP_FILTER,
			.stage = "security.seccomp",
			.filter = {list, filter->n}});
	return true;
}

static const char *limit_named(const char *word)
{
	for (int resource = 0; resource < TERMS_N_LIMITS; resource++)
		if (strcmp(terms_limit_name(resource), word) == 0)
			return terms_limit_name(resource);
	return NULL;
}

/* "priority.nice": a section of the tree is a stage, and the field in it is what it was about. */
static bool in_section(const char *word, const char *section, struct os_fault *fault)
{
	size_t len = strlen(section);

	if (strncmp(word, section, len) != 0 || word[len] != '.')
		return false;
	fault->stage = section;
	fault->what = word + len + 1;
	return true;
}

void os_step_fault(const struct os_spawn *spawn, const char *word, struct os_fault *fault)
{
	const struct {
		const char *stage, *what;
	} known[] = {{"user", spawn->user},
		{"group", spawn->group || !spawn->groups ? spawn->group : spawn->groups[0]},
		{"root", spawn->root_dir}, {"chdir", spawn->working_dir}, {"exec", spawn->argv[0]}};

	fault->stage = "fork";
	fault->what = spawn->argv[0];
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].stage, word) != 0)
			continue;
		fault->stage = known[i].stage;
		fault->what = known[i].what;
		return;
	}
	if (in_section(word, "priority", fault) || in_section(word, "security", fault))
		return;
	if (limit_named(word)) {
		fault->stage = "rlimit";
		fault->what = limit_named(word);
	}
}
