# The warnings of every target; errors only in presets, not for packagers.
add_compile_options(
	-Wall -Wextra -Wpedantic -Wshadow -Wformat=2 -Wundef -Wvla -Wcast-qual -Wwrite-strings
	-Wconversion -Wsign-conversion -Wimplicit-fallthrough -Wnull-dereference
	$<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
	$<$<COMPILE_LANGUAGE:C>:-Wold-style-definition>)
if(CONVERGE_WERROR)
	add_compile_options(-Werror)
endif()
if(CONVERGE_SANITIZE STREQUAL "address")
	add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
	add_link_options(-fsanitize=address,undefined)
elseif(CONVERGE_SANITIZE STREQUAL "thread")
	add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
	add_link_options(-fsanitize=thread)
endif()
if(CONVERGE_FUZZ)
	add_compile_options(-fsanitize=fuzzer-no-link)
endif()
