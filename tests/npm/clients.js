// One conversation with a queue listener, by the client library that is named:
// node clients.js LIBRARY HOST PORT. Ends with status 0 if all went as it should.
import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { createClient } from "redis";

const [library, host, port] = process.argv.slice(2);

// What the two call differently.
const libraries = {
  ioredis: {
    connect: async () => new Redis({ host, port: Number(port) }),
    call: (client, ...words) => client.call(...words),
    waitForItem: (client, name) => client.blpop(name, 5),
    transaction: (client) => client.multi().rpush("t", "1").lpop("t").exec(),
    answers: (result) => result.map(([, answer]) => answer),
    close: (client) => client.quit(),
  },
  redis: {
    connect: () => createClient({ url: `redis://${host}:${port}` }).connect(),
    call: (client, ...words) => client.sendCommand(words),
    waitForItem: async (client, name) => Object.values(await client.blPop(name, 5)),
    transaction: (client) => client.multi().rPush("t", "1").lPop("t").exec(),
    answers: (result) => result,
    close: (client) => client.close(),
  },
};

const { connect, call, waitForItem, transaction, answers, close } = libraries[library];
const one = await connect();
const other = await connect();

assert.equal(await call(one, "RPUSH", "q", "a", "b", "c"), 3);
assert.deepEqual(await call(one, "LRANGE", "q", "0", "-1"), ["a", "b", "c"]);
assert.equal(await call(one, "LPOP", "q"), "a");

// Pipelined: the answers come in order.
const lengths = await Promise.all(
  Array.from({ length: 100 }, (_, i) => call(one, "RPUSH", "p", String(i))));
assert.deepEqual(lengths, Array.from({ length: 100 }, (_, i) => i + 1));

assert.deepEqual(answers(await transaction(one)), [1, "1"]);

// Woken by another connection.
const waiting = waitForItem(one, "w");
while (!/blocked_clients:1/.test(await call(other, "INFO", "clients"))) ;
assert.equal(await call(other, "RPUSH", "w", "hello"), 1);
assert.deepEqual(await waiting, ["w", "hello"]);

await assert.rejects(call(one, "GET", "q"), /unknown command/);
await assert.rejects(call(one, "RPUSH", "full", "a", "b", "c"), /TOOBIG|FULL/);

await close(one);
await close(other);
