# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Partitions and file systems inside an image file. The file systems are written at their offset
# in the file: no partition devices, no mounts, and no device-mapper on the host are needed.

# disk_create FILE SIZE: an empty disk with the partition table that sfdisk reads on stdin.
disk_create()
{
	truncate -s "$2" "$1"
	sfdisk --quiet "$1"
}

# disk_partition FILE NUMBER: "offset size" in bytes.
disk_partition()
{
	local start_sectors size
	read -r start_sectors size < <(partx --show --noheadings --bytes --nr "$2" -o START,SIZE "$1")
	echo $((start_sectors * 512)) "$size"
}

# disk_ext4 FILE OFFSET SIZE FOLDER LABEL: an ext4 that holds what the folder holds.
disk_ext4()
{
	mke2fs -q -t ext4 -L "$5" -E "offset=$2,root_owner=0:0" -d "$4" "$1" "$(($3 / 1024))k"
}

# disk_swap FILE OFFSET SIZE
disk_swap()
{
	local loop
	loop=$(disk_attach "$@")
	mkswap --quiet "$loop"
	disk_detach "$loop"
}

# disk_attach FILE OFFSET SIZE: prints a loop device for this part of the file.
disk_attach()
{
	losetup --find --show --offset "$2" --sizelimit "$3" "$1"
}

disk_detach()
{
	losetup --detach "$1"
}

# disk_lvm DEVICE GROUP VOLUME=SIZE...: makes a volume group, and prints "name offset size" in bytes
# of each volume (each is one run of extents). Nothing is activated: the host needs no device-mapper.
disk_lvm()
{
	local device=$1 group=$2 volume start_bytes extent_bytes
	local -a lvm=(env LVM_SYSTEM_DIR="$SCRATCH/lvm" LVM_SUPPRESS_FD_WARNINGS=1 lvm)
	local -a local_only=(--driverloaded n --devices "$device")
	shift 2
	mkdir -p "$SCRATCH/lvm"
	quietly "${lvm[@]}" pvcreate "${local_only[@]}" "$device"
	quietly "${lvm[@]}" vgcreate "${local_only[@]}" --autobackup n "$group" "$device"
	for volume in "$@"; do
		local size=${volume#*=} option=--size
		[[ $size != *%* ]] || option=--extents
		quietly "${lvm[@]}" lvcreate "${local_only[@]}" --autobackup n --activate n --zero n \
			--wipesignatures n --name "${volume%%=*}" "$option" "$size" "$group"
	done
	local -a bytes=(--noheadings --nosuffix --units b)
	read -r start_bytes < <("${lvm[@]}" pvs "${local_only[@]}" "${bytes[@]}" -o pe_start 2>> "$SCRATCH/log")
	read -r extent_bytes < <("${lvm[@]}" vgs "${local_only[@]}" "${bytes[@]}" -o vg_extent_size \
		2>> "$SCRATCH/log")
	"${lvm[@]}" lvs "${local_only[@]}" "${bytes[@]}" --segments -o lv_name,seg_pe_ranges,lv_size \
		2>> "$SCRATCH/log" |
		while read -r volume range size; do
			range=${range##*:}
			echo "$volume" $((start_bytes + ${range%-*} * extent_bytes)) "$size"
		done
}

# disk_uuid FILE OFFSET
disk_uuid()
{
	blkid --probe --offset "$2" --output value --match-tag UUID "$1"
}

# Loop devices on files of ours; losetup -d of a device in use takes effect when it is free.
disk_detach_all()
{
	local loop
	[[ -n $SCRATCH && -d $SCRATCH ]] || return 0
	losetup --list --noheadings --output NAME,BACK-FILE | while read -r loop file; do
		[[ $file != "$SCRATCH"/* ]] || losetup --detach "$loop"
	done
}
