# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The root file system that all guests share: one run of mmdebstrap, kept as a tarball,
# and beside it the packages that each guest gets on top, so that later steps need no network.

# A guest on VMware runs linux-image-amd64: the cloud kernel has neither vmw_pvscsi nor vmxnet3.
ROOT_PACKAGES=(
	systemd-sysv udev kmod dbus login passwd apt util-linux e2fsprogs
	linux-image-amd64 initramfs-tools zstd
	ifupdown iproute2 procps open-vm-tools
)

# What each guest adds. The two GRUBs exclude each other.
ROOT_EXTRA_BIOS=(grub-pc)
ROOT_EXTRA_UEFI=(grub-efi-amd64 grub-efi-amd64-signed shim-signed efibootmgr
	lvm2 dosfstools qemu-guest-agent)
ROOT_EXTRA_RPM=(dracut-core rpm xfsprogs policycoreutils grub-pc-bin grub2-common)

# Drivers no virtual machine has: without them the kernel package unpacks to a quarter of its
# size, and an initramfs is rebuilt under emulation in seconds instead of minutes.
ROOT_NO_DRIVERS=(
	accessibility android atm auxdisplay bluetooth comedi counter crypto/qat edac extcon
	firewire gnss gpu/drm greybus hwmon i2c iio infiniband input/joystick input/tablet
	input/touchscreen isdn leds media memstick mfd mmc mtd mux net/arcnet net/can
	net/ethernet net/fddi net/hamradio net/ieee802154 net/phy net/usb net/wan
	net/wireless net/wwan nfc ntb parport pcmcia phy pinctrl platform power pwm
	rapidio soundwire ssb staging thunderbolt usb/atm usb/gadget usb/misc usb/serial
	video w1
	scsi/aacraid scsi/aic7xxx scsi/aic94xx scsi/be2iscsi scsi/bfa scsi/bnx2fc scsi/bnx2i
	scsi/csiostor scsi/cxgbi scsi/elx scsi/fnic scsi/isci scsi/lpfc scsi/megaraid
	scsi/mpi3mr scsi/mvsas scsi/pm8001 scsi/qedf scsi/qedi scsi/qla2xxx scsi/qla4xxx
	scsi/smartpqi scsi/snic
)
ROOT_KEEP_DRIVERS=(
	'gpu/drm/drm*.ko' gpu/drm/ttm gpu/drm/vmwgfx gpu/drm/tiny gpu/drm/virtio
	net/ethernet/intel/e1000 net/ethernet/intel/e1000e net/ethernet/amd
)

# Prints the --dpkgopt arguments, one a line.
root_dpkg_options()
{
	local path
	for path in doc man locale info lintian; do
		echo "--dpkgopt=path-exclude=/usr/share/$path/*"
	done
	echo '--dpkgopt=path-exclude=/lib/modules/*/kernel/sound/*'
	for path in "${ROOT_NO_DRIVERS[@]}"; do
		echo "--dpkgopt=path-exclude=/lib/modules/*/kernel/drivers/$path/*"
	done
	for path in "${ROOT_KEEP_DRIVERS[@]}"; do
		echo "--dpkgopt=path-include=/lib/modules/*/kernel/drivers/$path*"
	done
}

# A hook that downloads packages and all they need into $1 of the output folder.
root_download_hook()
{
	local folder=$1
	shift
	cat <<-HOOK
		set -e
		mkdir -p "\$1/var/cache/$folder/partial"
		chroot "\$1" apt-get -qq --download-only --no-install-recommends \\
			-o Dir::Cache::Archives="/var/cache/$folder" install $*
		mkdir -p "$OUTDIR/debs.partial/$folder"
		mv "\$1/var/cache/$folder"/*.deb "$OUTDIR/debs.partial/$folder/"
		rm -r "\$1/var/cache/$folder"
	HOOK
}

# The host's own package sources if the host runs the release we want (it may use a mirror).
root_sources()
{
	local file
	# shellcheck source=/dev/null
	[[ $(. /etc/os-release && echo "${VERSION_CODENAME:-}") == bookworm ]] || return 0
	for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
		if [[ -s $file ]]; then
			echo "$file"
			return
		fi
	done
}

root_build()
{
	local tarball=$OUTDIR/root.tar
	local -a options sources

	[[ ! -e $tarball ]] || return 0
	say "root file system: mmdebstrap"
	mapfile -t options < <(root_dpkg_options)
	mapfile -t sources < <(root_sources)
	rm -rf "$OUTDIR/debs.partial" "$OUTDIR/debs"
	mmdebstrap --quiet --format=tar --variant=minbase --include="$(IFS=,; echo "${ROOT_PACKAGES[*]}")" \
		--aptopt='Acquire::Languages "none"' --aptopt='Apt::Install-Recommends "false"' \
		"${options[@]}" \
		--customize-hook="$(root_download_hook bios "${ROOT_EXTRA_BIOS[@]}")" \
		--customize-hook="$(root_download_hook uefi "${ROOT_EXTRA_UEFI[@]}")" \
		--customize-hook="$(root_download_hook rpm "${ROOT_EXTRA_RPM[@]}")" \
		bookworm "$tarball.partial" "${sources[@]}"
	mv "$OUTDIR/debs.partial" "$OUTDIR/debs"
	mv "$tarball.partial" "$tarball"
}

# root_unpack ROOT EXTRA: the shared tree in ROOT, plus the packages of one guest.
root_unpack()
{
	local root=$1 extra=$2
	mkdir -p "$root"
	tar -C "$root" -xf "$OUTDIR/root.tar" --numeric-owner
	cp -r "$OUTDIR/debs/$extra" "$root/debs"
	quietly root_run "$root" sh -c 'dpkg --force-depends --unpack /debs/*.deb && dpkg --configure -a'
	rm -r "$root/debs"
	# The guest reaches no network, and its sources are nobody's business.
	rm -f "$root"/etc/apt/sources.list.d/*
	: > "$root/etc/apt/sources.list"
}

# root_run ROOT COMMAND...: a command inside the tree, without daemons, without network.
root_run()
{
	local root=$1
	shift
	# A mount namespace of its own: /proc and /dev vanish with the command.
	# shellcheck disable=SC2016
	unshare --mount --net --pid --fork sh -c '
		root=$1; shift
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
			DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"' sh "$root" "$@"
}
