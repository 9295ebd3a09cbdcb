// The request corpus, sent to Node's own server as raw bytes: every request that weir accepts, Node must read with the
// same method, target, fields and body, and where weir sees no further request, Node must see none either.
// PRINT_REQUEST names the executable print_request.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, METHODS } from 'node:http';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const printRequest = process.env.PRINT_REQUEST;
const corpus = new URL('corpus/request_head/', import.meta.url);

// The ends after which weir waits for more or has had all: Node must then not have found anything more.
const weirWouldReadOn = new Set(['all read', 'head incomplete', 'body incomplete']);

// A refusal is no second opinion: Node does not take a tab behind these values, which RFC 9110, 5.5, allows and weir does
// not send on.
const nodeMayRefuse = new Set(['te_trailing_tab', 'length_trailing_tab']);

let server;
let heard; // the requests of the one connection that is open
let refusal; // why Node gave that connection up, if it did

function fieldPairs(raw) {
  return Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i], raw[2 * i + 1]]);
}

function onRequest(request, response) {
  const entry = {
    method: request.method,
    target: request.url,
    fields: fieldPairs(request.rawHeaders),
    body: null,
  };
  heard.push(entry);
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('error', () => {});
  request.on('end', () => {
    entry.body = Buffer.concat(pieces).toString('latin1');
    response.end();
  });
}

before(async () => {
  server = createServer({ insecureHTTPParser: false, keepAliveTimeout: 0 }, onRequest);
  server.on('clientError', (error, socket) => {
    refusal = error.code;
    socket.destroy();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
});

after(() => server.close());

/** Sends the bytes, closes the sending side, and waits until the server is done with the connection. */
async function nodeReads(bytes) {
  heard = [];
  refusal = undefined;
  await new Promise((resolve) => {
    const socket = connect(server.address().port, '127.0.0.1', () => socket.end(bytes));
    socket.on('error', () => {});
    socket.on('close', resolve);
    socket.resume();
  });
  return heard;
}

function weirReads(path) {
  return JSON.parse(execFileSync(printRequest, [path], { encoding: 'utf8' }));
}

function asNodeTellsIt({ method, target, fields, body }) {
  return { method, target, fields, body };
}

const files = readdirSync(corpus).sort();
assert.ok(files.length > 0, 'the corpus is there');
assert.ok(printRequest, 'PRINT_REQUEST is set');

for (const file of files) {
  test(`Node reads ${file} as weir does`, async (t) => {
    const path = fileURLToPath(new URL(file, corpus));
    const weir = weirReads(path);
    if (weir.requests.length === 0) return t.skip('weir accepts nothing of it');
    if (weir.requests.some(({ method }) => !METHODS.includes(method))) return t.skip('a method Node has no name for');

    const node = await nodeReads(readFileSync(path));
    if (refusal && nodeMayRefuse.has(file)) return t.skip(`Node refuses it: ${refusal}`);
    weir.requests.forEach((request, i) => assert.deepEqual(node[i], asNodeTellsIt(request)));
    if (weirWouldReadOn.has(weir.end)) assert.equal(node.length, weir.requests.length);
  });
}
