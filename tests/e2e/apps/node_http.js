// A plain Node server: echo, a counter that must not be doubled, streams and server-sent events.
'use strict';
const fs = require('fs');
const http = require('http');

let orders = 0;

const routes = {
  '/hello': (request, response) => response.end('hello from node\n'),
  '/echo': (request, response) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({
        method: request.method, url: request.url, headers: request.headers, trailers: request.trailers,
        body: Buffer.concat(pieces).toString('latin1'), port: request.socket.remotePort,
      }));
    });
  },
  '/order': (request, response) => {
    orders += 1;
    request.resume();
    request.on('end', () => response.end(String(orders)));
  },
  // Whatever becomes of this process: what was begun is in the book that all of them share.
  '/book': (request, response) => {
    const order = request.url.split('?')[1];
    request.resume();
    if (request.method === 'POST') fs.appendFileSync(process.env.BOOK, `${order}\n`);
    setTimeout(() => response.end(`${order}\n`), 20);
  },
  '/trailers': (request, response) => {
    response.writeHead(200, {Trailer: 'X-Sum'});
    response.write('body');
    response.addTrailers({'X-Sum': '42'});
    response.end();
  },
  '/early-hints': (request, response) => {
    response.writeEarlyHints({link: '</style.css>; rel=preload; as=style'}, () => response.end('after hints'));
  },
  '/events': (request, response) => {
    response.writeHead(200, {'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache'});
    let count = 0;
    const timer = setInterval(() => response.write(`id: ${count++}\ndata: tick\n\n`), 50);
    response.on('close', () => clearInterval(timer));
  },
};

const server = http.createServer((request, response) => {
  const route = routes[request.url.split('?')[0]];
  if (route) return route(request, response);
  response.statusCode = 404;
  return response.end('no such page\n');
});
server.keepAliveTimeout = Number(process.env.KEEP_ALIVE_MS || 5000);
server.listen(Number(process.argv[2]), '127.0.0.1');
