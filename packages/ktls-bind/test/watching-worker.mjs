// A worker that watches a socket until it is terminated, or leaves at once with the socket unreferenced.

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const load = createRequire(import.meta.url)('node-gyp-build');
const native = load(dirname(dirname(fileURLToPath(import.meta.url))));
const sockets = native.loopbackPair().map((fd) => new native.Socket(fd, true));
for (const socket of sockets) {
  socket.onReady = () => {};
  // Writable at once and for ever: the callback runs whenever the worker does.
  socket.watch(3);
  if (workerData === 'leave') socket.ref(false);
}
parentPort?.postMessage('watching');
