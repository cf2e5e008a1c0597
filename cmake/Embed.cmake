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

# embed_file(NAME path): the file's bytes under that C name, see daemon/base/embedded.h.
function(embed_file NAME FILE)
	get_filename_component(FROM ${FILE} ABSOLUTE BASE_DIR ${CMAKE_SOURCE_DIR})
	set(OUT ${CMAKE_BINARY_DIR}/generated/${NAME}.c)
	add_custom_command(OUTPUT ${OUT}
		COMMAND ${CMAKE_COMMAND} -DNAME=${NAME} -DFILE=${FROM} -DOUT=${OUT}
			-P ${CMAKE_SOURCE_DIR}/cmake/EmbedFile.cmake
		DEPENDS ${FROM} ${CMAKE_SOURCE_DIR}/cmake/EmbedFile.cmake
		COMMENT "Embedding ${FILE}" VERBATIM)
	set(EMBEDDED_SOURCES ${EMBEDDED_SOURCES} ${OUT} PARENT_SCOPE)
endfunction()
embed_file(embedded_schemas daemon/api/schemas.json)
embed_file(embedded_business conf/business.yaml)
embed_file(embedded_han_variants daemon/workers/han_variants.txt)
include(Web)
