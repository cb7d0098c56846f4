# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# debian12-bios: as an old installer left it. BIOS, MBR, everything by device name, a static
# address on ens192 in /etc/network/interfaces, and no serial console: the converter must add it.

guest_debian12_bios()
{
	local disk=$1 root=$SCRATCH/root offset size
	root_unpack "$root" bios
	finish_configure "$root" debian12-bios
	bios_configure "$root"

	say "disk"
	disk_create "$disk" 2G <<-EOT
		label: dos
		start=2048, size=3670016, type=83, bootable
		start=3672064, type=82
	EOT
	read -r offset size < <(disk_partition "$disk" 1)
	disk_ext4 "$disk" "$offset" "$size" "$root" ""
	read -r offset size < <(disk_partition "$disk" 2)
	disk_swap "$disk" "$offset" "$size"
	finish_boot "$disk" "$root/boot" root=/dev/sda1 bios
}

guest_debian12_bios_ova()
{
	echo --firmware bios --memory 1024 --cpus 2 --nic VmxNet3,00:50:56:a1:b2:c3
}

bios_configure()
{
	local root=$1
	cat > "$root/etc/fstab" <<-EOT
		# <file system> <mount point> <type> <options> <dump> <pass>
		/dev/sda1 / ext4 errors=remount-ro 0 1
		/dev/sda2 none swap sw 0 0
	EOT
	cat > "$root/etc/network/interfaces" <<-EOT
		# The loopback network interface
		auto lo
		iface lo inet loopback

		# The primary network interface
		allow-hotplug ens192
		iface ens192 inet static
		        address 192.0.2.10/24
		        gateway 192.0.2.1
	EOT
	cat > "$root/etc/default/grub" <<-EOT
		GRUB_DEFAULT=0
		GRUB_TIMEOUT=1
		GRUB_DISTRIBUTOR=Debian
		GRUB_CMDLINE_LINUX_DEFAULT="quiet"
		GRUB_CMDLINE_LINUX=""
		GRUB_DISABLE_LINUX_UUID=true
	EOT
	mkdir -p "$root/etc/initramfs-tools/conf.d"
	echo RESUME=/dev/sda2 > "$root/etc/initramfs-tools/conf.d/resume"
	echo 'grub-pc grub-pc/install_devices multiselect /dev/sda' |
		root_run "$root" debconf-set-selections
}
