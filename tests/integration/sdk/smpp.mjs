// A message centre of the library smpp. Its first line of input says how it behaves, each further one is a command with a
// number, answered by a line with that number. A fault is one of: status, drop_after_accept, drop_before, silent, late_id.
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const smpp = createRequire(import.meta.url)("smpp");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const given = JSON.parse((await lines.next()).value);
const tls = given.key ? { key: readFileSync(given.key), cert: readFileSync(given.cert) } : {};
const sessions = [];
const seen = { binds: [], submits: [], dropped: 0, enquiries: 0, most_unanswered: 0, nacks: 0, unbinds: 0 };
const faults = [];
let counter = given.first_id ?? 0x40c4f2a1;

function fault(...kinds) {
	const at = faults.findIndex((one) => kinds.includes(one.kind));
	if (at < 0) return null;
	const one = faults[at];
	if (--one.times <= 0) faults.splice(at, 1);
	return one;
}

function bind(session, pdu) {
	const wrong = pdu.system_id !== given.system_id || pdu.password !== given.password;
	const status = given.bind_status ?? (wrong ? smpp.ESME_RINVPASWD : 0);
	seen.binds.push({ command: pdu.command, system_id: pdu.system_id, version: pdu.interface_version, status });
	session.send(pdu.response({ command_status: status, system_id: "SMSC" }));
	if (status !== 0) return;
	session.kind = pdu.command;
	sessions.push(session);
}

function text(pdu) {
	const part = pdu.message_payload ?? pdu.short_message;
	return typeof part.message === "string" ? part.message : part.message.toString("hex");
}

function receipt(id, stat, source, destination, more = {}) {
	return {
		source_addr: source, destination_addr: destination, source_addr_ton: 1, source_addr_npi: 1, esm_class: 4,
		short_message: { message: Buffer.from(`id:${id} sub:001 dlvrd:001 submit date:2601020255 ` +
			`done date:2601020256 stat:${stat} err:${stat === "DELIVRD" ? "000" : "045"} text:x`) }, ...more };
}

function receiver() {
	return sessions.findLast((one) => one.kind !== "bind_transmitter");
}

function submit(session, pdu) {
	const refused = fault("status");
	const dropped = fault("drop_before", "drop_after_accept", "silent");
	const id = (counter++).toString(16).toUpperCase();
	session.unanswered = (session.unanswered ?? 0) + 1;
	seen.most_unanswered = Math.max(seen.most_unanswered, session.unanswered);
	if (refused || dropped?.kind === "drop_before") {
		if (refused) session.send(pdu.response({ command_status: refused.status }));
		else session.destroy();
		session.unanswered--;
		return;
	}
	seen.submits.push({
		id, source: pdu.source_addr, source_ton: pdu.source_addr_ton, to: pdu.destination_addr, to_ton: pdu.dest_addr_ton,
		data_coding: pdu.data_coding, esm_class: pdu.esm_class, registered: pdu.registered_delivery, text: text(pdu),
		udh: pdu.short_message.udh?.map((one) => one.toString("hex")) ?? [], payload: Boolean(pdu.message_payload),
		sar: [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum], sequence: pdu.sequence_number,
		at: Date.now() });
	if (dropped) {
		seen.dropped++;
		if (dropped.kind === "drop_after_accept") session.destroy();
		return;
	}
	const early = given.receipt === "before" && pdu.registered_delivery;
	if (early) receiver().deliver_sm(receipt(id, "DELIVRD", pdu.destination_addr, pdu.source_addr));
	setTimeout(() => {
		session.unanswered--;
		session.send(pdu.response({ message_id: id }));
	}, given.delay_ms ?? 0);
}

const server = smpp.createServer(tls, (session) => {
	session.on("error", () => {});
	session.setMaxListeners(0);
	for (const command of ["bind_transceiver", "bind_transmitter", "bind_receiver"])
		session.on(command, (pdu) => bind(session, pdu));
	session.on("submit_sm", (pdu) => submit(session, pdu));
	session.on("enquire_link", (pdu) => { seen.enquiries++; if (!given.deaf) session.send(pdu.response()); });
	session.on("unbind", (pdu) => {
		seen.unbinds++;
		session.send(pdu.response());
	});
	session.on("generic_nack", () => seen.nacks++);
	session.on("close", () => {
		const at = sessions.indexOf(session);
		if (at >= 0) sessions.splice(at, 1);
	});
});

// Hexadecimal in `data` is sent as it is; a text is encoded by the library.
function deliver(what) {
	const { data, udh, text: words, ...fields } = what;
	const short_message = { message: data === undefined ? words : Buffer.from(data, "hex") };
	if (udh) short_message.udh = Buffer.from(udh, "hex");
	return new Promise((done) => {
		const session = receiver();
		if (!session) { done({ error: "nobody is bound" }); return; }
		session.once("close", () => done({ error: "closed" }));
		session.deliver_sm({ source_addr_ton: 1, source_addr_npi: 1, source_addr: "8613900000000",
			destination_addr: "10690000", short_message, ...fields }, (answer) => done({ status: answer.command_status }));
	});
}

const commands = {
	deliver: ({ message }) => deliver(message),
	deliver_all: async ({ messages }) => ({ statuses: (await Promise.all(messages.map(deliver))).map((one) => one.status ?? -1) }),
	// Keeps each message until it is acknowledged, whatever happens meanwhile.
	persist: async ({ count, window, senders }) => {
		let next = 0, again = 0;
		const one = async () => {
			while (next < count) {
				const n = next++;
				while ((await deliver({ text: `message ${n}`, source_addr: `86139${String(n % senders).padStart(8, "0")}` })).status !== 0) {
					again++;
					await new Promise((done) => setTimeout(done, 50));
				}
				seen.acknowledged = (seen.acknowledged ?? 0) + 1;
			}
		};
		await Promise.all(Array.from({ length: window }, one));
		return { again };
	},
	receipt: ({ id, stat, more }) => {
		const { to, source } = seen.submits.find((one) => one.id === id) ?? { to: "1", source: "2" };
		const named = given.decimal ? String(parseInt(id, 16)) : id;
		return new Promise((done) => receiver().deliver_sm(receipt(named, stat, to, source, more),
			(answer) => done({ status: answer.command_status })));
	},
	fault: ({ kind, times, status }) => { faults.push({ kind, times, status }); return {}; },
	set: ({ command, n, ...changes }) => { Object.assign(given, changes); return {}; },
	cut: () => { sessions.slice().forEach((session) => session.destroy()); return {}; },
	unbind: () => new Promise((done) => sessions[0].unbind((answer) => done({ status: answer.command_status }))),
	enquire: () => new Promise((done) => sessions[0].enquire_link((answer) => done({ status: answer.command_status }))),
	query: () => new Promise((done) => sessions[0].query_sm({ message_id: "1", source_addr: "1" },
		(answer) => done({ command: answer.command, status: answer.command_status }))),
	state: () => ({ ...seen, bound: sessions.map((one) => one.kind) }),
};

server.listen(given.port ?? 0, "127.0.0.1", async () => {
	console.log(JSON.stringify({ port: server.address().port }));
	for await (const line of lines) {
		const asked = JSON.parse(line);
		Promise.resolve(commands[asked.command](asked)).then((answer) => console.log(JSON.stringify({ n: asked.n, ...answer })));
	}
	process.exit(0);
});
