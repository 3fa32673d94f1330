#!/bin/bash
# SPDX-License-Identifier: MIT
# Where each value of a unit came from: its own words, a `defaults` above it, a template, an included file, a variable of effd's
# environment (the place is that of its name), an anchor, an addition, or nobody: then it is the default.
. "${0%/*}/lib.sh"
compile family
export EFFD_TEST_GRACE=7s
mkdir more
cat >more/inner.yaml <<TREE
units:
  inner:
    command: $DIR/bin/family
    start_timeout: 5s
TREE
cat >added.yaml <<TREE
units:
  one:
    labels: {n: "1"}
TREE
effd_start <<TREE
version: 1
include: [more/*.yaml]
defaults:
  umask: "0077"
x-shared: &shared
  max_runtime: 9h
units:
  web:
    <<: *shared
    command: $DIR/bin/family
    stop:
      timeout: \${EFFD_TEST_GRACE}
  group:
    defaults:
      start_timeout: 8s
    units:
      leaf: {command: $DIR/bin/family}
  pool:
    strategy: simple_one_for_one
    template:
      command: $DIR/bin/family
      description: of the pool
TREE
expect_exit 0 ctl add pool added.yaml
# "VALUE source FILE:LINE" of a field of a unit; a default has no place.
from() { # UNIT FIELD
	ctl --json show "$1" --resolved | jq -r --arg f "$2" '.units[0].values[] | select(.field == $f) |
		"\(.value) \(.source)" + if .place then " \(.place.file | split("/") | last):\(.place.line)" else "" end'
}
tree=${TREE##*/}
same "its own words" "$(from web command)" "[$DIR/bin/family] file $tree:10"
same "a variable" "$(from web stop.timeout)" "7s file $tree:12"
same "an anchor" "$(from web max_runtime)" "9h file $tree:6"
same "defaults of the root" "$(from web umask)" "0077 file $tree:4"
same "nobody" "$(from web stop.signal)" "SIGTERM default"
same "nobody, but the folder" "$(from web working_dir)" "$DIR default"
same "defaults of a group" "$(from group/leaf start_timeout)" "8s file $tree:15"
same "defaults of the root, further in" "$(from group/leaf umask)" "0077 file $tree:4"
same "an included file" "$(from inner start_timeout)" "5s file inner.yaml:4"
same "defaults, for an included file" "$(from inner umask)" "0077 file $tree:4"
same "a template" "$(from pool/one description)" "of the pool file $tree:22"
same "an addition" "$(from pool/one labels)" '{n: 1} file added.yaml:3'
expect_exit 0 ctl show group/leaf --resolved
matches "for people" "$OUT" "start_timeout +8s +.*$tree:15"
effd_stop
