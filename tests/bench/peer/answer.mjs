// usage: answer.mjs PORT TOKEN: answers each message that comes in, over the API, as a bot beside the daemon would.
// usage: answer.mjs PORT: a service that answers each request with a text, for Kannel's get-url.
import http from "node:http";

const [port, token] = process.argv.slice(2);
const TEXT = "Thank you, it is on its way.";

function serve() {
	http.createServer((_, answer) => answer.end(TEXT)).listen(Number(port), "127.0.0.1", () => console.log("ready"));
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
let count = 0;

function reply(conversation) {
	const body = JSON.stringify({ kind: "reply", text: TEXT });
	const request = http.request({ port, host: "127.0.0.1", agent, method: "POST", path: `/v1/conversations/${conversation}/messages`,
		headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "content-length": Buffer.byteLength(body),
			"idempotency-key": `bench-${process.pid}-${count++}` } }, (answer) => {
		if (answer.statusCode !== 201) answer.on("data", (text) => console.error(String(text)));
		answer.resume();
	});
	request.end(body);
}

function listen() {
	http.get({ port, host: "127.0.0.1", path: "/v1/events?types=message.created", headers: { authorization: `Bearer ${token}` } }, (stream) => {
		let rest = "";
		console.log("ready");
		stream.setEncoding("utf8");
		stream.on("data", (more) => {
			const lines = (rest + more).split("\n");
			rest = lines.pop();
			for (const line of lines) {
				if (!line.startsWith("data: ")) continue;
				const event = JSON.parse(line.slice(6));
				if (!event.agent && event.direction !== "out") reply(event.conversation);
			}
		});
		stream.on("end", () => process.exit(1));
	});
}

if (token) listen();
else serve();
