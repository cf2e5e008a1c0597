static const struct setting settings[] = { { .name = "token" } };
const struct connector telegram_connector = {
	.name = "telegram-bot",
};
