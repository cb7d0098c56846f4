#!/bin/bash
# migrate_faults.sh: each failure of v2v migrate leaves the target, the temporary folder and the
# source as they were, and says in one line what it was.
. "${V2V_SOURCE_DIR:?}/tests/cli/tap.sh" || exit 1
pack=$V2V_SOURCE_DIR/tests/guests/pack-ova
mkdir work to
export TMPDIR=$PWD/work # of the program: nothing may stay there

migrate() {
	run "$v2v" migrate -q --no-guest-conversion --virt-type qemu --to dir:to --from "$@"
}

nothing_left() {
	is "$1: nothing is left" "" "$(names_in to)$(names_in work)"
	rm -rf to work
	mkdir to work
}

# refused TEXT STATUS PATTERN: what was just run ended with the status and that line.
refused() {
	is "$1: status" "$2" "$status"
	row "$1: the line" grep -Eq -- "$3" <<<"$errors"
	is "$1: one line" 1 "$(grep -cv '^v2v: \(warning\|critical\): ' <<<"$errors")"
	nothing_left "$1"
}

sparse_raw d1.raw 10
sparse_raw d2.raw 6
"$pack" --name two --nic VmxNet3,00:50:56:00:00:01 d1.raw --controller ide d2.raw two.ova
"$pack" --name big d1.raw --name big big.ova
sha256sum two.ova big.ova >sums.txt
stat --format '%n %s %Y %a' two.ova big.ova >stats.txt

# An archive that ends too early
size=$(stat -c %s two.ova)
silent='' left='' lines=''
for i in $(seq 1 20); do
	head -c $((size * i / 20 - (i == 20 ? 5000 : 0))) two.ova >cut.ova
	migrate cut.ova
	[ "$status" = 1 ] || [ "$status" = 3 ] || silent="$silent $i:$status"
	[ "$(wc -l <<<"$errors")" = 1 ] || lines="$lines $i"
	[ -z "$(names_in to)$(names_in work)" ] || left="$left $i"
done
is "cut at 20 places: never a success" "" "$silent"
is "cut at 20 places: one line each" "" "$lines"
is "cut at 20 places: nothing is left" "" "$left"

# spoil FILE SED-EXPRESSION...: two.ova with something else in it, as spoilt.ova
spoil() {
	rm -rf unpacked spoilt.ova
	mkdir unpacked
	tar -C unpacked -xf two.ova
	"$@"
	tar -C unpacked -cf spoilt.ova two.ovf two.mf two-disk1.vmdk two-disk2.vmdk
}
# The manifest's digest is of other bytes: found beside the copy.
wrong_digest() {
	sed -i '/disk2/s/= .*/= '"$(printf %064d 1)"'/' unpacked/two.mf
}
spoil wrong_digest
migrate spoilt.ova
refused "a wrong digest" 1 'two-disk2.vmdk'

# A bit in the middle of a grain's compressed bytes; the manifest is right about the file.
corrupt_grain() {
	python3 - unpacked/two-disk1.vmdk <<-'PY'
		import sys
		with open(sys.argv[1], "r+b") as f:
		    data = f.read()
		    at = len(data) // 2
		    f.seek(at)
		    f.write(bytes([data[at] ^ 0x55] * 64))
	PY
	(cd unpacked && sha256sum --tag two.ovf ./*.vmdk | sed 's/^SHA256 (\(\.\/\)*/SHA256(/; s/) = /)= /' >two.mf)
}
spoil corrupt_grain
migrate spoilt.ova
refused "a corrupt grain" 1 'two-disk1.vmdk.*offset 0x[0-9a-f]+'
# shellcheck disable=SC2317
corrupt_ovf() {
	sed -i 's/<DiskSection>/<DiskSektion>/' unpacked/two.ovf
	rm unpacked/two.mf
	touch unpacked/two.mf
}
spoil corrupt_ovf
migrate spoilt.ova
refused "a corrupt OVF" 1 'two.ovf'
echo hello >hello.ova
migrate hello.ova
refused "no OVA at all" 1 'hello.ova'
migrate absent.ova
refused "no such file" 1 'absent.ova.*No such file'

# The target
run "$v2v" migrate -q --no-guest-conversion --from two.ova --to dir:absent
refused "no target folder" 1 'absent.*No such file'
run "$v2v" migrate -q --no-guest-conversion --from two.ova --to dir:two.ova
refused "a file as target folder" 3 'two.ova: not a folder'
mkdir small
if mount -t tmpfs -o size=70m none small 2>/dev/null; then
	trap 'umount small' EXIT
	run strace -f -qq -o trace.txt -e trace=openat \
		"$v2v" migrate -q --no-guest-conversion --from two.ova --to dir:small
	refused "too little space" 3 'small: [0-9]+ MiB are free, the disks need up to [0-9]+ MiB'
	row "too little space: no file was begun" [ "$(grep -c 'small.*O_CREAT' trace.txt)" = 0 ]
	is "too little space: nothing there" "" "$(names_in small)"
	mount -o remount,size=90m small
	# Somebody else is quicker to fill it.
	"$v2v" migrate -q --no-guest-conversion --from two.ova --to dir:small --format raw \
		--rate-limit 4M >/dev/null 2>errors.txt &
	pid=$!
	for _ in $(seq 100); do
		[ -e small/.two-disk2.raw.v2v-partial ] && break
		sleep 0.05
	done
	head -c 95M /dev/zero >small/full 2>/dev/null
	wait $pid
	status=$? errors=$(cat errors.txt)
	rm small/full
	refused "a full target" 1 'No space left on device'
	is "a full target: nothing there" "" "$(names_in small)"
else
	skip "a full target" "cannot mount a tmpfs"
fi

# libvirt: the test driver says yes to everything but what it does not know
test_target() {
	run "$v2v" migrate -q --no-guest-conversion --from two.ova --to test:///default --virt-type qemu \
		--storage "$PWD/to" "$@"
}
test_target --network nowhere
refused "an unknown network" 3 'no network "nowhere"'
test_target --bridge nowhere
refused "an unknown bridge" 3 'no bridge "nowhere"'
test_target --name test
refused "a name that is taken" 3 'has a VM named test already'
test_target --storage no-such-pool
refused "an unknown pool" 1 'no-such-pool'
# It refuses a bus that is none: the images have their names by then.
test_target --network default --name "$(printf 'x%.0s' $(seq 300))"
status_long=$status
rm -f to/*
row "a long name is cut, not refused" [ "$status_long" = 0 ]

# What the flow itself can break at, each once
echo old >old.txt
for fault in renameat2:error=EACCES:when=2 renameat2:error=EACCES:when=3 fsync:error=EIO:when=1+5 \
	pread64:error=EIO:when=30; do
	run strace -f -qq -o trace.txt -e trace="${fault%%:*}" -e "inject=$fault" \
		"$v2v" migrate -q --no-guest-conversion --from two.ova --to dir:to --threads 1
	row "$fault was met" grep -q INJECTED trace.txt
	refused "$fault" 1 '^v2v: '
done
# The second image or the XML cannot get its name: what --force replaced is there again.
for when in 2 3; do
	for file in two-disk1.qcow2 two-disk2.qcow2 two.xml; do
		cp old.txt to/$file
	done
	run strace -f -qq -o trace.txt -e trace=renameat -e inject=renameat:error=EACCES:when=$when \
		"$v2v" migrate -q --no-guest-conversion --from two.ova --to dir:to --force
	is "--force, rename $when fails: status" 1 "$status"
	is "--force, rename $when fails: the old files, nothing else" \
		"two-disk1.qcow2 two-disk2.qcow2 two.xml" "$(names_in to)"
	is "--force, rename $when fails: as they were" "old old old" "$(cat to/* | xargs)"
	rm to/*
done

# What is opened, and how
run strace -f -qq -y -o trace.txt -e trace=open,openat,openat2,creat,unlink,unlinkat,rename,renameat,renameat2,chmod,fchmod,fchmodat,utimensat,truncate,ftruncate \
	"$v2v" migrate -q --no-guest-conversion --from two.ova --to dir:to --virt-type qemu
is "a run under strace: status" 0 "$status"
is "the source is opened for reading only" "" \
	"$(grep -E 'open(at|at2)?\(.*two\.ova' trace.txt | grep -E 'O_WRONLY|O_RDWR|O_CREAT|O_TRUNC')"
is "nothing outside the target is opened for writing" "" \
	"$(grep -E 'open(at|at2)?\(.*(O_WRONLY|O_RDWR|O_CREAT)' trace.txt | grep -v "$PWD/to\b" |
		grep -v '= -1 ' | grep -v '"/dev/' )"
is "nothing outside the target is removed or renamed" "" \
	"$(grep -E '^[0-9]+ +(unlink|rename|chmod|fchmod|truncate|ftruncate|utimens)' trace.txt | grep -v "$PWD/to\b" | grep -v '= -1 ')"
rm to/*

# Signals
start() { # ARGUMENTS...: a slow copy, $pid; returns when it has begun
	rm -rf to/* to/.??*
	"$v2v" migrate -q --no-guest-conversion --from two.ova --to dir:to --rate-limit 2M "$@" >/dev/null 2>errors.txt &
	pid=$!
	for _ in $(seq 200); do
		[ -e to/.two-disk1.qcow2.v2v-partial ] && return
		sleep 0.02
	done
	return 1
}
for signal in INT TERM HUP; do
	for after in 0 0.7; do
		start --report report.json
		sleep $after
		kill -$signal $pid
		wait $pid
		status=$? errors=$(cat errors.txt)
		refused "SIG$signal after $after s" 4 '^v2v: interrupted$'
		row "SIG$signal after $after s: no report" [ ! -e report.json ]
	done
done
start
sleep 0.5
kill -KILL $pid
wait $pid 2>/dev/null
is "kill -9: only partial files" ".two-disk1.qcow2.v2v-partial .two-disk2.qcow2.v2v-partial" "$(names_in to)"
migrate two.ova
is "kill -9: the next run succeeds" 0 "$status"
is "kill -9: and leaves only what it should" "two-disk1.qcow2 two-disk2.qcow2 two.xml" "$(names_in to)"
is "kill -9: nothing in the temporary folder" "" "$(names_in work)"
rm to/*
start
migrate two.ova
is "a second run on one target: status" 3 "$status"
row "a second run: the line" grep -q 'another run is writing this target' <<<"$errors"
wait $pid
is "a second run: the first ends well" 0 $?

row "the sources' bytes are as they were" sha256sum -c --quiet sums.txt
row "and their mode and time" diff stats.txt <(stat --format '%n %s %Y %a' two.ova big.ova)
plan
