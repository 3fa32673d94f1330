/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <sys/resource.h>

#include "base/terms.h"

_Static_assert(TERMS_N_LIMITS == (int)RLIMIT_NLIMITS,
	"there is a limit that limits.def does not know");

const char *terms_limit_name(int resource)
{
	static const char *const names[TERMS_N_LIMITS] = {
#define LIMIT(symbol, name, type, most, help) [RLIMIT_##symbol] = (name),
#include "base/limits.def"
#undef LIMIT
	};

	return resource >= 0 && resource < TERMS_N_LIMITS ? names[resource] : NULL;
}
