/* SPDX-License-Identifier: MIT */
/* Where effd listens when nobody says otherwise. */
#ifndef EFFD_ADDRESS_H
#define EFFD_ADDRESS_H

#include <stdbool.h>
#include <sys/un.h>

enum { ADDRESS_FOLDER_ROOM = 32 };

/* /tmp/effd-UID, for a user who has no other place; made with `make`. Anybody may make something of that name first: what is not
 * this user's alone is nobody's to speak to, or to write into. Returns 0, -ENOENT, or -EPERM when there is such a thing. */
int address_folder_in_tmp(char ret_folder[static ADDRESS_FOLDER_ROOM], bool make);
/* As root /run/effd/control.sock; as a user effd/control.sock in XDG_RUNTIME_DIR, or in /run/user/UID where that is his; else
 * /tmp/effd-UID/control.sock, whose folder is made with `make`. Into `ret_path`, which a struct sockaddr_un can take.
 * Returns 0, -ENAMETOOLONG, or -EPERM when that last folder is there and not this user's alone. */
int address_of_user(char ret_path[static sizeof(((struct sockaddr_un *)0)->sun_path)], bool make);
/* EFFD_SOCKET, or else that. */
int address_default(char ret_path[static sizeof(((struct sockaddr_un *)0)->sun_path)]);

#endif
