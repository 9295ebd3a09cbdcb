// What a page needs of its app: bodies that are weighed, events that wait for each other, and a WebSocket.
'use strict';
const crypto = require('crypto');
const http = require('http');
const {WebSocketServer} = require('ws');

let reader;  // of the events
let events = 0;

function sendEvent() {
  reader.write(`id: ${events}\ndata: event ${events}\n\n`);
  events += 1;
}

const routes = {
  '/': (request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>page</title><link rel="icon" href="data:,"><p>served');
  },
  '/digest': (request, response) => {
    const hash = crypto.createHash('sha256');
    request.on('data', (piece) => hash.update(piece));
    request.on('end', () => response.end(hash.digest('hex')));
  },
  '/large': (request, response) => response.end(Buffer.alloc(3 << 20, 'weir ')),
  '/events': (request, response) => {
    response.writeHead(200, {'Content-Type': 'text/event-stream'});
    reader = response;
    events = 0;
    sendEvent();
  },
  // The next event comes when the one before has been seen.
  '/seen': (request, response) => {
    sendEvent();
    response.end('next');
  },
};

const server = http.createServer((request, response) => {
  const route = routes[request.url.split('?')[0]];
  if (route) return route(request, response);
  response.statusCode = 404;
  return response.end('no such page\n');
});

const sockets = new WebSocketServer({server, maxPayload: 8 << 20});
sockets.on('connection', (socket) => {
  socket.on('message', (message, isBinary) => {
    const text = isBinary ? '' : message.toString();
    if (text.startsWith('close ')) return socket.close(Number(text.slice(6)), 'as you wish');
    return socket.send(message, {binary: isBinary});
  });
  socket.on('close', (code, reason) => console.error(`closed with ${code} ${reason}`));
});
server.listen(Number(process.argv[2]), '127.0.0.1');
