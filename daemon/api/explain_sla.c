#include "api/explain.h"
#include "automation/sla_clock.h"

static const struct {
	const char *en;
	const char *zh;
} metric_words[SLA_METRICS] = {
	[SLA_FIRST_RESPONSE] = { "first response", "首次响应" },
	[SLA_NEXT_RESPONSE] = { "next response", "下次响应" },
	[SLA_RESOLUTION] = { "resolution", "解决" },
	[SLA_OWNER_ACCEPT] = { "take-over", "接手" },
	[SLA_OWNER] = { "owner's action", "负责人处理" },
};

/* What of the clocks comes next. */
struct next {
	enum sla_metric metric;
	const char *event; /* warn, breach; NULL: nothing does */
	int64_t at_ms;
};

static void next_take(struct next *next, enum sla_metric metric, const char *event, int64_t at_ms)
{
	if (at_ms != 0 && (next->event == NULL || at_ms < next->at_ms))
		*next = (struct next){ metric, event, at_ms };
}

static struct next next_of(const struct sla_record *record)
{
	struct next next = { 0 };

	for (size_t i = 0; i < SLA_METRICS; i++) {
		const struct sla_clock *clock = &record->clocks[i];

		if (clock->state != SLA_ACTIVE)
			continue;
		if (clock->warned_ms == 0 && clock->breached_ms == 0)
			next_take(&next, (enum sla_metric)i, "warn", clock->warn_due_ms);
		if (clock->breached_ms == 0)
			next_take(&next, (enum sla_metric)i, "breach", clock->due_ms);
	}
	return next;
}

static void say_clock(struct words *words, const struct sla_clock *clock, enum sla_metric metric,
		      int64_t now_ms)
{
	int64_t left_s = (clock->due_ms - now_ms) / 1000;
	struct spoken span = spoken_duration(left_s < 0 ? -left_s : left_s);
	const char *en = metric_words[metric].en;
	const char *zh = metric_words[metric].zh;

	if (clock->state == SLA_PAUSED) {
		buf_format(&words->en, "Its clock of the %s (policy \"%s\") is paused. ", en,
			   clock->policy);
		buf_format(&words->zh, "“%s”计时（策略“%s”）已暂停。", zh, clock->policy);
	} else if (clock->state == SLA_ACTIVE && clock->due_ms < now_ms) {
		buf_format(&words->en, "Its %s (policy \"%s\") has been due for %s. ", en,
			   clock->policy, span.en);
		buf_format(&words->zh, "“%s”（策略“%s”）已超时 %s。", zh, clock->policy, span.zh);
	} else if (clock->state == SLA_ACTIVE) {
		buf_format(&words->en, "Its %s (policy \"%s\") is due in %s. ", en, clock->policy,
			   span.en);
		buf_format(&words->zh, "“%s”（策略“%s”）还剩 %s。", zh, clock->policy, span.zh);
	}
}

static void write_next(struct json_out *out, const struct next *next)
{
	if (next->event == NULL) {
		jw_null(out, "sla_next");
		return;
	}
	jw_object(out, "sla_next");
	jw_text(out, "metric", sla_metric_names[next->metric]);
	jw_text(out, "event", next->event);
	jw_time(out, "at", next->at_ms);
	jw_object_end(out);
}

void explain_clocks(struct json_out *out, struct words *words, const struct explaining *what)
{
	struct sla_record record = { 0 };
	struct buf list = { 0 };
	struct error err;
	struct next next;

	if (*what->item->clocks != '\0' && sla_record_read(what->item->clocks, &record, &err) < 0)
		record = (struct sla_record){ 0 };
	sla_record_show(&record, &list);
	jw_raw(out, "sla", list.data, list.len);
	buf_clear(&list);
	next = next_of(&record);
	write_next(out, &next);
	for (size_t i = 0; i < SLA_METRICS; i++)
		say_clock(words, &record.clocks[i], (enum sla_metric)i, what->now_ms);
}
