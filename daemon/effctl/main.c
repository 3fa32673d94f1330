/* SPDX-License-Identifier: MIT */
/* effctl, the client of effd. All of it is effctl_run(), which tests call too. */
#include <stdio.h>

#include "effctl/command.h"

int main(int argc, char **argv)
{
	return effctl_run(argc, argv, stdout, stderr);
}
