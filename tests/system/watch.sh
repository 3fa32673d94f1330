#!/bin/bash
# SPDX-License-Identifier: MIT
# With `daemon.watch` effd reloads by itself when a file of its tree, or an env_file, is written, replaced, or begins to exist;
# a bad tree is said, and nothing changes until it is good again. In a folder new files count, and others do not.
. "${0%/*}/lib.sh"
need strace
sleeps() { echo "{command: [/bin/sleep, \"1000000\"]${1-}}"; }
tree() { # more units, a line each
	cat <<TREE
version: 1
daemon: {watch: true}
units:
  same: $(sleeps)
  given: $(sleeps ", env_file: vars")
  optional: $(sleeps ", env_file: '?later.env'")
${1-}
TREE
}
there() { ctl status "$1" >/dev/null 2>&1; }
gone() { ! there "$1"; }
other_pid() { [ "$(pid_of "$1")" != "$2" ]; }

echo A=1 >vars
effd_start < <(tree)
same=$(pid_of same)

# Written in place.
tree "  one: $(sleeps)" >"$TREE"
eventually there one
wait_for up one

# Replaced, as editors do.
tree "  two: $(sleeps)" >"$DIR/.tree.yaml.swp"
mv "$DIR/.tree.yaml.swp" "$TREE"
eventually there two
eventually gone one
wait_for up two

# A bad tree is said, and changes nothing; what makes it good again is seen.
tree "  two: $(sleeps ", restrt: no")" >"$TREE"
await_line effd.log 'E201.*restrt' >/dev/null
there two || fail "a bad tree took a unit away"
tree "  three: $(sleeps)" >"$TREE"
eventually there three

# What an env_file says is what its unit is started with; another's process stays.
pid=$(pid_of given)
echo A=2 >vars
eventually other_pid given "$pid"
pid=$(pid_of optional)
echo B=1 >later.env
eventually other_pid optional "$pid"
wait_for up given optional
same "a unit that is the same" "$(pid_of same)" "$same"

# What it includes is its part: a file by its name, and what comes to be where a pattern looks.
mkdir parts
echo "units: {included: $(sleeps)}" >part.yaml
echo "units: {first: $(sleeps)}" >parts/first.yaml
{ tree; echo 'include: [part.yaml, parts/*.yaml]'; } >"$DIR/.tree.yaml.swp"
mv "$DIR/.tree.yaml.swp" "$TREE"
eventually there included
eventually there first
echo "units: {other: $(sleeps)}" >part.yaml
eventually there other
eventually gone included
echo "units: {second: $(sleeps)}" >parts/second.yaml
eventually there second
rm parts/first.yaml
eventually gone first
same "a unit that is the same, still" "$(pid_of same)" "$same"

effd_stop

# A folder.
mkdir folder
TREE=$DIR/folder
{ echo "version: 1"; echo "daemon: {watch: true}"; echo "units: {a: $(sleeps)}"; } >folder/a.yaml
effd_again
eventually answers
await_notice READY=1
echo "units: {b: $(sleeps)}" >folder/b.yaml
eventually there b
rm folder/b.yaml
eventually gone b
echo "units: {c: $(sleeps)}" >folder/c.yaml
eventually there c
effd_stop

# A folder that is a link to another one, as releases are put in place; and who lies in a folder that is removed, moved away,
# or not there yet.
one() { # UNIT [MORE]
	echo "version: 1"
	echo "daemon: {watch: true}"
	echo "units: {$1: $(sleeps "${2-}")}"
}
said() { # NUMBER of reloads that failed
	[ "$(grep -c 'reload: the tree has errors' effd.log)" -eq "$1" ]
}
: >effd.log
mkdir first second third above above/conf
one a >first/tree.yaml
one b >second/tree.yaml
ln -s first current
TREE=$DIR/current/tree.yaml
effd_again
eventually answers
await_notice READY=1
ln -s second next
mv -T next current
eventually there b
one c ", env_file: '?$DIR/no/such/env'" >second/tree.yaml
eventually there c
rm -r second
eventually said 1
mkdir second
one d ", env_file: '?$DIR/no/such/env'" >second/tree.yaml
eventually there d
mv second gone
eventually said 2
one e ", env_file: '?$DIR/no/such/env'" >third/tree.yaml
mv third second
eventually there e
pid=$(pid_of e)
mkdir -p no/such
echo A=1 >no/such/env
eventually other_pid e "$pid"
effd_stop
one f >above/conf/tree.yaml
TREE=$DIR/above/conf/tree.yaml
effd_again
eventually answers
await_notice READY=1
mv above before
eventually said 3
mkdir -p next/conf
one g >next/conf/tree.yaml
mv next above
eventually there g
effd_stop

# What is written after the tree was read, and before its files are watched.
TREE=$DIR/folder
EFFD_UNDER=(strace -f -o "$DIR/calls" -e trace=inotify_init1 -e inject=inotify_init1:delay_enter=1000000)
effd_again
eventually answers
await_notice READY=1
echo "units: {d: $(sleeps)}" >folder/d.yaml
echo "units: {e: $(sleeps)}" >folder/c.yaml
eventually there d
eventually there e
effd_stop

# What cannot be watched is said, and the tree is reloaded when it is asked for.
EFFD_UNDER=(strace -f -o "$DIR/calls" -e trace=inotify_add_watch -e inject=inotify_add_watch:error=ENOSPC)
effd_again
eventually answers
await_notice READY=1
await_line effd.log 'not all changes .*: no more folders can be watched: see fs.inotify.max_user_watches' >/dev/null
echo "units: {h: $(sleeps)}" >folder/c.yaml
expect_exit 0 ctl reload
there h
effd_stop
