// A worker that watches a socket until it is terminated, or leaves at once with the socket unreferenced.

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const load = createRequire(import.meta.url)('node-gyp-build');
const native = load(dirname(dirname(fileURLToPath(import.meta.url))));
const sockets = native.loopbackPair().map((fd) => new native.Socket(fd, true));
const into = new Uint8Array(65536);
const chunks = Array.from({ length: 2000 }, () => Uint8Array.of(1));
for (const socket of sockets) {
  // Writable or readable for ever: the callback runs whenever the worker does.
  socket.onReady = () => {
    socket.read(into);
    socket.write(chunks, false);
  };
  socket.watch(3);
  if (workerData === 'leave') socket.ref(false);
}
parentPort?.postMessage('watching');
