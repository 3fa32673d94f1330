#!/bin/bash
# SPDX-License-Identifier: MIT
# Who may look may look, who may touch may touch, and nobody else is even answered.
. "${0%/*}/lib.sh"
need_root
need setpriv
compile family
cp "$BUILD/effctl" "$DIR/bin/effctl"
user_id() { id -u "$1"; }
group_id() { getent group "$1" | cut -d: -f3; }
as() { # UID GID COMMAND…
	local uid=$1 gid=$2
	shift 2
	setpriv --reuid "$uid" --regid "$gid" --clear-groups timeout "$limit" "$DIR/bin/effctl" -s "$SOCKET" "$@"
}
nobody="$(user_id nobody) $(group_id nogroup)"
bin="$(user_id bin) $(group_id bin)"
games="$(user_id games) $(group_id games)"

# By default the socket is root's alone.
effd_start <<TREE
version: 1
units: {a: {command: $DIR/bin/family}}
TREE
same "the socket's mode" "$(stat -c '%a %U' "$SOCKET")" "600 root"
expect_exit 6 as $nobody ping
expect_exit 6 as $nobody --json status
# A reload lets readers in, and keeps them out again.
printf 'version: 1\ndaemon: {readers: [nobody]}\nunits: {a: {command: %s}}\n' "$DIR/bin/family" >"$TREE"
expect_exit 0 ctl reload
same "the socket's mode with readers to come" "$(stat -c %a "$SOCKET")" 666
expect_exit 0 as $nobody status a
expect_exit 6 as $bin status a
sed -i '/^daemon/d' "$TREE"
expect_exit 0 ctl reload
same "the socket's mode when they have gone" "$(stat -c %a "$SOCKET")" 600
expect_exit 6 as $nobody status a
effd_stop

effd_start <<TREE
version: 1
daemon: {readers: [nobody, "@games"]}
units:
  a: {command: $DIR/bin/family, environment: {PASSWORD: hidden}}
TREE
same "the socket's mode with readers" "$(stat -c %a "$SOCKET")" 666
pid=$(pid_of a)
for reader in "$nobody" "$(user_id man) $(group_id games)"; do
	for command in "status" "status a" "events" "explain a" "wait --for up a" plan "logs a"; do
		# shellcheck disable=SC2086
		expect_exit 0 as $reader $command
	done
	for command in "stop a" "start a" "restart a" "reset a" reload "signal TERM a" shutdown show; do
		# shellcheck disable=SC2086
		expect_exit 6 as $reader $command
	done
done
expect_exit 6 as $nobody --json stop a
same "the refusal" "$(jq -r .error <<<"$OUT")" org.effd.Control.PermissionDenied
expect_exit 6 as $bin status
expect_exit 6 as $bin stop a
same "a is untouched" "$(field a '"\(.state) \(.pid) \(.starts)"')" "up $pid 1"
expect_exit 0 ctl show a
! grep -q hidden <<<"$OUT" || fail "show tells a value of the environment unasked"
effd_stop

effd_start <<TREE
version: 1
daemon: {socket_group: games}
units: {a: {command: $DIR/bin/family}}
TREE
same "the socket with a group" "$(stat -c '%a %U %G' "$SOCKET")" "660 root games"
expect_exit 0 as $games restart a
expect_exit 6 as $nobody status
effd_stop
