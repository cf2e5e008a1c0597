/* What is generated from the rows: the sample file, the tables of docs/configuration.md, the man
 * page of the file. A test compares the committed files with these. */
#pragma once

#include "base/buf.h"
#include "config.h"

/* registry NULL: the settings of the daemon alone, without the connectors' own. */
void config_write_sample(struct buf *out, const struct config_registry *registry);
void config_write_tables(struct buf *out, const struct config_registry *registry);
/* converged.yaml.5 in scdoc's format. */
void config_write_man(struct buf *out);

/* With the connectors of this process, as --print-sample-config and --print-settings-doc do. */
void config_print_sample(struct buf *out);
void config_print_tables(struct buf *out);
