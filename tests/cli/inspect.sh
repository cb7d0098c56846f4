#!/bin/bash
# inspect.sh: the sheet of a VM, as JSON too; sources that are wrong; nothing unsafe on the terminal.
. "${V2V_SOURCE_DIR:?}/tests/cli/tap.sh" || exit 1
pack=$V2V_SOURCE_DIR/tests/guests/pack-ova
export LC_ALL=C
truncate -s 3M a.raw
truncate -s 1G b.raw
"$pack" --name golden --firmware efi --secure-boot --cpus 4 --cores-per-socket 2 --memory 2048 \
	--nic VmxNet3,00:50:56:00:00:01,'VM Network' --nic E1000,,DMZ a.raw --controller nvme b.raw golden.ova
stat --format '%s %Y %a' golden.ova >before.txt

run strace -f -qq -o trace.txt -e trace=open,openat,openat2,creat,mkdir,unlink,rename "$v2v" inspect golden.ova
is "status" 0 "$status"
is "nothing on standard error" "" "$errors"
row "the sheet is as expected" diff -u "$V2V_SOURCE_DIR/tests/cli/expected/inspect-golden.sheet" \
	<(sed 's/\xc2\xa0/ /g' <<<"$output")
[ -z "${UPDATE:-}" ] || sed 's/\xc2\xa0/ /g' <<<"$output" >"$V2V_SOURCE_DIR/tests/cli/expected/inspect-golden.sheet"
is "nothing is opened for writing" "" "$(grep -E 'O_WRONLY|O_RDWR|O_CREAT|^[0-9]+ +(mkdir|unlink|rename|creat)' trace.txt | grep -v '= -1 ')"
row "the source is as it was" diff before.txt <(stat --format '%s %Y %a' golden.ova)

facts() { # EXPRESSION: of the JSON in $output
	python3 -c 'import json, sys; r = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1" <<<"$output"
}
run "$v2v" inspect --json golden.ova
is "JSON: status" 0 "$status"
is "JSON: disks" "[3145728, 1073741824]" "$(facts '[i["virtual-size"] for i in r["images"]]')"
is "JSON: name" golden "$(facts 'r["vm"]["name"]')"

# What cannot be read
mkdir broken
tar -C broken -xf golden.ova
rm broken/*.mf broken/golden-disk1.vmdk
head -c 1000 /dev/urandom >broken/golden-disk2.vmdk
run "$v2v" inspect broken
is "unreadable disks: status" 1 "$status"
row "the sheet is there" grep -q '^Name  *golden' <<<"$output"
is "each disk is a critical finding" 2 "$(grep -c '^critical .*disk.unreadable' <<<"$output")"
is "one line of error, the first disk's" 1 "$(grep -c '^v2v: .*golden-disk1.vmdk' <<<"$errors")"
is "and no other" 1 "$(wc -l <<<"$errors")"
run "$v2v" inspect --json broken
is "JSON: status" 1 "$status"
is "JSON: the finding" disk.unreadable "$(facts 'r["vm"]["findings"][-1]["id"]')"
row "JSON: the error" [ -n "$(facts 'r["images"][1]["error"]')" ]
echo '<no' >text.ova
run "$v2v" inspect text.ova
is "no package: status" 1 "$status"
is "no package: one line" 1 "$(wc -l <<<"$errors")"
run "$v2v" inspect --vm other golden.ova
is "an unknown VM: status" 2 "$status"
row "an unknown VM: the names are listed" grep -q golden <<<"$errors"

# Hostile text: terminal sequences, C1, bidirectional overrides, in names, notes and networks.
mkdir hostile
tar -C hostile -xf golden.ova
rm hostile/*.mf
python3 - hostile/golden.ovf <<-'PY'
	import sys
	path = sys.argv[1]
	text = open(path).read()
	evil = "e\u009b31m\u202eslive&#x9b;2J&#13;&#10;v2v: done"
	text = text.replace("<Name>golden</Name>", "<Name>" + evil + "</Name>")
	text = text.replace("DMZ", "D\u2066Z" + evil).replace("debian12_64Guest", "d" + evil)
	open(path, "w", encoding="utf-8").write(text)
PY
run "$v2v" inspect hostile
row "hostile text: a sheet or a refusal" [ "$status" -le 1 ]
is "hostile text: nothing but printable ASCII" "" \
	"$(sed 's/\xc2\xa0/ /g' <<<"$output$errors" | tr -d '\040-\176\n' | od -An -tx1)"
is "hostile text: no line of its own" "" "$(grep '^v2v: done' <<<"$output")"
run "$v2v" inspect --json hostile
is "hostile text: JSON that parses" True "$(facts 'len(r["vm"]["name"]) > 0')"
plan
