#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# migrate_faults.sh: while the guest is converted: signals, unreadable sources, disks without a guest.
# Nothing stays, no process either, and it ends within seconds. TAP.
. "${V2V_SOURCE_DIR:?}/tests/cli/tap.sh" || exit 1
pack=$V2V_SOURCE_DIR/tests/guests/pack-ova
ova=$V2V_SOURCE_DIR/build/guests/debian12-bios.ova
export LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg
export LIBGUESTFS_CACHEDIR=${LIBGUESTFS_CACHEDIR:-/var/tmp} # its appliance, not made anew for each run
row "the guest is built" "$V2V_SOURCE_DIR/tests/guests/build" debian12-bios "${ova%/*}"
mkdir work to
export TMPDIR=$PWD/work # of the program

# Processes whose command line names our work folder: the appliance.
appliances() {
	local line
	for line in /proc/[0-9]*/cmdline; do
		if grep -aq "^[^ ]*qemu.*$PWD/work" "$line" 2>/dev/null; then
			echo "$line"
		fi
	done
}

nothing_left() {
	# vl.*: a QEMU that is killed as it starts leaves an empty one behind.
	rm -f work/vl.??????
	is "$1: nothing at the target, nothing in the temporary folder" "" "$(names_in to)$(names_in work)"
	is "$1: no appliance" "" "$(appliances)"
	rm -rf to work
	mkdir to work
}

# start ARGUMENTS...: in the background, $pid; progress in errors.txt
start() {
	"$v2v" migrate --machine-readable --from "$ova" --to dir:to --virt-type qemu "$@" >/dev/null 2>errors.txt &
	pid=$!
}

# Until PATTERN is in the progress, three minutes at most.
await() {
	for _ in $(seq 1800); do
		grep -q "$1" errors.txt && return
		kill -0 $pid 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}

# ended TEXT STATUS SECONDS: the run that was told to end did.
ended() {
	local begin=$EPOCHREALTIME
	wait $pid
	is "$1: status" "$2" $?
	row "$1: within $3 seconds" [ "$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print (b - a < '"$3"') }')" = 1 ]
	is "$1: one line" "v2v: interrupted" "$(grep '^v2v: ' errors.txt)"
	nothing_left "$1"
}

# ended_refused TEXT PATTERN
refused() {
	is "$1: status" 1 "$status"
	is "$1: one line" 1 "$(grep -cv '^v2v: warning: ' <<<"$errors")"
	row "$1: the line" grep -Eq -- "$2" <<<"$errors"
	nothing_left "$1"
}

stat --format '%s %Y %a' "$ova" >stat.txt
start
await '"start appliance"'
kill -INT $pid
ended "SIGINT at the appliance's start" 4 10
# The copy is over by then: nobody but the appliance's guard sees the request.
start
await '"inspect guest"' || cat errors.txt
kill -TERM $pid
ended "SIGTERM while the guest is inspected" 4 10
start --dry-run
await '"start appliance"'
sleep 2
kill -INT $pid
ended "SIGINT in a dry run" 4 10
start
await '"hypervisor tools"'
kill -INT $pid
ended "SIGINT in a step" 4 10
# Ctrl-C reaches the whole process group.
setsid "$v2v" migrate --machine-readable --from "$ova" --to dir:to --virt-type qemu \
	>/dev/null 2>errors.txt &
pid=$!
await '"inspect guest"'
kill -INT -- -$pid
ended "Ctrl-C" 4 10

start
await '"inspect guest"'
kill -KILL $pid
wait $pid 2>/dev/null
for _ in $(seq 100); do
	[ -n "$(appliances)" ] || break
	sleep 0.1
done
is "kill -9: the appliance ends by itself" "" "$(appliances)"
is "kill -9: nothing under a final name" ".debian12-bios-disk1.qcow2.v2v-partial" "$(names_in to)"
echo "# left in the temporary folder: $(names_in work)"
rm -rf work
mkdir work
run "$v2v" migrate -q --no-guest-conversion --from "$ova" --to dir:to
is "kill -9: the next run succeeds" 0 "$status"
is "kill -9: and cleans up" "debian12-bios-disk1.qcow2 debian12-bios.xml" "$(names_in to)"
rm to/*

# A grain in the second half does not unpack: copy and guest meet it.
python3 - "$ova" <<-'PY'
	import sys, tarfile
	with tarfile.open(sys.argv[1]) as tar:
	    tar.extractall("broken")
	import glob
	disk = glob.glob("broken/*.vmdk")[0]
	with open(disk, "r+b") as f:
	    f.seek(0, 2)
	    for part in range(4, 40):
	        f.seek(f.seek(0, 2) * part // 40)
	        f.write(b"\x55" * 100)
PY
rm -f broken/*.mf
begin=$SECONDS
run timeout 120 "$v2v" migrate -q --from broken --to dir:to --virt-type qemu
echo "# broken grain: $((SECONDS - begin)) s: $errors"
refused "a broken grain" 'debian12-bios-disk1.vmdk.*offset 0x[0-9a-f]+'
run timeout 120 "$v2v" migrate -q --from broken --to dir:to --virt-type qemu --dry-run
echo "# in a dry run: $errors"
refused "a broken grain in a dry run" 'debian12-bios-disk1.vmdk.*offset 0x[0-9a-f]+'
row "the source is as it was" diff stat.txt <(stat --format '%s %Y %a' "$ova")
rm -rf broken

truncate -s 64M empty.raw
"$pack" empty.raw empty.ova
run "$v2v" migrate -q --from empty.ova --to dir:to --virt-type qemu
echo "# $errors"
refused "an empty disk" '^v2v: guest: no operating system found .*--no-guest-conversion'
mkfs.ext4 -q -d "$V2V_SOURCE_DIR/docs" empty.raw
"$pack" empty.raw unknown.ova
run "$v2v" migrate -q --from unknown.ova --to dir:to --virt-type qemu
echo "# $errors"
refused "a disk without a system" '^v2v: guest: '
run env LIBGUESTFS_HV=/bin/false "$v2v" migrate -q --from unknown.ova --to dir:to --virt-type qemu
echo "# $errors"
refused "an appliance that does not start" 'appliance'
plan
