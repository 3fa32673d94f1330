/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "effctl/screen.h"

/* xterm's words, which every terminal of today knows: a page of its own, no cursor, and what is wider than the page is cut: as a
 * second line it would push the first ones out. */
#define ENTER "\033[?1049h\033[?25l\033[?7l"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"
#define TOP "\033[H"
#define ERASE_BELOW "\033[J"

static volatile sig_atomic_t ended, suspended;

static void on_signal(int sig)
{
	if (sig == SIGTSTP)
		suspended = 1;
	else if (sig != SIGWINCH)
		ended = 1;
}

static void hear(void (*handler)(int sig))
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH};
	struct sigaction action = {.sa_handler = handler};

	/* None is restarted: each is to end a wait. */
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &action, NULL);
}

static void enter(struct screen *screen)
{
	struct termios now = screen->before;

	now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	if (screen->keys >= 0)
		(void)tcsetattr(screen->keys, TCSANOW, &now);
	(void)fputs(ENTER, screen->out);
}

static void leave(struct screen *screen)
{
	(void)fputs(LEAVE, screen->out);
	(void)fflush(screen->out);
	if (screen->keys >= 0)
		(void)tcsetattr(screen->keys, TCSANOW, &screen->before);
}

void screen_open(struct screen *screen, FILE *out)
{
	ended = suspended = 0;
	*screen = (struct screen){.out = out, .keys = STDIN_FILENO};
	if (tcgetattr(screen->keys, &screen->before) < 0)
		screen->keys = -1;
	hear(on_signal);
	enter(screen);
}

void screen_close(struct screen *screen)
{
	if (!screen->out)
		return;
	leave(screen);
	hear(SIG_DFL);
	screen->out = NULL;
}

void screen_begin(struct screen *screen)
{
	struct winsize size = {0};

	(void)ioctl(fileno(screen->out), TIOCGWINSZ, &size);
	screen->rows = size.ws_row ? size.ws_row : 24;
	screen->columns = size.ws_col ? size.ws_col : 80;
	(void)fputs(TOP ERASE_BELOW, screen->out);
}

void screen_show(struct screen *screen)
{
	(void)fflush(screen->out);
}

/* Give the terminal back for as long as the shell has it. */
static void suspend(struct screen *screen)
{
	suspended = 0;
	leave(screen);
	(void)raise(SIGSTOP);
	enter(screen);
}

int screen_key(struct screen *screen, double seconds)
{
	struct pollfd keys = {.fd = screen->keys, .events = POLLIN};
	unsigned char key;
	int n;

	n = ended ? 0 : poll(&keys, 1, (int)(seconds * 1000));
	if (suspended && !ended)
		suspend(screen);
	if (ended)
		return -1;
	if (n <= 0 || keys.revents == 0)
		return 0;
	/* A terminal that has gone is one more way to end. */
	return read(screen->keys, &key, 1) == 1 ? key : -1;
}
