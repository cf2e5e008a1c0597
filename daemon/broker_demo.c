/* --demo: something to look at within a minute. A configuration in a folder of
 * its own, the sample business configuration in an empty store, logins that are
 * printed, and simulated customers, who are a program of their own. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/auth.h"
#include "api/keep.h"
#include "base/crypto.h"
#include "base/embedded.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/problems.h"
#include "base/text.h"
#include "broker_parts.h"
#include "business/business.h"
#include "config.h"
#include "services/loop.h"
#include "services/password.h"

enum { PATH_BYTES = 4096, SECRET_BYTES = 32, PASSWORD_BYTES = 9, LOGINS_MAX = 20 };

/* The customers' process; 0: none. */
static pid_t simulator_pid;

/* ---- the configuration ---- */

static const char demo_config[] =
	"# Made by converged --demo; yours to change.\n"
	"state_dir: ./state\n"
	"listen: { http: 127.0.0.1:8080, lmtp: 127.0.0.1:2424 }\n"
	"store: embedded\n"
	"channels:\n"
	"  - { name: shop, connector: webhook, secret: \"whsec_%s\", "
	"deliver_url: \"http://127.0.0.1:9000/out\", allow_private_urls: true, simulated: true }\n"
	"  - { name: site, connector: webchat, simulated: true }\n"
	"  - name: support\n"
	"    connector: email\n"
	"    simulated: true\n"
	"    address: support@example.test\n"
	"    smtp: { url: \"smtp://127.0.0.1:1025\" }\n"
	"  # Their providers are simulated, at these addresses.\n"
	"  - name: weixin\n"
	"    connector: wechat\n"
	"    simulated: true\n"
	"    api_base: \"http://127.0.0.1:9001\"\n"
	"    app_id: wxdemo\n"
	"    app_secret: %s\n"
	"    token: %.32s\n"
	"    encoding_aes_key: %.43s\n"
	"  - name: tg\n"
	"    connector: telegram\n"
	"    simulated: true\n"
	"    api_base: \"http://127.0.0.1:9002\"\n"
	"    bot_token: \"1:%s\"\n"
	"    secret_token: %s\n";

static int config_make(const char *path)
{
	unsigned char secret[SECRET_BYTES];
	char text[SECRET_BYTES * 2];
	char word[SECRET_BYTES * 2 + 1];
	FILE *file = fopen(path, "wxe");

	if (file == NULL)
		return errno == EEXIST ? 0 : -1;
	crypto_random(secret, sizeof(secret));
	text_base64(secret, sizeof(secret), text);
	crypto_random(secret, sizeof(secret));
	text_hex(secret, sizeof(secret), word);
	fprintf(file, demo_config, text, word, word, word, word, word);
	return fclose(file);
}

const char *broker_demo_config(void)
{
	static char path[PATH_BYTES];
	const char *base = getenv("TMPDIR");
	char folder[PATH_BYTES - 32];

	umask(0077);
	snprintf(folder, sizeof(folder), "%s/converge-demo-%u", base == NULL ? "/tmp" : base,
		 (unsigned)getuid());
	if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
		fprintf(stderr, "converged: making %s: %s\n", folder, strerror(errno));
		return NULL;
	}
	snprintf(path, sizeof(path), "%s/converged.yaml", folder);
	if (config_make(path) != 0) {
		fprintf(stderr, "converged: writing %s: %s\n", path, strerror(errno));
		return NULL;
	}
	return path;
}

/* ---- queues, agents, rules ---- */

static void on_put(const struct store_reply *reply, const struct error *err, void *context)
{
	(void)context;
	/* Refused: there is one already, from an earlier run; it stays as it is. */
	if (err != NULL)
		log_warn("demo", "event=object_not_stored error=%s", log_quote(err->text));
	(void)reply;
}

static void objects_put(struct parts *parts, const struct business *business,
			const struct business_kind *kind)
{
	size_t count;
	const struct business_object *objects = business_objects(business, kind->key, &count);
	struct buf json = { 0 };

	for (size_t i = 0; objects != NULL && i < count; i++) {
		buf_reset(&json);
		buf_format(&json, "{\"version\":1,%s", objects[i].json + 1);
		config_put(
			&(struct keeper){ parts->store, "main" },
			&(struct config_write){ kind->store, objects[i].id, buf_string(&json), 0 },
			on_put, NULL);
	}
	buf_clear(&json);
}

static struct business *business_load(void)
{
	struct problems *problems = problems_new();
	struct business *business = business_parse("business.yaml", (const char *)embedded_business,
						   embedded_business_len, problems);

	problems_print(problems, stderr);
	problems_free(&problems);
	return business;
}

/* ---- logins ---- */

struct login {
	struct parts *parts;
	char *agent;
	char password[2 * PASSWORD_BYTES];
};

static void on_login(const struct store_reply *reply, const struct error *err, void *context)
{
	(void)reply;
	(void)context;
	if (err != NULL)
		log_warn("demo", "event=login_not_stored error=%s", log_quote(err->text));
}

static void on_hash(const char *hash, const struct error *err, void *context)
{
	struct login *login = context;
	struct buf json = { 0 };
	struct json_out out;

	if (err == NULL) {
		jw_start(&out, &json);
		jw_object(&out, NULL);
		jw_text(&out, "hash", hash);
		jw_object_end(&out);
		login_put(&(struct keeper){ login->parts->store, "main" }, login->agent,
			  buf_string(&json), on_login, NULL);
	}
	buf_clear(&json);
	free(login->agent);
	free(login);
}

static void login_make(struct parts *parts, const char *agent, const char *role)
{
	struct login *login = memory_new(sizeof(*login));
	unsigned char random[PASSWORD_BYTES];
	char nonce[AUTH_NONCE_BYTES];
	char token[AUTH_TOKEN_BYTES];
	char hash[65];
	struct buf json = { 0 };
	struct json_out out;
	struct error err;

	login->parts = parts;
	login->agent = memory_text(agent);
	crypto_random(random, sizeof(random));
	text_base64url(random, sizeof(random), login->password);
	auth_nonce(nonce);
	auth_token_make(parts->key, "cvg", "main", nonce, token);
	auth_hash(token, hash);
	jw_start(&out, &json);
	jw_object(&out, NULL);
	jw_text(&out, "role", role);
	jw_text(&out, "agent", agent);
	jw_text(&out, "name", agent);
	jw_int(&out, "created", loop_unix_ms(parts->loop));
	jw_object_end(&out);
	token_put(&(struct keeper){ parts->store, "main" },
		  &(struct credential){ "", "", nonce, hash, NULL }, buf_string(&json), on_login,
		  NULL);
	buf_clear(&json);
	printf("    %-10s %-12s password %-14s token %s\n", agent, role, login->password, token);
	if (password_hash(parts->password, login->password, on_hash, login, &err) != 0)
		log_warn("demo", "event=password_not_set error=%s", log_quote(err.text));
}

static void logins_make(struct parts *parts, const struct business *business)
{
	size_t count;
	const struct business_object *agents = business_objects(business, "agents", &count);

	for (size_t i = 0; agents != NULL && i < count && i < LOGINS_MAX; i++) {
		struct json_object *agent = json_read(agents[i].json, strlen(agents[i].json), NULL);
		const char *role = json_text(agent, "role");

		login_make(parts, agents[i].id, role == NULL ? "agent" : role);
		json_free(&agent);
	}
}

/* ---- customers ---- */

static void simulator_exec(const char *config_file)
{
	char path[PATH_BYTES];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 16);
	char *slash;

	if (len <= 0)
		_exit(127);
	path[len] = '\0';
	slash = strrchr(path, '/');
	memcpy(slash + 1, "converge-sim", sizeof("converge-sim"));
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGPIPE, SIG_DFL);
	execl(path, "converge-sim", "--config", config_file, "--quiet", (char *)NULL);
	_exit(127);
}

static void simulator_start(const char *config_file)
{
	simulator_pid = fork();
	if (simulator_pid == 0)
		simulator_exec(config_file);
	if (simulator_pid < 0)
		log_warn("demo", "event=no_simulator error=%s", log_quote(strerror(errno)));
}

void broker_demo_stop(void)
{
	if (simulator_pid <= 0)
		return;
	kill(simulator_pid, SIGTERM);
	waitpid(simulator_pid, NULL, 0);
	simulator_pid = 0;
}

void broker_demo(struct broker *broker, bool simulator)
{
	struct parts *parts = &broker->parts;
	struct business *business = business_load();

	printf("\nConverge is running.   Converge 已启动。\n\n"
	       "  desk / 坐席工作台:   http://%s/\n"
	       "  API:                http://%s/openapi.json\n"
	       "  configuration:      %s\n"
	       "  logins / 登录:\n",
	       parts->config->listen.http, parts->config->listen.http, parts->config->file);
	if (business != NULL) {
		for (const struct business_kind *kind = business_kinds; kind->key != NULL; kind++)
			objects_put(parts, business, kind);
		logins_make(parts, business);
	}
	printf("\n  try: curl -s -H 'Authorization: Bearer TOKEN' "
	       "-X POST -d '{\"wait_s\":30}' -H 'Content-Type: application/json' "
	       "http://%s/v1/work/claim\n"
	       "  Ctrl-C ends it.\n\n",
	       parts->config->listen.http);
	fflush(stdout);
	business_free(&business);
	if (simulator)
		simulator_start(parts->config->file);
}
