/* doctor: what an administrator would look at first, one line a check. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "client.h"
#include "ctl.h"
#include "resp.h"
#include "store_files.h"

enum {
	DISK_MIN_PERCENT = 10,
	STORE_MAX_PERCENT = 85,
	CLOCK_MAX_SKEW_S = 2,
	DOCTOR_TIMEOUT_MS = 10 * 1000,
	BLOBS_TIMEOUT_MS = 90 * 1000, /* three requests of a slow store */
};

enum finding { FINE, CARE, BAD };

struct doctor {
	struct call *call;
	struct location location;
	struct buf rows; /* JSON of the findings */
	struct json_out json;
	int bad_count;
};

static void report(struct doctor *doctor, const char *check, enum finding finding, const char *text)
{
	static const char *const words[] = { "ok", "care", "bad" };
	static const char *const colours[] = { "\033[32m", "\033[33m", "\033[31m" };
	bool colour = output_is_colourful(stdout);
	doctor->bad_count += finding == BAD;
	jw_object(&doctor->json, NULL);
	jw_text(&doctor->json, "check", check);
	jw_text(&doctor->json, "result", words[finding]);
	jw_text(&doctor->json, "detail", text);
	jw_object_end(&doctor->json);
	if (doctor->call->form == OUTPUT_TABLE)
		printf("%s%-5s%s %-12s %s\n", colour ? colours[finding] : "", words[finding],
		       colour ? "\033[0m" : "", check, text);
}

static void check_daemon(struct doctor *doctor)
{
	struct client_request request = { .socket_path = doctor->location.socket,
					  .method = "GET",
					  .target = "/readyz",
					  .workspace = doctor->call->workspace,
					  .timeout_ms = DOCTOR_TIMEOUT_MS };
	struct client_answer answer = { 0 };
	struct error err = { 0 };
	if (client_run(&request, NULL, NULL, &answer, &err) < 0) {
		report(doctor, "daemon", BAD, err.text);
	} else if (answer.status == 200) {
		report(doctor, "daemon", FINE, "runs and is ready");
	} else {
		char text[400];
		snprintf(text, sizeof(text), "runs but is not ready (HTTP %d): %.300s",
			 answer.status, buf_string(&answer.body));
		report(doctor, "daemon", BAD, text);
	}
	buf_clear(&answer.body);
}

/* The value of "name:value" in an INFO text; -1 where absent. */
static int64_t info_number(const struct buf *info, const char *name)
{
	const char *found = strstr(buf_string(info), name);
	return found == NULL ? -1 : strtoll(found + strlen(name), NULL, 10);
}

static void check_persistence(struct doctor *doctor, int fd)
{
	struct buf info = { 0 };
	struct error err = { 0 };
	if (resp_run(fd, "INFO persistence", &info, &err) < 0)
		report(doctor, "aof", BAD, err.text);
	else if (info_number(&info, "aof_enabled:") != 1)
		report(doctor, "aof", BAD,
		       "the append-only file is off: a power cut would lose messages");
	else if (strstr(buf_string(&info), "aof_last_write_status:ok") == NULL)
		report(doctor, "aof", BAD,
		       "the last write of the append-only file failed: is the disk full?");
	else
		report(doctor, "aof", FINE,
		       "the append-only file is on and its last write succeeded");
	buf_clear(&info);
}

static void check_memory(struct doctor *doctor, int fd)
{
	struct buf info = { 0 };
	struct error err = { 0 };
	char text[120];
	if (resp_run(fd, "INFO memory", &info, &err) < 0) {
		report(doctor, "memory", BAD, err.text);
		buf_clear(&info);
		return;
	}
	int64_t used = info_number(&info, "\nused_memory:");
	int64_t max = info_number(&info, "\nmaxmemory:");
	bool keeps_all = strstr(buf_string(&info), "maxmemory_policy:noeviction") != NULL;
	int64_t percent = max > 0 ? used * 100 / max : 0;
	snprintf(text, sizeof(text), "%lld MiB used, %lld %% of maxmemory%s",
		 (long long)(used >> 20), (long long)percent,
		 keeps_all ? "" : ", and maxmemory-policy is not noeviction");
	report(doctor, "memory", !keeps_all || percent >= STORE_MAX_PERCENT ? BAD : FINE, text);
	buf_clear(&info);
}

static void check_clock(struct doctor *doctor, int fd)
{
	struct buf now = { 0 };
	struct error err = { 0 };
	char text[120];
	if (resp_run(fd, "TIME", &now, &err) < 0) {
		report(doctor, "clock", BAD, err.text);
		buf_clear(&now);
		return;
	}
	long long skew = llabs(strtoll(buf_string(&now), NULL, 10) - (long long)time(NULL));
	snprintf(text, sizeof(text), "%lld s between this host and the store", skew);
	report(doctor, "clock", skew > CLOCK_MAX_SKEW_S ? CARE : FINE, text);
	buf_clear(&now);
}

static void check_store(struct doctor *doctor)
{
	char url[600];
	struct error err = { 0 };
	bool is_embedded = strcmp(doctor->location.store, "embedded") == 0;
	if (!is_embedded && !text_starts(doctor->location.store, "unix:")) {
		report(doctor, "store", FINE, "on another host: the daemon's readiness covers it");
		return;
	}
	snprintf(url, sizeof(url), "unix:%s/" STORE_SOCKET, doctor->location.state_dir);
	int fd = resp_connect(is_embedded ? url : doctor->location.store, &err);
	if (fd < 0) {
		report(doctor, "store", BAD, err.text);
		return;
	}
	report(doctor, "store", FINE, "answers");
	check_persistence(doctor, fd);
	check_memory(doctor, fd);
	check_clock(doctor, fd);
	close(fd);
}

static void check_disk(struct doctor *doctor)
{
	struct statvfs disk;
	char text[160];
	if (statvfs(doctor->location.state_dir, &disk) < 0) {
		snprintf(text, sizeof(text), "state_dir: %s", strerror(errno));
		report(doctor, "disk", BAD, text);
		return;
	}
	unsigned long long total = disk.f_blocks > 0 ? disk.f_blocks : 1;
	unsigned long long percent = disk.f_bavail * 100ULL / total;
	snprintf(text, sizeof(text), "%llu %% free (%llu MiB)", percent,
		 (unsigned long long)disk.f_bavail * disk.f_frsize >> 20);
	report(doctor, "disk", percent < DISK_MIN_PERCENT ? BAD : FINE, text);
}

static void check_permissions(struct doctor *doctor)
{
	struct stat info;
	if (stat(doctor->location.state_dir, &info) < 0)
		report(doctor, "permissions", BAD, "state_dir cannot be seen");
	else if ((info.st_mode & 0007) != 0)
		report(doctor, "permissions", BAD, "state_dir is open to other users: chmod o= it");
	else if (stat(doctor->call->config_file, &info) == 0 && (info.st_mode & 0002) != 0)
		report(doctor, "permissions", BAD,
		       "the settings file can be written by other users");
	else if (doctor->location.shows_secrets)
		report(doctor, "permissions", CARE,
		       "the settings file holds secrets and can be read by other users: keep them "
		       "in *_file");
	else
		report(doctor, "permissions", FINE, "state_dir and secrets are closed to others");
}

static void check_blobs(struct doctor *doctor)
{
	struct client_request request = { .socket_path = doctor->location.socket,
					  .method = "POST",
					  .target = "/v1/blobs/test",
					  .workspace = doctor->call->workspace,
					  .body = "{}",
					  .body_len = strlen("{}"),
					  .timeout_ms = BLOBS_TIMEOUT_MS };
	struct client_answer answer = { 0 };
	struct error err = { 0 };
	struct json_object *value = NULL;

	if (client_run(&request, NULL, NULL, &answer, &err) == 0 && answer.status == 200)
		value = json_read(buf_string(&answer.body), answer.body.len, &err);
	report(doctor, "blobs", json_bool(value, "ok", false) ? FINE : BAD,
	       value != NULL ? json_text(value, "detail") : "the daemon does not tell");
	json_free(&value);
	buf_clear(&answer.body);
}

static void check_channel(struct doctor *doctor, struct json_object *channel)
{
	char text[300];
	const char *trouble = json_text(channel, "parked_because");
	const char *state = json_text(channel, "state");
	snprintf(text, sizeof(text), "%s: %s%s%.200s", json_text(channel, "name"),
		 state != NULL ? state : "configured", trouble != NULL ? ", " : "",
		 trouble != NULL ? trouble : "");
	report(doctor, "channel", trouble != NULL ? BAD : FINE, text);
}

static void check_channels(struct doctor *doctor)
{
	struct client_request request = { .socket_path = doctor->location.socket,
					  .method = "GET",
					  .target = "/v1/channels",
					  .workspace = doctor->call->workspace,
					  .timeout_ms = DOCTOR_TIMEOUT_MS };
	struct client_answer answer = { 0 };
	struct error err = { 0 };
	struct json_object *value = NULL;
	if (client_run(&request, NULL, NULL, &answer, &err) == 0 && answer.status == 200)
		value = json_read(buf_string(&answer.body), answer.body.len, &err);
	struct json_object *channels = json_at(value, "data");
	for (size_t i = 0; i < json_count(channels); i++)
		check_channel(doctor, json_item(channels, i));
	if (value == NULL)
		report(doctor, "channels", BAD, "the daemon does not tell");
	json_free(&value);
	buf_clear(&answer.body);
}

int run_doctor(struct call *call)
{
	struct doctor doctor = { .call = call };
	struct error err = { 0 };
	if (locate(call->config_file, call->arena, &doctor.location, &err) < 0)
		return output_error(EX_CONFIG, &err);
	jw_start(&doctor.json, &doctor.rows);
	jw_array(&doctor.json, NULL);
	check_daemon(&doctor);
	check_store(&doctor);
	check_disk(&doctor);
	check_permissions(&doctor);
	check_blobs(&doctor);
	check_channels(&doctor);
	jw_array_end(&doctor.json);
	if (call->form == OUTPUT_JSON)
		puts(buf_string(&doctor.rows));
	buf_clear(&doctor.rows);
	return doctor.bad_count > 0 ? EXIT_REFUSED : EXIT_DONE;
}
