# What `cmake --install` puts where: program, library with its public headers, manual, completions.
set(HEADERS ${CMAKE_INSTALL_INCLUDEDIR}/v2v) # sources say #include "formats/disk.h"

install(TARGETS v2v DESTINATION ${CMAKE_INSTALL_BINDIR})
foreach(room base formats convert)
	set_target_properties(${room} PROPERTIES OUTPUT_NAME v2v-${room})
	install(TARGETS ${room} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endforeach()

# The public library: disk images and their copies. What a room keeps to itself is not installed.
install(FILES base/bytes.h base/cancel.h base/checked.h base/error.h base/finding.h base/progress.h
	DESTINATION ${HEADERS}/base)
install(FILES formats/disk.h formats/folder.h formats/format.h formats/output_file.h
	formats/storage.h formats/writer.h
	DESTINATION ${HEADERS}/formats)
install(FILES convert/copy.h convert/digest.h convert/nbd_export.h convert/verify.h
	DESTINATION ${HEADERS}/convert)
install(FILES convert/guest/guest.h DESTINATION ${HEADERS}/convert/guest)
file(RELATIVE_PATH PREFIX_FROM_PC ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/v2v.pc.in v2v.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/v2v.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(EXISTS ${PROJECT_SOURCE_DIR}/docs/v2v.1)
	install(FILES docs/v2v.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()
install(FILES completions/v2v.bash RENAME v2v
	DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES completions/_v2v DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES completions/v2v.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
