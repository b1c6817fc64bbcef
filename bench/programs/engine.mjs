// Engines of tls13-core in memory, and the bare ciphers beside them.
import { createClientEngine, createServerEngine } from 'tls13-core';
import { answer } from '../harness/program.mjs';
import { nobleCalls, nodeRecords } from './bare-records.mjs';
import { clientConfig, configure, engineRecords, timed, transmitted } from './engines.mjs';

const piece = 65_536;
const text = new Uint8Array(Buffer.alloc(piece, 'a line of text that is neither all zeros nor random\n'));
let serverConfig;
let records;
let portable;

answer({
  prepare: ({ provider, certificate }) => {
    if (provider === 'bare node') records = nodeRecords();
    else {
      serverConfig = configure(provider, certificate);
      records = engineRecords(serverConfig);
    }
  },

  /** Nothing but noble's calls, and an engine over noble, on records of `recordContent` bytes. */
  preparePortable: ({ certificate, suite, recordContent }) => {
    const config = configure('noble', certificate, { cipherSuites: [suite], maxSendFragment: recordContent });
    portable = { alone: nobleCalls(suite, recordContent), core: engineRecords(config) };
  },

  /** Microseconds of the server's side of a handshake. A step is taken with many engines, so that a clock costs nothing. */
  handshakes: ({ count }) => {
    let spent = 0;
    for (let left = count; left > 0; left -= batch) spent += handshakeBatch(Math.min(batch, left));
    return spent / count;
  },

  /** Microseconds per MiB. */
  seal: ({ mebibytes }) => {
    const pieces = (mebibytes * 1024 * 1024) / piece;
    return (
      timed(() => {
        for (let left = pieces; left > 0; left -= 1) records.seal(text);
      }) / mebibytes
    );
  },
  open: ({ mebibytes }) => {
    let spent = 0;
    for (let left = mebibytes; left > 0; left -= 1) {
      const sealed = [];
      for (let bytes = 0; bytes < 1024 * 1024; bytes += piece) sealed.push(records.seal(text));
      spent += timed(() => {
        for (const bytes of sealed) records.open(bytes);
      });
    }
    return spent / mebibytes;
  },

  /** Microseconds per MiB of each, piece by piece in turns: what the machine does meanwhile, and V8, meet both alike. */
  portable: ({ direction, mebibytes }) => {
    const spent = { alone: 0, core: 0 };
    for (let left = (mebibytes * 1024 * 1024) / piece; left > 0; left -= 1) {
      for (const name of left % 2 === 0 ? ['alone', 'core'] : ['core', 'alone']) {
        let sealed;
        const sealing = timed(() => {
          sealed = portable[name].seal(text);
        });
        spent[name] += direction === 'seal' ? sealing : timed(() => portable[name].open(sealed));
      }
    }
    return { alone: spent.alone / mebibytes, core: spent.core / mebibytes };
  },
});

const batch = 50;

function handshakeBatch(size) {
  const pairs = Array.from({ length: size }, () => ({ client: createClientEngine(clientConfig()), server: undefined }));
  for (const pair of pairs) pair.hello = transmitted(pair.client.start());
  let spent = timed(() => {
    for (const pair of pairs) {
      pair.server = createServerEngine(serverConfig);
      pair.server.start();
      pair.flight = transmitted(pair.server.receive(pair.hello));
    }
  });
  for (const pair of pairs) pair.finished = transmitted(pair.client.receive(pair.flight));
  spent += timed(() => {
    for (const pair of pairs) pair.server.receive(pair.finished);
  });
  const missing = pairs.find(({ server }) => server.state !== 'connected');
  if (missing !== undefined) throw missing.server.error ?? new Error('a handshake did not end');
  return spent;
}
