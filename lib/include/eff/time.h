/* SPDX-License-Identifier: MIT */
/* Time is int64 nanoseconds, everywhere. Arithmetic on it saturates: a sum that would overflow is EFF_FOREVER. */
#ifndef EFF_TIME_H
#define EFF_TIME_H

#include <stdint.h>

typedef int64_t eff_ns;

#define EFF_FOREVER INT64_MAX /* as a duration: no limit; as an instant: never */
#define EFF_US(n) ((eff_ns)(n)*1000)
#define EFF_MS(n) ((eff_ns)(n)*1000000)
#define EFF_S(n) ((eff_ns)(n)*1000000000)
#define EFF_M(n) ((eff_ns)(n)*EFF_S(60))
#define EFF_H(n) ((eff_ns)(n)*EFF_S(3600))

/* Instant plus duration, saturating at both ends; EFF_FOREVER, be it the one or the other, stays that. */
static inline eff_ns eff_ns_add(eff_ns a, eff_ns b)
{
	eff_ns sum;

	if (a == EFF_FOREVER || b == EFF_FOREVER)
		return EFF_FOREVER;
	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return b > 0 ? EFF_FOREVER : INT64_MIN;
}

/* Duration times a factor, saturating. A negative or NaN factor gives 0. */
static inline eff_ns eff_ns_scale(eff_ns a, double factor)
{
	double product = (double)a * factor;

	if (!(product > 0))
		return 0;
	if (product >= 9223372036854775807.0)
		return EFF_FOREVER;
	return (eff_ns)product;
}

#endif
