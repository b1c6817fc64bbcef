// The loading process: connects with a stack and makes the server work.
import { kernel } from 'ktls-bind';
import { answer } from '../harness/program.mjs';
import { connectTo } from '../harness/stacks.mjs';
import { storm } from './storm.mjs';

const chunk = Buffer.alloc(65_536, 'a line of text that is neither all zeros nor random\n');
const held = [];

// As in the serving process.
kernel.probe();

answer({
  /**
   * `count` connections, `atOnce` at a time: one byte each way, then the end; with `http` the server needs a request, and
   * sends a head before its byte. Throws unless each resumes as asked.
   */
  handshakes: async ({ count, atOnce, resume = false, ...target }) => {
    const session = resume ? await firstTicket(target) : undefined;
    let left = count;
    const worker = async () => {
      while (left > 0) {
        left -= 1;
        await exchangeByte(target, session);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  },

  storm,

  /** The connection that `receive` and `send` use. */
  open: async (target) => {
    const { socket, ready } = await connectTo(target.stack, target);
    await ready;
    socket.on('error', (error) => console.error(`client: ${error.message}`));
    held.push(socket);
  },
  receive: async ({ bytes }) => {
    const [socket] = held;
    const done = countBytes(socket, bytes);
    socket.write(numberBytes(bytes));
    await done;
  },
  send: async ({ bytes }) => {
    const [socket] = held;
    const done = countBytes(socket, 1);
    socket.write(numberBytes(bytes));
    for (let left = bytes; left > 0; left -= chunk.length) {
      const part = left >= chunk.length ? chunk : chunk.subarray(0, left);
      if (!socket.write(part)) await new Promise((resolve) => socket.once('drain', resolve));
    }
    await done;
  },

  /** Opens `count` more connections, which stay. */
  hold: async ({ count, atOnce, ...target }) => {
    let left = count;
    const worker = async () => {
      while (left > 0) {
        left -= 1;
        const { socket, ready } = await connectTo(target.stack, target);
        await ready;
        held.push(socket.on('error', () => undefined).resume());
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  },

  /** HTTP: connections of their own, each with one request at a time, until `count` are answered. */
  connectHttp: async ({ connections, ...target }) => {
    for (let index = 0; index < connections; index += 1) {
      const { socket, ready } = await connectTo(target.stack, { ...target, ALPNProtocols: ['http/1.1'] });
      await ready;
      held.push(socket);
    }
  },
  requests: async ({ count }) => {
    let left = count;
    const ask = async (socket) => {
      while (left > 0) {
        left -= 1;
        await requestOnce(socket);
      }
    };
    await Promise.all(held.map(ask));
  },
});

async function exchangeByte(target, session) {
  const { socket, ready } = await connectTo(target.stack, { ...target, session });
  // Its end comes before or after its close, and both are needed before the next begins.
  const over = new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', resolve);
  });
  let received = '';
  socket.on('data', (bytes) => {
    received += bytes.latin1Slice();
  });
  await ready;
  if (session !== undefined && !socket.isSessionReused()) throw new Error('the session was not resumed');
  socket.write(target.http ? 'GET / HTTP/1.0\r\n\r\n' : 'x');
  await over;
  const [content, head] = received.split('\r\n\r\n').toReversed();
  if (content !== 'x' || (head !== undefined) !== target.http)
    throw new Error(`this came instead of a byte: ${received}`);
}

async function firstTicket(target) {
  const { socket, ready, session } = await connectTo(target.stack, target);
  await ready;
  socket.resume();
  const ticket = await session;
  socket.end();
  return ticket;
}

function countBytes(socket, bytes) {
  return new Promise((resolve) => {
    let left = bytes;
    const count = (part) => {
      left -= part.length;
      if (left > 0) return;
      socket.off('data', count);
      resolve();
    };
    socket.on('data', count);
  });
}

function numberBytes(number) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(number));
  return bytes;
}

const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** A response is its head, then as many bytes as the head promises. */
function requestOnce(socket) {
  return new Promise((resolve, reject) => {
    let head = '';
    let left;
    const read = (bytes) => {
      if (left === undefined) {
        head += bytes.latin1Slice();
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
        if (!head.startsWith('HTTP/1.1 200 ') || length === undefined) return reject(new Error(head));
        left = Number(length) - (head.length - end - 4);
      } else {
        left -= bytes.length;
      }
      if (left > 0) return;
      socket.off('data', read);
      resolve();
    };
    socket.on('data', read);
    socket.write(request);
  });
}
