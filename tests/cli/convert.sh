#!/bin/bash
# convert.sh: v2v convert: bytes, holes, exit statuses, JSON, digests, and what it leaves alone.
# shellcheck source=tests/cli/tap.sh
. "${V2V_SOURCE_DIR:?}/tests/cli/tap.sh" || exit 1

convert() {
	run "$v2v" convert -q "$@"
}

# The line and the status of a refusal, and that nothing was left.
refused() {
	local text=$1 wanted=$2 line=$3 before
	shift 3
	before=$(names_in .)
	run "$v2v" convert -q "$@"
	is "$text: status" "$wanted" "$status"
	row "$text: one line says why" [ "$(grep -c . <<<"$errors")" = 1 -a -z "${errors##v2v: *"$line"*}" ]
	is "$text: nothing is left" "$before" "$(names_in .)"
}

# --- raw to raw
sparse_raw a.raw 40
truncate -s $((40 * 1048576 + 777)) a.raw
sum_before=$(sha256sum <a.raw)
chmod 0440 a.raw
touch -d '2001-02-03 04:05:06.789' a.raw
stat_before=$(stat -c '%a %s %Y %y %i' a.raw)
for threads in 1 2 5 16; do
	convert -f raw --threads $threads a.raw b$threads.raw
	is "raw to raw, $threads threads" 0 "$status"
	row "raw to raw, $threads threads: the same bytes" cmp a.raw b$threads.raw
	row "$threads threads: holes where there are zeroes" \
		[ "$(stat -c %b b$threads.raw)" -le $((18 * 2048)) ]
done
is "the source has its mode, size and time" "$stat_before" "$(stat -c '%a %s %Y %y %i' a.raw)"
is "the source has its bytes" "$sum_before" "$(sha256sum <a.raw)"
(umask 077; "$v2v" convert -q -f raw a.raw private.raw)
is "the umask decides the mode" 600 "$(stat -c %a private.raw)"
is "and the usual one gives 644" 644 "$(stat -c %a b1.raw)"

# --- what is opened, and how
"${strace[@]}" -e trace=openat,openat2,open,creat,rename,renameat,renameat2,unlink,unlinkat,chmod,fchmod,fchmodat,utimensat,link,linkat,truncate \
	-o trace.txt "$v2v" convert -q -f raw a.raw traced.raw
# Only the partial file, and what the C library and GLib do with /proc and /sys.
writes=$(grep -E 'O_(WRONLY|RDWR|CREAT|TRUNC)' trace.txt | grep -v ' = -1 ' |
	sed -E 's/.*"([^"]*)".*/\1/' | sort -u)
is "one file is opened for writing" ".traced.raw.v2v-partial" "$writes"
row "the source is opened O_RDONLY" grep -q '"a.raw", O_RDONLY' trace.txt
is "and only so" "" "$(grep '"a.raw"' trace.txt | grep -v O_RDONLY)"
is "one rename" 1 "$(grep -c '^[0-9]* *rename' trace.txt)"
row "which does not replace" grep -q 'renameat2(.*RENAME_NOREPLACE) = 0' trace.txt
is "no other change to a name or a mode" "fchmod" \
	"$(grep -E '(chmod|unlink|link|truncate|utimens)' trace.txt | grep -v ' = -1 ENOENT' |
		sed -E 's/^[0-9]* *([a-z0-9]*)\(.*/\1/' | sort -u | tr '\n' ' ' | sed 's/ $//')"

# --- exit statuses and refusals
printf x >one.raw
: >empty.raw
mkfifo fifo
refused "no arguments" 2 "expected IN OUT"
refused "one argument" 2 "expected IN OUT" a.raw
refused "three arguments" 2 "expected IN OUT" a.raw b c
refused "unknown source format" 2 'unknown image format "nope"' -f nope a.raw x.raw
refused "unknown target format" 2 'unknown image format "nope"' -f raw -O nope a.raw x.raw
refused "no format by the suffix" 2 "say --to-format" -f raw a.raw x.unknown
refused "threads out of range" 2 "not in 1 to 16" -f raw --threads 17 a.raw x.raw
refused "a size that is none" 2 "is not a size" -f raw --rate-limit fast a.raw x.raw
refused "a unit that is none" 2 "unknown unit" -f raw --rate-limit 5X a.raw x.raw
refused "a compressed raw" 2 "cannot be compressed" -f raw -c zlib a.raw x.raw
refused "a raw with clusters" 2 "no clusters" -f raw --cluster-size 64k a.raw x.raw
refused "raw is not guessed" 1 "say --from-format raw" a.raw x.raw
refused "an absent source" 1 "No such file" -f raw absent x.raw
refused "an empty source" 1 "0 bytes" -f raw empty.raw x.raw
refused "a FIFO" 3 "is a FIFO" -f raw fifo x.raw
refused "a folder" 3 "is a folder" -f raw . x.raw
refused "a character device" 3 "is a character device" -f raw /dev/zero x.raw
refused "an existing target" 3 "say --force" -f raw a.raw b1.raw
refused "an absent folder" 1 "No such file" -f raw a.raw absent/x.raw
refused "a target that is a folder" 3 "not a regular file" -f raw -O raw --force a.raw "$PWD"
refused "a target in the name of a folder" 2 "not the name of a file" -f raw -O raw a.raw x/
ln one.raw hard.raw
ln -s one.raw soft.raw
refused "target is the source" 3 "the source is read from this file" -f raw --force one.raw one.raw
refused "by another name" 3 "the source is read from this file" -f raw --force one.raw ./hard.raw
refused "through a symbolic link" 3 "the source is read from this file" \
	-f raw --force one.raw soft.raw
refused "digests in the place of the source" 3 "the source is read from this file" \
	-f raw --force --digests hard.raw one.raw x.raw
refused "a target that is a symbolic link" 3 "not a regular file" -f raw --force a.raw soft.raw
refused "existing digests" 3 "say --force" -f raw --digests b1.raw one.raw x.raw
refused "digests in the place of the target" 3 "another run" -f raw --digests x.raw one.raw x.raw
convert -f raw --force one.raw b1.raw
is "--force replaces" 0 "$status"
row "by what was asked for" cmp one.raw b1.raw
row "one byte stays one byte" [ "$(stat -c %s b1.raw)" = 1 ]
if [ "$(id -u)" = 0 ]; then # root reads everything
	chmod 0 one.raw
	run setpriv --reuid=65534 --regid=65534 --clear-groups "$v2v" convert -q -f raw one.raw x.raw
	is "an unreadable source" 1 "$status"
	chmod 0644 one.raw
fi

# --- a source that changes while it is read
sparse_raw moving.raw 8
(sleep 0.7; touch moving.raw) &
convert -f raw --rate-limit 4M moving.raw x.raw
is "a source that is written to meanwhile: status" 1 "$status"
row "and one line" grep -q 'moving.raw: was written to while it was read' <<<"$errors"
(sleep 0.7; truncate -s 2M moving.raw) &
convert -f raw --rate-limit 4M moving.raw x.raw
is "a source that is cut meanwhile: status" 1 "$status"
row "no target" [ ! -e x.raw ]
wait

# --- JSON
run "$v2v" convert -f raw --json --digests a.digests --verify a.raw json.raw
is "--json and --verify" 0 "$status"
printf '%s' "$output" >out.json
printf '%s' "$errors" >progress.txt
row "the result is JSON with the facts" python3 - <<-'PY'
	import json, os
	facts = json.load(open("out.json"))
	size = os.path.getsize("a.raw")
	assert facts["source"] == "a.raw" and facts["target"] == "json.raw", facts
	assert facts["source-format"] == facts["target-format"] == "raw"
	assert facts["virtual-size"] == size
	assert facts["data-bytes"] + facts["zero-bytes"] == size
	assert 15 << 20 <= facts["data-bytes"] <= 20 << 20, facts
PY
row "progress is JSON lines that end where they should" python3 - <<-'PY'
	import json, os
	last = {}
	for line in open("progress.txt"):
	    step = json.loads(line)
	    assert {"phase", "done", "total", "bytes_per_second"} <= step.keys(), step
	    assert step["done"] >= last.get(step["phase"], 0)
	    last[step["phase"]] = step["done"]
	size = os.path.getsize("a.raw")
	assert last == {"copy": size, "finish": size}, last
PY
row "digests and root are those that hashlib computes" python3 - <<-'PY'
	import hashlib, json
	def h(*parts): return hashlib.sha256(b"".join(parts)).digest()
	raw = open("a.raw", "rb").read()
	blocks = [raw[i:i + 2**20] for i in range(0, len(raw), 2**20)]
	def tree(leaves):
	    if len(leaves) == 1: return h(b"\0", leaves[0])
	    k = 1
	    while k * 2 < len(leaves): k *= 2
	    return h(b"\1", tree(leaves[:k]), tree(leaves[k:]))
	root = h(b"\2", len(raw).to_bytes(8, "big"), tree([h(b) for b in blocks])).hex()
	assert json.load(open("out.json"))["digest-root"] == root
	lines = open("a.digests").read().splitlines()
	assert lines[0] == f"v2v-digests 1 {len(raw)} {root}", lines[0]
	assert lines[1:] == [h(b).hex() if any(b) else "0" for b in blocks]
PY
name=$'bad\xff\x1bname.raw'
cp one.raw "$name"
run "$v2v" convert -q -f raw --json "$name" x.raw
is "a name that is no text" 0 "$status"
row "gives JSON all the same" python3 -m json.tool <<<"$output"
rm x.raw
run "$v2v" convert -q -f raw "$name" x.raw --compress zlib
row "and an error line without its control bytes" [ -z "$(tr -d '\040-\176\n' <<<"$errors")" ]
"$v2v" convert -q -f raw --json one.raw full.raw >/dev/full 2>errors.txt
is "a result that cannot be printed is a failure" 1 $?
plan
