/* SPDX-License-Identifier: MIT */
/* Signals as things to wait for, by a signalfd. Open one set per process; the signals of the set are blocked in the
 * process from then on, and never in a child made by eff_spawn(). */
#ifndef EFF_SIGNAL_H
#define EFF_SIGNAL_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include <eff/api.h>

struct eff_signals {
	int fd;
	sigset_t before; /* the mask to return to */
	sigset_t set;
	bool has_sigchld;
};
/* Returns 0 or -errno. */
EFF_API int eff_signals_open(struct eff_signals *signals, const sigset_t *set);
/* Await this set from now on. What is new in it is blocked; what is no more has its disposition back, and what of that is
 * pending was meant for the set and is dropped. SIGCHLD stays as it is. Returns 0 or -errno, then nothing is changed. */
EFF_API int eff_signals_change(struct eff_signals *signals, const sigset_t *set);
/* Suspends until one arrives. Returns its number; who sent it through ret_pid (may be NULL; 0: the kernel); or -errno. */
EFF_API EFF_SUSPENDS int eff_signals_await(
	struct eff_signals *signals, pid_t *ret_pid, uid_t *ret_uid);
EFF_API void eff_signals_close(struct eff_signals *signals);

#endif
