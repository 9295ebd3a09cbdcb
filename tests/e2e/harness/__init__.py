"""What the end-to-end tests stand on: the proxy as a process, raw sockets on both sides of it, and real apps."""
