// Sends a file to a connection that is closed for writing, with SIGPIPE at its deadly default; prints the errno.
import { openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const native = createRequire(join(root, 'packages/ktls-bind/package.json'))('node-gyp-build')(
  join(root, 'packages/ktls-bind'),
);
// libuv puts the default action back when the last listener goes.
const listener = () => {};
process.on('SIGPIPE', listener);
process.off('SIGPIPE', listener);

const [first, second] = native.loopbackPair().map((fd) => new native.Socket(fd, true));
first.shutdown();
const result = first.sendFile(openSync(process.execPath, 'r'), 0, 100_000);
console.log(result === -32 ? 'EPIPE' : `result ${result}`);
second.close(false);
first.close(false);
