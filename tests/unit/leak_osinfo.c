/* SPDX-License-Identifier: Apache-2.0 */
/* leak_osinfo.c: libosinfo's loader forgets some of its strings: what it allocates is not our leak.
 * A suppression would need the slow unwinder, which makes its two seconds five minutes. */
#pragma GCC diagnostic ignored "-Wcast-qual" /* libosinfo's own inline functions */
#include <osinfo/osinfo.h>
#include <sanitizer/lsan_interface.h>

void __real_osinfo_loader_process_default_path(OsinfoLoader *loader, GError **error);
void __wrap_osinfo_loader_process_default_path(OsinfoLoader *loader, GError **error);

void __wrap_osinfo_loader_process_default_path(OsinfoLoader *loader, GError **error)
{
	__lsan_disable();
	__real_osinfo_loader_process_default_path(loader, error);
	__lsan_enable();
}
