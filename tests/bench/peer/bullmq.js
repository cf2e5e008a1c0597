// BullMQ from add to processed, both in one process. node bullmq.js SOCKET rate SECONDS | latency SECONDS RATE
// Prints one line of JSON.
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

const [socket, mode, seconds, rate] = process.argv.slice(2);
const connect = () => new Redis({ path: socket, maxRetriesPerRequest: null });
const now = () => Number(process.hrtime.bigint()) / 1e9;
const body = { id: 'm1', from: '+4915', text: 'x'.repeat(440) };
const options = { removeOnComplete: true };
const queue = new Queue('bench', { connection: connect() });
const took = [];
let added = 0, done = 0;
const worker = new Worker('bench', async (job) => {
  done++;
  took.push(now() - job.data.at);
}, { connection: connect(), concurrency: 100 });
await queue.waitUntilReady();
await worker.waitUntilReady();

const start = now(), end = start + Number(seconds);
const adder = async () => {
  while (now() < end) {
    added++;
    await queue.add('m', { ...body, at: now() }, options);
  }
};
const addDue = (finish) => {
  const due = Math.floor((Math.min(now(), end) - start) * Number(rate));
  // `at` is the scheduled instant, as in the load generator's open loop.
  for (; added < due; added++) queue.add('m', { ...body, at: start + added / Number(rate) }, options);
  if (now() >= end) finish();
};
if (mode === 'rate') {
  await Promise.all(Array.from({ length: 100 }, adder));
} else {
  await new Promise((resolve) => {
    const timer = setInterval(() => addDue(() => (clearInterval(timer), resolve())), 1);
  });
}
const patience = now() + 30;
while (done < added && now() < patience) await new Promise((resolve) => setTimeout(resolve, 5));
const spent = now() - start;
took.sort((a, b) => a - b);
const at = (part) => Math.round((took[Math.floor(took.length * part)] ?? 0) * 1e6);
console.log(JSON.stringify({ done, bad: added - done, seconds: spent, p50_us: at(0.5), p99_us: at(0.99) }));
process.exit(0);
