# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# rpm-like: a tree that a converter takes for Rocky Linux 9, to test the RHEL family offline: no
# Debian package has a Rocky system in it, so the programs are Debian's. Real are: GPT with a BIOS
# boot partition, XFS, os-release, BLS entries, modules compressed with xz, dracut, rpm and its
# database, SELinux labels, the network configuration. It does not boot.

RPM_KERNEL=5.14.0-362.8.1.el9_3.x86_64
RPM_MACHINE_ID=0123456789abcdef0123456789abcdef

guest_rpm_like()
{
	local disk=$1 root=$SCRATCH/root offset size
	root_unpack "$root" rpm
	quietly root_run "$root" dpkg --purge --force-depends ifupdown initramfs-tools initramfs-tools-core
	say "from Debian to Rocky"
	rpm_like_kernel "$root"
	rpm_like_tools "$root"
	rpm_like_services "$root"
	rpm_like_identity "$root"
	rpm_like_network "$root"
	say "rpm database"
	rpmdb_build "$root"
	rpm_like_forget_debian "$root"

	say "disk"
	disk_create "$disk" 3G <<-EOT
		label: gpt
		size=1MiB, type=21686148-6449-6E6F-744E-656564454649
		size=512MiB, type=linux
		size=2300MiB, type=linux
		type=swap
	EOT
	read -r offset size < <(disk_partition "$disk" 4)
	disk_swap "$disk" "$offset" "$size"
	quietly rpm_like_fill "$disk" "$root"
}

guest_rpm_like_ova()
{
	echo --os-type rockylinux_64Guest --firmware bios --memory 2048 --cpus 2 \
		--nic VmxNet3,00:50:56:aa:bb:cc --nic VmxNet3,00:50:56:aa:bb:dd
}

# The kernel under Rocky's version, its modules compressed, an initramfs without virtio as dracut
# makes it on VMware, and a second kernel for rescue.
rpm_like_kernel()
{
	local root=$1 debian modules=/usr/lib/modules/$RPM_KERNEL
	debian=$(basename "$root"/usr/lib/modules/*)
	mv "$root/usr/lib/modules/$debian" "$root$modules"
	find "$root$modules" -name '*.ko' -print0 | xargs -0 -n 64 -P 2 xz -1 --check=crc32
	mv "$root/boot/vmlinuz-$debian" "$root$modules/vmlinuz"
	mv "$root/boot/config-$debian" "$root$modules/config"
	mv "$root/boot/System.map-$debian" "$root$modules/System.map"
	rm -rf "${root:?}"/boot/* "$root"/vmlinuz* "$root"/initrd*
	for file in vmlinuz config System.map; do
		cp "$root$modules/$file" "$root/boot/$file-$RPM_KERNEL"
	done
	quietly root_run "$root" depmod "$RPM_KERNEL"

	mkdir -p "$root/usr/lib/dracut/dracut.conf.d"
	echo 'hostonly="yes"' > "$root/usr/lib/dracut/dracut.conf.d/01-dist.conf"
	quietly root_run "$root" dracut --no-hostonly --no-hostonly-cmdline --gzip --filesystems "xfs" \
		--omit-drivers "virtio virtio_ring virtio_pci virtio_blk virtio_scsi virtio_net" \
		--add-drivers "vmw_pvscsi vmxnet3" "/boot/initramfs-$RPM_KERNEL.img" "$RPM_KERNEL"
	cp "$root/boot/vmlinuz-$RPM_KERNEL" "$root/boot/vmlinuz-0-rescue-$RPM_MACHINE_ID"
	cp "$root/boot/initramfs-$RPM_KERNEL.img" "$root/boot/initramfs-0-rescue-$RPM_MACHINE_ID.img"
}

# GRUB's programs and folders have a 2 in their names.
rpm_like_tools()
{
	local root=$1 file
	for file in "$root"/usr/sbin/grub-* "$root"/usr/bin/grub-*; do
		mv "$file" "$(dirname "$file")/grub2-${file##*/grub-}"
	done
	sed -i 's/grub-\(probe\|mkrelpath\|script-check\|editenv\|file\)/grub2-\1/g' \
		"$root/usr/sbin/grub2-mkconfig" "$root/usr/share/grub/grub-mkconfig_lib" "$root"/etc/grub.d/*
	sed -i 's,/boot/grub\>,/boot/grub2,g' "$root"/usr/sbin/grub2-{mkconfig,reboot,set-default} \
		"$root"/etc/grub.d/*
	mkdir -p "$root/boot/grub2" "$root/boot/loader/entries"
	mkdir -p "$root/etc/rpm"
	echo '%_dbpath /var/lib/rpm' > "$root/etc/rpm/macros" # Debian's rpm keeps it in ~/.rpmdb
}

# VMware's services have the names that VMware gave them.
rpm_like_services()
{
	local root=$1 units=$1/usr/lib/systemd/system
	quietly root_run "$root" systemctl disable open-vm-tools.service vgauth.service
	mv "$units/open-vm-tools.service" "$units/vmtoolsd.service"
	mv "$units/vgauth.service" "$units/vgauthd.service"
	sed -i 's/open-vm-tools\.service/vmtoolsd.service/g; s/vgauth\.service/vgauthd.service/g
		/^Alias=/d' "$units/vmtoolsd.service" "$units/vgauthd.service"
	quietly root_run "$root" systemctl enable vmtoolsd.service vgauthd.service
}

rpm_like_identity()
{
	local root=$1
	cat > "$root/usr/lib/os-release" <<-'EOT'
		NAME="Rocky Linux"
		VERSION="9.3 (Blue Onyx)"
		ID="rocky"
		ID_LIKE="rhel centos fedora"
		VERSION_ID="9.3"
		PLATFORM_ID="platform:el9"
		PRETTY_NAME="Rocky Linux 9.3 (Blue Onyx)"
		CPE_NAME="cpe:/o:rocky:rocky:9::baseos"
		ROCKY_SUPPORT_PRODUCT="Rocky-Linux-9"
		ROCKY_SUPPORT_PRODUCT_VERSION="9.3"
		REDHAT_SUPPORT_PRODUCT="Rocky Linux"
		REDHAT_SUPPORT_PRODUCT_VERSION="9.3"
	EOT
	ln -sf ../usr/lib/os-release "$root/etc/os-release"
	echo "Rocky Linux release 9.3 (Blue Onyx)" > "$root/etc/rocky-release"
	ln -sf rocky-release "$root/etc/redhat-release"
	ln -sf rocky-release "$root/etc/system-release"
	echo "$RPM_MACHINE_ID" > "$root/etc/machine-id"
	echo rpm-like > "$root/etc/hostname"
	echo root:rig | root_run "$root" chpasswd

	mkdir -p "$root/etc/selinux/targeted/contexts/files"
	printf 'SELINUX=enforcing\nSELINUXTYPE=targeted\n' > "$root/etc/selinux/config"
	cat > "$root/etc/selinux/targeted/contexts/files/file_contexts" <<-'EOT'
		/.*	system_u:object_r:default_t:s0
		/	-d	system_u:object_r:root_t:s0
		/boot(/.*)?	system_u:object_r:boot_t:s0
		/etc(/.*)?	system_u:object_r:etc_t:s0
		/usr(/.*)?	system_u:object_r:usr_t:s0
		/usr/s?bin(/.*)?	system_u:object_r:bin_t:s0
		/usr/lib/modules(/.*)?	system_u:object_r:modules_object_t:s0
		/usr/lib/systemd/system(/.*)?	system_u:object_r:systemd_unit_file_t:s0
		/var(/.*)?	system_u:object_r:var_t:s0
		/var/lib/rpm(/.*)?	system_u:object_r:rpm_var_lib_t:s0
	EOT
}

# Two ways to say it, both found on Rocky 9: the old ifcfg file, and NetworkManager's key file.
rpm_like_network()
{
	local root=$1 keyfile
	keyfile=$root/etc/NetworkManager/system-connections/ens224.nmconnection
	mkdir -p "$root/etc/sysconfig/network-scripts" "$(dirname "$keyfile")"
	cat > "$root/etc/sysconfig/network-scripts/ifcfg-ens192" <<-'EOT'
		TYPE=Ethernet
		NAME=ens192
		DEVICE=ens192
		HWADDR=00:50:56:AA:BB:CC
		ONBOOT=yes
		BOOTPROTO=none
		IPADDR=192.0.2.20
		PREFIX=24
		GATEWAY=192.0.2.1
		DEFROUTE=yes
	EOT
	cat > "$keyfile" <<-'EOT'
		[connection]
		id=ens224
		uuid=6a1f0a52-3c6e-4a0f-9f0c-8a4d3b7c2e11
		type=ethernet
		interface-name=ens224

		[ethernet]

		[ipv4]
		method=manual
		address1=198.51.100.20/24

		[ipv6]
		method=disabled
	EOT
	chmod 600 "$keyfile"
}

# What would make an inspection say Debian.
rpm_like_forget_debian()
{
	local root=$1
	rm -rf "$root"/var/lib/{dpkg,apt,initramfs-tools} "$root"/var/cache/apt \
		"$root"/etc/{apt,dpkg,initramfs-tools,kernel,debian_version,network} \
		"$root"/usr/bin/{apt,dpkg}* "$root"/usr/sbin/{update-grub*,update-initramfs} \
		"$root"/usr/share/{initramfs-tools,debconf,doc} "$root"/usr/lib/{apt,dpkg} \
		"$root"/etc/{init.d,rc?.d,cron*,grub.d/05_debian_theme} \
		"$root"/lib/systemd/system/{apt,dpkg}-* "$root"/etc/systemd/system/*/{apt,dpkg}-*
}

# rpm_like_fill DISK ROOT: makes the file systems with the guest's own mkfs.xfs, and what names them.
rpm_like_fill()
{
	local disk=$1 root=$2 offset size boot_device root_device
	read -r offset size < <(disk_partition "$disk" 2)
	boot_device=$(disk_attach "$disk" "$offset" "$size")
	read -r offset size < <(disk_partition "$disk" 3)
	root_device=$(disk_attach "$disk" "$offset" "$size")
	root_run "$root" mkfs.xfs -q -f "$boot_device"
	root_run "$root" mkfs.xfs -q -f "$root_device"
	rpm_like_boot_files "$root" "$(disk_uuid "$boot_device" 0)" "$(disk_uuid "$root_device" 0)"
	mkdir "$SCRATCH/mount"
	# shellcheck disable=SC2016
	unshare --mount bash -euc '
		mount "$1" "$3"
		mkdir "$3/boot"
		mount "$2" "$3/boot"
		cp -a "$4/." "$3/"
		mount -t proc proc "$3/proc" # where setfiles finds the files it has open
		chroot "$3" setfiles -F -e /proc /etc/selinux/targeted/contexts/files/file_contexts /
		# setfiles leaves out what is mounted by a kernel without SELinux.
		find "$3/boot" -exec setfattr -h -n security.selinux -v system_u:object_r:boot_t:s0 {} +
	' bash "$root_device" "$boot_device" "$SCRATCH/mount" "$root"
	disk_detach "$boot_device"
	disk_detach "$root_device"
}

rpm_like_boot_files()
{
	local root=$1 boot_uuid=$2 root_uuid=$3 options
	options="root=UUID=$root_uuid ro crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M resume=/dev/sda4 rhgb quiet"
	cat > "$root/etc/fstab" <<-EOT
		UUID=$root_uuid / xfs defaults 0 0
		UUID=$boot_uuid /boot xfs defaults 0 0
		/dev/sda4 none swap defaults 0 0
	EOT
	cat > "$root/etc/default/grub" <<-EOT
		GRUB_TIMEOUT=5
		GRUB_DISTRIBUTOR="Rocky Linux"
		GRUB_DEFAULT=saved
		GRUB_DISABLE_SUBMENU=true
		GRUB_TERMINAL_OUTPUT="console"
		GRUB_CMDLINE_LINUX="${options#*ro }"
		GRUB_DISABLE_RECOVERY="true"
		GRUB_ENABLE_BLSCFG=true
	EOT
	cat > "$root/boot/grub2/grub.cfg" <<-EOT
		set timeout=5
		load_env
		set default="\${saved_entry}"
		search --no-floppy --fs-uuid --set=root $boot_uuid
		insmod blscfg
		blscfg
	EOT
	ln -sf ../boot/grub2/grub.cfg "$root/etc/grub2.cfg"
	root_run "$root" grub2-editenv /boot/grub2/grubenv create
	root_run "$root" grub2-editenv /boot/grub2/grubenv set \
		"saved_entry=$RPM_MACHINE_ID-$RPM_KERNEL" "boot_success=0"
	rpm_like_entry "$root" "$RPM_KERNEL" "Rocky Linux ($RPM_KERNEL) 9.3 (Blue Onyx)" "$options"
	rpm_like_entry "$root" "0-rescue-$RPM_MACHINE_ID" \
		"Rocky Linux (0-rescue-$RPM_MACHINE_ID) 9.3 (Blue Onyx)" "$options"
}

# rpm_like_entry ROOT VERSION TITLE OPTIONS: a boot loader entry.
rpm_like_entry()
{
	local file=$1/boot/loader/entries/$RPM_MACHINE_ID-${2/%-$RPM_MACHINE_ID/}.conf
	cat > "$file" <<-EOT
		title $3
		version $2
		linux /vmlinuz-$2
		initrd /initramfs-$2.img
		options $4
		grub_users \$grub_users
		grub_arg --unrestricted
		grub_class rocky
	EOT
}
