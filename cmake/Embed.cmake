# Files that the binary carries: the store's scripts and the pages. EMBEDDED_SOURCES collects the generated C.
set(EMBEDDED_SOURCES)

set(SCRIPTS_FOLDER ${CMAKE_SOURCE_DIR}/daemon/store/scripts)
file(GLOB SCRIPT_FILES CONFIGURE_DEPENDS ${SCRIPTS_FOLDER}/*.lua ${SCRIPTS_FOLDER}/prelude/*.lua)
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/generated/store_scripts.c
	COMMAND ${CMAKE_COMMAND} -DFOLDER=${SCRIPTS_FOLDER}
		-DOUT=${CMAKE_BINARY_DIR}/generated/store_scripts.c
		-P ${CMAKE_SOURCE_DIR}/cmake/EmbedScripts.cmake
	DEPENDS ${SCRIPT_FILES} ${CMAKE_SOURCE_DIR}/cmake/EmbedScripts.cmake
	COMMENT "Embedding the store's scripts" VERBATIM)
list(APPEND EMBEDDED_SOURCES ${CMAKE_BINARY_DIR}/generated/store_scripts.c)
