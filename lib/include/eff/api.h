/* SPDX-License-Identifier: MIT */
/* Marks that the public headers share. */
#ifndef EFF_API_H
#define EFF_API_H

#define EFF_API __attribute__((visibility("default")))
/* May switch fibers: when it returns, others have run; look again at what you knew. */
#define EFF_SUSPENDS

#endif
