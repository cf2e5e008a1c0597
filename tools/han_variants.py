#!/usr/bin/env python3
"""Writes daemon/workers/han_variants.txt: usage: han_variants.py > FILE

Source: the character dictionaries of OpenCC (Debian: libopencc1.1, libopencc-data; Apache-2.0). Each line is one form
that search compares, and behind it every other form that is folded to it: traditional (also as written in Taiwan and
Hong Kong) to simplified, and Japanese ones that GB 2312 does not have.
"""
import collections
import ctypes
import sys

RANGES = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0x20000, 0x323AF))

library = ctypes.CDLL("libopencc.so.1.1")
library.opencc_open.restype = ctypes.c_void_p
library.opencc_convert_utf8.restype = ctypes.c_void_p
library.opencc_convert_utf8.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)
library.opencc_convert_utf8_free.argtypes = (ctypes.c_void_p,)


def converter(name):
    handle = library.opencc_open(name.encode())

    def convert(character):
        raw = character.encode()
        answer = library.opencc_convert_utf8(handle, raw, len(raw))
        text = ctypes.string_at(answer).decode()
        library.opencc_convert_utf8_free(answer)
        return text if len(text) == 1 else character

    return convert


def is_simplified(character):
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def main():
    plain, taiwan, hongkong, japan = map(converter, ("t2s.json", "tw2s.json", "hk2s.json", "jp2t.json"))

    def fold(character):
        for forms in (plain, taiwan, hongkong):
            if forms(character) != character:
                return forms(character)
        return character if is_simplified(character) else plain(japan(character))

    lines = collections.defaultdict(list)
    for first, last in RANGES:
        for codepoint in range(first, last + 1):
            character = form = chr(codepoint)
            for _ in range(4):  # to a form that stays
                form = fold(form)
            if form != character:
                lines[form].append(character)
    for form in sorted(lines):
        print(form + "".join(sorted(lines[form])))
    return 0


sys.exit(main())
