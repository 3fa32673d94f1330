/* SPDX-License-Identifier: MIT */
/* Fibers for the system tests: one entry for each way in which a fiber can go on or end. */
#include <fcntl.h>
#include <unistd.h>

#include <eff.h>
#include <effd/fiber.h>

EFFD_FIBER eff_exit good(struct effd_fiber *self);
EFFD_FIBER eff_exit returns(struct effd_fiber *self);
EFFD_FIBER eff_exit fails(struct effd_fiber *self);
EFFD_FIBER eff_exit dies(struct effd_fiber *self);
EFFD_FIBER eff_exit notifies(struct effd_fiber *self);
EFFD_FIBER eff_exit lingers(struct effd_fiber *self);
EFFD_FIBER eff_exit holds(struct effd_fiber *self);

/* Says all that it was told, and stays until it is stopped. */
EFFD_FIBER eff_exit good(struct effd_fiber *self)
{
	effd_fiber_log(self, "name %s", effd_fiber_name(self));
	effd_fiber_log(self, "instance %u", effd_fiber_instance(self));
	effd_fiber_log(self, "text %s", effd_fiber_text(self, "text", "none"));
	effd_fiber_log(self, "number %lld", (long long)effd_fiber_number(self, "number", -1));
	effd_fiber_log(self, "real %.2f", effd_fiber_real(self, "real", -1));
	effd_fiber_log(self, "flag %d", effd_fiber_bool(self, "flag", false));
	effd_fiber_log(self, "every %lld", (long long)effd_fiber_duration(self, "every", -1));
	effd_fiber_log(self, "nested %s", effd_fiber_text(self, "inner.list.1", "none"));
	effd_fiber_log(self, "missing %s", effd_fiber_text(self, "missing", "none"));
	effd_fiber_status(self, "well since %d", 7);
	(void)eff_sleep(EFF_FOREVER);
	effd_fiber_log(self, "was asked to stop");
	return eff_interrupted();
}

EFFD_FIBER eff_exit returns(struct effd_fiber *self)
{
	effd_fiber_log(self, "returns");
	return eff_ok(NULL);
}

EFFD_FIBER eff_exit fails(struct effd_fiber *self)
{
	return eff_failf((int)effd_fiber_number(self, "code", 7), "on purpose");
}

EFFD_FIBER eff_exit dies(struct effd_fiber *self)
{
	(void)self;
	return eff_die("by a broken promise");
}

/* Ready after a while. */
EFFD_FIBER eff_exit notifies(struct effd_fiber *self)
{
	if (eff_sleep(effd_fiber_duration(self, "after", EFF_MS(10))) < 0)
		return eff_interrupted();
	effd_fiber_ready(self);
	(void)eff_sleep(EFF_FOREVER);
	return eff_interrupted();
}

/* Takes its time when it is asked to stop. */
EFFD_FIBER eff_exit lingers(struct effd_fiber *self)
{
	eff_masked before;

	(void)eff_sleep(EFF_FOREVER);
	before = eff_mask();
	(void)eff_sleep(effd_fiber_duration(self, "linger", EFF_MS(500)));
	effd_fiber_log(self, "has lingered");
	eff_unmask(before);
	return eff_interrupted();
}

/* Does what no fiber may: all others wait until somebody writes into the FIFO. */
EFFD_FIBER eff_exit holds(struct effd_fiber *self)
{
	int fd = open(effd_fiber_text(self, "gate", ""), O_RDONLY | O_CLOEXEC);
	char byte;

	(void)!read(fd, &byte, 1);
	(void)close(fd);
	effd_fiber_log(self, "has let go");
	(void)eff_sleep(EFF_FOREVER);
	return eff_interrupted();
}
