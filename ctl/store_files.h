/* Names of an embedded store's files inside state_dir (Redis's own defaults for
 * the append-only files), and of the copy inside a backup. */
#pragma once

#define STORE_SOCKET "redis.sock"
#define STORE_LOCK "lock"
#define STORE_FOLDER "appendonlydir"
#define STORE_BASE "appendonly.aof.1.base.rdb"
#define STORE_MANIFEST "appendonly.aof.manifest"
#define BACKUP_COPY "store.rdb"
#define HISTORY_COPY "backup-history.db" /* while it is made */
