# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# debian12-uefi: UEFI, GPT, root and swap on LVM, the loader only in EFI/debian, a static address by
# systemd-networkd for the name ens192, a serial console, and an initramfs that holds only the
# drivers of the machine it was made on ("targeted" in the Debian installer): no virtio.

guest_debian12_uefi()
{
	local disk=$1 root=$SCRATCH/root boot=$SCRATCH/boot
	root_unpack "$root" uefi
	finish_configure "$root" debian12-uefi
	uefi_configure "$root"

	say "disk"
	disk_create "$disk" 2G <<-EOT
		label: gpt
		size=64MiB, type=uefi, name="EFI System Partition"
		size=256MiB, type=linux
		type=lvm
	EOT
	mkdir -p "$root/boot/efi"
	mv "$root/boot" "$boot"
	mkdir "$root/boot"
	uefi_fill "$disk" "$root" "$boot"
	finish_boot "$disk" "$boot" root=/dev/mapper/vg0-root efi dep
}

guest_debian12_uefi_ova()
{
	echo --firmware efi --memory 1024 --cpus 2 --cores-per-socket 2 \
		--nic VmxNet3,00:50:56:a1:b2:c3
}

# uefi_fill DISK ROOT BOOT: the three partitions.
uefi_fill()
{
	local disk=$1 root=$2 boot=$3 offset size loop name lv_offset lv_size
	read -r offset size < <(disk_partition "$disk" 1)
	# One sector a cluster: with fewer than 65525 clusters it would not be a FAT32.
	quietly mkfs.vfat -F 32 -s 1 -h $((offset / 512)) -n EFI --offset $((offset / 512)) "$disk" $((size / 1024))
	read -r offset size < <(disk_partition "$disk" 2)
	disk_ext4 "$disk" "$offset" "$size" "$boot" boot

	read -r offset size < <(disk_partition "$disk" 3)
	loop=$(disk_attach "$disk" "$offset" "$size")
	disk_lvm "$loop" vg0 swap=128M root=100%FREE > "$SCRATCH/volumes"
	disk_detach "$loop"
	while read -r name lv_offset lv_size; do
		case $name in
		root) disk_ext4 "$disk" $((offset + lv_offset)) "$lv_size" "$root" root ;;
		swap) disk_swap "$disk" $((offset + lv_offset)) "$lv_size" ;;
		esac
	done < "$SCRATCH/volumes"
}

uefi_configure()
{
	local root=$1
	cat > "$root/etc/fstab" <<-EOT
		# <file system> <mount point> <type> <options> <dump> <pass>
		/dev/mapper/vg0-root / ext4 errors=remount-ro 0 1
		/dev/sda2 /boot ext4 defaults 0 2
		/dev/sda1 /boot/efi vfat umask=0077 0 1
		/dev/mapper/vg0-swap none swap sw 0 0
	EOT
	cat > "$root/etc/systemd/network/10-lan.network" <<-EOT
		[Match]
		Name=ens192

		[Network]
		Address=192.0.2.10/24
		Gateway=192.0.2.1
	EOT
	cat > "$root/etc/default/grub" <<-EOT
		GRUB_DEFAULT=0
		GRUB_TIMEOUT=1
		GRUB_DISTRIBUTOR=Debian
		GRUB_CMDLINE_LINUX_DEFAULT="quiet"
		GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200n8"
		GRUB_TERMINAL="console serial"
		GRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"
	EOT
	echo RESUME=/dev/mapper/vg0-swap > "$root/etc/initramfs-tools/conf.d/resume"
	echo MODULES=dep > "$root/etc/initramfs-tools/conf.d/driver-policy"
	quietly root_run "$root" dpkg --purge ifupdown
	quietly root_run "$root" systemctl enable systemd-networkd.service
}
