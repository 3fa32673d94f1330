/* SPDX-License-Identifier: MIT */
/* What a fiber unit sees of effd. A module is a shared object that exports `eff_exit NAME(struct effd_fiber *self)`; effd
 * gives it eff_* and effd_fiber_*, so it links neither. It runs in effd's own process and thread: it waits only by
 * functions of libeff, never blocks (effd's log names one that holds all up for a second), and is trusted. To be stopped is to have a wait return -ECANCELED: then return.
 *
 *     #include <eff.h>
 *     #include <effd/fiber.h>
 *
 *     EFFD_FIBER eff_exit heartbeat(struct effd_fiber *self)
 *     {
 *             eff_ns every = effd_fiber_duration(self, "every", EFF_S(5));
 *
 *             while (eff_sleep(every) == 0)
 *                     effd_fiber_log(self, "still here");
 *             return eff_interrupted();
 *     }
 *
 * Success is a clean end, a failure ends the unit with cause fiber_failed and its code, a died exit with fiber_died. */
#ifndef EFFD_FIBER_H
#define EFFD_FIBER_H

#include <stdbool.h>
#include <stdint.h>

#include <eff/exit.h>
#include <eff/time.h>

#define EFFD_FIBER __attribute__((visibility("default")))
#define EFFD_API __attribute__((visibility("default")))

struct effd_fiber;

/* The unit's full name. */
EFFD_API const char *effd_fiber_name(const struct effd_fiber *self);
/* Its number among the replicas of its unit, from 1; 0 when it has none. */
EFFD_API uint32_t effd_fiber_instance(const struct effd_fiber *self);

/* The values of `with:`. Nested ones by a dotted key ("listen.port", "hosts.0"). `otherwise` is returned where the key is
 * missing; a value of another type is `otherwise` too, and said in the unit's log. */
EFFD_API const char *effd_fiber_text(
	const struct effd_fiber *self, const char *key, const char *otherwise);
EFFD_API int64_t effd_fiber_number(
	const struct effd_fiber *self, const char *key, int64_t otherwise);
EFFD_API double effd_fiber_real(const struct effd_fiber *self, const char *key, double otherwise);
EFFD_API bool effd_fiber_bool(const struct effd_fiber *self, const char *key, bool otherwise);
EFFD_API eff_ns effd_fiber_duration(
	const struct effd_fiber *self, const char *key, eff_ns otherwise);

/* With `type: notify`: it is ready. Does not suspend. */
EFFD_API void effd_fiber_ready(struct effd_fiber *self);
/* With `watchdog:`: it is alive; from when it is up, this must come again within that time. Does not suspend. */
EFFD_API void effd_fiber_alive(struct effd_fiber *self);
/* What `effctl status` shows of it. Does not suspend. */
EFFD_API void effd_fiber_status(struct effd_fiber *self, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A line of its output, without the newline. Does not suspend. */
EFFD_API void effd_fiber_log(struct effd_fiber *self, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
