# The pages: web/build makes them, and the binary carries each file as it is, as gzip and as brotli.

# web_page(PAGE file...): builds web/PAGE into <build>/web/PAGE, where these files come out.
function(web_page PAGE)
	file(GLOB_RECURSE SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/${PAGE}/src/*)
	file(GLOB SETTINGS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/${PAGE}/*.html
		${CMAKE_SOURCE_DIR}/web/${PAGE}/public/* ${CMAKE_SOURCE_DIR}/web/${PAGE}/*.json ${CMAKE_SOURCE_DIR}/web/${PAGE}/*.ts)
	set(FOLDER ${CMAKE_BINARY_DIR}/web/${PAGE})
	foreach(FILE ${ARGN})
		list(APPEND BUILT ${FOLDER}/${FILE} ${FOLDER}/${FILE}.gz ${FOLDER}/${FILE}.br)
	endforeach()
	add_custom_command(OUTPUT ${BUILT}
		COMMAND ${CMAKE_SOURCE_DIR}/web/build ${PAGE} ${FOLDER}
		DEPENDS ${SOURCES} ${SETTINGS} ${CMAKE_SOURCE_DIR}/web/build ${CMAKE_SOURCE_DIR}/web/compress.mjs
		COMMENT "Building web/${PAGE}" VERBATIM)
endfunction()

# embed_page_file(NAME PAGE file): NAME, NAME_gz and NAME_br.
macro(embed_page_file NAME PAGE FILE)
	embed_file(${NAME} ${CMAKE_BINARY_DIR}/web/${PAGE}/${FILE})
	embed_file(${NAME}_gz ${CMAKE_BINARY_DIR}/web/${PAGE}/${FILE}.gz)
	embed_file(${NAME}_br ${CMAKE_BINARY_DIR}/web/${PAGE}/${FILE}.br)
endmacro()

web_page(desk index.html desk.js desk.css)
embed_page_file(embedded_desk_html desk index.html)
embed_page_file(embedded_desk_js desk desk.js)
embed_page_file(embedded_desk_css desk desk.css)

web_page(widget widget.js widget-main.js widget-demo.js widget-demo.html)
embed_page_file(embedded_widget_js widget widget.js)
embed_page_file(embedded_widget_main_js widget widget-main.js)
embed_page_file(embedded_widget_demo_js widget widget-demo.js)
embed_page_file(embedded_widget_demo_html widget widget-demo.html)
