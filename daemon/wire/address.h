/* SPDX-License-Identifier: MIT */
/* Where effd listens when nobody says otherwise. */
#ifndef EFFD_ADDRESS_H
#define EFFD_ADDRESS_H

#include <stdbool.h>
#include <sys/un.h>

enum { ADDRESS_FOLDER_ROOM = 32, ADDRESS_PLACES = 5 };

/* /tmp/effd-UID, for a user who has no other place; made with `make`. Anybody may make something of that name first: what is not
 * this user's alone is nobody's to speak to, or to write into. Returns 0, -ENOENT, or -EPERM when there is such a thing. */
int address_folder_in_tmp(char ret_folder[static ADDRESS_FOLDER_ROOM], bool make);
/* The places, in their order: as root /run/effd/control.sock; as a user effd/control.sock in XDG_RUNTIME_DIR, or in /run/user/UID
 * where that is his; then effd-UID/control.sock in /tmp, and in /dev/shm, whose folder is made with `make`. Into `ret_path`, which
 * a struct sockaddr_un can take. Returns 0; -ENOENT: not for this user, or not to be made; -EPERM: the folder is not this user's
 * alone; -ENAMETOOLONG. */
int address_place(unsigned n, char ret_path[static sizeof(((struct sockaddr_un *)0)->sun_path)],
	bool make);
/* Does EFFD_SOCKET say otherwise? */
bool address_is_given(void);
/* Where effctl looks: EFFD_SOCKET; or the first place in which a socket is; or the first. Returns 0, -ENAMETOOLONG, or -ENOENT when
 * there is no place that could be this user's. */
int address_default(char ret_path[static sizeof(((struct sockaddr_un *)0)->sun_path)]);

#endif
