#!/bin/bash
# SPDX-License-Identifier: MIT
# What a unit is kept from, by the kernel: all of its processes alike, and nobody else; what cannot be had ends the start with
# its name.
. "${0%/*}/lib.sh"
need_apart
need setpriv nsenter
as_user=(setpriv --reuid 12345 --regid 12345 --clear-groups)
end_of() { field "$1" '"\(.last_exit.kind) \(.last_exit.text)"'; }
me=${DIR##*/} # No other test has files of these names outside.
output_of() { ctl --json logs "$1" | jq -r .text; }
in_unit() { nsenter -t "$(pid_of "$1")" -m -- "${@:2}"; } # UNIT COMMAND…, with its view of the files

# What is mounted while a unit runs is to be seen in it, as on most machines.
mount --make-rshared /
mkdir -p "$DIR/jail/tmp" "$DIR/jail/usr" "$DIR/strange" "$DIR/bare"
for name in usr bin lib lib64 etc; do
	[ ! -e "/$name" ] || { mkdir -p "$DIR/jail/$name" && mount --rbind "/$name" "$DIR/jail/$name"; }
done
ln -s /etc "$DIR/strange/tmp"

# ── A /tmp of one's own ──

echo outside >"/tmp/$me.outside"
effd_start <<TREE
version: 1
defaults: {working_dir: /, log: {stdout: ring}, restart: {backoff: {initial: 10ms, jitter: 0}}}
units:
  own:
    shell: 'echo "run \$(cat /tmp/* /var/tmp/*)"; stat -c "%a %U" /tmp /var/tmp; exec sleep 1000000'
    security: {private_tmp: true}
    hooks:
      pre_start: [sh, -c, 'echo pre >>/tmp/$me.pre; echo var >>/var/tmp/$me.var']
      on_ready: [sh, -c, 'cat /tmp/$me.pre >/tmp/$me.ready']
      post_stop: [sh, -c, 'echo "post \$(cat /tmp/$me.ready)"']
    readiness_probe: {exec: {command: [test, -e, /tmp/$me.pre]}, period: 10m}
  somebody:
    shell: 'touch /tmp/$me.x && ls -A /tmp; exec sleep 1000000'
    user: nobody
    security: {private_tmp: true}
  other: {shell: 'cat /tmp/$me.outside; exec sleep 1000000'}
  fd: {shell: 'echo \$(ls /proc/self/fd)', type: oneshot, security: {private_tmp: true}}
  jailed: {command: [sleep, "1000000"], root_dir: $DIR/jail, security: {private_tmp: true}}
  strange: {command: [sleep, "1000000"], root_dir: $DIR/strange, security: {private_tmp: true}, restart: no}
  bare: {command: [sleep, "1000000"], root_dir: $DIR/bare, security: {private_tmp: true}, restart: no}
  missing: {command: [sleep, "1000000"], root_dir: $DIR/missing, security: {private_tmp: true}, restart: no}
  fails: {command: [/nowhere/at/all], security: {private_tmp: true}, restart: no}
TREE
wait_for up own
same "what it sees, that its hook has put there" "$(output_of own)" $'run pre\nvar\n1777 root\n1777 root'
same "what another user sees" "$(output_of somebody)" "$me.x"
same "what others see" "$(output_of other)" outside
same "what of effd's it holds" "$(output_of fd)" "0 1 2 3"
[ ! -e "/tmp/$me.pre" ] && [ ! -e "/var/tmp/$me.var" ] && [ ! -e "/tmp/$me.x" ] || fail "what is private is seen from outside"
same "in a root of its own" "$(in_unit jailed findmnt -n -o FSTYPE "$DIR/jail/tmp")" tmpfs
! mountpoint -q "$DIR/jail/tmp" || fail "a mount is seen from outside"
same "where /tmp leads elsewhere, which is not there in its root" "$(end_of strange)" \
	"exec_error security: ENOENT (No such file or directory): /tmp"
same "where there is none" "$(end_of bare)" "exec_error security: ENOENT (No such file or directory): /tmp"
same "where there is no root" "$(end_of missing)" "exec_error root: ENOENT (No such file or directory): $DIR/missing"
same "without a program" "$(end_of fails)" "exec_error exec: ENOENT (No such file or directory): /nowhere/at/all"

# What is mounted outside comes in; what is mounted inside stays there.
mount -t tmpfs outside /mnt
touch /mnt/is-there
in_unit own test -e /mnt/is-there
in_unit own mount -t tmpfs inside /mnt
[ -e /mnt/is-there ] || fail "a mount of a unit is seen from outside"
umount /mnt

# The next run begins with nothing; until then what its hooks see is what it has left.
in_unit own sh -c 'echo left >/tmp/left'
expect_exit 0 ctl restart own
same "what the next run sees" "$(output_of own)" \
	$'run pre\nvar\n1777 root\n1777 root\npost pre\nrun pre\nvar\n1777 root\n1777 root'
expect_exit 0 ctl stop own
# Of a run that is over nothing is held: a namespace lives as long as anybody has it open.
held() { readlink "/proc/$EFFD/fd"/* | grep -c '^mnt:' || true; }
same "what effd holds: of two with a /tmp of their own" "$(held)" 2
sed -i 's/^  own:$/  own:\n    description: other words/' "$TREE"
same "what a change of words does" "$(ctl --json plan | jq -c '.changes[] | [.unit, .action]')" '["own","live"]'
sed -i '/user: nobody/,/private_tmp/s/private_tmp: true/private_tmp: false/' "$TREE"
expect_exit 0 ctl reload
matches "what one sees that has it no more" "$(in_unit somebody ls /tmp)" "$me.outside"
effd_stop
rm -f "/tmp/$me.outside" "/tmp/$me.x"

# ── Where it cannot be had ──

cat >"$DIR/own.yaml" <<TREE
version: 1
units: {own: {command: [sleep, "1000000"], working_dir: /, restart: no, security: {private_tmp: true}}}
TREE
expect_exit 1 "${as_user[@]}" "$BUILD/effctl" check "$DIR/own.yaml"
matches "what a user is told" "$OUT$ERR" "E220.*only root may give a process a /tmp of its own"
EFFD_UNDER=(setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin)
effd_start <"$DIR/own.yaml"
same "what root is told that may not" "$(end_of own)" "exec_error security: EPERM (Operation not permitted): private_tmp"
effd_stop

# effd in a root of its own: who enters a namespace would find itself outside of that.
mkdir -p "$DIR/jail/proc" "$DIR/jail/dev" "$DIR/jail$DIR" "$DIR/jail$BUILD"
mount -t proc proc "$DIR/jail/proc"
mount --bind /dev "$DIR/jail/dev"
mount --bind "$DIR" "$DIR/jail$DIR"
mount --bind "$BUILD" "$DIR/jail$BUILD"
EFFD_UNDER=(chroot "$DIR/jail")
effd_start <"$DIR/own.yaml"
same "what an effd in a root of its own says" "$(end_of own)" "exec_error security: EOPNOTSUPP (Operation not supported): private_tmp"
effd_stop
umount "$DIR/jail$BUILD" "$DIR/jail$DIR" "$DIR/jail/dev" "$DIR/jail/proc"
