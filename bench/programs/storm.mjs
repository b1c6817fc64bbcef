// Handshakes that arrive all at once: the clients' first messages are made before any is sent, so that making them holds
// nothing up, and the connections are there already.
import { connect } from 'node:net';
import { createBareClient } from '../harness/client-engine.mjs';

/** `count` connections to a server that answers one byte with one: each shakes hands, sends its byte, and ends. */
export async function storm({ port, count }) {
  const clients = await Promise.all(Array.from({ length: count }, () => connected(port)));
  for (const { send, hello } of clients) send(hello);
  await Promise.all(clients.map(({ over }) => over));
}

async function connected(port) {
  const engine = createBareClient();
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  const send = (events) => {
    for (const event of events) {
      if (event.type === 'transmit') socket.write(event.data);
      else if (event.type === 'failed') socket.destroy(event.error);
    }
  };
  let answered = false;
  socket.on('data', (bytes) => {
    const events = engine.receive(bytes);
    send(events);
    if (events.some(({ type }) => type === 'connected')) send(engine.send(Buffer.from('x')));
    if (!answered && events.some(({ type }) => type === 'data')) {
      answered = true;
      send(engine.close());
      socket.end();
    }
  });
  const over = new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => (answered ? resolve() : reject(new Error('a connection of the storm ended early'))));
  });
  over.catch(() => undefined);
  await Promise.race([new Promise((resolve) => socket.once('connect', resolve)), over]);
  return { hello: engine.start(), send, over };
}
