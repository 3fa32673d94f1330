/* SPDX-License-Identifier: MIT */
/* What signals to effd do, as a plan says it. */
#ifndef EFFD_PLAN_SIGNALS_H
#define EFFD_PLAN_SIGNALS_H

/* What a signal to effd does. */
enum plan_signal_act {
	PLAN_SIGNAL_DEFAULT, /* what it does to any process */
	PLAN_SIGNAL_STOP,
	PLAN_SIGNAL_RELOAD,
	PLAN_SIGNAL_IGNORE,
	PLAN_SIGNAL_FORWARD
};
struct plan_signal {
	enum plan_signal_act act;
	const char *unit; /* of FORWARD: a full name, which may stand for several; the tree may lose it */
};
enum { PLAN_N_SIGNALS = 65 };

#endif
