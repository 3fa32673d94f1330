#!/bin/bash
# SPDX-License-Identifier: MIT
# Where control groups of version 2 can be had everything of a unit dies with it, wherever it has gone to: by the stop, by an
# end by itself, and, when effd itself was killed, before the next effd starts anything. Nothing of it stays in the group
# that effd was started in. Controllers are not needed for that.
. "${0%/*}/lib.sh"
need_root
compile escape family

# A home of the test's own, below that of who runs the test.
HOME_GROUP=$GROUP
[ -n "$HOME_GROUP" ] || skip "there are no control groups of version 2 here"
mkdir "$HOME_GROUP" 2>/dev/null || skip "no control group can be made in ${HOME_GROUP%/*}"
leave_home() {
	local group status=$?
	trap - ERR
	echo 1 >"$HOME_GROUP/cgroup.kill"
	while read -r group; do
		eventually rmdir "$group"
	done < <(find "$HOME_GROUP" -depth -type d)
	(exit "$status")
	finish
}
trap leave_home EXIT
cat >"$DIR/at-home" <<END
#!/bin/sh
echo 0 >$HOME_GROUP/cgroup.procs
exec "\$@"
END
chmod 755 "$DIR/at-home"
EFFD_UNDER=("$DIR/at-home")

home() { (cd "$HOME_GROUP" && find . -mindepth 1 -type d | sort | tr '\n' ' '); }
group_of() { sed -n "s|^0::.*/${DIR##*/}/||p" "/proc/$1/cgroup"; }
is_gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.[ZX]' "/proc/$1/status"; }
gone() { is_gone "$1" || fail "$2 outlives its unit"; }
lives() { ! is_gone "$1" || fail "$2 has gone"; }
complete() { # UNIT
	expect_exit 0 ctl start "$1"
	follow 1 '.text == "complete"' logs -f "$1" >/dev/null
}
begin() { # UNIT; sets STRAY to who has escaped from it
	complete "$1"
	STRAY=$(<"$DIR/$1")
	lives "$STRAY" "who has escaped from $1"
}

effd_start <<TREE
version: 1
defaults: {stop: {timeout: 1h}, activate: manual}
units:
  auto: {command: [$DIR/bin/escape, $DIR/auto]}
  must: {command: [$DIR/bin/escape, $DIR/must], stop: {mode: cgroup}}
  deaf: {command: [$DIR/bin/escape, $DIR/deaf, deaf], stop: {timeout: 300ms}}
  mixed: {command: [$DIR/bin/escape, $DIR/mixed], stop: {mode: mixed, timeout: 300ms}}
  other: {command: [$DIR/bin/escape, $DIR/other], user: nobody}
  group: {command: [$DIR/bin/escape, $DIR/group], stop: {mode: group}}
  ends: {command: [$DIR/bin/escape, $DIR/ends, deaf, ends], restart: no, stop: {timeout: 300ms}}
  hook: {command: [sleep, "1000000"], hooks: {pre_start: [$DIR/bin/escape, $DIR/hook, deaf, ends]}, restart: no}
  many: {command: [$DIR/bin/family, session, "session,nested", orphan, "session,deaf,nested"], stop: {timeout: 300ms}}
  cgroup.procs:
    units:
      cgroup.kill: {command: [sleep, "1000000"], activate: boot}
TREE
touch "$DIR/other"
chmod 666 "$DIR/other"
same "what is there before anything was started" "$(home)" "./effd "

# ── A stop ──

for unit in auto must deaf mixed other; do
	begin "$unit"
	same "where $unit is" "$(group_of "$(pid_of "$unit")") $(group_of "$STRAY")" "effd/unit:$unit effd/unit:$unit"
	expect_exit 0 ctl stop "$unit"
	gone "$STRAY" "who has escaped from $unit"
	same "what is left of $unit" "$(home)" "./effd "
done
complete many
expect_exit 0 ctl stop many
same "what is left of many" "$(processes_of family)" ""
same "the group of many" "$(home)" "./effd "

# It is a group of processes that was asked for.
begin group
expect_exit 0 ctl stop group
lives "$STRAY" "who has escaped from a group of processes"
kill -KILL "$STRAY"

# Names that the kernel has files for are good names.
expect_exit 0 ctl start cgroup.procs
same "the group of one that is named so" "$(home)" "./effd ./effd/unit:cgroup.procs:cgroup.kill "
expect_exit 0 ctl stop cgroup.procs

# ── An end by itself ──

expect_exit 0 ctl start --no-wait ends
wait_for failed ends
same "how it ended" "$(field ends '"\(.last_exit.kind) \(.last_exit.code)"')" "exit 3"
gone "$(<"$DIR/ends")" "who has escaped from one that ended"
expect_exit 1 ctl start hook
gone "$(<"$DIR/hook")" "who has escaped from a hook"
same "what is left" "$(home)" "./effd "

# ── effd itself is killed ──

begin deaf
kill -KILL "$EFFD"
effd_ended 137
lives "$STRAY" "who has escaped from deaf"
effd_again
await_notice READY=1
gone "$STRAY" "who has escaped from deaf, when the next effd has started"
same "what the killed one has left" "$(home)" "./effd "

# Another that lives beside it is left alone.
begin auto
"$DIR/at-home" "$BUILD/effd" --socket "$DIR/second.sock" -- true 2>/dev/null
lives "$STRAY" "who has escaped from auto"
same "what the second has left" "$(home)" "./effd ./effd/unit:auto "
effd_stop
gone "$STRAY" "who has escaped from auto, when effd has ended"
same "what effd has left" "$(home)" ""

# ── Where there is none to be had ──

mkdir "$DIR/empty"
at=$(awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
cat >"$DIR/without" <<END
#!/bin/sh
mount --bind "$DIR/empty" "$at"
exec "\$@"
END
chmod 755 "$DIR/without"
EFFD_UNDER=(unshare --mount "$DIR/without")
effd_again
await_notice READY=1
begin auto
expect_exit 0 ctl stop auto
lives "$STRAY" "who has escaped without a control group"
kill -KILL "$STRAY"
expect_exit 1 ctl start must
matches "why it is not started" "$(field must .cause.text,.last_exit.text)" '^cgroup: [A-Z]+ \(.*\): .+'
effd_stop

# ── A limit whose controller is not there ──

EFFD_UNDER=("$DIR/at-home")
missing=
for controller in pids memory cpu; do
	grep -qw "$controller" "$HOME_GROUP/cgroup.controllers" || missing=$controller
done
declare -A limits=([pids]="pids_max: 5" [memory]="memory_max: 1GiB" [cpu]="cpu_max: 50%")
if [ -n "$missing" ]; then
	effd_start <<TREE
version: 1
units:
  limited: {command: [sleep, "1000000"], restart: no, cgroup: {${limits[$missing]}}}
  free: {command: [sleep, "1000000"]}
TREE
	same "who is limited" "$(state limited)" failed
	matches "why it is not started" "$(ctl explain limited)" \
		"exec error: cgroup: EOPNOTSUPP \(.*\): ${limits[$missing]%%:*}: there is no controller $missing in $HOME_GROUP"
	same "who is not" "$(state free)" up
	# A limit that is taken away is one no more; one that comes while it runs, and cannot be had, is told of.
	sed -i -e 's/, cgroup: {[^}]*}//' -e "s/\(free: {.*\)}$/\1, cgroup: {${limits[$missing]}}}/" "$TREE"
	expect_exit 0 ctl reload
	ctl start limited >/dev/null
	same "who was limited" "$(state limited)" up
	same "who is to be limited now" "$(state free)" up
	matches "what is said of it" "$(cat "$DIR/effd.log")" \
		"free: limit.failed: cgroup: EOPNOTSUPP \(.*\): ${limits[$missing]%%:*}: there is no controller $missing"
	effd_stop
	same "what effd has left" "$(home)" ""
fi
