#!/bin/bash
# faults.sh: each call to the system fails once, at each place: never status 0 without a whole target,
# never a target with another status, never anything left behind.
# shellcheck source=tests/cli/tap.sh
. "${V2V_SOURCE_DIR:?}/tests/cli/tap.sh" || exit 1
sparse_raw a.raw 10
qemu-img convert -f raw -O raw a.raw reference.raw
mkdir out

# calls FORMAT NAMES: how often a conversion makes these calls on one thread.
calls() {
	rm -rf out/* out/.??*
	"${strace[@]}" -o trace.txt -e trace="$2" "${only[@]}" \
		"$v2v" convert -q -f raw --threads 1 --verify a.raw "out/b.$1" || return 1
	grep -cE "^[0-9]+ +[a-z0-9]+\(" trace.txt
}

# sound FORMAT: what stands under the final name has the guest's bytes.
sound() {
	qemu-img compare -f raw -F "$1" reference.raw "out/b.$1" >compare.txt 2>&1 &&
		{ [ "$1" = raw ] || qemu-img check -q "out/b.$1"; }
}

# sweep FORMAT CALL FAULT WANTED: every one of the calls gets the fault. WANTED: fail or succeed.
sweep() {
	local format=$1 call=$2 fault=$3 wanted=$4 total status bad="" k
	only=()
	# What the loader and libraries read is not our matter.
	[ "$call" != pread64 ] || only=(-P "$PWD/a.raw" -P "$PWD/out/.b.$format.v2v-partial")
	total=$(calls "$format" "$call")
	for ((k = 1; k <= total; k++)); do
		rm -rf out/* out/.??*
		"${strace[@]}" -o trace.txt -e trace="$call" "${only[@]}" -e inject="$call:$fault:when=$k" \
			"$v2v" convert -q -f raw --threads 1 --verify a.raw "out/b.$format" 2>errors.txt
		status=$?
		grep -q INJECTED trace.txt || continue
		case $wanted:$status in
		fail:1) [ -z "$(names_in out)" ] || bad="$bad $k:left($(names_in out))" ;;
		succeed:0)
			sound "$format" || bad="$bad $k:unsound"
			[ "$(names_in out)" = "b.$format" ] || bad="$bad $k:left($(names_in out))"
			;;
		*) bad="$bad $k:status$status($(head -c 100 errors.txt))" ;;
		esac
	done
	is "$format: $call with $fault at each of $total places: $wanted" "" "$bad"
	row "$format: $call was called" [ "$total" -gt 0 ]
}

for format in raw qcow2; do
	for fault in error=EIO error=ENOSPC; do
		sweep $format pwrite64 $fault fail
	done
	sweep $format fsync error=EIO fail
	sweep $format renameat2 error=EACCES fail
	sweep $format ftruncate error=EFBIG fail
	sweep $format fchmod error=EPERM fail
	sweep $format pread64 error=EIO fail
	sweep $format pwrite64 error=EINTR succeed
	sweep $format pread64 error=EINTR succeed
	sweep $format fsync error=EINTR succeed
	sweep $format ftruncate error=EINTR succeed
	sweep $format pwrite64 retval=0 fail
done

# A short write is one that the kernel did only in part: a limit on the size of the file makes one.
for format in raw qcow2; do
	for limit in 1 3000 5000; do
		rm -rf out/* out/.??*
		run bash -c "ulimit -f $limit; exec \"\$@\"" - "$v2v" convert -q -f raw a.raw out/b.$format
		is "$format: at most $limit KiB a file: status" 1 "$status"
		is "$format: at most $limit KiB a file: nothing is left" "" "$(names_in out)"
		row "$format: at most $limit KiB a file: one line" grep -q '^v2v: .*File too large' \
			<<<"$errors"
	done
done

# No RENAME_NOREPLACE on the file system.
rm -rf out/*
run "${strace[@]}" -o trace.txt -e trace=renameat2 -e inject=renameat2:error=EINVAL \
	"$v2v" convert -q -f raw a.raw out/b.raw
is "without RENAME_NOREPLACE: status" 0 "$status"
is "without RENAME_NOREPLACE: the target alone" "b.raw" "$(names_in out)"
echo old >out/b.raw
run "${strace[@]}" -o trace.txt -e trace=fsync -e inject=fsync:error=EIO:when=3 \
	"$v2v" convert -q -f raw --force a.raw out/b.raw
is "the last fsync fails after a replacement: status" 1 "$status"
row "and the old image is in its place again" grep -q old out/b.raw
is "and nothing else is left" "b.raw" "$(names_in out)"
run "${strace[@]}" -o trace.txt -e trace=fsync,linkat -e inject=fsync:error=EIO:when=3 \
	-e inject=linkat:error=EPERM "$v2v" convert -q -f raw --force a.raw out/b.raw
is "without hard links: status" 1 "$status"
row "the new image stays, for the old one is gone" cmp a.raw out/b.raw

# A file system that cannot make holes.
rm -rf out/*
run "${strace[@]}" -o trace.txt -e trace=fallocate -e inject=fallocate:error=EOPNOTSUPP \
	"$v2v" convert -q -f raw a.raw out/b.raw
is "without holes: status" 0 "$status"
row "without holes: the same bytes" cmp a.raw out/b.raw

# A file system that cannot tell holes.
run "${strace[@]}" -o trace.txt -e trace=lseek -e inject=lseek:error=EINVAL \
	"$v2v" convert -q -f raw --force a.raw out/b.raw
is "without SEEK_DATA: status" 0 "$status"
row "without SEEK_DATA: the same bytes" cmp a.raw out/b.raw

# No more threads.
run "${strace[@]}" -o trace.txt -e trace=clone,clone3 -e inject=clone,clone3:error=EAGAIN \
	"$v2v" convert -q -f raw --force --threads 8 a.raw out/b.raw
is "without threads: status" 0 "$status"
row "without threads: the same bytes" cmp a.raw out/b.raw

# A full disk.
mkdir small
if mount -t tmpfs -o size=3m none small 2>/dev/null; then
	trap 'umount small' EXIT
	for format in raw qcow2; do
		run "$v2v" convert -q -f raw a.raw small/b.$format
		is "$format: a full disk: status" 1 "$status"
		is "$format: a full disk: nothing is left" "" "$(names_in small)"
		row "$format: a full disk: one line" grep -q '^v2v: .*No space left' <<<"$errors"
	done
	cp /dev/null small/x.raw
	run "$v2v" convert -q -f raw --digests small/d a.raw out/c.raw
	is "digests where there is room: status" 0 "$status"
	head -c 3M /dev/zero >small/fill 2>/dev/null
	run "$v2v" convert -q -f raw --force --digests small/d a.raw out/d.raw
	is "digests on a full disk: status" 1 "$status"
	row "digests on a full disk: no target" [ ! -e out/d.raw ]
else
	skip "a full disk" "cannot mount a tmpfs"
fi

# Few descriptors, a small stack.
run bash -c 'ulimit -n 16; exec "$@"' - "$v2v" convert -q -f raw --force a.raw out/b.raw
is "16 descriptors are enough" 0 "$status"
run bash -c 'ulimit -s 256; exec "$@"' - "$v2v" convert -q -f raw --force a.raw out/b.raw
is "256 KiB of stack are enough" 0 "$status"
plan
