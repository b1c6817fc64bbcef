// The cases of lifetime.test.ts, on the native part alone.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
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

  async unref() {
    const [a] = pair();
    a.onReady = () => console.log('called');
    a.ref(false);
    a.watch(1);
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
