/* SPDX-License-Identifier: MIT */
/* The steps that a child takes before its program. It is all bare code: see bare.h. Whoever spawns decides on their order;
 * here each is taken whole, or says why it was not. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bare.h"
#include "spawn.h"

#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT 47
#define PR_CAP_AMBIENT_RAISE 2
#define PR_CAP_AMBIENT_CLEAR_ALL 4
#endif

enum { IOPRIO_WHO_PROCESS = 1, MOST_CAPABILITIES = 64 };

/* ── who it is ── */

/* -1 would mean "leave it as it is", and leaving root as it is is what must not happen. */
BARE static long take_uid(uint32_t id)
{
	long r = id == UINT32_MAX ? -EINVAL : CALL(SYS_setresuid, id, id, id);

	if (r >= 0 && id != 0 && CALL(SYS_setuid, 0) == 0)
		return -EPERM;
	return r;
}

BARE static long take_gid(uint32_t id)
{
	return id == UINT32_MAX ? -EINVAL : CALL(SYS_setresgid, id, id, id);
}

/* ── how it is scheduled ── */

BARE static long take_scheduler(int policy, int priority)
{
	struct sched_param param;

	param.sched_priority = priority;
	return CALL(SYS_sched_setscheduler, 0, policy, (long)&param);
}

/* ── what it may do ── */

/* Both halves of what the kernel keeps of a process, as it wants to be asked. */
struct capabilities {
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct halves[2];
};

BARE static long capabilities_get(struct capabilities *caps)
{
	caps->head.version = _LINUX_CAPABILITY_VERSION_3;
	caps->head.pid = 0;
	return CALL(SYS_capget, (long)&caps->head, (long)caps->halves);
}

BARE static long capabilities_set(struct capabilities *caps)
{
	return CALL(SYS_capset, (long)&caps->head, (long)caps->halves);
}

/* What is inheritable comes back with a file that has it, whatever the bounding set says, so it is bounded too. */
BARE static long take_bounding(uint64_t keep)
{
	struct capabilities caps = {{0, 0}, {{0, 0, 0}, {0, 0, 0}}};
	long r;

	for (int cap = 0; cap < MOST_CAPABILITIES; cap++) {
		r = CALL(SYS_prctl, PR_CAPBSET_READ, cap, 0, 0, 0);
		if (r == -EINVAL && cap > 0)
			break; /* the kernel knows no further ones */
		if (r > 0 && !(keep >> cap & 1))
			r = CALL(SYS_prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);
		if (r < 0)
			return r;
	}
	r = capabilities_get(&caps);
	if (r < 0)
		return r;
	caps.halves[0].inheritable &= (uint32_t)keep;
	caps.halves[1].inheritable &= (uint32_t)(keep >> 32);
	return capabilities_set(&caps);
}

/* Only what is permitted and inheritable can be ambient. Whatever was ambient before is not. */
BARE static long take_ambient(uint64_t set)
{
	struct capabilities caps = {{0, 0}, {{0, 0, 0}, {0, 0, 0}}};
	long r = CALL(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);

	if (r < 0 || set == 0)
		return r;
	r = capabilities_get(&caps);
	if (r < 0)
		return r;
	caps.halves[0].inheritable |= (uint32_t)set;
	caps.halves[1].inheritable |= (uint32_t)(set >> 32);
	r = capabilities_set(&caps);
	for (int cap = 0; r >= 0 && cap < MOST_CAPABILITIES; cap++)
		if (set >> cap & 1)
			r = CALL(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	return r;
}

BARE static long take_filter(const struct sock_filter *list, unsigned short n)
{
	struct sock_fprog program;

	program.len = n;
	program.filter = (struct sock_filter *)list;
	return CALL(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (long)&program, 0, 0);
}

/* ── where it is ── */

BARE static long take_namespace(int fd)
{
	long r = CALL(SYS_setns, fd, 0);

	CALL(SYS_close, fd);
	return r;
}

BARE static long take_root(const char *path)
{
	static const char root[] = "/";
	long r = CALL(SYS_chroot, (long)path);

	/* Where it was is outside now, and a way out. */
	return r < 0 ? r : CALL(SYS_chdir, (long)root);
}

/* ── what it says ── */

BARE static long take_write(const char *path, const char *text)
{
	long fd = CALL(SYS_openat, AT_FDCWD, (long)path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	long len = 0;
	long r;

	if (fd < 0)
		return fd;
	while (text[len]) {
		len++;
		NO_IDIOM();
	}
	r = CALL(SYS_write, fd, (long)text, len);
	CALL(SYS_close, fd);
	if (r >= 0 && r < len)
		return -EIO;
	return r;
}

/* The parent may have died before it was said what to do then. */
BARE static long take_deathsig(const struct eff__child *c, int sig)
{
	long r = CALL(SYS_prctl, PR_SET_PDEATHSIG, sig, 0, 0, 0);

	if (r >= 0 && CALL(SYS_getppid) != c->parent)
		return -ESRCH;
	return r;
}

/* The entry is in memory that is the child's, or that nobody else reads until it has executed. */
BARE static long write_pid(const struct eff__child *c, int entry)
{
	char *text = (char *)c->spawn.envp[entry];
	long pid = CALL(SYS_getpid);
	long scale = 1;

	while (*text && *text != '=') {
		text++;
		NO_IDIOM();
	}
	if (!*text)
		return -EINVAL;
	while (scale <= pid / 10) {
		scale *= 10;
		NO_IDIOM();
	}
	for (text++; scale > 0; scale /= 10) {
		*text++ = (char)('0' + pid / scale % 10);
		NO_IDIOM();
	}
	*text = '\0';
	return 0;
}

/* The steps that are one call. */
BARE static long step_call(const struct eff_step *step)
{
	switch (step->kind) {
	case EFF_STEP_SETGROUPS:
		return CALL(SYS_setgroups, (long)step->ids.n, (long)step->ids.list);
	case EFF_STEP_UMASK:
		CALL(SYS_umask, step->number); /* answers with the one before */
		return 0;
	case EFF_STEP_RLIMIT:
		return CALL(SYS_prlimit64, 0, step->limit.resource, (long)&step->limit.value, 0);
	case EFF_STEP_NICE:
		return CALL(SYS_setpriority, PRIO_PROCESS, 0, step->number);
	case EFF_STEP_IOPRIO:
		return CALL(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, step->number);
	case EFF_STEP_AFFINITY:
		return CALL(SYS_sched_setaffinity, 0, (long)(step->mask.n * sizeof(long)),
			(long)step->mask.list);
	case EFF_STEP_CHDIR:
		return CALL(SYS_chdir, (long)step->path);
	case EFF_STEP_KEEP_CAPS:
		return CALL(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
	case EFF_STEP_NO_NEW_PRIVS:
		return CALL(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	default:
		return -EINVAL;
	}
}

BARE long eff__step_take(const struct eff__child *c, const struct eff_step *step)
{
	switch (step->kind) {
	case EFF_STEP_SETGID:
		return take_gid(step->id);
	case EFF_STEP_SETUID:
		return take_uid(step->id);
	case EFF_STEP_SCHEDULER:
		return take_scheduler(step->sched.policy, step->sched.priority);
	case EFF_STEP_WRITE:
		return take_write(step->file.path, step->file.text);
	case EFF_STEP_NAMESPACE:
		return take_namespace(step->number);
	case EFF_STEP_CHROOT:
		return take_root(step->path);
	case EFF_STEP_BOUNDING:
		return take_bounding(step->capabilities);
	case EFF_STEP_AMBIENT:
		return take_ambient(step->capabilities);
	case EFF_STEP_FILTER:
		return take_filter(step->filter.list, step->filter.n);
	case EFF_STEP_DEATHSIG:
		return take_deathsig(c, step->number);
	case EFF_STEP_PID_ENTRY:
		return write_pid(c, step->number);
	default:
		return step_call(step);
	}
}
