#!/bin/bash
# interrupt.sh: signals, kill -9, and two runs at once: never anything under the final name that is
# not whole.
# shellcheck source=tests/cli/tap.sh
. "${V2V_SOURCE_DIR:?}/tests/cli/tap.sh" || exit 1
sparse_raw a.raw 24
mkdir out

# Waits until a file is there, 10 seconds at most.
await() {
	for _ in $(seq 500); do
		[ -e "$1" ] && return
		sleep 0.02
	done
	return 1
}

# start ARGUMENTS...: a slow copy in the background, $pid; returns when it has begun.
start() {
	rm -rf out/.*.v2v-partial out/*
	"$v2v" convert -q -f raw --rate-limit 3M a.raw out/b.raw "$@" 2>errors.txt &
	pid=$!
	await out/.b.raw.v2v-partial
}

for signal in INT TERM HUP; do
	start
	sleep 0.5
	kill -$signal $pid
	wait $pid
	is "SIG$signal in the middle: status" 4 $?
	is "SIG$signal: nothing is left" "" "$(names_in out)"
	is "SIG$signal: one line" "v2v: interrupted" "$(cat errors.txt)"
done
start --threads 8
kill -INT $pid
wait $pid
is "at once, 8 threads: status" 4 $?
is "at once, 8 threads: nothing is left" "" "$(names_in out)"

# strace holds the program in a step for a second, the signal comes meanwhile.
in_step() {
	local text=$1 inject=$2
	shift 2
	rm -rf out/.*.v2v-partial out/*
	"${strace[@]}" -o trace.txt -e trace=fsync,openat -e "inject=$inject" \
		"$v2v" convert -q -f raw "$@" a.raw out/b.raw 2>errors.txt &
	pid=$!
	await out/.b.raw.v2v-partial
	sleep 0.6
	kill -INT "$(cat /proc/$pid/task/$pid/children)"
	wait $pid
	is "SIGINT in $text: status" 4 $?
	is "SIGINT in $text: nothing is left" "" "$(names_in out)"
}
in_step "finish" fsync:delay_enter=1500000:when=1
in_step "verify" fsync:delay_enter=100000:when=1 --verify --rate-limit 8M

start
sleep 0.3
kill -INT $pid
kill -INT $pid 2>/dev/null
wait $pid
row "twice: the final name stays free" [ ! -e out/b.raw ]

for after in 0 0.2 0.5 1; do
	start
	sleep $after
	kill -KILL $pid
	wait $pid 2>/dev/null
	is "kill -9 after $after s: only the partial file" ".b.raw.v2v-partial" "$(names_in out)"
	run "$v2v" convert -q -f raw a.raw out/b.raw
	is "the next run replaces it: status" 0 "$status"
	is "and leaves only the target" "b.raw" "$(names_in out)"
	row "which is whole" cmp a.raw out/b.raw
done

start
run "$v2v" convert -q -f raw a.raw out/b.raw
is "a second run on one target: status" 3 "$status"
is "one line" "v2v: out/b.raw: another run is writing this target" "$errors"
run "$v2v" convert -q -f raw --force a.raw "$PWD/out/../out/b.raw"
is "by another way there, with --force: status" 3 "$status"
wait $pid
is "the first one ends well" 0 $?
row "and is whole" cmp a.raw out/b.raw

# One run is slow between making its file and locking it: the other may take the name, but then the
# first must not commit what the other writes.
rm -rf out/*
"${strace[@]}" -o trace.txt -e trace=fcntl -e inject=fcntl:delay_enter=700000 \
	"$v2v" convert -q -f raw a.raw out/b.raw 2>errors.txt &
slow=$!
await out/.b.raw.v2v-partial
head -c 3M /dev/urandom >other.raw
"$v2v" convert -q -f raw --rate-limit 1M other.raw out/b.raw
fast_status=$?
wait $slow
slow_status=$?
is "a race for the name has one winner" "0 3" "$(printf '%s\n' $fast_status $slow_status | sort | xargs)"
if [ $fast_status = 0 ]; then winner=other.raw; else winner=a.raw; fi
row "whose target is its own, whole" cmp $winner out/b.raw
is "and nothing else is left" "b.raw" "$(names_in out)"
plan
