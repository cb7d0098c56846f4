#!/bin/bash
# help.sh: --help of each command is what stands in expected/; UPDATE=1 writes it anew.
# shellcheck source=tests/cli/tap.sh
. "${V2V_SOURCE_DIR:?}/tests/cli/tap.sh" || exit 1
expected=$V2V_SOURCE_DIR/tests/cli/expected

compare() {
	[ -z "${UPDATE:-}" ] || printf '%s\n' "$output" >"$expected/$1.txt"
	is "$1: help ends with status 0" 0 "$status"
	is "$1: help is on standard output" "" "$errors"
	row "$1: help is as expected" diff -u "$expected/$1.txt" - <<<"$output"
}

export LC_ALL=C
run "$v2v" --help
overview=$output
compare v2v
commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' <<<"$overview")
row "the overview lists commands" grep -q convert <<<"$commands"
for command in $commands; do
	run "$v2v" "$command" --help
	compare "$command"
	row "$command: help has an example" grep -q "^  v2v $command" <<<"$output"
	run "$v2v" "$command" --no-such-option
	is "$command: an unknown option is a usage error" 2 "$status"
	row "$command: and says where help is" grep -q "see v2v $command --help" <<<"$errors"
done
run "$v2v"
is "no command is a usage error" 2 "$status"
run "$v2v" no-such-command
is "an unknown command is a usage error" 2 "$status"
is "one line says so" 'v2v: "no-such-command" is not a command (see v2v --help)' "$errors"
run "$v2v" --version
row "version" grep -Eq '^v2v [0-9]+\.[0-9]+\.[0-9]+$' <<<"$output"
plan
