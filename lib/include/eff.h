/* SPDX-License-Identifier: MIT */
/* libeff: fibers, structured concurrency, exits, scopes, schedules, clocks and supervision for C.
 *
 * A fiber is a story told top to bottom; whatever it waits for, it waits by calling a function that suspends it (marked
 * EFF_SUSPENDS) and returns 0 or a negative errno. Everything with a lifetime hangs off a scope. To stop something is to
 * cancel its scope: the wait it is in returns -ECANCELED, and it unwinds by returning. All time comes from the
 * runtime's clock, which tests replace by a virtual one. One runtime per thread. */
#ifndef EFF_EFF_H
#define EFF_EFF_H

#include <eff/channel.h>
#include <eff/clock.h>
#include <eff/context.h>
#include <eff/effect.h>
#include <eff/event.h>
#include <eff/exit.h>
#include <eff/fiber.h>
#include <eff/health.h>
#include <eff/io.h>
#include <eff/layer.h>
#include <eff/list.h>
#include <eff/local.h>
#include <eff/proc.h>
#include <eff/process.h>
#include <eff/runtime.h>
#include <eff/schedule.h>
#include <eff/scope.h>
#include <eff/services.h>
#include <eff/signal.h>
#include <eff/supervise.h>
#include <eff/time.h>
#include <eff/version.h>

#endif
