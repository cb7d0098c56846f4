/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ovf.c: any bytes as an OVF document. */
#include "fuzz.h"

#include "inventory/ovf.h"

static void check_disk(const OvfDocument *document, const VmDisk *disk)
{
	const OvfFile *file = NULL;
	const OvfDisk *from = ovf_disk_of(document, disk->id, &file);

	contract(from == NULL || ovf_find_disk(document, from->id) == from);
	contract(file == NULL || ovf_find_file(document, file->id) == file);
	contract(file == NULL || file->href != NULL);
}

static void check_vm(const OvfDocument *document, const char *name)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Vm) vm = ovf_describe(document, name, &error);

	contract_error(vm != NULL, error);
	if (vm == NULL)
		return;
	contract(vm->name != NULL && g_utf8_validate(vm->name, -1, NULL));
	for (guint i = 0; i < vm->disks->len; i++)
		check_disk(document, vm_disk(vm, i));
	g_autofree char *file_name = vm_file_name(vm->name);
	contract(file_name[0] != '\0' && file_name[0] != '.' && file_name[0] != '-');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(OvfDocument) document = ovf_parse((const char *)bytes, length, &error);

	contract_error(document != NULL, error);
	if (document == NULL)
		return 0;
	g_auto(GStrv) names = ovf_list(document);
	contract(names != NULL);
	for (char **name = names; *name != NULL; name++)
		check_vm(document, *name);
	for (guint i = 0; i < ovf_file_count(document); i++)
		contract(ovf_file(document, i)->id != NULL);
	return 0;
}
