#!/bin/bash
# SPDX-License-Identifier: MIT
# Units that want more descriptors than effd may have: those that got none try again and again, and take whatever comes free.
# Who asks is served all the same, and can stop it.
. "${0%/*}/lib.sh"
need prlimit
EFFD_UNDER=(prlimit --nofile=90)
effd_launch <<TREE
version: 1
defaults: {restart: {backoff: {initial: 1ms, max: 1ms}}}
units:
  calm: {command: [sleep, infinity]}
$(seq -f "  u%.0f: {command: [sleep, infinity]}" 100)
TREE
await_line "$DIR/effd.log" 'u[0-9]+: .* -> backoff: .*EMFILE' >/dev/null
for _ in {1..20}; do expect_exit 0 ctl --json status calm; done
[ "$(ctl --json status | jq '[.units[] | select(.state == "up")] | length')" -ge 5 ] || fail "few units are up"
effd_stop
