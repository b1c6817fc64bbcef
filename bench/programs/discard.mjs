// A client that costs as little as it can: it opens the first answer, and from then on only counts what comes, by the
// headers of the records. One connection.
import { connect } from 'node:net';
import { createBareClient } from '../harness/client-engine.mjs';
import { answer } from '../harness/program.mjs';
import { contentsOfRecords } from '../harness/records.mjs';

let fetchOnce;

answer({
  /**
   * @param kind 'tls': HTTP over TLS; 'clear': HTTP; 'records': each byte asks, and bare records answer.
   * @param length of the file; the first answer tells how many bytes stand before it.
   */
  connect: async ({ kind, port, length }) => {
    fetchOnce = await kinds[kind](await connected(port), length);
  },
  fetch: () => fetchOnce(),
});

const request = Buffer.from('GET /file.bin HTTP/1.1\r\nHost: localhost\r\n\r\n');

const kinds = {
  records: (socket, length) => {
    const ask = counting(socket, contentsOfRecords());
    return () => ask(length, 'x');
  },
  clear: async (socket, length) => {
    const whole = await firstAnswer(socket, length, { sealed: () => request, opened: (bytes) => [bytes] });
    const ask = counting(socket, (bytes) => bytes.length);
    return () => ask(whole, request);
  },
  tls: async (socket, length) => {
    const tls = await handshake(socket);
    const whole = await firstAnswer(socket, length, tls);
    const ask = counting(socket, contentsOfRecords());
    return () => ask(whole, tls.sealed());
  },
};

/** All that is read goes here, and is of no interest afterwards. */
const buffer = Buffer.allocUnsafeSlow(262_144);

/** A socket that gives what it reads to its `receive`. */
function connected(port) {
  return new Promise((resolve, reject) => {
    const callback = (count, into) => {
      socket.receive(into.subarray(0, count));
      return true;
    };
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, onread: { buffer, callback } });
    socket.once('connect', () => resolve(socket)).once('error', reject);
  });
}

/** @param measure bytes of content in what was read. @returns a function that asks and awaits as many bytes of content. */
function counting(socket, measure) {
  let left = 0;
  let settle = {};
  socket.receive = (bytes) => {
    left -= measure(bytes);
    if (left === 0) settle.resolve?.();
    if (left < 0) settle.reject?.(new Error(`the server sent ${-left} bytes more than the file has`));
  };
  socket.once('close', () => settle.reject?.(new Error(`the server closed, ${left} bytes before the end`)));
  return (length, question) =>
    new Promise((resolve, reject) => {
      left = length;
      settle = { resolve, reject };
      socket.write(question);
    });
}

async function handshake(socket) {
  const engine = createBareClient();
  const perform = (events) => {
    const data = [];
    for (const event of events) {
      if (event.type === 'failed') throw event.error;
      if (event.type === 'transmit') socket.write(event.data);
      if (event.type === 'data') data.push(event.data);
    }
    return data;
  };
  await new Promise((resolve, reject) => {
    socket.receive = (bytes) => {
      try {
        perform(engine.receive(bytes));
        if (engine.state === 'connected') resolve();
      } catch (error) {
        reject(error);
      }
    };
    perform(engine.start());
  });
  const sealed = () =>
    Buffer.concat(engine.send(request).flatMap(({ type, data }) => (type === 'transmit' ? [data] : [])));
  return { sealed, opened: (bytes) => perform(engine.receive(bytes)) };
}

/** @returns the bytes of the whole answer, whose head is as long in every other one. */
function firstAnswer(socket, length, { sealed, opened }) {
  return new Promise((resolve, reject) => {
    let [head, whole, received] = ['', 0, 0];
    socket.receive = (bytes) => {
      try {
        for (const part of opened(bytes)) {
          received += part.length;
          if (whole > 0) continue;
          head += Buffer.from(part).latin1Slice();
          whole = wholeLength(head, length);
        }
        // Tickets come before it, and are no data.
        if (whole > 0 && received === whole) resolve(whole);
      } catch (error) {
        reject(error);
      }
    };
    socket.write(sealed());
  });
}

/** 0 as long as the head is not there. */
function wholeLength(head, length) {
  const end = head.indexOf('\r\n\r\n');
  if (end < 0) return 0;
  const promised = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
  if (!head.startsWith('HTTP/1.1 200 ') || promised !== length) throw new Error(head.slice(0, end));
  return end + 4 + length;
}
