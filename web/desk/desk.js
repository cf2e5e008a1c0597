// The desk: one unified queue, the thread, the customer. Built on /v1 alone.
"use strict";

const words = {
  en: {
    agent: "Agent", password: "Password", enter: "Sign in", leave: "Sign out", mine: "My work", queues: "Queues",
    pull: "Pull next", accept: "Accept", decline: "Decline", reply: "Reply", note: "Note", resolve: "Resolve",
    hint: "Ctrl+Enter sends", customer: "Customer", online: "Online", busy: "Busy", away: "Away", offline: "Offline",
    offered: "Offered to you", handed: "Handed to you", due: "due", none: "Nothing waits.", choose: "Choose a work item, or pull the next one.",
    waiting_count: "waiting", proved: "proved", claimed: "claimed", channels: "Conversations", connected: "live",
    reconnecting: "reconnecting…", work: "Work items", presence: "My presence", text: "Reply or note",
    earlier: "Load earlier messages", messages: "messages", oldest: "oldest", ended: "Your session has ended. Please sign in again.",
    author_customer: "Customer", author_agent: "Agent", author_bot: "Bot", author_system: "System", is_note: "Note", moved: "A message went to conversation",
    kind_email: "e-mail", kind_phone: "phone", kind_visitor: "visitor", seconds: "s", minutes: "min", hours: "h", unnamed: "Unnamed",
    state_new: "new", state_bot: "with the bot", state_queued: "queued", state_offered: "offered",
    state_assigned: "assigned", state_wrapping: "wrapping up", state_waiting: "waiting", state_resolved: "resolved",
    state_closed: "closed", state_cancelled: "cancelled", state_open: "open",
    delivery_queued: "queued", delivery_sending: "sending", delivery_sent: "sent", delivery_delivered: "delivered",
    delivery_read: "read", delivery_failed: "failed", delivery_uncertain: "uncertain", delivery_expired: "expired",
    file_pending: "being fetched", file_failed: "could not be fetched",
    search: "Search", found: "Search results", more: "More", nothing: "Nothing was found.", hit_message: "Message",
    hit_customer: "Customer", hit_work_item: "Work item",
    attributes: "Attributes", orders: "Orders", notes: "Notes", note_about: "A note about the customer", add: "Add",
    timeline: "Timeline", opinion: "Ratings", maybe: "Perhaps the same person", links: "Elsewhere", conflicts: "Merged records differ",
    consent: "Consent", granted: "granted", withdrawn: "withdrawn", shared: "shared", age: "ago", days: "d", score: "score",
    suspicion: "Perhaps not from whom it says", suspicion_forged_results: "somebody forged our mail server's word",
    suspicion_dmarc_failed: "the sender's domain disowns it", suspicion_several_authors: "it names several authors",
    suspicion_address_in_name: "the name shows another address", suspicion_our_address: "it claims to come from us",
  },
  zh: {
    agent: "坐席", password: "密码", enter: "登录", leave: "退出", mine: "我的工单", queues: "队列",
    pull: "领取下一个", accept: "接受", decline: "拒绝", reply: "回复", note: "备注", resolve: "解决",
    hint: "Ctrl+Enter 发送", customer: "客户", online: "在线", busy: "忙碌", away: "离开", offline: "离线",
    offered: "派单给您", handed: "转给您", due: "截止", none: "没有等待的工单。", choose: "请选择工单，或领取下一个。",
    waiting_count: "个等待", proved: "已验证", claimed: "未验证", channels: "会话", connected: "实时",
    reconnecting: "正在重连…", work: "工单", presence: "我的状态", text: "回复或备注",
    earlier: "加载更早的消息", messages: "条消息", oldest: "最久", ended: "登录已失效，请重新登录。",
    author_customer: "客户", author_agent: "坐席", author_bot: "机器人", author_system: "系统", is_note: "备注", moved: "一条消息已移到会话",
    kind_email: "邮箱", kind_phone: "电话", kind_visitor: "访客", seconds: "秒", minutes: "分钟", hours: "小时", unnamed: "未具名",
    state_new: "新建", state_bot: "机器人处理中", state_queued: "排队中", state_offered: "派单中",
    state_assigned: "处理中", state_wrapping: "收尾中", state_waiting: "等待中", state_resolved: "已解决",
    state_closed: "已关闭", state_cancelled: "已取消", state_open: "进行中",
    delivery_queued: "待发送", delivery_sending: "发送中", delivery_sent: "已发送", delivery_delivered: "已送达",
    delivery_read: "已读", delivery_failed: "发送失败", delivery_uncertain: "不确定是否送达", delivery_expired: "已过期",
    file_pending: "正在获取", file_failed: "获取失败",
    search: "搜索", found: "搜索结果", more: "更多", nothing: "没有找到。", hit_message: "消息",
    hit_customer: "客户", hit_work_item: "工单",
    attributes: "属性", orders: "订单", notes: "备注", note_about: "关于客户的备注", add: "添加",
    timeline: "时间线", opinion: "满意度", maybe: "可能是同一人", links: "其他系统", conflicts: "合并的资料有出入",
    consent: "授权", granted: "已同意", withdrawn: "已撤回", shared: "共用", age: "前", days: "天", score: "评分",
    suspicion: "发件人可能是冒充的", suspicion_forged_results: "有人伪造了我方邮件服务器的验证结果",
    suspicion_dmarc_failed: "发件人的域名不承认这封邮件", suspicion_several_authors: "写了多个发件人",
    suspicion_address_in_name: "显示名里是另一个地址", suspicion_our_address: "自称来自我方地址",
  },
};

// By the stable code of a problem; a code that is not here shows what its status means, and the daemon's own words.
const problems = {
  en: {
    wrong_password: "The agent or the password is wrong.", too_many_attempts: "Too many attempts. Wait a little.",
    too_many_requests: "Too many requests. Wait a little.", not_allowed: "You may not do that.",
    not_assignee: "This work item is not yours.", version: "It has changed meanwhile. Look again.",
    store_unavailable: "The store does not answer right now. Try again in a moment.",
    no_such_work_item: "This work item is no longer there.", no_such_conversation: "This conversation is no longer there.",
    illegal_state: "The work item's state does not allow this.", idempotency_conflict: "This was sent before with another text.",
    no_history: "This installation keeps no history, so nothing can be searched.",
    history_unavailable: "The history does not answer right now. Try again in a moment.",
    full: "You hold as much work as you may.", offline: "The daemon does not answer. Check the connection.",
    400: "The request was not understood.", 403: "You may not do that.", 404: "It is no longer there.",
    409: "That is not possible now.", 412: "It has changed meanwhile.", 413: "It is too large.", 422: "It was not accepted.",
    429: "Too many requests. Wait a little.", 500: "The daemon made a mistake.", 503: "Not available right now. Try again.",
  },
  zh: {
    wrong_password: "坐席或密码不正确。", too_many_attempts: "尝试次数过多，请稍候。",
    too_many_requests: "请求过于频繁，请稍候。", not_allowed: "您没有权限这样做。",
    not_assignee: "这个工单不在您名下。", version: "内容已被更改，请重新查看。",
    store_unavailable: "存储暂时没有应答，请稍后再试。",
    no_such_work_item: "这个工单已不存在。", no_such_conversation: "这个会话已不存在。",
    illegal_state: "工单当前的状态不允许这样做。", idempotency_conflict: "同一请求此前已用不同内容发送。",
    no_history: "本系统没有保存历史，无法搜索。", history_unavailable: "历史库暂时没有应答，请稍后再试。",
    full: "您的工单已达上限。", offline: "服务没有应答，请检查网络连接。",
    400: "请求无法理解。", 403: "您没有权限这样做。", 404: "已不存在。",
    409: "现在不能这样做。", 412: "内容已被更改。", 413: "内容过大。", 422: "没有被接受。",
    429: "请求过于频繁，请稍候。", 500: "服务内部出错。", 503: "暂时不可用，请稍后再试。",
  },
};

const PAGE = 100;
const $ = (id) => document.getElementById(id);
let language = (localStorage.getItem("language") || navigator.language || "en").startsWith("zh") ? "zh" : "en";
let csrf = sessionStorage.getItem("csrf") || "";
let me = null;
let current = null;
let timelineNext = ""; // cursor of its next page; null: there is none
// What is held out to me, by the id of the offer or transfer; the first one is shown.
const held = new Map();
let source = null;
let lastEvent = "";
let retry = 0;
let sending = false;
let thread = { conversation: null, messages: new Map(), earlier: null };
const drafts = new Map();

const t = (key) => words[language][key] || key;
const word = (kind, value) => words[language][`${kind}_${value}`] || value || "";

function translate() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
  $("language").textContent = language === "zh" ? "English" : "中文";
  $("language").lang = language === "zh" ? "en" : "zh-CN";
  $("thread-title").textContent = current ? titleOf(current) : t("choose");
  showOffer();
}

class Problem extends Error {
  constructor(status, code, detail) {
    super(detail || code);
    Object.assign(this, { status, code, detail });
  }

  shown() {
    const known = problems[language];
    if (known[this.code]) return known[this.code];
    const general = known[this.status] || known[500];
    return this.detail ? `${general} (${this.detail})` : general;
  }
}

async function api(method, path, body) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["X-CSRF-Token"] = csrf;
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Problem(0, "offline");
  }
  if (answer.status === 204) return null;
  const data = await answer.json().catch(() => ({}));
  if (answer.ok) return data;
  if (answer.status === 401 && path !== "/v1/session") signedOut(t("ended"));
  throw new Problem(answer.status, data.code, data.detail || data.title);
}

function element(tag, text, className) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}

async function attempt(action) {
  $("problem").textContent = "";
  try {
    await action();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    $("problem").textContent = problem.shown();
  }
}

function when(time) {
  const date = new Date(time);
  const isToday = date.toDateString() === new Date().toDateString();
  const locale = document.documentElement.lang;
  return isToday ? date.toLocaleTimeString(locale) : date.toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
}

function duration(seconds) {
  if (seconds < 120) return `${seconds} ${t("seconds")}`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} ${t("minutes")}`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} ${t("hours")}`;
  return `${Math.round(seconds / 86400)} ${t("days")}`;
}

const ago = (time) => `${duration(Math.max(0, Math.round((Date.now() - Date.parse(time)) / 1000)))}${language === "zh" ? "" : " "}${t("age")}`;

const nameOf = (item) => (item.customer && item.customer.name) || t("unnamed");
const titleOf = (item) => !item.number ? item.title || t("unnamed") : `#${item.number} ${nameOf(item)} · ${item.channel || ""}`;

function dueOf(item) {
  const due = (item.sla || []).filter((one) => one.state !== "fulfilled" && one.due_at).map((one) => one.due_at).sort()[0];
  return due ? ` · ${t("due")} ${when(due)}` : "";
}

// ---- my work, the queues ----

async function showItems() {
  const assigned = await api("GET", "/v1/work-items?agent=me&limit=100");
  const open = assigned.data.filter((item) => !["resolved", "closed", "cancelled", "queued"].includes(item.state));
  const list = $("items");
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.item : null;
  list.replaceChildren();
  for (const item of open.filter((one) => one.state !== "offered")) {
    const button = element("button");
    button.type = "button";
    button.dataset.item = item.id;
    button.append(element("strong", `#${item.number} ${nameOf(item)}`), element("br"),
      element("span", `${item.channel || ""} · ${item.queue} · ${word("state", item.state)}${dueOf(item)}`, "quiet"));
    button.setAttribute("aria-current", String(!!current && current.id === item.id));
    button.onclick = () => attempt(() => openItem(item));
    const row = element("li");
    row.append(button);
    list.append(row);
    if (item.id === focused) button.focus();
  }
  if (!list.children.length) list.append(element("li", t("none"), "quiet"));
}

async function showQueues() {
  const live = await api("GET", "/v1/live");
  const body = $("queues").tBodies[0];
  body.replaceChildren();
  for (const queue of live.queues) {
    const row = element("tr");
    const name = element("th", queue.queue);
    name.scope = "row";
    row.append(name, element("td", `${queue.waiting} ${t("waiting_count")}`),
      element("td", queue.waiting ? `${t("oldest")} ${duration(queue.oldest_s)}` : ""));
    body.append(row);
  }
}

// ---- the thread: what is shown stays in place, so that readers of the screen hear only what is new ----

function drawMessage(row, message) {
  const facts = [message.author.name || word("author", message.author.type), message.channel, when(message.created_at)];
  if (message.kind === "note") facts.unshift(t("is_note"));
  if (message.delivery)
    facts.push(word("delivery", message.delivery.state) + (message.delivery.error ? `: ${message.delivery.error}` : ""));
  row.className = message.kind === "note" ? "note" : message.direction;
  const moved = message.extra && message.extra.moved;
  const text = moved ? element("em", `${t("moved")} ${moved.to}`) : element("bdi", message.text || "");
  row.replaceChildren(element("span", facts.filter(Boolean).join(" · "), "quiet"), element("br"), text);
  const doubts = (message.extra && message.extra.auth && message.extra.auth.suspicions) || [];
  if (doubts.length) {
    const why = doubts.map((one) => word("suspicion", one)).join(", ");
    row.append(element("br"), element("strong", `⚠ ${t("suspicion")}: ${why}`, "doubt"));
  }
  for (const file of message.attachments || []) row.append(element("br"), attachmentLink(file));
}

function drawMessages(page, areEarlier) {
  const list = $("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const height = list.scrollHeight;
  const anchor = areEarlier ? list.children[0] : null;
  for (const message of page) {
    let known = thread.messages.get(message.id);
    if (!known) {
      known = { row: element("li") };
      list.insertBefore(known.row, anchor);
      thread.messages.set(message.id, known);
    }
    const text = JSON.stringify([message, language]);
    if (known.text !== text) drawMessage(known.row, message);
    known.text = text;
    known.message = message;
  }
  if (areEarlier) list.scrollTop += list.scrollHeight - height;
  else if (atEnd) list.scrollTop = list.scrollHeight;
}

async function fetchPage(conversation, after) {
  const from = after ? `&after=${encodeURIComponent(after)}` : "";
  const page = await api("GET", `/v1/conversations/${conversation}/messages?limit=${PAGE}&order=desc${from}`);
  return thread.conversation === conversation ? page : null;
}

async function showMessages() {
  if (!current || !current.conversation) return;
  const isFresh = thread.conversation !== current.conversation;
  if (isFresh) {
    thread = { conversation: current.conversation, messages: new Map(), earlier: null };
    $("messages").replaceChildren();
    $("earlier").hidden = true;
  }
  const conversation = thread.conversation;
  const newest = [];
  let page = null;
  // After a pause there may be more than one page until what is shown already.
  do {
    page = await fetchPage(conversation, page && page.next_cursor);
    if (!page) return;
    newest.push(...page.data);
  } while (!isFresh && thread.messages.size && page.next_cursor && !page.data.some((one) => thread.messages.has(one.id)));
  if (isFresh) {
    thread.earlier = page.next_cursor;
    $("earlier").hidden = !thread.earlier;
  }
  drawMessages(newest.reverse(), false);
  if (isFresh) $("messages").scrollTop = $("messages").scrollHeight;
}

async function showEarlier() {
  const page = await fetchPage(thread.conversation, thread.earlier);
  if (!page) return;
  thread.earlier = page.next_cursor;
  drawMessages(page.data.reverse(), true);
  $("earlier").hidden = !thread.earlier;
  if (!thread.earlier) $("messages").focus();
}

function attachmentLink(file) {
  if (!file.id) {
    const facts = [file.name || file.url || "", word("file", file.state), file.state === "failed" ? file.error : ""];
    return element("span", `📎 ${facts.filter(Boolean).join(" · ")}`);
  }
  const link = element("a", `📎 ${file.name || file.id.slice(0, 8)}`);
  link.href = `/v1/attachments/${encodeURIComponent(file.id)}?name=${encodeURIComponent(file.name || "file")}`;
  return link;
}

// One line of the customer's panel: what it is, and beside it in quiet who said so and when.
function fact(text, ...beside) {
  const line = element("dd");
  line.append(element("bdi", text));
  const quiet = beside.filter(Boolean).join(" · ");
  if (quiet) line.append(" ", element("span", quiet, "quiet"));
  return line;
}

function section(title, lines) {
  if (lines.length) $("facts").append(element("dt", t(title)), ...lines);
}

const plain = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
const money = (order) => [order.total, order.currency].filter(Boolean).join(" ");

// Only web addresses become links: an order's or a link's comes from outside.
function outward(text, url) {
  if (!/^https?:\/\//.test(url || "")) return fact(text);
  const link = element("a", text);
  Object.assign(link, { href: url, target: "_blank", rel: "noopener noreferrer" });
  const line = element("dd");
  line.append(link);
  return line;
}

function orderLine(order) {
  const line = outward(order.title || order.id, order.url);
  line.append(" ", element("span", [order.status, money(order), order.placed_at && when(order.placed_at)].filter(Boolean).join(" · "), "quiet"));
  return line;
}

function showFacts(customer) {
  $("facts").replaceChildren(element("dt", customer.name || t("unnamed")));
  const marks = [customer.tier, ...customer.tags].filter(Boolean);
  if (marks.length) $("facts").append(fact(marks.join(" · ")));
  for (const one of customer.identifiers)
    $("facts").append(fact(`${word("kind", one.kind)}: ${one.value}`, t(one.proof) + (one.by ? ", " + one.by : ""), one.shared && t("shared")));
  section("attributes", Object.entries(customer.attributes).map(([name, one]) =>
    fact(`${name}: ${plain(one.value)}`, one.source, one.at && ago(one.at))));
  section("conflicts", (customer.conflicts || []).map((one) => fact(`${one.field}: ${plain(one.value)}`)));
  section("links", (customer.links || []).map((one) => outward(one.name, one.url)));
  section("orders", [...customer.orders, ...(customer.pulled_orders || []).flatMap((one) => one.orders)].map(orderLine));
  section("channels", customer.conversations.map((one) =>
    fact(`${one.channel}: ${one.subject || (one.last_message && one.last_message.text.slice(0, 80)) || word("state", one.state)}`,
      word("state", one.state), `${one.messages} ${t("messages")}`, one.last_message && ago(one.last_message.at))));
  section("work", customer.work_items.map((one) => fact(`#${one.number} ${word("state", one.state)}`, one.queue)));
  if (customer.csat.count)
    section("opinion", [fact(`${customer.csat.average} / 5 (${customer.csat.count})`, customer.csat.last && customer.csat.last.comment)]);
  section("consent", customer.consent.map((one) => fact(`${one.purpose}${one.channel ? ` (${one.channel})` : ""}: ${t(one.state)}`, ago(one.at))));
  section("maybe", (customer.suggestions || []).filter((one) => one.state === "open").map((one) =>
    fact(one.name || one.customer, `${t("score")} ${one.score}`)));
  section("notes", (customer.notes || []).map((one) => fact(one.text, one.author.name, ago(one.created_at))));
}

async function showCustomer() {
  const shown = current;
  const known = Boolean(current && current.customer);
  $("about-form").hidden = $("timeline").hidden = !known;
  if (!known) {
    $("facts").replaceChildren();
    return;
  }
  const customer = await api("GET", `/v1/customers/${current.customer.id}`);
  if (current === shown) showFacts(customer);
}

async function addNote() {
  const text = $("about").value.trim();
  const asked = current && current.customer;
  if (!text || !asked) return;
  await api("POST", `/v1/customers/${asked.id}/notes`, { text });
  $("about").value = "";
  await showCustomer();
}

function happening(one) {
  const text = one.type === "message" ? one.message.text || word("kind", one.message.kind)
    : one.type === "note" ? one.note.text : `#${one.work_item.number} ${word("state", one.work_item.state)}`;
  const who = one.type === "message" ? t(`author_${one.message.author.type}`) : one.type === "note" ? t("notes") : t("work");
  const line = element("li");
  line.append(element("span", [when(one.at), one.channel, who].filter(Boolean).join(" · "), "quiet"), element("br"), element("bdi", text.slice(0, 200)));
  return line;
}

// A page for each time it is asked for; closed by the next customer.
async function showTimeline(begin) {
  const shown = current;
  if (begin) {
    timelineNext = "";
    $("happenings").replaceChildren();
  }
  if (!current || !current.customer || timelineNext === null || !$("timeline").open) return;
  const page = await api("GET", `/v1/customers/${current.customer.id}/timeline?limit=30${timelineNext && `&after=${encodeURIComponent(timelineNext)}`}`);
  if (current !== shown) return;
  $("happenings").append(...page.data.map(happening));
  timelineNext = page.next_cursor;
  $("timeline-more").hidden = timelineNext === null;
}

async function openItem(item) {
  // A draft belongs to its conversation: it must never reach another customer.
  if (current) drafts.set(current.conversation, $("text").value);
  if (!current || !current.customer || !item.customer || current.customer.id !== item.customer.id) {
    $("timeline").open = false;
    $("about").value = "";
  }
  current = item;
  $("text").value = drafts.get(item.conversation) || "";
  $("thread-title").textContent = titleOf(item);
  $("reply-form").hidden = false;
  await Promise.all([showMessages(), showCustomer(), showItems()]);
  $("text").focus();
}

// ---- search ----

// A snippet is escaped HTML with <mark>; it is taken apart instead of being handed to the page as HTML.
function snippetOf(html) {
  const plain = (text) => text.replace(/&(lt|gt|quot|#39|amp);/g, (_, one) => ({ lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" })[one]);
  const line = element("bdi");
  html.split(/<mark>|<\/mark>/).forEach((part, place) => line.append(place % 2 ? element("mark", plain(part)) : plain(part)));
  return line;
}

// A message may stand in a conversation that nobody works on: that one is only read. A customer is met in the newest one.
async function openFound(hit) {
  const newest = hit.type === "customer" ? (await api("GET", `/v1/customers/${hit.id}`)).conversations[0] : null;
  const talk = newest ? newest.id : hit.conversation;
  const conversation = hit.type !== "work_item" && talk ? await api("GET", `/v1/conversations/${talk}`) : {};
  const work = hit.type === "work_item" ? hit.id : conversation.work_item;
  if (work) return openItem(await api("GET", `/v1/work-items/${work}`));
  if (current) drafts.set(current.conversation, $("text").value);
  current = null;
  closeItem();
  current = { conversation: talk, customer: hit.customer ? { id: hit.customer } : null, title: hit.channel || hit.name };
  $("thread-title").textContent = titleOf(current);
  await Promise.all([showMessages(), showCustomer(), showItems()]);
}

async function search(after) {
  const query = $("query").value.trim();
  $("found").hidden = !query;
  if (!after) $("hits").replaceChildren();
  if (!query) return;
  const from = after ? `&after=${encodeURIComponent(after)}` : "";
  const page = await api("GET", `/v1/search?limit=20&q=${encodeURIComponent(query)}${from}`);
  if ($("query").value.trim() !== query) return;
  for (const hit of page.data) {
    const button = element("button");
    button.type = "button";
    const facts = [word("hit", hit.type), hit.number && `#${hit.number}`, hit.channel, hit.at && when(hit.at)];
    button.append(element("span", facts.filter(Boolean).join(" · "), "quiet"), element("br"), snippetOf(hit.snippet));
    button.onclick = () => attempt(() => openFound(hit));
    const row = element("li");
    row.append(button);
    $("hits").append(row);
  }
  if (!$("hits").children.length) $("hits").append(element("li", t("nothing"), "quiet"));
  $("more").hidden = !page.next_cursor;
  $("more").onclick = () => attempt(() => search(page.next_cursor));
}

function closeItem() {
  if (current) drafts.delete(current.conversation);
  current = null;
  thread = { conversation: null, messages: new Map(), earlier: null };
  $("text").value = "";
  $("messages").replaceChildren();
  $("facts").replaceChildren();
  $("earlier").hidden = true;
  $("reply-form").hidden = true;
  translate();
}

// ---- offers and transfers ----

function showOffer() {
  const [first] = held.values();
  $("offer").hidden = !first;
  $("offer-text").textContent = first ? `${t(first.word)}: ${titleOf(first.item)}` : "";
}

async function holdOut(id, what, workItem) {
  held.set(id, { word: what, item: await api("GET", `/v1/work-items/${workItem}`) });
  showOffer();
}

// Of a page that was reloaded, or whose stream was away. What the stream brings meanwhile stays.
async function showHeld() {
  const before = [...held.keys()];
  const { data } = await api("GET", "/v1/me/offers");
  for (const id of before) if (!data.some((offer) => offer.id === id)) held.delete(id);
  for (const { id, kind, work_item: item } of data)
    if (!held.has(id)) await holdOut(id, kind === "offer" ? "offered" : "handed", item);
  showOffer();
}

async function takeOffer(accept) {
  const [[id, { item }]] = held;
  held.delete(id);
  showOffer();
  const after = await api("POST", `/v1/work-items/${item.id}/${accept ? "accept" : "decline"}`, {});
  if (accept) await openItem(after);
  else await showItems();
}

async function write(kind) {
  const text = $("text").value;
  if (!current || !text.trim() || sending) return;
  const conversation = current.conversation;
  sending = true;
  try {
    await api("POST", `/v1/conversations/${conversation}/messages`, { kind, text });
  } finally {
    sending = false;
  }
  drafts.delete(conversation);
  // What was typed meanwhile, or for another customer, stays.
  if (current && current.conversation === conversation && $("text").value === text) $("text").value = "";
  await showMessages();
  $("messages").scrollTop = $("messages").scrollHeight;
}

// ---- what happens elsewhere ----

const refresh = () => Promise.all([showItems(), showQueues(), showMessages(), showCustomer(), showHeld()]);

async function onEvent(name, event) {
  if (event.lastEventId) lastEvent = event.lastEventId;
  const data = JSON.parse(event.data);
  if (name === "reset") {
    await refresh();
    return;
  }
  const id = data.object || data.work_item;
  if (name === "offer.created" && data.agent === me.agent) await holdOut(id, "offered", data.work_item);
  else if (name === "transfer.state" && data.agent === me.agent && data.to === "pending")
    await holdOut(id, "handed", data.work_item);
  else if ((name === "offer.ended" || name === "transfer.state") && held.delete(id)) showOffer();
  if (current && data.conversation === current.conversation && name.startsWith("message.")) await showMessages();
  if (current && name === "conversation.changed" && [data.from, data.to].includes(current.conversation)) {
    thread.conversation = null; // messages came or went: it is drawn anew
    await showMessages();
  }
  if (name.startsWith("work_item.")) await Promise.all([showItems(), showQueues()]);
}

async function listen() {
  const ticket = await api("POST", "/v1/events/ticket", {});
  const after = lastEvent ? `&after=${encodeURIComponent(lastEvent)}` : "";
  const stream = new EventSource(`/v1/events?ticket=${encodeURIComponent(ticket.ticket)}${after}`);
  source = stream;
  stream.onopen = () => {
    $("live").textContent = t("connected");
    // What the stream did not carry while it was away is fetched.
    if (retry) attempt(refresh);
    retry = 0;
  };
  // A ticket is good for one connection, so a lost one is made anew.
  stream.onerror = () => {
    stream.close();
    if (source === stream) listenAgain();
  };
  for (const name of ["message.created", "message.delivery", "message.attachment", "work_item.created", "work_item.state",
    "offer.created", "offer.ended", "transfer.state", "conversation.changed", "reset"])
    stream.addEventListener(name, (event) => attempt(() => onEvent(name, event)));
}

function listenAgain() {
  source = null;
  $("live").textContent = t("reconnecting");
  retry = Math.min(retry + 1, 5);
  setTimeout(() => {
    if (me && !source) listen().catch(() => me && listenAgain());
  }, retry * 1000);
}

// ---- signing in and out ----

function signedOut(why) {
  const name = me && me.agent;
  me = null;
  if (source) source.close();
  source = null;
  lastEvent = "";
  retry = 0;
  held.clear();
  csrf = "";
  sessionStorage.removeItem("csrf");
  closeItem();
  drafts.clear();
  $("query").value = "";
  $("hits").replaceChildren();
  $("found").hidden = true;
  for (const id of ["desk", "leave"]) $(id).hidden = true;
  $("login").hidden = false;
  for (const id of ["who", "live"]) $(id).textContent = "";
  $("login-problem").textContent = why;
  $("password").value = "";
  if (name) $("agent").value = name;
  $(name ? "password" : "agent").focus();
}

async function start() {
  me = await api("GET", "/v1/me");
  $("who").textContent = `${me.name} · ${me.workspace}`;
  $("login").hidden = true;
  $("desk").hidden = false;
  $("leave").hidden = false;
  const online = await api("PUT", "/v1/me/presence", { status: "online" });
  $("presence").value = online.status;
  await Promise.all([showItems(), showQueues(), listen().then(showHeld)]);
  showOffer();
  $("pull").focus();
}

$("login-form").onsubmit = async (event) => {
  event.preventDefault();
  $("login-problem").textContent = "";
  try {
    const session = await api("POST", "/v1/session", { agent: $("agent").value, password: $("password").value });
    csrf = session.csrf_token;
    sessionStorage.setItem("csrf", csrf);
    $("password").value = "";
    await start();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    $("login-problem").textContent = problem.shown();
  }
};
$("reply-form").onsubmit = (event) => {
  event.preventDefault();
  attempt(() => write("reply"));
};
// Enter belongs to the input method while it composes; only Ctrl+Enter sends.
$("text").onkeydown = (event) => {
  if (event.isComposing || event.keyCode === 229) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    attempt(() => write("reply"));
  }
};
$("note").onclick = () => attempt(() => write("note"));
$("earlier").onclick = () => attempt(showEarlier);
$("search-form").onsubmit = (event) => {
  event.preventDefault();
  attempt(() => search());
};
$("about-form").onsubmit = (event) => {
  event.preventDefault();
  attempt(addNote);
};
$("timeline").ontoggle = () => attempt(() => showTimeline(true));
$("timeline-more").onclick = () => attempt(() => showTimeline(false));
$("resolve").onclick = () => attempt(async () => {
  if (!current) return;
  await api("POST", `/v1/work-items/${current.id}/resolve`, {});
  closeItem();
  await showItems();
  $("pull").focus();
});
$("pull").onclick = () => attempt(async () => {
  const item = await api("POST", "/v1/work/claim", { wait_s: 0 });
  if (item) await openItem(item);
  else $("problem").textContent = t("none");
});
$("accept").onclick = () => attempt(() => takeOffer(true));
$("decline").onclick = () => attempt(() => takeOffer(false));
$("presence").onchange = () => attempt(() => api("PUT", "/v1/me/presence", { status: $("presence").value }));
$("language").onclick = () => {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
  translate();
  $("problem").textContent = "";
  $("login-problem").textContent = "";
  if (!me) return;
  $("live").textContent = t(source ? "connected" : "reconnecting");
  drawMessages([...thread.messages.values()].map((known) => known.message), false);
  attempt(() => Promise.all([showItems(), showQueues(), showCustomer()]));
};
$("leave").onclick = async () => {
  await api("DELETE", "/v1/session").catch(() => null);
  signedOut("");
};

translate();
if (csrf) start().catch((problem) => {
  if (problem.status !== 401) signedOut(problem instanceof Problem ? problem.shown() : String(problem));
});
