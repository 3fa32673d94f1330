/* SPDX-License-Identifier: MIT */
/* What effd has written of its units, for when it does not answer. */
#ifndef EFFCTL_STATUS_FILE_H
#define EFFCTL_STATUS_FILE_H

#include "effctl/command.h"

/* Print the units of the command line, as the status file beside the socket has them; nothing where that cannot be read. */
void put_status_file(struct effctl *e);

#endif
