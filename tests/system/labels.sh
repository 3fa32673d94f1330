#!/bin/bash
# SPDX-License-Identifier: MIT
# -l KEY=VALUE means all units that have this label, in every command that takes units; nobody has it: 4.
. "${0%/*}/lib.sh"

effd_start <<'END'
version: 1
units:
  db: {shell: 'echo db here; exec sleep 1000', labels: {tier: data}}
  web: {shell: 'echo web here; exec sleep 1000', labels: {tier: front, app: shop}}
  jobs:
    labels: {app: jobs}
    units:
      mail: {shell: 'echo mail here; exec sleep 1000', labels: {tier: front}}
END

expect_exit 0 ctl --json status -l tier=front
same "names" "$(jq -r '.units[].name' <<<"$OUT")" $'web\njobs/mail'
expect_exit 0 ctl --json status db -l app=jobs
same "a supervisor with what is below it" "$(jq -r '.units[].name' <<<"$OUT")" $'db\njobs\njobs/mail'
expect_exit 0 ctl logs -l tier=front
same "logs" "$(sort <<<"$OUT")" $'jobs/mail | mail here\nweb | web here'

expect_exit 0 ctl --json stop -l tier=front
same "stopped" "$(jq -c '.units[] | [.name, .outcome, .state]' <<<"$OUT")" \
	$'["web","done","down"]\n["jobs/mail","done","down"]'
same "db goes on" "$(state db)" up
expect_exit 0 ctl start -l tier=front -l tier=data
expect_exit 0 ctl wait --for up -l tier=front

for command in status stop start restart reset logs events 'wait --for up' 'signal HUP'; do
	# shellcheck disable=SC2086 # words are meant
	expect_exit 4 ctl $command -l tier=back
	same "what $command says" "$ERR" "effctl: no unit has the label: tier=back"
done

effd_stop
