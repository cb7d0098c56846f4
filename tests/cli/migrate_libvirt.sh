#!/bin/bash
# migrate_libvirt.sh: v2v migrate to the embedded driver and to a libvirtd of the test's own: defined,
# started, read on the serial console; after a failure nothing is defined and no image is there.
if [ "${1:-}" != inside ]; then
	if [ "$(id -u)" != 0 ]; then
		printf 'ok 1 - migrate to libvirt # SKIP only root has mount namespaces\n1..1\n'
		exit
	fi
	exec unshare --mount --propagation private "$0" inside
fi
. "${V2V_SOURCE_DIR:?}/tests/cli/tap.sh" || exit 1
pack=$V2V_SOURCE_DIR/tests/guests/pack-ova
export LC_ALL=C
here=$(mktemp -d /var/tmp/v2v-libvirt.XXXXXX) # sockets need a short path, QEMU one that it may enter
daemon=
clean_up() {
	local pid
	if [ -s "$here/embed.pid" ]; then
		pid=$(cat "$here/embed.pid")
		grep -aq "$here" "/proc/$pid/cmdline" 2>/dev/null && kill -KILL "$pid"
	fi
	if [ -n "$daemon" ]; then
		exec 9>&-
		wait "$daemon"
	fi
	umount -l /run/libvirt 2>/dev/null
	rm -rf "$here"
}
trap clean_up EXIT
chmod 755 "$here"
mkdir -p "$here"/{run,work,disks} /run/libvirt
chmod 777 "$here/disks" # for the serial log, which QEMU's user opens
mount --bind "$here/run" /run/libvirt # no daemon of this host is seen
export TMPDIR=$here/work

# A boot sector that prints a line on the first serial port, and stops the processor.
python3 - d.raw <<-'PY'
	import sys
	text = b"V2V BOOTED THIS\r\n\0"
	start = bytes.fromhex("fa fc 31c0 8ed8 be0000 baf803")
	loop = bytes.fromhex("ac 84c0 7403 ee ebf8 f4 ebfd")
	at = 0x7c00 + len(start) + len(loop)
	code = start.replace(bytes.fromhex("be0000"), b"\xbe" + at.to_bytes(2, "little")) + loop + text
	with open(sys.argv[1], "wb") as f:
	    f.write(code.ljust(510, b"\0") + b"\x55\xaa")
	    f.truncate(4 << 20)
PY
"$pack" --memory 64 --controller ide d.raw tiny.ova
"$pack" --memory 64 --controller ide --nic E1000,00:50:56:00:00:09 d.raw nic.ova

migrate() {
	run "$v2v" migrate -q --no-guest-conversion --virt-type qemu "$@"
}

# Until the log has the line, a minute at most.
says_booted() {
	for _ in $(seq 600); do
		grep -aq 'V2V BOOTED THIS' "$1" 2>/dev/null && return
		sleep 0.1
	done
	ls -la "$(dirname "$1")"
	return 1
}

# The embedded driver
root=$here/e
uri="qemu:///embed?root=$root"
migrate --from tiny.ova --to "$uri" --dry-run
is "embedded: a dry run: status" 0 "$status"
migrate --from tiny.ova --to "$uri"
is "embedded: status" 0 "$status"
is "embedded: what it says" \
	"Done. The domain is off; start it with: virsh -c '$uri' start 'tiny'" "$(tail -n 1 <<<"$output")"
row "embedded: defined" [ -e "$root/etc/qemu/tiny.xml" ]
row "embedded: the image" qemu-img compare -f raw -F qcow2 d.raw "$root/images/tiny-disk1.qcow2"
migrate --from tiny.ova --to "$uri"
is "embedded: again: status" 3 "$status"
row "embedded: again: the line" grep -q 'has a VM named tiny already' <<<"$errors"
migrate --from tiny.ova --to "$uri" --name second --start --serial-log "$here/disks/second.log"
is "embedded: --start: status" 0 "$status"
is "embedded: --start: what it says" \
	"Done. The domain is running, and keeps running without v2v: virsh -c '$uri' domstate 'second'" \
	"$(tail -n 1 <<<"$output")"
pgrep -f "guest=second,.*$root|$root.*domain-[0-9]*-second" | head -n 1 >"$here/embed.pid"
row "embedded: it runs when v2v has ended" [ -s "$here/embed.pid" ]
row "embedded: it boots" says_booted "$here/disks/second.log"
is "embedded: who opens the root finds it running" "running" \
	"$(virsh -q -c "$uri" domstate second 2>/dev/null | head -n 1)"
migrate --from tiny.ova --to "$uri" --name second --force
is "embedded: a running VM is not replaced: status" 3 "$status"
row "embedded: the line" grep -q 'the VM second runs: it is not replaced' <<<"$errors"
# shellcheck disable=SC2218 # the one of the system; the function below is for the daemon
command virsh -q -c "$uri" destroy second >/dev/null 2>&1
is "embedded: stopped" "shut off" "$(virsh -q -c "$uri" domstate second 2>/dev/null | head -n 1)"
before=$(cd "$root" && find etc/qemu images | sort)
migrate --from nic.ova --to "$uri" --start --bridge v2vnone0
is "embedded: an unknown bridge: status" 3 "$status"
migrate --from tiny.ova --to "$uri" --name third --start --serial-log /nonexistent/log
is "embedded: a start that fails: status" 1 "$status"
row "embedded: a start that fails: one line" grep -q '^v2v: third: start: libvirt: ' <<<"$errors"
is "embedded: nothing is defined, no image stays" "$before" "$(cd "$root" && find etc/qemu images | sort)"
migrate --from tiny.ova --to "$uri" --name tiny --force --start --serial-log /nonexistent/log
is "embedded: a replacement that does not start: status" 1 "$status"
is "embedded: what was there is there again" "$before" "$(cd "$root" && find etc/qemu images | sort)"
row "embedded: its image too" qemu-img compare -f raw -F qcow2 d.raw "$root/images/tiny-disk1.qcow2"
migrate --from tiny.ova --to "qemu:///embed?root=/proc/v2v"
is "embedded: a root that cannot be made: status" 1 "$status"
row "embedded: the line" grep -q '^v2v: /proc/v2v' <<<"$errors"

# A daemon
mkfifo "$here/leash"
"$V2V_SOURCE_DIR/tests/unit/private-libvirtd" "$here" <"$here/leash" >"$here/ready" 2>"$here/daemon.log" &
daemon=$!
exec 9>"$here/leash"
for _ in $(seq 300); do
	[ -s "$here/ready" ] && break
	sleep 0.1
done
row "a libvirtd of the test's own" grep -q ready "$here/ready"
virsh() {
	command virsh -q -c qemu:///system "$@" 2>/dev/null
}
migrate --from tiny.ova --to kvm --start --serial-log "$here/disks/daemon.log"
is "daemon: status" 0 "$status"
[ "$status" = 0 ] || echo "# $errors"
is "daemon: what it says" \
	"Done. The domain is running, and keeps running without v2v: virsh -c 'qemu:///system' domstate 'tiny'" \
	"$(tail -n 1 <<<"$output")"
is "daemon: it runs" "running" "$(virsh domstate tiny)"
row "daemon: it boots" says_booted "$here/disks/daemon.log"
row "daemon: its pool knows the image" virsh vol-info --pool default tiny-disk1.qcow2
virsh destroy tiny
migrate --from tiny.ova --to kvm --name second --start --serial-log /nonexistent/log
is "daemon: a start that fails: status" 1 "$status"
row "daemon: a start that fails: one line" grep -q '^v2v: second: start: libvirt: ' <<<"$errors"
is "daemon: nothing else is defined" "tiny" "$(virsh list --all --name | xargs)"
is "daemon: no other image" "tiny-disk1.qcow2" "$(names_in "$here/images")"
migrate --from nic.ova --to kvm --network absent
is "daemon: an unknown network: status" 3 "$status"
migrate --from tiny.ova --to kvm --name pooled --storage idle
is "daemon: a pool that is off: status" 3 "$status"
is "nothing in the temporary folder" "" "$(names_in "$here/work")"
plan
