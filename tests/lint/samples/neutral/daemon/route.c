/* telegram_connector and "telegram-bot" may stand in a comment */
extern const struct connector telegram_connector;
static const char *names[] = { "telegram-bot", "token", "not telegram-bot" };
static const char kind[] = "email";
