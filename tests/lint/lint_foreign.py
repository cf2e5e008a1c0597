#!/usr/bin/env python3
"""One foreign library, one file."""
import re

import common

# Header of the library: where it may be included. A library that is not named here may not be used.
HOMES = (
    (r"hiredis/", r"daemon/store/redis\.c"),
    (r"curl/", r"daemon/services/transfer_curl\.h"),
    (r"(libesmtp|auth-client)\.h", r"daemon/workers/mail\.c"),
    (r"(gmime|glib)[/.]", r"daemon/workers/parse\w*\.c"),
    (r"json-c/", r"daemon/base/json\.c"),
    (r"yaml\.h", r"daemon/base/yaml\.c"),
    (r"expat\.h", r"daemon/base/xml\.c"),
    (r"sodium\.h", r"daemon/workers/password\.c"),
    (r"sqlite3\.h", r"daemon/workers/history_sqlite\.c"),
    (r"libpq-fe\.h", r"daemon/workers/history_postgres\.c"),
    (r"gumbo\.h", r"daemon/workers/html\.c"),
    (r"uni(norm|str|case|ctype|types|gbrk)\.h", r"daemon/base/text_(clean|letter)\.c"),
    (r"idn2\.h", r"daemon/base/text_domain\.c"),
    (r"(phonenumbers/|(string|cstring|cstdio)$)", r"daemon/workers/phone\.cc"),
    (r"seccomp\.h", r"daemon/workers/sandbox\.c"),
    (r"pcre2\.h", r"daemon/routing/pattern\.c"),
    (r"openssl/(ssl|err)\.h", r"daemon/(services|store)/\w*tls\w*\.c"),
    (r"openssl/", r"daemon/base/crypto\.c"),
    # libevent is the loop itself: the services that wait, the adapter of hiredis, the child that the store starts.
    (r"event2/", r"daemon/services/\w+\.[ch]|daemon/store/(redis|embedded)\.c|ctl/\w+\.c"),
)
# A header that lets a library in, and the few files behind it that share it.
GROUPS = ((r"services/transfer_curl\.h", r"daemon/services/transfer\w*\.c"),)
SYSTEM = re.compile(r"(sys|arpa|net|netinet|linux|bits)/[\w/]+\.h")
LIBC = set("""assert ctype dirent dlfcn endian errno fcntl fnmatch getopt glob grp iconv inttypes langinfo libgen limits
locale malloc math netdb poll pthread pwd regex sched signal spawn stdalign stdarg stdatomic stdbool stddef stdint stdio
stdlib stdnoreturn string strings sysexits syslog termios threads time uchar ucontext unistd utime wait wchar wctype
search ftw ifaddrs""".split())
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*<([^>]+)>", re.M)
OWN = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)


def check(lint):
    allowed = lint.allowed("foreign.allow")
    for path in lint.files(common.SHIPPED, (".c", ".cc", ".h")):
        text = common.blank(lint.read(path), strings=False)
        for match in INCLUDE.finditer(text):
            header = match.group(1)
            if SYSTEM.fullmatch(header) or header.removesuffix(".h") in LIBC or f"{path} {header}" in allowed:
                continue
            home = next((home for library, home in HOMES if re.match(library, header)), None)
            if home is None:
                lint.say(path, common.line_of(text, match.start()), f"<{header}>: of no library we know")
            elif not re.fullmatch(home, path):
                lint.say(path, common.line_of(text, match.start()), f"<{header}> belongs into {home}")
        for match in OWN.finditer(lint.read(path)):
            home = next((home for header, home in GROUPS if re.fullmatch(header, match.group(1))), None)
            if home is not None and not re.fullmatch(home, path):
                lint.say(path, common.line_of(text, match.start()), f'"{match.group(1)}" is for {home} alone')
    allowed.report_unused()


common.main(check)
