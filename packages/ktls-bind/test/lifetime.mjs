// The cases of lifetime.test.ts, on the native part alone.
import { once } from 'node:events';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = createRequire(import.meta.url)('node-gyp-build')(dirname(dirname(fileURLToPath(import.meta.url))));
const pair = () => native.loopbackPair().map((fd) => new native.Socket(fd, true));
const descriptors = () => readdirSync('/proc/self/fd').length;

const cases = {
  async forget() {
    const before = descriptors();
    const open = () => {
      for (let i = 0; i < 100; i++) {
        const [a] = pair();
        // Watched once, but not any more.
        a.watch(1);
        a.watch(0);
      }
    };
    open();
    for (let i = 0; i < 20 && descriptors() > before; i++) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    console.log(`${descriptors() - before} descriptors left of 200`);
  },

  async watch() {
    const [a, b] = pair();
    (() => {
      const forgotten = a;
      forgotten.onReady = () => {
        console.log('called');
        forgotten.close(false);
      };
      forgotten.watch(1);
    })();
    for (let i = 0; i < 5; i++) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    b.write([Uint8Array.of(1)], false);
  },

  /** All are readable in one turn; the first that is told closes the others. */
  async closing() {
    const pairs = Array.from({ length: 8 }, pair);
    for (const [a] of pairs) {
      a.onReady = () => {
        console.log('called');
        for (const both of pairs) for (const socket of both) socket.close(false);
      };
      a.watch(1);
    }
    for (const [, b] of pairs) b.write([Uint8Array.of(1)], false);
  },

  /** Of all that are readable at once, some wait for others' turns of the event loop. */
  async crowd() {
    const pairs = Array.from({ length: 200 }, pair);
    const turns = new Map();
    let turn = 0;
    const next = () => {
      turn += 1;
      if ([...turns.values()].reduce((sum, count) => sum + count, 0) < pairs.length) setImmediate(next);
      else console.log(Math.max(...turns.values()) <= 64 ? 'all, in several turns' : 'too many in one turn');
    };
    for (const [a, b] of pairs) {
      a.onReady = () => {
        turns.set(turn, (turns.get(turn) ?? 0) + 1);
        for (const socket of [a, b]) socket.close(false);
      };
      a.watch(1);
      b.write([Uint8Array.of(1)], false);
    }
    setImmediate(next);
  },

  /** What comes meanwhile costs nothing, and is told at the end of the pause. */
  async paused() {
    const [a, b] = pair();
    a.onReady = (events) => {
      console.log(`called with ${events}`);
      a.close(false);
      b.close(false);
    };
    a.watch(1);
    a.watch(0);
    b.write([Uint8Array.of(1)], false);
    const before = performance.eventLoopUtilization();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { utilization } = performance.eventLoopUtilization(before);
    console.log(utilization < 0.9 ? 'idle' : 'busy');
    a.watch(1);
  },

  async unref() {
    const [a] = pair();
    a.onReady = () => console.log('called');
    a.ref(false);
    a.watch(1);
  },

  // Run with few descriptors: a connection that finds none waits in the kernel's queue.
  async exhausted() {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const acceptor = new native.Acceptor(server._handle.fd, 8);
    server.close();
    const client = connect(port, '127.0.0.1').pause();
    await once(client, 'connect');
    const files = [];
    try {
      for (;;) files.push(openSync('/dev/null'));
    } catch {
      // There are no more.
    }
    const next = async () => {
      acceptor.watch(true);
      const result = await new Promise((resolve) => {
        acceptor.onAccepted = (error, sockets) => resolve(`errno ${-error}, ${sockets.length} accepted`);
      });
      acceptor.watch(false);
      return result;
    };
    console.log(await next());
    console.log(await next());
    for (const file of files.splice(0)) closeSync(file);
    console.log(await next());
    process.exit();
  },

  async throw() {
    const [a, b] = pair();
    process.on('uncaughtException', (error) => {
      console.log(`caught: ${error.message}`);
      a.close(false);
      b.close(false);
    });
    let calls = 0;
    a.onReady = () => {
      if (++calls === 1) Promise.resolve().then(() => console.log('microtask before the next callback'));
      else throw new Error('thrown');
    };
    a.watch(2);
  },
};

await cases[process.argv[2]]();
