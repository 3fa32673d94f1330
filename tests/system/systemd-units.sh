#!/bin/bash
# SPDX-License-Identifier: MIT
# The units that are installed: systemd finds no fault with them, without a tree they do nothing, the template runs a tree
# beside the machine's, and the user's runs in a user's own systemd.
. "${0%/*}/lib.sh"
. "${0%/*}/systemd/lib.sh"
boot
units=/usr/local/lib/systemd

# ── As they are ──

for kind in service socket; do inside ln -s "$units/system/effd@.$kind" "/etc/systemd/system/effd@x.$kind"; done
same "what verify says" "$(inside systemd-analyze verify --man=no effd.service effd.socket effd@x.service effd@x.socket 2>&1)" ""
inside rm /etc/systemd/system/effd@x.service /etc/systemd/system/effd@x.socket
same "what verify says of the user's" "$(inside env XDG_RUNTIME_DIR=/run HOME=/root \
	systemd-analyze --user verify --man=no "$units/user/effd.service" "$units/user/effd.socket" 2>&1)" ""
# Services keep what a supervisor's services need, and lose what the unit says.
taken() { # PATTERN of the settings' names
	inside systemd-analyze security --no-pager --json=short effd.service |
		jq -r --arg pattern "$1" '.[] | select(.set == true) | .json_field | select(test($pattern))' | sort | paste -sd ' ' -
}
same "what is taken from services" "$(taken ^CapabilityBoundingSet)" \
	"$(printf 'CapabilityBoundingSet_%s ' CAP_MAC CAP_SYS_BOOT CAP_SYS_MODULE CAP_SYS_RAWIO | sed 's/ $//')"
same "what binds services" "$(taken '^(Private|Protect|Restrict|NoNew|SystemCall|MemoryDeny|LockPersonality|User|RootDir)')" ""

# ── Without a tree ──

expect_exit 0 inside systemctl enable effd
expect_exit 0 inside systemctl start effd
same "without a tree" "$(property effd ActiveState) $(property effd ConditionResult) $(property effd Result)" "inactive no success"

# ── Users and folders that are made for it ──

expect_exit 0 inside systemd-sysusers /usr/local/lib/sysusers.d/effd.conf
matches "the group" "$(inside getent group effd)" '^effd:x:[0-9]+:$'
expect_exit 0 inside systemd-tmpfiles --create /usr/local/lib/tmpfiles.d/effd.conf
same "the folder of trees" "$(inside stat -c '%U %a' /etc/effd)" "root 755"

# ── The machine's tree and two beside it ──

for name in effd one two; do
	inside sh -c "cat >/etc/effd/$name.yaml" <<TREE
version: 1
daemon: {socket_mode: "0660", socket_group: effd}
units: {it: {command: [/test/service, $name], log: {stdout: file}}}
TREE
done
expect_exit 0 inside systemctl start effd effd@one effd@two
for name in effd one two; do await_starts "$name" 1; done
same "the group may control it" "$(inside stat -c '%G %a' /run/effd/control.sock)" "effd 660"
matches "by its own socket" "$(ctl_inside -s /run/effd-one/control.sock status)" '^it +up'
expect_exit 0 inside systemctl reload effd@two
expect_exit 0 inside systemctl stop effd@one
same "the others" "$(property effd ActiveState) $(property effd@one ActiveState) $(property effd@two ActiveState)" "active inactive active"
expect_exit 0 ctl_inside -s /run/effd-two/control.sock ping
same "their logs" "$(inside sh -c 'stat -c "%n %a" /var/log/effd*; ls /var/log/effd* -d')" \
	"$(printf '%s\n' "/var/log/effd 750" "/var/log/effd-one 750" "/var/log/effd-two 750" /var/log/effd /var/log/effd-one /var/log/effd-two)"
await_inside grep -q 'two is here' /var/log/effd-two/it.log
expect_exit 0 inside systemctl stop effd effd@two

# ── A user's own ──

inside sh -c 'cat >/etc/systemd/system/tester.service' <<'UNIT'
[Service]
Type=notify
User=tester
Environment=XDG_RUNTIME_DIR=/run/user/4242 HOME=/home/tester
ExecStart=/lib/systemd/systemd --user
KillMode=mixed
Delegate=yes
UNIT
inside install -d -m 700 -o 4242 -g 4242 /run/user/4242
expect_exit 0 inside systemctl start tester
as_user sh -c 'mkdir -p ~/.config/effd && cat >~/.config/effd/effd.yaml' <<'TREE'
version: 1
units:
  sleeper: {shell: 'echo here; exec sleep 1000000', log: {stdout: file}}
TREE
expect_exit 0 as_user systemctl --user start effd
same "a user's" "$(as_user systemctl --user show -P StatusText effd)" "1 of 1 up"
matches "a user's own effctl" "$(as_user /usr/local/bin/effctl status)" '^sleeper +up'
pid=$(as_user /usr/local/bin/effctl --json status sleeper | jq -r '.units[0].pid')
matches "the group of a user's unit" "$(inside cat "/proc/$pid/cgroup")" '/effd[.]service/effd/unit:sleeper$'
as_user sh -c 'sed -i s/1000000/2000000/ ~/.config/effd/effd.yaml'
expect_exit 0 as_user systemctl --user reload effd
matches "after a reload" "$(inside ps -u 4242 -o args)" '^sleep 2000000$'
await_inside grep -q here /home/tester/.local/state/effd/log/sleeper.log
expect_exit 0 as_user systemctl --user stop effd
same "after a stop" "$(inside pgrep -u 4242 -x sleep || true)" ""
