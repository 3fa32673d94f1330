/* SPDX-License-Identifier: MIT */
/* What a child does before its program, in the order that is safe.
 *
 * Limits come while they may still be raised. Groups change before the group before the user; the folder is entered with
 * the rights that the program will have. The signal at effd's death comes last, since a change of ids forgets it. The word
 * of a step is the field it is for, and os_step_fault() makes of it what people are told. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "base/arena.h"
#include "os/internal.h"

enum { MOST_STEPS = TERMS_N_LIMITS + 8 };

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

static void ids_add(struct steps *steps, const struct os_spawn *spawn, const struct ids *ids)
{
	const char *stage = spawn->group ? "group" : "user";

	if (!ids || !os_ids_change(ids))
		return;
	os_step_add(steps,
		(struct eff_step){.kind = EFF_STEP_SETGROUPS,
			.stage = stage,
			.ids = {.list = ids->groups, .n = ids->n_groups}});
	os_step_add(steps,
		(struct eff_step){.kind = EFF_STEP_SETGID, .stage = stage, .id = ids->gid});
	if (spawn->user)
		os_step_add(steps,
			(struct eff_step){.kind = EFF_STEP_SETUID, .stage = "user", .id = ids->uid});
	steps->own_memory = true;
}

static bool folder_add(struct steps *steps, struct arena *arena, const struct os_spawn *spawn)
{
	const char *dir = spawn->working_dir ? arena_strdup(arena, spawn->working_dir) : NULL;

	if (dir)
		os_step_add(steps,
			(struct eff_step){.kind = EFF_STEP_CHDIR, .stage = "chdir", .path = dir});
	return dir || !spawn->working_dir;
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
	for (int resource = 0; resource < TERMS_N_LIMITS; resource++)
		limit_add(ret, os, spawn, resource);
	ids_add(ret, spawn, ids);
	if (!folder_add(ret, arena, spawn))
		return false;
	os_step_add(ret,
		(struct eff_step){.kind = EFF_STEP_DEATHSIG, .stage = "fork", .number = SIGKILL});
	return true;
}

static const char *limit_named(const char *word)
{
	for (int resource = 0; resource < TERMS_N_LIMITS; resource++)
		if (strcmp(terms_limit_name(resource), word) == 0)
			return terms_limit_name(resource);
	return NULL;
}

void os_step_fault(const struct os_spawn *spawn, const char *word, struct os_fault *fault)
{
	const struct {
		const char *stage, *what;
	} known[] = {{"user", spawn->user}, {"group", spawn->group},
		{"chdir", spawn->working_dir}, {"exec", spawn->argv[0]}};

	fault->stage = "fork";
	fault->what = spawn->argv[0];
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].stage, word) != 0)
			continue;
		fault->stage = known[i].stage;
		fault->what = known[i].what;
		return;
	}
	if (limit_named(word)) {
		fault->stage = "rlimit";
		fault->what = limit_named(word);
	}
}
