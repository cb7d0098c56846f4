/* SPDX-License-Identifier: Apache-2.0 */
/* vm_variant.c: a Vm as a GVariant, for JSON and for tests. */
#include "inventory/vm_variant.h"

static void add(GVariantBuilder *builder, const char *key, GVariant *value)
{
	g_variant_builder_add(builder, "{sv}", key, value);
}

/* Text of a source need not be UTF-8; a GVariant must. */
static void add_text(GVariantBuilder *builder, const char *key, const char *text)
{
	g_autofree char *valid = text != NULL ? g_utf8_make_valid(text, -1) : NULL;

	add(builder, key, g_variant_new("ms", valid));
}

static void add_number(GVariantBuilder *builder, const char *key, uint64_t number)
{
	add(builder, key, g_variant_new_uint64(number));
}

static void add_truth(GVariantBuilder *builder, const char *key, bool truth)
{
	add(builder, key, g_variant_new_boolean(truth));
}

static GVariant *controller_to_variant(const void *element)
{
	const VmController *controller = element;
	GVariantBuilder builder;

	g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
	add_text(&builder, "bus", disk_bus_name(controller->bus));
	add_number(&builder, "unit", controller->unit);
	add_text(&builder, "model", controller->model);
	return g_variant_builder_end(&builder);
}

static GVariant *disk_to_variant(const void *element)
{
	const VmDisk *disk = element;
	GVariantBuilder builder;

	g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
	add_text(&builder, "id", disk->id);
	add_text(&builder, "bus", disk_bus_name(disk->bus));
	add_number(&builder, "controller", disk->controller);
	add_number(&builder, "target", disk->target);
	add_number(&builder, "capacity", disk->capacity);
	add_text(&builder, "format", disk->format);
	add_text(&builder, "file", disk->file);
	add_number(&builder, "boot-order", disk->boot_order);
	add_text(&builder, "serial", disk->serial);
	return g_variant_builder_end(&builder);
}

static GVariant *removable_to_variant(const void *element)
{
	const VmRemovable *removable = element;
	GVariantBuilder builder;

	g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
	add_text(&builder, "kind", removable->floppy ? "floppy" : "cdrom");
	add_text(&builder, "bus", disk_bus_name(removable->bus));
	add_number(&builder, "controller", removable->controller);
	add_number(&builder, "target", removable->target);
	add_text(&builder, "image", removable->image);
	return g_variant_builder_end(&builder);
}

static GVariant *nic_to_variant(const void *element)
{
	const VmNic *nic = element;
	GVariantBuilder builder;

	g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
	add_text(&builder, "mac", nic->mac);
	add_text(&builder, "model", nic->model);
	add_text(&builder, "network", nic->network);
	add_truth(&builder, "bridged", nic->bridged);
	add_truth(&builder, "disconnected", nic->disconnected);
	add_number(&builder, "boot-order", nic->boot_order);
	return g_variant_builder_end(&builder);
}

static void add_elements(GVariantBuilder *builder, const char *key, const GPtrArray *elements,
			 GVariant *(*to_variant)(const void *))
{
	GVariantBuilder list;

	g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
	for (guint i = 0; i < elements->len; i++)
		g_variant_builder_add_value(&list, to_variant(g_ptr_array_index(elements, i)));
	add(builder, key, g_variant_builder_end(&list));
}

GVariant *findings_to_variant(const Findings *findings)
{
	GVariantBuilder list;

	g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
	for (guint i = 0; i < findings_count(findings); i++) {
		const Finding *finding = findings_get(findings, i);
		GVariantBuilder builder;

		g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
		add_text(&builder, "id", finding->id);
		add_text(&builder, "severity", finding_severity_name(finding->severity));
		add_text(&builder, "text", finding->text);
		add_text(&builder, "advice", finding->advice);
		g_variant_builder_add_value(&list, g_variant_builder_end(&builder));
	}
	return g_variant_builder_end(&list);
}

static void add_identity(GVariantBuilder *builder, const Vm *vm)
{
	g_autofree char *genid =
		vm->genid[0] != 0 || vm->genid[1] != 0
			? g_strdup_printf("%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x",
					  vm->genid[0], vm->genid[1])
			: NULL;

	add_text(builder, "name", vm->name);
	add_text(builder, "uuid", vm->uuid);
	add_text(builder, "annotation", vm->annotation);
	add_text(builder, "hypervisor", hypervisor_name(vm->hypervisor));
	add_text(builder, "guest-os", vm->guest_os);
	add_text(builder, "guest-arch", vm->guest_arch);
	add_text(builder, "serial-number", vm->serial_number);
	add_text(builder, "manufacturer", vm->manufacturer);
	add_text(builder, "product", vm->product);
	add_text(builder, "genid", genid);
}

static void add_platform(GVariantBuilder *builder, const Vm *vm)
{
	add_number(builder, "memory", vm->memory);
	add_number(builder, "vcpus", vm->vcpus);
	add_number(builder, "sockets", vm->sockets);
	add_number(builder, "cores", vm->cores);
	add_number(builder, "threads", vm->threads);
	add_text(builder, "firmware", firmware_name(vm->firmware));
	add_truth(builder, "secure-boot", vm->secure_boot);
	add_truth(builder, "tpm", vm->tpm);
	add_text(builder, "nvram", vm->nvram);
	add_text(builder, "rtc", vm->rtc_local ? "local" : "utc");
	add_truth(builder, "serial-port", vm->has_serial_port);
	add_truth(builder, "sound", vm->has_sound);
	add_text(builder, "sound-model", vm->sound_model);
	add_number(builder, "video-memory", vm->video_memory);
}

GVariant *vm_to_variant(const Vm *vm)
{
	GVariantBuilder builder;

	g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
	add_identity(&builder, vm);
	add_platform(&builder, vm);
	add_elements(&builder, "controllers", vm->controllers, controller_to_variant);
	add_elements(&builder, "disks", vm->disks, disk_to_variant);
	add_elements(&builder, "removables", vm->removables, removable_to_variant);
	add_elements(&builder, "nics", vm->nics, nic_to_variant);
	add(&builder, "findings", findings_to_variant(vm->findings));
	return g_variant_builder_end(&builder);
}
