# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What all Debian guests have, and the last steps of their installation. Those run inside the guest,
# on VMware's pvscsi controller as QEMU models it: so GRUB and the initramfs see the disks by the
# names, and through the drivers, that they have on VMware.

# finish_configure ROOT HOSTNAME: what an installer asks for, and the report of the boot test.
finish_configure()
{
	local root=$1 name=$2
	echo "$name" > "$root/etc/hostname"
	printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n' "$name" > "$root/etc/hosts"
	echo root:rig | root_run "$root" chpasswd
	: > "$root/etc/machine-id"
	rm -f "$root"/etc/resolv.conf
	install -m 755 "$HERE/files/v2v-report" "$root/usr/local/sbin/"
	install -m 644 "$HERE/files/v2v-report.service" "$root/etc/systemd/system/"
	install -m 755 "$HERE/files/finish-install" "$root/"
	root_run "$root" systemctl --quiet enable v2v-report.service
}

# finish_boot DISK BOOT KERNEL-LINE ARGUMENTS...: boots the kernel and initramfs in the folder BOOT
# on DISK with /finish-install as init.
finish_boot()
{
	local disk=$1 boot=$2 line=$3 log=$SCRATCH/finish.log status=0
	shift 3
	say "finish the installation in the guest"
	timeout --kill-after=10 "${FINISH_TIMEOUT:-1200}" qemu-system-x86_64 \
		-machine q35,accel=tcg -cpu Nehalem -smp 2 -m 768 \
		-nodefaults -display none -serial "file:$log" -no-reboot \
		-device pvscsi -device scsi-hd,drive=disk \
		-drive "if=none,id=disk,format=raw,cache=unsafe,discard=unmap,file=$disk" \
		-kernel "$(echo "$boot"/vmlinuz-*)" -initrd "$(echo "$boot"/initrd.img-*)" \
		-append "console=ttyS0 quiet panic=10 $line init=/finish-install -- $*" < /dev/null ||
		status=$?
	if ! grep -q FINISH-INSTALL-OK "$log"; then
		tail -n 40 "$log" >&2
		say "the guest did not finish its installation (qemu: status $status)"
		return 1
	fi
}
