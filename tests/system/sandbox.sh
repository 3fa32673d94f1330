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

# ── What cannot be written ──

mount -t tmpfs -o mode=755 state /var/lib
mkdir -p "$DIR/data/below" "$DIR/free" "$DIR/jail/free"
echo old | tee "$DIR/data/file" "$DIR/data/other" >/dev/null
mount -t tmpfs below "$DIR/data/below"
ln -s /free "$DIR/jail/link"
cat >/var/lib/tries <<'SCRIPT'
for p; do
	[ ! -d "$p" ] || p=$p/x
	if (: >>"$p") 2>/dev/null; then echo "$p yes"; else echo "$p no"; fi
done
SCRIPT
tries="sh /var/lib/tries"
effd_start <<TREE
version: 1
defaults: {type: oneshot, restart: no, log: {stdout: ring}}
units:
  some: {command: $tries data data/below data/file free, security: {read_only_paths: [data, "?nowhere"]}}
  file: {command: $tries data/file data/other, security: {read_only_paths: data/file}}
  hooked:
    command: $tries data
    hooks: {pre_start: $tries data}
    security: {read_only_paths: [data]}
  after: {command: $tries data free, depends_on: [some, file, hooked]}
  none: {command: $tries free /var/lib/own, directories: {state: own}, security: {read_only_paths: [/]}}
  both:
    command: $tries /tmp /var/tmp /etc /dev/null
    working_dir: /
    security: {read_only_paths: [/], private_tmp: true}
  jailed:
    type: exec
    command: [sleep, "1000000"]
    root_dir: jail
    security: {read_only_paths: [/link]}
  missing: {command: echo, security: {read_only_paths: [free, /nowhere/at/all]}}
TREE
same "with what is mounted below" "$(output_of some)" $'data/x no\ndata/below/x no\ndata/file no\nfree/x yes'
same "a file" "$(output_of file)" $'data/file no\ndata/other yes'
same "a hook and its program" "$(output_of hooked)" $'data/x no\ndata/x no'
same "another, later" "$(output_of after)" $'data/x yes\nfree/x yes'
same "all but what is its own" "$(output_of none)" $'free/x no\n/var/lib/own/x yes'
same "all but its /tmp" "$(output_of both)" $'/tmp/x yes\n/var/tmp/x yes\n/etc/x no\n/dev/null yes'
! in_unit jailed touch "$DIR/jail/free/x" 2>/dev/null || fail "a link in another root leads nowhere"
in_unit jailed touch "$DIR/free/x" || fail "a link in another root leads out of it"
same "one that is not there" "$(end_of missing)" "exec_error security: ENOENT (No such file or directory): /nowhere/at/all"
sed -i 's/read_only_paths: data\/file/read_only_paths: [data\/file]/' "$TREE"
same "what the same in other words does" "$(ctl --json plan | jq -c .changes)" "[]"
effd_stop
umount "$DIR/data/below" /var/lib

# ── Which calls it may make ──

cat >"$DIR/calls.yaml" <<TREE
version: 1
defaults: {type: oneshot, restart: no, log: {stdout: ring}, working_dir: /}
units:
  serves: {command: [ls, -d, /], security: {seccomp: ["@system-service"]}}
  mounts:
    shell: 'if unshare -r true; then echo yes; else echo no; fi'
    security: {seccomp: {deny: ["@mount", unshare], action: ENOSYS}}
  killed: {command: [uname], security: {seccomp: {deny: [uname], action: kill}}}
  logged: {command: [uname, -s], security: {seccomp: {deny: [uname], action: log}}}
  hooked:
    command: [echo, ran]
    hooks: {pre_start: [uname]}
    security: {seccomp: {deny: [uname]}}
  exec: {command: [uname], security: {seccomp: {deny: [execve]}}}
  own: {command: [grep, -E, '^(NoNewPrivs|Seccomp):', /proc/self/status], security: {seccomp: {deny: [uname]}}}
  free: {command: [unshare, -r, uname, -s]}
TREE
calls() {
	effd_launch <"$DIR/calls.yaml"
	wait_for up /
	same "a service" "$(output_of serves)" /
	matches "what may not mount" "$(output_of mounts)" '^no$'
	same "one that is killed" "$(field killed '"\(.state) \(.last_exit.kind) \(.last_exit.signal)"')" "failed signal SIGSYS"
	same "one of which the log has it" "$(output_of logged)" Linux
	same "a hook" "$(end_of hooked)" "hook pre_start: exit 1"
	same "one that may not execute" "$(end_of exec)" "exec_error exec: EPERM (Operation not permitted): uname"
	same "what it is" "$(output_of own | sed 's/\\x09//')" $'NoNewPrivs:1\nSeccomp:2'
	same "one without" "$(output_of free)" Linux
	effd_stop
}
calls
# Nobody needs rights for it.
SOCKET=$DIR/user/control.sock
install -d -o 12345 "$DIR/user"
EFFD_UNDER=("${as_user[@]}")
calls
EFFD_UNDER=()
SOCKET=$DIR/control.sock

# ── Where it cannot be had ──

cat >"$DIR/own.yaml" <<TREE
version: 1
defaults: {command: [sleep, "1000000"], working_dir: /, restart: no}
units:
  own: {security: {private_tmp: true}}
  kept: {security: {read_only_paths: [/etc]}}
TREE
expect_exit 78 "${as_user[@]}" "$BUILD/effd" --check -c "$DIR/own.yaml"
matches "what a user is told" "$OUT$ERR" "E220.*only root may give a process a /tmp of its own"
matches "and of what cannot be written" "$OUT$ERR" "E220.*only root may keep a process from writing paths"
expect_exit 0 "${as_user[@]}" "$BUILD/effctl" check "$DIR/own.yaml"
matches "who checks for others" "$OUT$ERR" "W412.*only root may give a process a /tmp of its own"
EFFD_UNDER=(setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin)
effd_start <"$DIR/own.yaml"
same "what root is told that may not" "$(end_of own)" "exec_error security: EPERM (Operation not permitted): private_tmp"
same "and of what cannot be written" "$(end_of kept)" "exec_error security: EPERM (Operation not permitted): read_only_paths"
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
