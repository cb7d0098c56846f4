#!/bin/bash
# migrate.sh: v2v migrate to a folder, without the guest's conversion: images and XML are right, and
# after each failure everything is as it was.
. "${V2V_SOURCE_DIR:?}/tests/cli/tap.sh" || exit 1
pack=$V2V_SOURCE_DIR/tests/guests/pack-ova
mkdir work
export TMPDIR=$PWD/work # of the program: nothing may stay there

# migrate OVA [ARGUMENTS...]: to the folder "to".
migrate() {
	run "$v2v" migrate -q --no-guest-conversion --virt-type qemu --to dir:to --from "$@"
}

fresh() {
	rm -rf to
	mkdir to
}

identity() {
	stat --format '%n %s %Y %a' "$@"
	sha256sum "$@"
}

# refused TEXT STATUS PATTERN: what `migrate` just did: that status, one line, nothing there.
refused() {
	is "$1: status" "$2" "$status"
	row "$1: the line" grep -Eq -- "$3" <<<"$errors"
	is "$1: nothing at the target" "" "$(names_in to)"
	is "$1: nothing in the temporary folder" "" "$(names_in work)"
}

sparse_raw d1.raw 9
sparse_raw d2.raw 3
sparse_raw d3.raw 5
truncate -s 2M d4.raw
sparse_raw d5.raw 1
"$pack" --name one --nic VmxNet3,00:50:56:00:00:01 d1.raw one.ova
"$pack" --name two --controller ide d1.raw d2.raw two.ova
"$pack" --name five --controller pvscsi d1.raw d2.raw --controller sata d3.raw \
	--controller nvme d4.raw --controller ide d5.raw \
	--nic VmxNet3,00:50:56:00:00:01,'VM Network' --nic E1000,00:50:56:00:00:02,DMZ five.ova
identity ./*.ova >identity.txt

# The images
fresh
for vm in one two five; do
	migrate $vm.ova
	is "$vm: status" 0 "$status"
	is "$vm: nothing on standard error but warnings" "" "$(grep -v '^v2v: warning: ' <<<"$errors")"
	row "$vm: the XML is valid" virt-xml-validate to/$vm.xml domain
done
is "images and XML, nothing else" "five-disk1.qcow2 five-disk2.qcow2 five-disk3.qcow2 five-disk4.qcow2 \
five-disk5.qcow2 five.xml one-disk1.qcow2 one.xml two-disk1.qcow2 two-disk2.qcow2 two.xml" "$(names_in to)"
is "their mode is that of the umask" 644 "$(umask 022 && stat -c %a to/one-disk1.qcow2)"
# In the order in which VMware's BIOS lists them: IDE, SCSI, SATA, NVMe.
while read -r image disk; do
	row "$image has the guest's bytes" qemu-img compare -f raw -F qcow2 "$disk.raw" "to/$image.qcow2"
	row "$image is sound" qemu-img check -q -f qcow2 "to/$image.qcow2"
done <<-'EOT'
	one-disk1 d1
	two-disk1 d1
	two-disk2 d2
	five-disk1 d5
	five-disk2 d1
	five-disk3 d2
	five-disk4 d3
	five-disk5 d4
EOT
xpath() {
	xmllint --nonet --xpath "$1" "$2"
}
is "five: the disks in their order" "five-disk1.qcow2 five-disk2.qcow2 five-disk3.qcow2 five-disk4.qcow2 \
five-disk5.qcow2" "$(xpath '//disk[@device="disk"]/source/@file' to/five.xml | sed 's/.*to\///; s/"$//' | xargs)"

fresh
migrate one.ova --format raw
is "raw: status" 0 "$status"
is "raw: what comes next" "Done. Define the domain with: virsh define '$PWD/to/one.xml'" \
	"$(tail -n 1 <<<"$output")"
row "raw: the guest's bytes" cmp d1.raw to/one-disk1.raw
row "raw: the XML says so" grep -q '<driver name="qemu" type="raw"' to/one.xml
migrate two.ova --compress zlib --cluster-size 4k --threads 1
is "compressed: status" 0 "$status"
row "compressed: the guest's bytes" qemu-img compare -f raw -F qcow2 d1.raw to/two-disk1.qcow2
row "compressed: the cluster size" grep -q '"cluster-size": 4096' <<<"$(qemu-img info --output=json to/two-disk1.qcow2)"
cp to/two-disk1.qcow2 first.qcow2
migrate two.ova --compress zlib --cluster-size 4k --threads 7 --force
row "compressed: the same bytes with 7 threads" cmp first.qcow2 to/two-disk1.qcow2
for arguments in '--format vmdk' '--format qcow3' '--cluster-size 3k' '--compress none' '--threads 17' \
	'--virt-type xen' '--network a:' '--name=' '--vm other' '--storage here' '--start' '--to nothing' \
	'--mode tepid' 'extra'; do
	rm -rf work/*
	read -ra words <<<"$arguments"
	run "$v2v" migrate -q --from one.ova --to dir:to --name unused "${words[@]}"
	row "$arguments is refused" [ "$status" -gt 0 ] 
	row "$arguments: one line" [ "$(wc -l <<<"$errors")" = 1 ]
done
is "and nothing is written" "one-disk1.raw one.xml two-disk1.qcow2 two-disk2.qcow2 two.xml" "$(names_in to)"

# Networks
fresh
migrate five.ova --network 'VM Network:blue' --bridge DMZ:br7 --network Typo:red
is "maps: status" 0 "$status"
is "maps: networks" blue "$(xpath 'string(//interface[mac/@address="00:50:56:00:00:01"]/source/@network)' to/five.xml)"
is "maps: bridges" br7 "$(xpath 'string(//interface[mac/@address="00:50:56:00:00:02"]/source/@bridge)' to/five.xml)"
row "maps: one that maps nothing is told" grep -q 'in a network "Typo"' <<<"$errors"
migrate five.ova --force --bridge DMZ:br7 --network green
is "maps: the rest" green "$(xpath 'string(//interface[mac/@address="00:50:56:00:00:01"]/source/@network)' to/five.xml)"

# Names
rename() { # OLD NEW: another name in the OVF, the files as they are
	rm -rf unpacked
	mkdir unpacked
	tar -C unpacked -xf one.ova
	python3 - "$1" unpacked/one.ovf <<-'PY'
		import re, sys
		text = open(sys.argv[2]).read()
		text = text.replace("<Name>one</Name>", "<Name>" + sys.argv[1] + "</Name>")
		open(sys.argv[2], "w").write(text)
	PY
	rm unpacked/*.mf
	tar -C unpacked -cf renamed.ova one.ovf one-disk1.vmdk
}
while IFS='|' read -r name file; do
	fresh
	rename "$name"
	migrate renamed.ova
	is "name $name: status" 0 "$status"
	is "name $name: files" "$file-disk1.qcow2 $file.xml" "$(names_in to)"
	row "name $name: valid XML" virt-xml-validate "to/$file.xml" domain
	row "name $name: nothing but printable text is shown" \
		[ -z "$(sed 's/\xc2\xa0/ /g' <<<"$output$errors" | tr -d '\040-\176\n')" ]
done <<-'EOT'
	../x|_._x
	/etc/passwd|_etc_passwd
	&lt;/name&gt;|<_name>
	-rf|_rf
	a&#10;&#9;b|a__b
	&#x202e;evil|_evil
	&quot;&amp;'|"&'
EOT
fresh
migrate one.ova --name ../../up
is "--name ../../up: files" "_._.._up-disk1.qcow2 _._.._up.xml" "$(names_in to)"
migrate one.ova --name "$(printf 'x\033[31my')"
is "--name with control bytes: status" 0 "$status"
row "and they are gone" [ -e 'to/x_[31my.xml' ]

# What is there already
fresh
migrate one.ova
identity to/* >there.txt
migrate two.ova --name one
is "name taken: status" 3 "$status"
row "name taken: the file is named" grep -q 'to/one.xml: a VM of this name is there' <<<"$errors"
rm to/one.xml
sed -i '/one.xml$/d; /one.xml /d' there.txt
migrate two.ova --name one
is "image there: status" 3 "$status"
row "image there: it is named" grep -q 'to/one-disk1.qcow2: exists already' <<<"$errors"
is "it is as it was" "" "$(identity to/* | diff there.txt - 2>&1)"
migrate two.ova --name one --dry-run
is "a dry run finds it too" 3 "$status"
row "and still describes the VM" grep -q '^VM  *two' <<<"$output"
migrate two.ova --name one --force
is "--force: status" 0 "$status"
is "--force: the new VM, and nothing else" "one-disk1.qcow2 one-disk2.qcow2 one.xml" "$(names_in to)"
row "--force: its bytes" qemu-img compare -f raw -F qcow2 d2.raw to/one-disk2.qcow2
mkdir package
tar -C package -xf two.ova
identity package/* >package.txt
cp package/two-disk1.vmdk package/mine-disk1.qcow2
sed -i 's/two-disk1.vmdk/mine-disk1.qcow2/' package/two.ovf
rm package/two.mf
run "$v2v" migrate -q --no-guest-conversion --from package --to dir:package --name mine --force
is "never the source, --force or not: status" 3 "$status"
row "the line" grep -q 'mine-disk1.qcow2: the source is read from this file' <<<"$errors"
row "the source is there" cmp package/mine-disk1.qcow2 <(tar -xOf two.ova two-disk1.vmdk)
run "$v2v" migrate -q --no-guest-conversion --from one.ova --to dir:to --name r --force --report one.ova
is "nor the report over the source: status" 3 "$status"

# Dry run, JSON, report
fresh
migrate five.ova --dry-run --report report.json
is "a dry run: status" 0 "$status"
is "a dry run writes nothing" "" "$(names_in to)$(names_in work)"
row "it says how much space is needed" grep -Eq '^Space  .* needed at most, .* available in ' <<<"$output"
facts() { # FILE EXPRESSION
	python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$@"
}
is "its report" "True five 5 [] True" \
	"$(facts report.json 'r["dry-run"], r["name"], len(r["disks"]), r.get("guest", []), "<domain" in r["domain-xml"]' | tr -d "(),'")"
migrate five.ova --json --report report.json
is "the report exists: status" 3 "$status"
is "and nothing is written" "" "$(names_in to)"
migrate five.ova --json --report report.json --force
is "JSON: status" 0 "$status"
row "JSON on standard output and in the report are the same" cmp report.json - <<<"$output"
is "its XML is the file's" "$(cat to/five.xml)" "$(facts report.json 'r["domain-xml"].rstrip()')"
for i in 1 2 3 4 5; do
	needed=$(facts report.json "r['disks'][$i-1]['needed-bytes']")
	row "disk $i needs no more than was said" [ "$(stat -c %s to/five-disk$i.qcow2)" -le "$needed" ]
done
for size in 512 64k 2M; do
	fresh
	migrate one.ova --cluster-size $size --json
	needed=$(facts /dev/stdin "r['disks'][0]['needed-bytes']" <<<"$output")
	row "nor with clusters of $size" [ "$(stat -c %s to/one-disk1.qcow2)" -le "$needed" ]
done
fresh
migrate one.ova --report to/none/report.json
refused "a report that cannot be written" 1 'to/none: No such file'
migrate one.ova --json >/dev/null
"$v2v" migrate -q --no-guest-conversion --from two.ova --to dir:to --json >/dev/full 2>errors.txt
is "JSON to a full device: status" 1 $?

is "the sources are as they were" "" "$(identity ./one.ova ./two.ova ./five.ova | sort | diff <(sort identity.txt) - 2>&1)"
is "nothing in the temporary folder" "" "$(names_in work)"
plan
