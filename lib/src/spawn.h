/* SPDX-License-Identifier: MIT */
/* What the maker of children (spawn.c), the child itself (spawn_child.c) and the keeper of children (proc.c) share. */
#ifndef EFF_SPAWN_H
#define EFF_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <eff/proc.h>

/* What the child reads, and the scratch memory that it writes. Nobody else touches it until the status pipe has ended. */
struct eff__child {
	struct eff_spawn spawn;
	int status_fd; /* the writing end */
	pid_t parent;
	unsigned fds_limit; /* no descriptor is as high as this, if close_range() is missing */
	bool no_close_range;
	bool no_handlers; /* they were cleared on the way */
	bool joins;       /* its control group, which it was not born into */
	bool began;       /* written by itself, before all else */
	bool parted;      /* likewise: it has a table of descriptors of its own */
	int *moved;       /* n_fds numbers: where its descriptors are */
	int carrier_fd; /* it has the parent's table of descriptors, and takes its own out of this socket; -1 */
	char *candidate; /* an entry of `search`, a slash, the path */
};

/* A record for a child (spawn_record.c), which free() ends; with `copies` it points to nothing outside of itself. NULL: no
 * memory. */
struct eff__child *eff__child_new(const struct eff_spawn *spawn, bool copies, int status_fd);

/* What comes through the status pipe, when a step fails. */
struct eff__fault {
	int32_t step; /* index, or one of these */
	int32_t error;
};
enum {
	EFF__AT_FDS = -1,
	EFF__AT_SESSION = -2,
	EFF__AT_SIGNALS = -3,
	EFF__AT_EXEC = -4,
	EFF__AT_CGROUP = -5
};

/* One step (spawn_steps.c). Returns 0 or more, or -errno. */
long eff__step_take(const struct eff__child *c, const struct eff_step *step);
/* The child's life until its program. */
_Noreturn void eff__child_main(void *arg);

/* Make `child` a process by clone3 with flags and the stack that ends at `stack`, and call eff__child_main() there. Returns
 * its pid, or -errno; -ENOSYS where the machine is not known. */
struct eff__clone {
	uint64_t flags;
	void *stack;
	uint64_t stack_size;
	int *ret_pidfd;
	int cgroup_fd; /* 0: none */
};
long eff__clone(const struct eff__clone *clone, struct eff__child *child);

/* What a kernel may lack, so that tests can do without. */
enum {
	EFF__WITHOUT_CLONE3 = 1,
	EFF__WITHOUT_PIDFD = 2,
	EFF__WITHOUT_CLOSE_RANGE = 4,
	EFF__WITHOUT_HOOKS = 8,  /* the loop takes no descriptor: out of memory */
	EFF__WITH_MANY_FDS = 16, /* as if there were many; that takes a while to make */
	EFF__WITHOUT_INTO_CGROUP = 32,
};
extern unsigned eff__proc_without;

enum { EFF__CHILD_STACK_BYTES = 16 << 10, EFF__CHILD_STACKS_KEPT = 16, EFF__CARRIERS_KEPT = 8 };

/* A pair of sockets, through which a child is sent its descriptors. */
struct eff__carrier {
	int ours, theirs; /* -1: none */
};

/* What stays from one child to the next: stacks for those that share the caller's memory, a mapping with a guard page
 * each; and how many descriptors there are about. */
struct eff__stack_pool {
	void *free[EFF__CHILD_STACKS_KEPT];
	unsigned n_free;
	struct eff__carrier carriers[EFF__CARRIERS_KEPT]; /* with nothing in them */
	unsigned n_carriers;
	int pipe[2];    /* a status pipe, made when there was time; {0, 0}: none */
	int last_pidfd; /* the lowest number that was free above those of what lives shortly */
};
void eff__stack_pool_done(struct eff__stack_pool *pool);

/* A message that carries descriptors to the child: its status pipe's end, then those that it gets, without the -1s. */
enum { EFF__CARRIED_MOST = 200 };
union eff__carried {
	struct cmsghdr head; /* which aligns it */
	char bytes[CMSG_SPACE(sizeof(int) * (EFF__CARRIED_MOST + 1))];
};

/* A child that was made, or is being made. */
struct eff__making {
	struct eff__child *child;    /* NULL: given back */
	void *stack;                 /* NULL: none, or nobody's any more */
	int pipe_fd;                 /* the reading end; -1 */
	struct eff__carrier carrier; /* while it may have our table of descriptors */
	int pidfd;                   /* -1: none to be had */
	pid_t pid;
};
/* Does not suspend. Returns 0, or -errno when `release` has been called and nothing is left. */
int eff__make(struct eff__stack_pool *pool, const struct eff_spawn *spawn,
	struct eff__making *ret_making);
/* The child has taken out of its carrier what was in it, or never will: it is another's. */
void eff__carrier_give(struct eff__stack_pool *pool, struct eff__making *making);
/* The child does not need its record and its stack any more: give them back and call `release`. Asking again is fine. */
void eff__making_done(struct eff__stack_pool *pool, struct eff__making *making);

#endif
