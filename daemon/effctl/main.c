/* SPDX-License-Identifier: MIT */
/* effctl, the client of effd. All of it is effctl_run(), which tests call too. */
#include <locale.h>
#include <stdio.h>

#include "effctl/command.h"

int main(int argc, char **argv)
{
	/* Which characters the terminal can show; numbers stay as they are. */
	(void)setlocale(LC_CTYPE, "");
	return effctl_run(argc, argv, stdout, stderr);
}
