#!/bin/bash
# memory.sh: a copy takes at most 64 MiB, whatever the size of the disk.
# shellcheck source=tests/cli/tap.sh
. "${V2V_SOURCE_DIR:?}/tests/cli/tap.sh" || exit 1

# peak COMMAND...: KiB of resident memory.
peak() {
	/usr/bin/python3 - "$@" <<-'PY'
		import os, subprocess, sys
		child = subprocess.Popen(sys.argv[1:])
		_, status, usage = os.wait4(child.pid, 0)
		print(usage.ru_maxrss)
		sys.exit(os.waitstatus_to_exitcode(status))
	PY
}

# 4 GiB, of which 1 GiB is data, in runs of 32 MiB.
python3 - <<'PY'
import random
block = random.Random(1).randbytes(1 << 20)
with open("a.raw", "wb") as out:
    out.truncate(4 << 30)
    for run in range(32):
        out.seek(run << 27)
        for _ in range(32):
            out.write(block)
PY
if readelf -d "$v2v" | grep -q libasan; then
	skip "peak memory" "the sanitizer takes its own"
	plan
fi
for format in raw qcow2; do
	kib=$(peak "$v2v" convert -q -f raw --threads 2 --json a.raw b.$format 2>&1 | tail -1)
	echo "# raw to $format: $kib KiB"
	row "raw to $format, 2 threads: at most 64 MiB" [ "$kib" -le 65536 ]
	rm -f b.$format
done
kib=$(peak "$v2v" convert -q -f raw --threads 2 --verify -c zstd a.raw b.qcow2 | tail -1)
echo "# raw to qcow2, compressed and verified: $kib KiB"
row "raw to compressed qcow2, 2 threads: at most 64 MiB" [ "$kib" -le 65536 ]
rm -f b.qcow2
truncate -s 8T empty.raw
kib=$(peak "$v2v" convert -q -f raw --threads 2 empty.raw b.qcow2 | tail -1)
echo "# an empty raw of 8 TiB to qcow2: $kib KiB"
row "an empty disk of 8 TiB: at most 64 MiB" [ "$kib" -le 65536 ]
plan
