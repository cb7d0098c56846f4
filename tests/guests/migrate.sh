#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# migrate.sh NAME: a real guest from its VMware OVA through `v2v migrate` to a boot on virtio. TAP.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
NAME=${1:?name of a guest}
OUTDIR=${V2V_SOURCE_DIR:?}/build/guests
OVA=$OUTDIR/$NAME.ova
WORK=$(mktemp -d "${TMPDIR:-/var/tmp}/migrate.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
export LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg
COUNT=0

# row TEXT COMMAND...: one test; what the command printed explains a failure.
row()
{
	local text=$1
	shift
	COUNT=$((COUNT + 1))
	if "$@" > "$WORK/row.log" 2>&1; then
		echo "ok $COUNT - $text"
	else
		echo "not ok $COUNT - $text"
		tail -n 40 "$WORK/row.log" | sed 's/^/# /'
	fi
}

identity()
{
	stat --format '%s %Y %a' "$OVA"
	sha256sum < "$OVA"
}

migrate()
{
	"$V2V" migrate --from "$OVA" --to "dir:$WORK/kvm" --virt-type qemu --machine-readable \
		--report "$WORK/report.json" "$@"
}

# In the report: a change whose file and text match.
changed()
{
	python3 - "$WORK/report.json" "$1" "$2" <<-'EOT'
		import json, re, sys
		changes = json.load(open(sys.argv[1]))["guest"]["changes"]
		found = [c for c in changes if re.search(sys.argv[2], c["file"]) and re.search(sys.argv[3], c["what"])]
		if not found:
		    for c in changes:
		        print(c["file"], "|", c["what"], "|", c["why"])
		    sys.exit("no such change")
		if not all(c["why"] for c in changes):
		    sys.exit("a change without a reason")
	EOT
}

# The booted guest's report has a line that matches.
reported()
{
	grep -aEq -- "$1" "$WORK/boot.txt" || { cat "$WORK/boot.txt"; return 1; }
}

# There is a report, and no line of it matches.
not_reported()
{
	[[ -s $WORK/boot.txt ]] && ! grep -aE -- "$1" "$WORK/boot.txt"
}

nothing_left()
{
	[[ -z $(find "$WORK/kvm" "${TMPDIR:-/var/tmp}" -mindepth 1 -maxdepth 1 \( -name '*partial*' -o -name 'v2v-*' \)) ]]
}

mkdir "$WORK/kvm"
row "the guest is built" "$HERE/build" "$NAME" "$OUTDIR"
identity > "$WORK/before"

row "a dry run" migrate --dry-run
row "a dry run writes nothing at the target" test -z "$(ls -A "$WORK/kvm")"
cp "$WORK/report.json" "$WORK/dry.json" 2>/dev/null || true
rm -f "$WORK/report.json"
row "migrated" migrate
row "the source is as it was" diff "$WORK/before" <(identity)
row "no partial file or overlay stays" nothing_left
row "qemu-img check finds nothing" qemu-img check "$WORK/kvm/$NAME-disk1.qcow2"
row "the domain XML is valid" virt-xml-validate "$WORK/kvm/$NAME.xml" domain
row "open-vm-tools is taken out, and listed" changed 'open-vm-tools' .
row "the NIC's name is bound to its MAC, and listed" changed '\.link$|70-persistent-net' ens192
row "what becomes of the initramfs is listed" changed 'initrd\.img' .
"$HERE/boot" --log "$WORK/serial.log" "$WORK/kvm/$NAME.xml" > "$WORK/boot.txt" 2> "$WORK/boot.log" ||
	sed 's/^/# /' "$WORK/boot.log"

PATTERNS=('^root=.* disk=vda driver=virtio_blk' '^login=yes$' '^system=running'
	'^nic=ens192 mac=00:50:56:a1:b2:c3 addr=192.0.2.10/24 driver=virtio_net'
	'^answers=192.0.2.10 mac=00:50:56:a1:b2:c3$' '^vmtools=.* process=no' '!^vmtools=active'
	'^cmdline=.*console=ttyS0')
case $NAME in
debian12-bios) PATTERNS+=('^swap=/dev/vda2 ' '^firmware=bios$' '!^cmdline=.*root=/dev/sd') ;;
debian12-uefi) PATTERNS+=('^swap=/dev/(dm-0|mapper/vg0-swap) ' '^firmware=efi$' '^agent=active') ;;
esac
for pattern in "${PATTERNS[@]}"; do
	if [[ $pattern == !* ]]; then
		row "booted: none of ${pattern#!}" not_reported "${pattern#!}"
	else
		row "booted: $pattern" reported "$pattern"
	fi
done
echo "1..$COUNT"
