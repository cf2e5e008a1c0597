/* The handlers of the route table (routes_*.c), one file a noun. */
#pragma once

#include "api/api.h"

struct channel;
struct roster;

/* Channel named by the first path parameter ("name" or "workspace.name");
 * NULL after having answered 404. */
struct channel *api_channel(struct api_call *call);
/* The workspace's configuration; NULL after having answered 503. */
const struct roster *api_roster(struct api_call *call);
/* Notes that an agent is there (bookkeeping), each as often as this: well within
 * limits.disconnect_grace. */
void api_seen(struct parts *parts, const char *workspace, const char *agent);
int64_t api_seen_every_ms(const struct parts *parts);

/* Files are served on the host of files_url only, and nothing else there. */
bool api_origin_is_right(struct api_call *call);
/* Answers with a blob's bytes as a download, or 404. */
void api_attachment(struct api_call *call, const char *blob);

route_fn handle_customer_erase, handle_job_get, handle_job_list; /* jobs.c */
route_fn handle_customer_merge, handle_customer_split, handle_identifier_share, handle_merge_list,
	handle_merge_revert; /* merges.c */
/* Answers with a job. */
void api_job(struct api_call *call, const char *job);

route_fn handle_audit_list;                              /* audit_read.c */
route_fn handle_retention_preview, handle_retention_run; /* retention.c */
route_fn handle_customer_hold, handle_customer_unhold;   /* hold.c */
route_fn handle_customer_export;                         /* person.c */
route_fn handle_export;                                  /* export.c */
route_fn handle_import;                                  /* imports.c */
route_fn handle_inbound;                                 /* inbound.c */
route_fn handle_chat_session, handle_chat_session_get, handle_chat_message, handle_chat_typing,
	handle_chat_read, handle_chat_offline, handle_chat_transcript, handle_chat_page,
	handle_chat_events, handle_chat_options;     /* chat.c */
route_fn handle_chat_file_put, handle_chat_file_get; /* chat_files.c */
route_fn handle_session_start, handle_session_get, handle_session_end,
	handle_agent_password;                                         /* session.c */
route_fn handle_sign_in_ways, handle_oidc_start, handle_oidc_callback; /* oidc.c */
route_fn handle_totp_get, handle_totp_begin, handle_totp_confirm, handle_totp_remove,
	handle_agent_totp_remove;                                                  /* totp.c */
route_fn handle_me, handle_presence, handle_agent_presence;                        /* agents.c */
route_fn handle_mentions, handle_mentions_seen;                                    /* mentions.c */
route_fn handle_draft_get, handle_draft_put;                                       /* drafts.c */
route_fn handle_typing, handle_viewing;                                            /* signs.c */
route_fn handle_my_offers;                                                         /* offers.c */
route_fn handle_ticket_make, handle_events;                                        /* events.c */
route_fn handle_claim;                                                             /* claim.c */
route_fn handle_work_list, handle_work_open, handle_work_get, handle_work_explain; /* work_read.c */
route_fn handle_work_accept, handle_work_decline, handle_work_release, handle_work_extend,
	handle_work_resolve, handle_work_close, handle_work_reopen, handle_work_transfer,
	handle_work_escalate, handle_work_consult, handle_work_assign, handle_work_barge,
	handle_transfer_list, handle_transfer_cancel, handle_queue_pause, handle_queue_resume,
	handle_work_snooze; /* work.c */
route_fn handle_conversation_start, handle_conversation_get, handle_message_list,
	handle_message_write;    /* conversations.c */
route_fn handle_reply_ways;      /* reply_ways.c */
route_fn handle_message_preview; /* message_preview.c */
route_fn handle_opt_out;         /* opt_out.c */
route_fn handle_conversation_split, handle_conversation_move, handle_conversation_merge,
	handle_change_undo, handle_change_list; /* conversation_changes.c */
route_fn handle_customer_find;                  /* customers.c */
route_fn handle_customer_get;                   /* customer_view.c */
route_fn handle_customer_timeline;              /* timeline.c */
route_fn handle_events_put, handle_event_list;  /* customer_events.c */
route_fn handle_customer_patch, handle_customer_note_add, handle_customer_note_delete,
	handle_customer_consent;                                   /* customer_edit.c */
route_fn handle_order_list, handle_order_put, handle_order_delete; /* orders.c */
route_fn handle_rating_put, handle_chat_rating;                    /* ratings.c */
route_fn handle_search;                                            /* search.c */
route_fn handle_attachment_put, handle_attachment_get, handle_attachment_delete,
	handle_file_link;                                                    /* attachments.c */
route_fn handle_blobs_test;                                                  /* blobs.c */
route_fn handle_history_get, handle_history_rebuild, handle_history_restore; /* history.c */
route_fn handle_config_list, handle_config_get, handle_config_put, handle_config_delete,
	handle_config_kinds;                                        /* config.c */
route_fn handle_config_apply;                                       /* config_apply.c */
route_fn handle_calendar_test;                                      /* calendars.c */
route_fn handle_rules_test, handle_rules_lint;                      /* rules.c */
route_fn handle_rules_versions, handle_rules_version;               /* rules_versions.c */
route_fn handle_channel_list, handle_channel_test;                  /* channels.c */
route_fn handle_token_list, handle_token_make, handle_token_delete; /* tokens.c */
route_fn handle_code_open, handle_code_verify, handle_chat_code_open,
	handle_chat_code_verify;                                       /* codes.c */
route_fn handle_suggestion_list, handle_suggestion_dismiss;            /* suggestions.c */
route_fn handle_suggestion_accept;                                     /* merges.c */
route_fn handle_dead_list, handle_dead_redrive, handle_message_decide; /* deadletters.c */
route_fn handle_webhook_deliveries, handle_webhook_state, handle_webhook_resend,
	handle_webhook_test, handle_webhook_resume; /* webhooks.c */
/* A webhook's address that would be refused at each event (plain http, without the operator's
 * limits.private_webhooks): false after having answered. Other kinds pass. */
bool webhook_address_check(struct api_call *call, const char *kind, struct json_object *object,
			   const char *pointer);
route_fn handle_live;                                 /* live.c */
route_fn handle_health, handle_ready, handle_metrics; /* health.c, metrics.c */
route_fn handle_openapi;                              /* openapi.c */
route_fn handle_widget, handle_widget_main, handle_widget_demo,
	handle_widget_demo_script;                           /* pages.c */
route_fn handle_home, handle_desk_script, handle_desk_style; /* pages.c */
