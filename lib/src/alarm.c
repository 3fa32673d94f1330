/* SPDX-License-Identifier: MIT */
/* The next deadline as a descriptor: one monotonic timerfd, exact to the kernel's timers. It is moved only to an earlier
 * instant: when the nearest deadline goes away, it rings once for nothing, which is cheaper than a system call for every
 * limit that was not reached. Nor is it read when it has rung, if it is to be set again: that ends the ringing, too. */
#include <sys/timerfd.h>
#include <unistd.h>

#include "loop.h"

int eff__alarm_open(struct eff__alarm *alarm)
{
	alarm->at = EFF_FOREVER;
	alarm->rings = false;
	alarm->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return alarm->fd < 0 ? -errno : 0;
}

void eff__alarm_close(struct eff__alarm *alarm)
{
	if (alarm->fd >= 0)
		close(alarm->fd);
	alarm->fd = -1;
}

void eff__alarm_set(struct eff__alarm *alarm, eff_ns at)
{
	struct itimerspec when = {0};

	if (at >= alarm->at) {
		if (alarm->rings)
			eff__alarm_hush(alarm);
		return;
	}
	/* An instant of 0 would disarm it. */
	if (at <= 0)
		at = 1;
	when.it_value.tv_sec = at / EFF_S(1);
	when.it_value.tv_nsec = at % EFF_S(1);
	if (timerfd_settime(alarm->fd, TFD_TIMER_ABSTIME, &when, NULL) == 0) {
		alarm->at = at;
		alarm->rings = false;
	}
}

void eff__alarm_heard(struct eff__alarm *alarm)
{
	alarm->at = EFF_FOREVER;
	alarm->rings = true;
}

void eff__alarm_hush(struct eff__alarm *alarm)
{
	uint64_t n;

	if (read(alarm->fd, &n, sizeof n) == sizeof n)
		alarm->at = EFF_FOREVER;
	alarm->rings = false;
}
