// A WebSocket server that says everything back; /greet speaks first, /reject refuses the handshake.
'use strict';
const http = require('http');
const {WebSocketServer} = require('ws');

const server = http.createServer((request, response) => response.end('plain http\n'));
const sockets = new WebSocketServer({noServer: true, perMessageDeflate: true});

sockets.on('connection', (socket, request) => {
  if (request.url.startsWith('/greet')) socket.send('welcome');
  socket.on('message', (message, isBinary) => socket.send(message, {binary: isBinary}));
});

server.on('upgrade', (request, socket, head) => {
  if (request.url.startsWith('/reject')) {
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\nConnection: close\r\n\r\nnot today');
    return;
  }
  sockets.handleUpgrade(request, socket, head, (ready) => sockets.emit('connection', ready, request));
});
server.listen(Number(process.argv[2]), '127.0.0.1');
