/* SPDX-License-Identifier: Apache-2.0 */
/* bootloader.h: bootloader configuration as text: which kernel boots, and edits of kernel lines. */
#ifndef V2V_CONVERT_GUEST_BOOTLOADER_H
#define V2V_CONVERT_GUEST_BOOTLOADER_H

#include "convert/guest/block_devices.h"

typedef enum {
	BOOT_TEXT_GRUB,     /* grub.cfg: "linux /vmlinuz root=…" */
	BOOT_TEXT_LEGACY,   /* menu.lst, grub.conf: "kernel /vmlinuz root=…" */
	BOOT_TEXT_EXTLINUX, /* "append root=…" */
	BOOT_TEXT_BLS,      /* loader/entries/X.conf: "options root=…" */
	BOOT_TEXT_DEFAULTS, /* /etc/default/grub: GRUB_CMDLINE_LINUX="…" */
	BOOT_TEXT_GRUBENV,  /* grubenv: "kernelopts=…"; a block of 1024 bytes */
	BOOT_TEXT_CMDLINE,  /* /etc/kernel/cmdline: the arguments alone */
} BootTextKind;

typedef struct {
	GPtrArray *devices;  /* borrowed; of BlockDevice */
	const char *console; /* arguments for a line that names no console; NULL: add none */
	GPtrArray *done;     /* borrowed; gets "/dev/sda1 -> UUID=…", each once */
	GPtrArray *unknown;  /* borrowed; gets names that stay */
	bool from_xen;       /* consoles of Xen become the serial line */
	unsigned consoles;   /* out: lines that the console was added to */
	unsigned renamed;    /* out: consoles of Xen that were replaced */
} BootEdit;

/* The text with its kernel lines edited, everything else untouched; NULL when it would not fit in a
 * grubenv block. Owned by the caller. */
char *boot_text_edit(BootTextKind kind, const char *text, BootEdit *edit);

typedef struct { /* one menu entry; strings owned, NULL when the entry has none */
	char *title, *id;
	char *kernel;    /* as written: "/boot/vmlinuz-6.1.0-18-amd64" */
	char *initrd;    /* the last one written: those before are microcode */
	char *arguments; /* of the kernel */
	char *position;  /* "0", "1>2": how a default names it */
} BootEntry;

GPtrArray *boot_entries_from_grub(const char *text);     /* of BootEntry */
GPtrArray *boot_entries_from_legacy(const char *text);   /* of BootEntry */
GPtrArray *boot_entries_from_extlinux(const char *text); /* of BootEntry */
/* One entry of the Boot Loader Specification; `id` is the file's name without ".conf". */
BootEntry *boot_entry_from_bls(const char *text, const char *id);
void boot_entry_free(void *entry); /* a GDestroyNotify */

/* What the text says is the default: "0", "1>2", an id or a title; "saved" means grubenv. Owned. */
char *boot_default_of(BootTextKind kind, const char *text);
/* The value of NAME=value in a grubenv block or shell-like file, quotes taken off; NULL: unset. */
char *boot_variable(const char *text, const char *name);

/* The entry that `wanted` names (NULL or not found: the first); NULL when there is no entry with a
 * kernel. Borrowed. */
const BootEntry *boot_entry_choose(const GPtrArray *entries, const char *wanted);

/* Order of versions as in rpmvercmp: numbers by value, "1.10" after "1.9". */
int version_compare(const char *a, const char *b);
/* "6.1.0-18-amd64" of "/boot/vmlinuz-6.1.0-18-amd64"; NULL when the name holds none. Owned. */
char *kernel_version_of_path(const char *path);

#endif
