#!/bin/bash
# SPDX-License-Identifier: MIT
# With effd.socket systemd keeps the control socket: the first who asks starts effd, who asks while there is none waits, and
# a stop of effd leaves the socket where it is.
. "${0%/*}/lib.sh"
. "${0%/*}/systemd/lib.sh"
boot
units=/usr/local/lib/systemd
same "what verify says" "$(inside systemd-analyze verify --man=no effd.socket 2>&1)" ""
inside ln -s "$units/system/effd@.socket" /etc/systemd/system/effd@x.socket
inside ln -s "$units/system/effd@.service" /etc/systemd/system/effd@x.service
same "what verify says of another tree's" "$(inside systemd-analyze verify --man=no effd@x.socket 2>&1)" ""

# Without a tree there is nothing to ask.
expect_exit 0 inside systemctl start effd.socket
same "without a tree" "$(property effd.socket ActiveState)" inactive
tree <<TREE
version: 1
units: {it: {command: [/test/service, it], log: {stdout: file}}}
TREE
expect_exit 0 inside systemctl enable --now effd.socket
same "before anybody asks" "$(property effd.socket SubState) $(property effd ActiveState)" "listening inactive"
inode=$(inside stat -c %i /run/effd/control.sock)
same "whose it is" "$(inside stat -c '%U %a' /run/effd /run/effd/control.sock | paste -sd ' ')" "root 755 root 600"

# ── The first who asks ──

matches "who asks first" "$(ctl_inside status)" '^it '
await_property effd ActiveState active
await_starts it 1
same "by that socket" "$(inside stat -c %i /run/effd/control.sock)" "$inode"
pid=$(property effd MainPID)
same "what effd's services know of it" "$(inside sh -c 'tr "\0" "\n" <"/proc/$(pgrep -of /test/service)/environ" | grep ^LISTEN' || true)" ""

# ── A restart turns nobody away ──

mkfifo gate
drop_in effd.service <<<$'[Service]\nExecStartPre=/bin/sh -c "read go </test/gate"'
expect_exit 0 inside systemctl restart --no-block effd
await_property effd SubState start-pre
await_inside test ! -d "/proc/$pid"
ctl_inside ping >answer &
asker=$!
# The one that listens, and one that waits to be taken.
waits() { [ "$(grep -c ' /run/effd/control.sock$' /proc/net/unix)" -ge 2 ]; }
eventually waits
same "while one waits" "$(property effd SubState)" start-pre
echo go >gate
wait "$asker"
matches "who asked meanwhile" "$(<answer)" "^effd answers"
inside rm /etc/systemd/system/effd.service.d/test.conf
inside systemctl daemon-reload
await_starts it 2
no_doubles
inside systemctl kill -s KILL --kill-whom=main effd
expect_exit 0 ctl_inside ping
await_property effd NRestarts 1
await_property effd ActiveState active

# ── A stop leaves it ──

expect_exit 0 inside systemctl stop effd
same "after a stop" "$(property effd ActiveState) $(property effd.socket ActiveState) $(inside stat -c %i /run/effd/control.sock)" \
	"inactive active $inode"
expect_exit 0 ctl_inside ping
await_property effd ActiveState active
expect_exit 0 ctl_inside shutdown
await_property effd ActiveState inactive
same "after a shutdown" "$(inside stat -c %i /run/effd/control.sock)" "$inode"
expect_exit 0 inside systemctl stop effd.socket
expect_exit 1 inside test -e /run/effd/control.sock
expect_exit 5 ctl_inside ping

# Without effd.socket effd makes its own, as ever.
expect_exit 0 inside systemctl start effd
expect_exit 0 ctl_inside ping
expect_exit 0 inside systemctl stop effd
expect_exit 1 inside test -e /run/effd/control.sock
