/* SPDX-License-Identifier: MIT */
/* Where effd listens when nobody says otherwise. */
#ifndef EFFD_ADDRESS_H
#define EFFD_ADDRESS_H

#include <sys/un.h>

/* The path of the control socket: EFFD_SOCKET; or as root /run/effd/control.sock; or in the user's runtime folder. Into
 * `ret_path`, which a struct sockaddr_un can take. Returns 0 or -ENAMETOOLONG. */
int address_default(char ret_path[static sizeof(((struct sockaddr_un *)0)->sun_path)]);

#endif
