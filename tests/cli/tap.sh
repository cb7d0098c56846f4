# tap.sh: rows of TAP for shell suites; sourced. The suite calls `row NAME COMMAND...` or sets up and
# calls `is`, `has`, and ends with `plan`.
set -uo pipefail
cd "${TMPDIR:?}" || exit 1
v2v=${V2V:?}
rows=0 failures=0
# LeakSanitizer cannot look at a process that is traced already.
strace=(env "ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0" strace -f -qq)

# row TEXT COMMAND...: passes when the command does.
row() {
	local text=$1 output ended
	shift
	rows=$((rows + 1))
	output=$("$@" 2>&1)
	ended=$?
	if [ $ended = 0 ]; then
		echo "ok $rows - $text"
	else
		failures=$((failures + 1))
		echo "not ok $rows - $text"
		echo "# $* ended with $ended:"
		sed 's/^/# /' <<<"${output:0:2000}"
	fi
}

# is TEXT EXPECTED GOT
is() {
	rows=$((rows + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $rows - $1"
	else
		failures=$((failures + 1))
		echo "not ok $rows - $1"
		printf 'expected: %s\ngot: %s\n' "$2" "$3" | sed 's/^/# /'
	fi
}

# skip TEXT REASON
skip() {
	rows=$((rows + 1))
	echo "ok $rows - $1 # SKIP $2"
}

plan() {
	echo "1..$rows"
	exit $((failures > 0))
}

# run COMMAND...: keeps the status in $status, what was printed in $output, the errors in $errors.
run() {
	output=$("$@" 2>errors.txt)
	status=$?
	errors=$(cat errors.txt)
	rm -f errors.txt
}

# The names in a folder, hidden ones too, on one line.
names_in() {
	find "$1" -mindepth 1 -printf '%P\n' | sort | tr '\n' ' ' | sed 's/ $//'
}

# sparse_raw FILE SIZE_MIB: data (the same each time), written zeroes and holes.
sparse_raw() {
	python3 - "$1" "$2" <<-'PY'
		import random, sys
		path, mib = sys.argv[1], int(sys.argv[2])
		rand = random.Random(mib)
		with open(path, "wb") as out:
		    out.truncate(mib << 20)
		    for at in range(mib):
		        kind = at % 8
		        if kind in (0, 1, 5):        # a MiB of data
		            out.seek(at << 20)
		            out.write(rand.randbytes(1 << 20))
		        elif kind == 2:              # zeroes that take space
		            out.seek(at << 20)
		            out.write(bytes(1 << 20))
		        elif kind == 3:              # a little data between holes
		            out.seek((at << 20) + 300_000)
		            out.write(rand.randbytes(5000))
	PY
}
