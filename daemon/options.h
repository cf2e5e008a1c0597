/* The daemon's command line: one table that parses, and writes --help and the man page. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"

#define OPTIONS_CONFIG_DEFAULT "/etc/converge/converged.yaml"

struct options {
	const char *config;   /* -c; else $CONVERGE_CONFIG, else OPTIONS_CONFIG_DEFAULT */
	bool is_config_given; /* by -c or $CONVERGE_CONFIG */
	bool test;            /* -t */
	bool version;         /* -V */
	bool help;            /* -h */
	bool demo;            /* --demo */
	bool no_simulator;    /* --no-simulator */
	bool print_sample;    /* --print-sample-config */
	bool print_settings;  /* --print-settings-doc */
	const char *worker;   /* --worker=NAME; NULL: the daemon */
	int log_level;        /* enum log_level; -1: the file's */
};

/* Texts are borrowed from argv. -1 with err: print it and exit EX_USAGE (64). */
int options_parse(int argc, char *const *argv, struct options *ret, struct error *err);

void options_help(struct buf *out);
/* converged.8 in scdoc's format. */
void options_man(struct buf *out);

/* What -V shows: the program's version, then each library's at run time. */
struct options_library {
	const char *name;
	const char *(*version)(void);
};
/* libraries end with one without a name. */
void options_version(struct buf *out, const struct options_library *libraries);
