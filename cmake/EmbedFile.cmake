# Writes a C source with the bytes of FILE as `const unsigned char NAME[]` and `const size_t NAME_len`,
# declared in daemon/base/embedded.h.
file(READ ${FILE} bytes HEX)
string(LENGTH "${bytes}" digits)
math(EXPR len "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
file(WRITE ${OUT} "#include \"base/embedded.h\"\n\nconst unsigned char ${NAME}[] = {\n${bytes}0x00\n};\nconst size_t ${NAME}_len = ${len};\n")
