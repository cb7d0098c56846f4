# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A real rpm database over files that are in the tree already: each package is built by rpmbuild from
# its files there, and registered. Removing one with rpm removes its files.

# rpmdb_build ROOT
rpmdb_build()
{
	local root=$1 modules=/usr/lib/modules/$RPM_KERNEL version=5.14.0 release=362.8.1.el9_3
	local list=$SCRATCH/rpm.files
	mkdir -p "$root/rpms" "$root/etc/systemd/system/multi-user.target.wants"

	printf '%s\n' "$modules"/{vmlinuz,config,System.map} > "$list"
	printf '%%ghost %s\n' "/boot/vmlinuz-$RPM_KERNEL" "/boot/config-$RPM_KERNEL" \
		"/boot/System.map-$RPM_KERNEL" "/boot/initramfs-$RPM_KERNEL.img" >> "$list"
	rpmdb_package "$root" kernel-core "$version" "$release" < "$list"
	echo "$modules/kernel" | rpmdb_package "$root" kernel-modules "$version" "$release"
	: | rpmdb_package "$root" kernel "$version" "$release"
	rpmdb_files_of "$root" dracut-core | rpmdb_package "$root" dracut 057 44.git20230822.el9
	{
		rpmdb_files_of "$root" open-vm-tools | grep -v /etc/init.d/
		printf '%s\n' /usr/lib/systemd/system/{vmtoolsd,vgauthd}.service
	} | rpmdb_package "$root" open-vm-tools 12.2.5 3.el9
	rpmdb_files_of "$root" rpm | rpmdb_package "$root" rpm 4.16.1.3 25.el9
	rpmdb_files_of "$root" xfsprogs | rpmdb_package "$root" xfsprogs 5.19.0 4.el9
	rpmdb_files_of "$root" policycoreutils | rpmdb_package "$root" policycoreutils 3.5 3.el9_3
	echo /usr/sbin/grub2-mkconfig | rpmdb_package "$root" grub2-tools 2.06 70.el9_3.1
	echo /usr/lib/grub/i386-pc | rpmdb_package "$root" grub2-pc 2.06 70.el9_3.1
	printf '%s\n' /etc/rocky-release /etc/redhat-release /etc/system-release |
		rpmdb_package "$root" rocky-release 9.3 1.3.el9
	echo /etc/selinux/targeted | rpmdb_package "$root" selinux-policy-targeted 38.1.23 1.el9
	: | rpmdb_package "$root" NetworkManager 1.44.0 3.el9

	quietly root_run "$root" rpm --initdb
	quietly root_run "$root" sh -c 'rpm -i --justdb --nodeps --noscripts --ignorearch --nosignature /rpms/*.rpm'
	rm -r "$root/rpms"
}

# rpmdb_files_of ROOT PACKAGE: the files (not folders) of a Debian package that are in the tree.
rpmdb_files_of()
{
	local file
	root_run "$1" dpkg -L "$2" | while read -r file; do
		[[ -d $1$file && ! -L $1$file || ! -e $1$file && ! -L $1$file ]] ||
			realpath --no-symlinks "$file" # the tree has no /lib but a link to /usr/lib
	done
}

# rpmdb_package ROOT NAME VERSION RELEASE: builds ROOT/rpms/NAME-*.rpm of the files listed on stdin
# (as in a %files section).
rpmdb_package()
{
	local root=$1 name=$2 top=$SCRATCH/rpmbuild
	mkdir -p "$top"
	{
		cat <<-EOT
			Name: $name
			Version: $3
			Release: $4
			Summary: $name
			License: GPLv2+
			BuildArch: x86_64
			AutoReqProv: no
			%description
			$name
			%preun
			$(rpmdb_scriptlet "$name")
			%files
		EOT
		cat
	} > "$top/$name.spec"
	quietly rpmbuild --quiet --target x86_64 -bb --buildroot "$root" --noclean --nocheck \
		--define "_topdir $top" --define "_rpmdir $root/rpms" --define '_rpmfilename %{NAME}.rpm' \
		--define '__spec_install_pre %{nil}' --define '__spec_install_post %{nil}' \
		--define '_build_id_links none' --define 'debug_package %{nil}' \
		--define '__check_files %{nil}' \
		--define '_binary_payload w1.gzdio' "$top/$name.spec"
}

# What systemd's macros leave in a package that has a service.
rpmdb_scriptlet()
{
	[[ $1 == open-vm-tools ]] || return 0
	cat <<-'EOT'
		if [ $1 -eq 0 ]; then
			systemctl --no-reload disable --now vmtoolsd.service vgauthd.service || :
		fi
	EOT
}
