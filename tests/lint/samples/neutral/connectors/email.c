const struct connector email_connector = { .name = "email" };
