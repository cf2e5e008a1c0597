# Files that the binary carries: the store's scripts and the pages. EMBEDDED_SOURCES collects the generated C.
set(EMBEDDED_SOURCES)
