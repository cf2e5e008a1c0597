/* Scripts pipelined bare over a unix socket, one thread: what Redis alone can do.
 *
 * bare -u SOCKET -l FILE.lua -k six|admit [-w WORKSPACE] [-c CUSTOMERS] [-f FIRST] [-d IN_FLIGHT]
 *      [-s SECONDS] [-m MESSAGES] [-q QUEUE]
 * six: the six steps of an intake (R). admit: the daemon's own script with arguments of the
 * same shapes and sizes (R'). -f: walk the customers in order instead of at random. An empty
 * -q opens no work item. Prints one line of JSON. */
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

enum {
	PAYLOAD_BYTES = 500,
	TEXT_BYTES = 413, /* makes the webhook of load.c */
	REMEMBER_BUCKETS = 16384,
	IDENTITY_BUCKETS = 8192,
	REMEMBER_S = 1382460,
	FIELDS_MAX = 32,
	SCRIPT_BYTES = 32 * 1024,
	ID_CHARACTERS = 26,
};

struct bare {
	const char *socket;
	const char *script;
	const char *kind;
	const char *workspace;
	const char *queue;
	long customers;
	long first; /* -1: random customers */
	int depth;
	double seconds;
	uint64_t messages; /* 0: no limit */
	uint64_t random;
	uint64_t run;
	uint64_t sent;
	uint64_t done;
	uint64_t errors;
	unsigned char kept[REMEMBER_BUCKETS];
	char sha[41];
	char text[TEXT_BYTES + 1];
	struct latencies latencies;
	redisContext *redis;
};

/* The parts of one command; texts live in `room`. */
struct command {
	int count;
	const char *parts[FIELDS_MAX];
	size_t lens[FIELDS_MAX];
	size_t used;
	char room[4096];
};

static void die(const char *what)
{
	fprintf(stderr, "bare: %s\n", what);
	exit(1);
}

static void add(struct command *command, const char *bytes, size_t len)
{
	char *at = command->room + command->used;

	if (command->used + len > sizeof(command->room) || command->count == FIELDS_MAX)
		die("a command is too long");
	memcpy(at, bytes, len);
	command->used += len;
	command->parts[command->count] = at;
	command->lens[command->count++] = len;
}

__attribute__((format(printf, 2, 3))) static void add_format(struct command *command,
							     const char *format, ...)
{
	char text[2048];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	add(command, text, (size_t)len);
}

/* An id as the daemon writes them: 26 characters that `seed` decides. */
static const char *id(const char *prefix, uint64_t seed, char out[64])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t state = seed * 0x9e3779b97f4a7c15u | 1;
	size_t at = strlen(prefix);

	memcpy(out, prefix, at);
	for (int i = 0; i < ID_CHARACTERS; i++)
		out[at++] = digits[random_next(&state) >> 40 & 31];
	out[at] = '\0';
	return out;
}

static void add_six(struct bare *bare, struct command *command, uint64_t customer)
{
	add_format(command, "3");
	add_format(command, "six:d:%llx-%llu", (unsigned long long)bare->run,
		   (unsigned long long)bare->sent);
	add_format(command, "six:identities");
	add_format(command, "six:q:%d", (int)(random_next(&bare->random) % 16));
	add_format(command, "sms:+4915%08llu", (unsigned long long)customer);
	add_format(command, "%s%s", bare->text, bare->text + 2 * TEXT_BYTES - PAYLOAD_BYTES);
	add_format(command, "%llu", (unsigned long long)(bare->run + bare->sent));
	add_format(command, "86400");
}

static void add_new(struct bare *bare, struct command *command, uint64_t customer, uint64_t hash)
{
	char packed[512];
	char ids[2][64];
	int len = snprintf(packed, sizeof(packed),
			   "%s|%s|%016llx%016llx|c%llu|Customer %llu|||%s|||normal|||||1||",
			   id("wrk_", hash + bare->sent, ids[0]), id("cus_", hash, ids[1]),
			   (unsigned long long)hash, (unsigned long long)customer,
			   (unsigned long long)customer, (unsigned long long)customer, bare->queue);

	for (int i = 0; i < len; i++) {
		if (packed[i] == '|')
			packed[i] = '\0';
	}
	add(command, packed, (size_t)len);
}

static void add_identifier(struct command *command, uint64_t customer, uint64_t hash)
{
	char packed[512];
	int len;

	memcpy(packed, &hash, sizeof(hash));
	memcpy(packed + 8, &customer, sizeof(customer));
	len = 16 + snprintf(packed + 16, sizeof(packed) - 16,
			    "%x|i:%016llx%016llx|[\"webhook\",\"shop\",\"c%llu\",1,\"signature\","
			    "1795385907]|",
			    (unsigned)(hash % IDENTITY_BUCKETS), (unsigned long long)hash,
			    (unsigned long long)customer, (unsigned long long)customer);
	for (int i = 16; i < len; i++) {
		if (packed[i] == '|')
			packed[i] = '\0';
	}
	add(command, packed, (size_t)len);
}

static void add_admit(struct bare *bare, struct command *command, uint64_t customer)
{
	uint64_t number = random_next(&bare->random) >> 2;
	uint64_t hash = (customer + 1) * 0x9e3779b97f4a7c15u;
	unsigned bucket = (unsigned)(number % REMEMBER_BUCKETS);
	const char *ws = bare->workspace;
	char cnv[64];
	char msg[64];

	id("cnv_", hash, cnv);
	id("msg_", (bare->run << 24) + bare->sent, msg);
	add_format(command, "5");
	add_format(command, "{%s}:meta", ws);
	add_format(command, "{%s}:d:2932e000.a25:%x", ws, bucket);
	add_format(command, "{%s}:d:2932e000.a24:%x", ws, bucket);
	add_format(command, "{%s}:c:%s", ws, cnv);
	add_format(command, "{%s}:m:%s", ws, cnv);
	add_format(command, "%llu", (unsigned long long)number);
	add_format(command, "%d", bare->kept[bucket] ? 0 : REMEMBER_S);
	bare->kept[bucket] = 1;
	add(command, cnv, strlen(cnv));
	add(command, msg, strlen(msg));
	add_format(command,
		   "{\"author\":{\"type\":\"customer\",\"name\":\"Customer %llu\"},\"id\":\"%s\","
		   "\"conversation\":\"%s\",\"direction\":\"in\",\"kind\":\"text\",\"text\":\"%s\","
		   "\"attachments\":[],\"channel\":\"shop\",\"provider_id\":\"m%llx-%llu\","
		   "\"created_at\":\"2026-11-22T22:18:27.988Z\"}",
		   (unsigned long long)customer, msg, cnv, bare->text,
		   (unsigned long long)bare->run, (unsigned long long)bare->sent);
	add_format(command, "shop");
	add_format(command, "%012llx95e3a5ef7734", (unsigned long long)(hash >> 16));
	add_format(command, "m%llx-%llu", (unsigned long long)bare->run,
		   (unsigned long long)bare->sent);
	add_new(bare, command, customer, hash);
	add_identifier(command, customer, hash);
}

static void send_one(struct bare *bare)
{
	struct command command = { 0 };
	uint64_t customer =
		bare->first >= 0 ? ((uint64_t)bare->first + bare->sent) % (uint64_t)bare->customers
				 : random_next(&bare->random) % (uint64_t)bare->customers;

	add_format(&command, "EVALSHA");
	add(&command, bare->sha, 40);
	if (strcmp(bare->kind, "six") == 0)
		add_six(bare, &command, customer);
	else
		add_admit(bare, &command, customer);
	bare->sent++;
	if (redisAppendCommandArgv(bare->redis, command.count, command.parts, command.lens) !=
	    REDIS_OK)
		die(bare->redis->errstr);
}

static void take_one(struct bare *bare, double since)
{
	void *answer;
	redisReply *reply;

	if (redisGetReply(bare->redis, &answer) != REDIS_OK)
		die(bare->redis->errstr);
	reply = answer;
	if (reply->type == REDIS_REPLY_ERROR) {
		if (bare->errors++ == 0)
			fprintf(stderr, "bare: %s\n", reply->str);
	} else {
		bare->done++;
	}
	freeReplyObject(reply);
	latencies_add(&bare->latencies, now_s() - since);
}

/* A window of `depth` in flight, refilled when it is half empty. */
static void run(struct bare *bare)
{
	double *since = checked(calloc((size_t)bare->depth, sizeof(*since)));
	double end = now_s() + bare->seconds;
	uint64_t taken = 0;

	for (;;) {
		double now = now_s();

		if (now < end && bare->sent - taken <= (uint64_t)bare->depth / 2) {
			while (bare->sent - taken < (uint64_t)bare->depth &&
			       (bare->messages == 0 || bare->sent < bare->messages)) {
				since[bare->sent % (uint64_t)bare->depth] = now;
				send_one(bare);
			}
		}
		if (bare->sent == taken)
			break;
		take_one(bare, since[taken % (uint64_t)bare->depth]);
		taken++;
	}
	free(since);
}

static void load_script(struct bare *bare)
{
	char source[SCRIPT_BYTES];
	FILE *file = fopen(bare->script, "r");
	size_t len;
	redisReply *reply;

	if (file == NULL)
		die("the script cannot be read");
	len = fread(source, 1, sizeof(source), file);
	fclose(file);
	reply = redisCommand(bare->redis, "SCRIPT LOAD %b", source, len);
	if (reply == NULL || reply->type != REDIS_REPLY_STRING)
		die(reply == NULL ? bare->redis->errstr : reply->str);
	memcpy(bare->sha, reply->str, 40);
	freeReplyObject(reply);
}

static void parse(struct bare *bare, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "u:l:k:w:c:f:d:s:m:q:")) != -1) {
		switch (option) {
		case 'u':
			bare->socket = optarg;
			break;
		case 'l':
			bare->script = optarg;
			break;
		case 'k':
			bare->kind = optarg;
			break;
		case 'w':
			bare->workspace = optarg;
			break;
		case 'c':
			bare->customers = atol(optarg);
			break;
		case 'f':
			bare->first = atol(optarg);
			break;
		case 'd':
			bare->depth = atoi(optarg);
			break;
		case 's':
			bare->seconds = atof(optarg);
			break;
		case 'm':
			bare->messages = strtoull(optarg, NULL, 10);
			break;
		case 'q':
			bare->queue = optarg;
			break;
		default:
			exit(64);
		}
	}
	if (bare->socket == NULL || bare->script == NULL || bare->kind == NULL) {
		fprintf(stderr, "bare: -u, -l and -k are needed\n");
		exit(64);
	}
}

int main(int argc, char **argv)
{
	struct bare *bare = checked(calloc(1, sizeof(*bare)));
	double start;

	*bare = (struct bare){ .customers = 1000,
			       .first = -1,
			       .depth = 64,
			       .seconds = 3,
			       .workspace = "bare",
			       .queue = "support" };
	parse(bare, argc, argv);
	bare->run = ((uint64_t)time(NULL) << 20) ^ (uint64_t)getpid();
	bare->random = bare->run * 2654435761u | 1;
	for (int i = 0; i < TEXT_BYTES; i++)
		bare->text[i] = i % 7 == 6 ? ' ' : (char)('a' + i % 26);
	latencies_new(&bare->latencies);
	bare->redis = redisConnectUnix(bare->socket);
	if (bare->redis == NULL || bare->redis->err)
		die("no Redis at the socket");
	load_script(bare);
	start = now_s();
	run(bare);
	printf("{\"done\":%llu,\"bad\":%llu,\"seconds\":%.3f,\"p50_us\":%ld,\"p99_us\":%ld}\n",
	       (unsigned long long)bare->done, (unsigned long long)bare->errors, now_s() - start,
	       latencies_at(&bare->latencies, 0.5), latencies_at(&bare->latencies, 0.99));
	return 0;
}
