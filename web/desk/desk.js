// The desk: one unified queue, the thread, the customer. Built on /v1 alone.
"use strict";

const words = {
  en: {
    agent: "Agent", password: "Password", enter: "Sign in", leave: "Sign out", mine: "My work", queues: "Queues",
    pull: "Pull next", accept: "Accept", decline: "Decline", reply: "Reply", note: "Note", resolve: "Resolve",
    hint: "Ctrl+Enter sends", customer: "Customer", online: "Online", busy: "Busy", away: "Away", offline: "Offline",
    offered: "Offered to you", none: "Nothing waits.", choose: "Choose a work item, or pull the next one.",
    waiting: "waiting", proved: "proved", claimed: "claimed", channels: "Conversations", connected: "live",
    reconnecting: "reconnecting…", wrong: "The agent or the password is wrong.", work: "Work items",
  },
  zh: {
    agent: "坐席", password: "密码", enter: "登录", leave: "退出", mine: "我的工单", queues: "队列",
    pull: "领取下一个", accept: "接受", decline: "拒绝", reply: "回复", note: "备注", resolve: "解决",
    hint: "Ctrl+Enter 发送", customer: "客户", online: "在线", busy: "忙碌", away: "离开", offline: "离线",
    offered: "派单给您", none: "没有等待的工单。", choose: "请选择工单，或领取下一个。",
    waiting: "排队中", proved: "已验证", claimed: "未验证", channels: "会话", connected: "实时",
    reconnecting: "正在重连…", wrong: "坐席或密码不正确。", work: "工单",
  },
};

const $ = (id) => document.getElementById(id);
let language = (localStorage.getItem("language") || navigator.language || "en").startsWith("zh") ? "zh" : "en";
let csrf = sessionStorage.getItem("csrf") || "";
let me = null;
let current = null;
let offer = null;
let source = null;
let sending = false;
const drafts = new Map();

const t = (key) => words[language][key] || key;

function translate() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  $("language").textContent = language === "zh" ? "English" : "中文";
  if (!current) $("thread-title").textContent = t("choose");
}

async function api(method, path, body) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["X-CSRF-Token"] = csrf;
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (answer.status === 204) return null;
  const data = await answer.json();
  if (!answer.ok) {
    const problem = new Error(data.detail || data.title);
    problem.status = answer.status;
    throw problem;
  }
  return data;
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
    $("problem").textContent = problem.message;
  }
}

async function showItems() {
  const assigned = await api("GET", "/v1/work-items?agent=me&limit=100");
  const open = assigned.data.filter((item) => !["resolved", "closed", "cancelled", "queued"].includes(item.state));
  offer = open.find((item) => item.state === "offered") || offer;
  const list = $("items");
  list.replaceChildren();
  for (const item of open.filter((one) => one.state !== "offered")) {
    const button = element("button");
    button.type = "button";
    button.append(element("strong", `#${item.number} ${item.customer ? item.customer.name : ""}`), element("br"),
      element("span", `${item.channel || ""} · ${item.queue} · ${item.state}`, "quiet"));
    button.setAttribute("aria-current", String(!!current && current.id === item.id));
    button.onclick = () => attempt(() => openItem(item));
    const row = element("li");
    row.append(button);
    list.append(row);
  }
  if (!list.children.length) list.append(element("li", t("none"), "quiet"));
}

async function showQueues() {
  const live = await api("GET", "/v1/live");
  const body = $("queues").tBodies[0];
  body.replaceChildren();
  for (const queue of live.queues) {
    const row = element("tr");
    row.append(element("td", queue.queue), element("td", `${queue.waiting} ${t("waiting")}`),
      element("td", queue.waiting ? `${queue.oldest_s} s` : ""));
    body.append(row);
  }
}

async function showMessages() {
  if (!current || !current.conversation) return;
  const list = $("messages");
  const conversation = current.conversation;
  const page = await api("GET", `/v1/conversations/${conversation}/messages?limit=200&order=desc`);
  if (!current || current.conversation !== conversation) return;
  list.replaceChildren();
  for (const message of page.data.reverse()) {
    const row = element("li", undefined, message.kind === "note" ? "note" : message.direction);
    const delivery = message.delivery ? ` · ${message.delivery.state}${message.delivery.error ? ": " + message.delivery.error : ""}` : "";
    row.append(element("span", `${message.author.name || message.author.type} · ${message.channel} · ` +
      `${new Date(message.created_at).toLocaleTimeString(language)}${delivery}`, "quiet"), element("br"),
      document.createTextNode(message.text));
    for (const file of message.attachments || []) row.append(element("br"), attachmentLink(file));
    list.append(row);
  }
  list.scrollTop = list.scrollHeight;
}

function attachmentLink(file) {
  if (!file.id) return element("span", `📎 ${file.name || file.url || ""}`);
  const link = element("a", `📎 ${file.name || file.id.slice(0, 8)}`);
  link.href = `/v1/attachments/${file.id}?name=${encodeURIComponent(file.name || "file")}`;
  return link;
}

async function showCustomer() {
  const facts = $("facts");
  facts.replaceChildren();
  if (!current || !current.customer) return;
  const customer = await api("GET", `/v1/customers/${current.customer.id}`);
  facts.append(element("dt", customer.name || customer.id));
  for (const one of customer.identifiers)
    facts.append(element("dd", `${one.kind}: ${one.value} (${t(one.proof)}${one.by ? ", " + one.by : ""})`));
  facts.append(element("dt", t("channels")));
  for (const one of customer.conversations)
    facts.append(element("dd", `${one.channel}: ${one.subject || one.state}, ${one.messages}`));
  facts.append(element("dt", t("work")));
  for (const one of customer.work_items) facts.append(element("dd", `#${one.number} ${one.state}`));
}

async function openItem(item) {
  // A draft belongs to its conversation: it must never reach another customer.
  if (current) drafts.set(current.conversation, $("text").value);
  current = item;
  $("text").value = drafts.get(item.conversation) || "";
  $("thread-title").textContent = `#${item.number} ${item.customer ? item.customer.name : ""} · ${item.channel || ""}`;
  await Promise.all([showMessages(), showCustomer(), showItems()]);
  $("text").focus();
}

function showOffer() {
  $("offer").hidden = !offer;
  if (offer) $("offer-text").textContent = `${t("offered")}: #${offer.number} ${offer.customer ? offer.customer.name : ""} · ${offer.channel || ""}`;
}

async function takeOffer(accept) {
  const item = offer;
  offer = null;
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
}

async function onEvent(name, data) {
  if (name === "offer.created" && data.agent === me.agent) {
    offer = await api("GET", `/v1/work-items/${data.work_item}`);
    showOffer();
  }
  if (name === "offer.ended" && offer && data.work_item === offer.id) {
    offer = null;
    showOffer();
  }
  if (current && data.conversation === current.conversation && name.startsWith("message.")) await showMessages();
  if (name.startsWith("work_item.") || name === "reset") await Promise.all([showItems(), showQueues()]);
}

async function listen() {
  const ticket = await api("POST", "/v1/events/ticket", {});
  source = new EventSource(`/v1/events?ticket=${encodeURIComponent(ticket.ticket)}`);
  source.onopen = () => { $("live").textContent = t("connected"); };
  // A ticket is good for one connection, so a lost one is made anew.
  source.onerror = () => {
    source.close();
    $("live").textContent = t("reconnecting");
    setTimeout(() => listen().catch(() => setTimeout(listen, 5000)), 2000);
  };
  for (const name of ["message.created", "message.delivery", "message.attachment", "work_item.created", "work_item.state", "offer.created",
    "offer.ended", "reset"])
    source.addEventListener(name, (event) => attempt(() => onEvent(name, JSON.parse(event.data))));
}

async function start() {
  me = await api("GET", "/v1/me");
  $("who").textContent = `${me.name} · ${me.workspace}`;
  $("login").hidden = true;
  $("desk").hidden = false;
  $("leave").hidden = false;
  const online = await api("PUT", "/v1/me/presence", { status: "online" });
  $("presence").value = online.status;
  await Promise.all([showItems(), showQueues(), listen()]);
  showOffer();
}

$("login-form").onsubmit = async (event) => {
  event.preventDefault();
  $("login-problem").textContent = "";
  try {
    const session = await api("POST", "/v1/session", { agent: $("agent").value, password: $("password").value });
    csrf = session.csrf_token;
    sessionStorage.setItem("csrf", csrf);
    await start();
  } catch (problem) {
    $("login-problem").textContent = problem.status === 401 ? t("wrong") : problem.message;
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
$("resolve").onclick = () => attempt(async () => {
  if (!current) return;
  await api("POST", `/v1/work-items/${current.id}/resolve`, {});
  drafts.delete(current.conversation);
  $("text").value = "";
  current = null;
  $("messages").replaceChildren();
  $("facts").replaceChildren();
  translate();
  await showItems();
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
  if (me) attempt(() => Promise.all([showItems(), showQueues()]));
};
$("leave").onclick = async () => {
  await api("DELETE", "/v1/session").catch(() => null);
  sessionStorage.removeItem("csrf");
  location.reload();
};

translate();
if (csrf) start().catch(() => sessionStorage.removeItem("csrf"));
