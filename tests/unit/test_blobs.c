#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "services/blobs.h"
#include "services/loop.h"
#include "services/spool.h"
#include "services/worker.h"

struct answer {
	bool ended;
	char id[65];
	enum error_kind kind;
	char text[600];
	char *bytes;
	size_t len;
	uint64_t end;
	uint64_t next;
	size_t count;
};

static char dir[] = "/tmp/converge-blobs-XXXXXX";
static bool made;
static struct loop *loop;
static struct worker_pool *disk;
static struct blobs *blobs;
static struct spool *spool;

static void setup(void)
{
	if (!made)
		cr_assert_not_null(mkdtemp(dir));
	made = true;
	loop = loop_new();
	disk = worker_pool_new(loop,
			       &(struct worker_options){ .name = "disk",
							 .queue_max = 100,
							 .deadline_ms = 60000,
							 .state_dir = dir,
							 .executable = BUILD_DIR "/converged" });
	blobs = blobs_disk_new(disk);
	spool = spool_new(disk, "main-shop");
}

static void stop(void)
{
	spool_free(&spool);
	blobs_free(&blobs);
	worker_pool_free(&disk);
	loop_free(&loop);
}

static void teardown(void)
{
	char command[100];

	stop();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(blobs, .init = setup, .fini = teardown);
TestSuite(spool, .init = setup, .fini = teardown);

static void keep_error(struct answer *answer, const struct error *err)
{
	answer->ended = true;
	answer->kind = err == NULL ? ERROR_NONE : err->kind;
	snprintf(answer->text, sizeof(answer->text), "%s", err == NULL ? "" : err->text);
}

static void on_put(const char *id, const struct error *err, void *context)
{
	struct answer *answer = context;

	keep_error(answer, err);
	if (id != NULL)
		snprintf(answer->id, sizeof(answer->id), "%s", id);
}

static void on_get(const void *bytes, size_t len, const struct error *err, void *context)
{
	struct answer *answer = context;

	keep_error(answer, err);
	if (err == NULL)
		answer->bytes = memory_copy(bytes, len);
	answer->len = len;
}

static void wait_for(struct answer *answer)
{
	while (!answer->ended)
		loop_turn(loop, true);
}

static struct answer put(const void *bytes, size_t len)
{
	struct answer answer = { 0 };
	struct error err;

	cr_assert_eq(blobs_put(blobs, bytes, len, on_put, &answer, &err), 0);
	wait_for(&answer);
	return answer;
}

static struct answer get(const char *id)
{
	struct answer answer = { 0 };
	struct error err;

	cr_assert_eq(blobs_get(blobs, id, on_get, &answer, &err), 0);
	wait_for(&answer);
	return answer;
}

Test(blobs, gives_back_what_was_put_in)
{
	static const size_t sizes[] = { 0, 1, 100000, 3000000 };

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		char *bytes = memory_new(sizes[i] + 1);
		struct answer stored;
		struct answer read;

		memset(bytes, 'a' + (int)i, sizes[i]);
		stored = put(bytes, sizes[i]);
		cr_assert_eq(stored.kind, ERROR_NONE, "%s", stored.text);
		read = get(stored.id);
		cr_assert_eq(read.kind, ERROR_NONE, "%s", read.text);
		cr_assert_eq(read.len, sizes[i]);
		cr_assert_eq(memcmp(read.bytes, bytes, sizes[i]), 0);
		free(read.bytes);
		free(bytes);
	}
}

struct kept {
	bool ended;
	char ids[4][65];
	enum error_kind kind;
};

static void on_kept(const char *const *ids, const struct error *err, void *context)
{
	struct kept *kept = context;

	kept->ended = true;
	kept->kind = err == NULL ? ERROR_NONE : err->kind;
	for (size_t i = 0; ids != NULL && i < COUNT_OF(kept->ids); i++)
		snprintf(kept->ids[i], sizeof(kept->ids[i]), "%s", ids[i]);
}

static void expect_text(const char *id, const char *text)
{
	struct answer read = get(id);

	cr_assert_eq(read.kind, ERROR_NONE, "%s", read.text);
	cr_expect_eq(read.len, strlen(text));
	cr_expect_eq(memcmp(read.bytes, text, read.len), 0);
	free(read.bytes);
}

Test(blobs, of_many_calls_are_one_job_and_stay_apart)
{
	static const char *const texts[] = { "raw", "", "a picture", "raw" };
	struct blob_piece pieces[COUNT_OF(texts)];
	struct kept kept[3] = { 0 };
	struct error err;

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		pieces[i] = (struct blob_piece){ texts[i], strlen(texts[i]) };
	for (size_t i = 0; i < COUNT_OF(kept); i++)
		cr_assert_eq(blobs_keep(blobs, pieces, COUNT_OF(texts), on_kept, &kept[i], &err),
			     0);
	while (!kept[0].ended || !kept[1].ended || !kept[2].ended)
		loop_turn(loop, true);
	/* the first one, and what waited for it */
	cr_expect_eq(worker_stats(disk).done, 2);
	for (size_t i = 0; i < COUNT_OF(kept); i++)
		for (size_t j = 0; j < COUNT_OF(texts); j++)
			expect_text(kept[i].ids[j], texts[j]);
	cr_expect_eq(blobs_keep(blobs, pieces, 0, on_kept, &kept[0], &err), -1);
}

Test(blobs, outlive_the_process_that_wrote_them_and_its_half_written_end)
{
	struct answer first = put("order 1", 7);
	char path[200];
	struct stat stat_of;
	int fd;

	stop();
	snprintf(path, sizeof(path), "%s/blobs/%.8s", dir, first.id + 38);
	cr_assert_eq(stat(path, &stat_of), 0);
	cr_assert_eq(stat_of.st_mode & 0777, 0600);
	fd = open(path, O_WRONLY | O_APPEND);
	cr_assert_eq(write(fd, "CVBLOB1\0half", 12), 12);
	close(fd);
	setup();
	expect_text(put("order 2", 7).id, "order 2");
	expect_text(first.id, "order 1");
	snprintf(path, sizeof(path), "grep -qra half %s/blobs", dir);
	cr_expect_neq(system(path), 0, "the torn end is cut off");
}

Test(blobs, that_are_missing_or_have_no_id_are_errors)
{
	struct answer answer = { 0 };
	struct error err;
	char id[65];

	memset(id, '0', 64);
	id[64] = '\0';
	cr_assert_eq(get(id).kind, ERROR_PERMANENT);
	memcpy(id, put("abc", 3).id, 64);
	id[9] = id[9] == '0' ? '1' : '0';
	cr_assert_eq(get(id).kind, ERROR_PERMANENT, "another hash");
	memcpy(id, "../../../../etc/passwd", 22);
	cr_assert_eq(get(id).kind, ERROR_PERMANENT);
	cr_assert_eq(blobs_get(blobs, "../x", on_get, &answer, &err), -1);
}

static off_t stat_size(int fd)
{
	struct stat stat_of;

	cr_assert_eq(fstat(fd, &stat_of), 0);
	return stat_of.st_size;
}

Test(blobs, that_the_disk_changed_are_not_handed_out)
{
	struct answer stored = put("order 1", 7);
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/blobs/%.8s", dir, stored.id + 38);
	fd = open(path, O_WRONLY);
	cr_assert_eq(pwrite(fd, "0", 1, stat_size(fd) - 1), 1);
	close(fd);
	cr_assert_eq(get(stored.id).kind, ERROR_PERMANENT);
}

Test(blobs, do_not_follow_links_out_of_the_folder)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/blobs", dir);
	cr_assert_eq(symlink("/tmp", path), 0);
	cr_assert_eq(put("abc", 3).kind, ERROR_TEMPORARY);
}

Test(blobs, do_not_follow_links_inside_the_folder)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/elsewhere", dir);
	cr_assert_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/blobs", dir);
	cr_assert_eq(symlink("elsewhere", path), 0);
	cr_assert_eq(put("abc", 3).kind, ERROR_TEMPORARY);
}

/* ---- erasing ---- */

static void on_erased(const struct error *err, void *context)
{
	keep_error(context, err);
}

static struct answer erase(const char *const *ids, size_t count)
{
	struct answer answer = { 0 };
	struct error err;

	cr_assert_eq(blobs_erase(blobs, ids, count, on_erased, &answer, &err), 0);
	wait_for(&answer);
	return answer;
}

static void pack_path(const char *id, char path[200])
{
	snprintf(path, 200, "%s/blobs/%.8s", dir, id + 38);
}

/* Does any file of the store hold these bytes? */
static bool is_on_disk(const char *text)
{
	char command[200];

	snprintf(command, sizeof(command), "grep -qra '%s' %s/blobs", text, dir);
	return system(command) == 0;
}

Test(blobs, that_are_erased_leave_no_byte_and_the_others_stay)
{
	struct answer first = put("canary one", 10), second = put("kept two", 8),
		      third = put("canary three", 12), again;
	const char *const ids[] = { first.id, third.id };

	cr_assert(is_on_disk("canary"));
	again = erase(ids, COUNT_OF(ids));
	cr_assert_eq(again.kind, ERROR_NONE, "%s", again.text);
	cr_expect(!is_on_disk("canary"));
	cr_expect_eq(get(first.id).kind, ERROR_PERMANENT);
	cr_expect_eq(get(third.id).kind, ERROR_PERMANENT);
	expect_text(second.id, "kept two");
	cr_expect_eq(erase(ids, COUNT_OF(ids)).kind, ERROR_NONE, "again, as after a crash");
	stop();
	setup();
	expect_text(put("four", 4).id, "four");
	expect_text(second.id, "kept two");
}

Test(blobs, of_an_erasing_that_a_crash_cut_short_are_erased_by_the_next)
{
	struct answer stored = put("canary", 6);
	const char *const ids[] = { stored.id };
	char path[200];
	int fd;

	/* the hole is there, the head does not say so yet */
	pack_path(stored.id, path);
	fd = open(path, O_RDWR);
	cr_assert_eq(pwrite(fd, "\0\0\0\0\0\0", 6, stat_size(fd) - 6), 6);
	close(fd);
	cr_expect_eq(get(stored.id).kind, ERROR_PERMANENT);
	cr_expect_eq(erase(ids, 1).kind, ERROR_NONE);
	fd = open(path, O_RDONLY);
	cr_assert_geq(fd, 0);
	cr_expect_eq(pread(fd, path, 8, stat_size(fd) - 6 - 48), 8);
	cr_expect_eq(memcmp(path, "CVGONE1", 8), 0);
	close(fd);
}

Test(blobs, of_another_content_at_the_same_place_are_not_erased)
{
	struct answer stored = put("abc", 3);
	char id[65];
	const char *const ids[] = { id };

	memcpy(id, stored.id, sizeof(id));
	id[9] = id[9] == '0' ? '1' : '0';
	cr_expect_eq(erase(ids, 1).kind, ERROR_NONE);
	expect_text(stored.id, "abc");
}

Test(blobs, of_a_pack_that_is_holes_alone_take_the_file_with_them)
{
	struct answer first = put("one", 3);
	struct answer second = put("two", 3);
	const char *const ids[] = { first.id, second.id };
	char path[200];
	int fd;

	pack_path(first.id, path);
	stop();
	fd = open(path, O_RDWR); /* full: the next one is written from now on */
	cr_assert_eq(pwrite(fd, "CVBLOB1\0half CVBLOB1\0", 22, stat_size(fd)), 22);
	close(fd);
	setup();
	cr_assert_neq(strncmp(put("three", 5).id + 38, first.id + 38, 8), 0,
		      "a pack that cannot be mended is left alone");
	fd = open(path, O_RDWR);
	cr_assert_eq(ftruncate(fd, stat_size(fd) - 22), 0);
	close(fd);
	cr_assert_eq(erase(ids, 1).kind, ERROR_NONE);
	cr_expect_eq(access(path, R_OK), 0);
	cr_assert_eq(erase(ids, 2).kind, ERROR_NONE);
	cr_expect_neq(access(path, R_OK), 0);
	cr_expect_eq(get(second.id).kind, ERROR_PERMANENT);
}

Test(blobs, give_the_disk_its_room_back)
{
	size_t len = 4 * 1024 * 1024;
	char *bytes = memory_new(len);
	struct answer big, small;
	struct stat before, after;
	char path[200];

	memset(bytes, 'x', len);
	big = put(bytes, len);
	small = put("small", 5);
	pack_path(big.id, path);
	cr_assert_eq(stat(path, &before), 0);
	cr_assert_eq(erase((const char *const[]){ big.id }, 1).kind, ERROR_NONE);
	cr_assert_eq(stat(path, &after), 0);
	cr_expect_eq(after.st_size, before.st_size);
	cr_expect_lt(after.st_blocks, before.st_blocks);
	expect_text(small.id, "small");
	free(bytes);
}

/* ---- the spool ---- */

static void on_add(uint64_t end, const struct error *err, void *context)
{
	struct answer *answer = context;

	keep_error(answer, err);
	answer->end = end;
}

static void on_read(const struct spool_page *page, const struct error *err, void *context)
{
	struct answer *answer = context;
	struct buf text = { 0 };

	keep_error(answer, err);
	if (page == NULL)
		return;
	answer->count = page->count;
	answer->next = page->next;
	answer->end = page->end;
	for (size_t i = 0; i < page->count; i++) {
		buf_add(&text, page->records[i].bytes, page->records[i].len);
		buf_byte(&text, '|');
	}
	answer->bytes = memory_text(buf_string(&text));
	buf_clear(&text);
}

static void on_drop(const struct error *err, void *context)
{
	keep_error(context, err);
}

static struct answer add(const char *text)
{
	struct answer answer = { 0 };
	struct error err;

	cr_assert_eq(spool_add(spool, text, strlen(text), on_add, &answer, &err), 0);
	wait_for(&answer);
	cr_assert_eq(answer.kind, ERROR_NONE, "%s", answer.text);
	return answer;
}

static struct answer read_from(uint64_t from, size_t max)
{
	struct answer answer = { 0 };
	struct error err;

	cr_assert_eq(spool_read(spool, from, max, on_read, &answer, &err), 0);
	wait_for(&answer);
	return answer;
}

static enum error_kind drop(uint64_t upto)
{
	struct answer answer = { 0 };
	struct error err;

	cr_assert_eq(spool_drop(spool, upto, on_drop, &answer, &err), 0);
	wait_for(&answer);
	return answer.kind;
}

static void expect(uint64_t from, size_t max, const char *text)
{
	struct answer answer = read_from(from, max);

	cr_assert_eq(answer.kind, ERROR_NONE, "%s", answer.text);
	cr_assert_str_eq(answer.bytes, text);
	free(answer.bytes);
}

static int spool_file(int flags)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/spool/main-shop", dir);
	return open(path, flags);
}

Test(spool, keeps_records_in_order_and_reads_pages)
{
	struct answer first;

	expect(0, 1000, "");
	add("one");
	add("");
	add("三");
	expect(0, 1000, "one||三|");
	first = read_from(0, 1);
	cr_assert_str_eq(first.bytes, "one|");
	free(first.bytes);
	expect(first.next, 1000, "|三|");
	expect(first.end, 1000, "");
}

Test(spool, forgets_the_front_and_keeps_positions)
{
	uint64_t first = add("one").end;
	uint64_t second = add("two").end;

	cr_assert_eq(drop(first), ERROR_NONE);
	expect(0, 1000, "two|");
	expect(first, 1000, "two|");
	cr_assert_eq(drop(first), ERROR_NONE);
	cr_assert_eq(drop(second + 1), ERROR_PERMANENT);
	cr_assert_eq(drop(second), ERROR_NONE);
	cr_assert_gt(add("three").end, second);
	expect(second, 1000, "three|");
}

Test(spool, survives_a_record_cut_at_every_byte)
{
	uint64_t whole = 16 + add("one").end;

	for (off_t cut = 1; cut < 20; cut++) {
		int fd;

		add("a torn one");
		fd = spool_file(O_RDWR);
		cr_assert_eq(ftruncate(fd, (off_t)whole + cut), 0);
		close(fd);
		expect(0, 1000, "one|");
	}
	add("two");
	expect(0, 1000, "one|two|");
}

Test(spool, puts_bytes_it_cannot_read_aside)
{
	uint64_t whole = 16 + add("one").end;
	char path[200];
	int fd = spool_file(O_WRONLY);

	cr_assert_eq(pwrite(fd, "what is this, and where does it come from?", 42, (off_t)whole),
		     42);
	close(fd);
	expect(0, 1000, "one|");
	snprintf(path, sizeof(path), "%s/spool/main-shop.cut-%d", dir, (int)whole - 16);
	cr_assert_eq(access(path, R_OK), 0);
}

Test(spool, outlives_its_worker)
{
	add("one");
	stop();
	setup();
	expect(0, 1000, "one|");
}

Test(spool, refuses_names_that_are_paths)
{
	struct answer answer = { 0 };
	struct error err;

	spool_free(&spool);
	spool = spool_new(disk, "../blobs");
	cr_assert_eq(spool_add(spool, "x", 1, on_add, &answer, &err), 0);
	wait_for(&answer);
	cr_assert_eq(answer.kind, ERROR_PERMANENT);
}
