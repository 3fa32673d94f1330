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

const char *terms_capability_name(unsigned number)
{
	static const char *const names[TERMS_N_CAPABILITIES] = {
#define CAPABILITY(name, number) [number] = (name),
#include "base/capabilities.def"
#undef CAPABILITY
	};

	return number < TERMS_N_CAPABILITIES ? names[number] : NULL;
}
