#!/bin/bash
# formats.sh: images that qemu-img made, into each format that can be written; qemu-img compares.
. "${V2V_SOURCE_DIR:?}/tests/cli/tap.sh" || exit 1
sparse_raw a.raw 24
mkdir out

# made NAME FORMAT OPTIONS: source.NAME out of a.raw.
made() {
	local arguments=(-f raw -O "$2")
	[ -z "$3" ] || arguments+=(-o "$3")
	[ -z "${4:-}" ] || arguments+=("$4")
	qemu-img convert "${arguments[@]}" a.raw "$1"
}

made monolithicSparse.vmdk vmdk subformat=monolithicSparse
made streamOptimized.vmdk vmdk subformat=streamOptimized
made monolithicFlat.vmdk vmdk subformat=monolithicFlat
made twoGbMaxExtentSparse.vmdk vmdk subformat=twoGbMaxExtentSparse
made twoGbMaxExtentFlat.vmdk vmdk subformat=twoGbMaxExtentFlat
made v3.qcow2 qcow2 ""
made v2.qcow2 qcow2 compat=0.10
made zlib.qcow2 qcow2 "" -c
made zstd.qcow2 qcow2 compression_type=zstd -c
made clusters512.qcow2 qcow2 cluster_size=512
made clusters2M.qcow2 qcow2 cluster_size=2M
made preallocated.qcow2 qcow2 preallocation=metadata
qemu-img create -q -f qcow2 -b v3.qcow2 -F qcow2 overlay.qcow2
qemu-io -c 'write -P 7 3M 100k' -c 'write -z 5M 1M' -c 'discard 9M 1M' overlay.qcow2 >/dev/null
qemu-img convert -O raw overlay.qcow2 overlay.expected

for source in *.vmdk *.qcow2; do
	case $source in *-flat.vmdk | *-s0*.vmdk | *-f0*.vmdk) continue ;; esac
	expected=a.raw
	[ ! -e "${source%.*}.expected" ] || expected=${source%.*}.expected
	run "$v2v" info --json "$source"
	is "$source: info: status" 0 "$status"
	row "$source: info tells format and size as qemu-img does" python3 - "$source" "$output" <<-'PY'
		import json, subprocess, sys
		ours = json.loads(sys.argv[2])
		theirs = json.loads(subprocess.check_output(["qemu-img", "info", "--output=json", sys.argv[1]]))
		for key in "format", "virtual-size":
		    assert ours[key] == theirs[key], (key, ours[key], theirs[key])
	PY
	for target in raw qcow2; do
		rm -rf out/*
		run "$v2v" convert -q --verify --threads 1 "$source" out/one.$target
		is "$source to $target: status" 0 "$status"
		row "$source to $target: qemu-img sees the same" \
			qemu-img compare -f raw -F $target "$expected" out/one.$target
		run "$v2v" convert -q --threads 4 "$source" out/four.$target
		row "$source to $target: the same file by 4 threads" cmp out/one.$target out/four.$target
	done
	row "$source: the check of qemu-img" qemu-img check -q out/one.qcow2
done

for method in zlib zstd zlib:9 zstd:3; do
	rm -rf out/*
	run "$v2v" convert -q --verify -c $method --threads 1 v3.qcow2 out/one.qcow2
	is "compressed by $method: status" 0 "$status"
	row "compressed by $method: the same" qemu-img compare -f raw -F qcow2 a.raw out/one.qcow2
	run "$v2v" convert -q -c $method --threads 4 v3.qcow2 out/four.qcow2
	row "compressed by $method: the same file by 4 threads" cmp out/one.qcow2 out/four.qcow2
done

# Sources that lack their end: an error, and no target.
for source in monolithicSparse.vmdk streamOptimized.vmdk v3.qcow2 zlib.qcow2 monolithicFlat-flat.vmdk; do
	opened=${source/-flat/}
	cp "$source" keep
	truncate -s $(($(stat -c %s "$source") * 2 / 3)) "$source"
	rm -rf out/*
	run "$v2v" convert -q "$opened" out/b.raw
	is "$source cut to two thirds: status" 1 "$status"
	is "$source cut to two thirds: nothing is left" "" "$(names_in out)"
	row "$source cut to two thirds: one line names file and offset" \
		[ "$(grep -Ec "^v2v: .*${source%.*}.*(offset|bytes)" <<<"$errors")" = 1 ]
	mv keep "$source"
done

# What we do not read is refused by its name.
made subclusters.qcow2 qcow2 extended_l2=on
run "$v2v" convert -q subclusters.qcow2 out/b.raw
is "extended L2 entries: status" 1 "$status"
row "extended L2 entries: the line names them" grep -qi 'extended L2' <<<"$errors"

# A chain whose base would be replaced; a backing image that is elsewhere.
run "$v2v" convert -q --force overlay.qcow2 v3.qcow2
is "the base of the source as the target: status" 3 "$status"
row "the base is what it was" qemu-img compare -q -f raw -F qcow2 a.raw v3.qcow2
run "$v2v" convert -q --force -O raw monolithicFlat.vmdk monolithicFlat-flat.vmdk
is "an extent of the source as the target: status" 3 "$status"
mkdir elsewhere
mv v3.qcow2 elsewhere
qemu-img rebase -u -b "$PWD/elsewhere/v3.qcow2" -F qcow2 overlay.qcow2
run "$v2v" convert -q overlay.qcow2 out/c.raw
is "a backing image elsewhere: status" 3 "$status"
row "the line says how to allow it" grep -q -- '--allow-root' <<<"$errors"
run "$v2v" convert -q --allow-root "$PWD/elsewhere" overlay.qcow2 out/c.raw
is "and then it is" 0 "$status"
row "the same bytes" cmp overlay.expected out/c.raw
run "$v2v" info --chain --json --allow-root elsewhere overlay.qcow2
row "info lists the chain" [ "$(grep -c '"virtual-size"' <<<"$output")" = 2 ]
plan
