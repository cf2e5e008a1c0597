#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "export.h"

enum { NAME_MAX_BYTES = 200, READ_BYTES = 65536 };

static void partial_name(const char *name, char out[NAME_MAX_BYTES])
{
	snprintf(out, NAME_MAX_BYTES, "%s.partial", name);
}

int export_folder(const char *path, struct error *err)
{
	int folder;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_set(err, ERROR_PERMANENT, "making %s: %s", path, strerror(errno));
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return error_set(err, ERROR_PERMANENT, "opening %s: %s", path, strerror(errno));
	return folder;
}

int export_file_begin(struct export_file *file, int folder, const char *name, struct error *err)
{
	char partial[NAME_MAX_BYTES];
	int fd;

	*file = (struct export_file){ .folder = folder, .name = name };
	partial_name(name, partial);
	unlinkat(folder, partial, 0);
	fd = openat(folder, partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(err, ERROR_PERMANENT, "creating %s: %s", partial, strerror(errno));
	file->stream = fdopen(fd, "w");
	if (file->stream == NULL) {
		close(fd);
		return error_set(err, ERROR_PERMANENT, "writing %s: %s", partial, strerror(errno));
	}
	file->digest = digest_new();
	return 0;
}

int export_file_add(struct export_file *file, const void *bytes, size_t len, struct error *err)
{
	if (fwrite(bytes, 1, len, file->stream) != len)
		return error_set(err, ERROR_PERMANENT, "writing %s: %s", file->name,
				 strerror(errno));
	digest_add(file->digest, bytes, len);
	file->bytes += (int64_t)len;
	return 0;
}

int export_file_row(struct export_file *file, const struct buf *json, struct error *err)
{
	if (export_file_add(file, json->data, json->len, err) < 0 ||
	    export_file_add(file, "\n", 1, err) < 0)
		return -1;
	file->rows++;
	return 0;
}

static void take_hash(struct export_file *file)
{
	unsigned char hash[SHA256_BYTES];

	digest_end(&file->digest, hash);
	text_hex(hash, sizeof(hash), file->hash);
}

int export_file_end(struct export_file *file, struct error *err)
{
	char partial[NAME_MAX_BYTES];
	bool is_kept = fflush(file->stream) == 0 && fsync(fileno(file->stream)) == 0;

	partial_name(file->name, partial);
	is_kept = fclose(file->stream) == 0 && is_kept;
	file->stream = NULL;
	take_hash(file);
	if (is_kept && renameat(file->folder, partial, file->folder, file->name) == 0 &&
	    fsync(file->folder) == 0)
		return 0;
	error_set(err, ERROR_PERMANENT, "writing %s: %s", file->name, strerror(errno));
	unlinkat(file->folder, partial, 0);
	return -1;
}

void export_file_drop(struct export_file *file)
{
	char partial[NAME_MAX_BYTES];

	if (file->stream == NULL)
		return;
	partial_name(file->name, partial);
	fclose(file->stream);
	file->stream = NULL;
	take_hash(file);
	unlinkat(file->folder, partial, 0);
}

bool export_file_known(int folder, const char *name, char hash[EXPORT_HEX], int64_t *ret_bytes)
{
	struct digest *digest;
	unsigned char raw[SHA256_BYTES];
	char bytes[READ_BYTES];
	ssize_t got;
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return false;
	*ret_bytes = 0;
	digest = digest_new();
	while ((got = read(fd, bytes, sizeof(bytes))) > 0) {
		digest_add(digest, bytes, (size_t)got);
		*ret_bytes += got;
	}
	close(fd);
	digest_end(&digest, raw);
	text_hex(raw, sizeof(raw), hash);
	return got == 0;
}
