// The stacks that are compared, behind one way to listen and to connect. They agree on what is negotiated: TLS 1.3,
// TLS_AES_128_GCM_SHA256, X25519, a P-256 certificate, two tickets.
import { createServer as createPlainHttpServer } from 'node:http';
import { createSecureServer as createNodeHttp2Server } from 'node:http2';
import { createServer as createNodeHttpsServer } from 'node:https';
import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { connect as connectNode, createServer as createNodeServer } from 'node:tls';
import { connect as connectOurs, createHttpsServer, createServer } from 'tls13-server';

/**
 * A stack, as it goes over IPC: { kind: 'tcp' } | { kind: 'node', group? } |
 * { kind: 'ours', provider: 'native' | 'node' | 'noble', offload: 'off' | 'send' | 'both', group?,
 *   asynchronousSigning? }; `group` for X25519
 */

/** A server that calls `handler` with each connection that is ready for data. @param more options of TLS. */
export async function createStreamServer(stack, certificate, handler, more = {}) {
  if (stack.kind === 'tcp') return createTcpServer({ allowHalfOpen: false, noDelay: true }, handler);
  if (stack.kind === 'node') return createNodeServer({ ...nodeOptions(stack, certificate), ...more }, handler);
  return createServer({ ...(await ourOptions(stack)), ...certificate, ...more }, handler);
}

/** An HTTP/1.1 server, over TLS unless the stack is plain TCP, that calls `handler(request, response)`. */
export async function createHttpServer(stack, certificate, handler) {
  if (stack.kind === 'tcp') return createPlainHttpServer({ noDelay: true }, handler);
  if (stack.kind === 'node') return createNodeHttpsServer(nodeOptions(stack, certificate), handler);
  return createHttpsServer({ ...(await ourOptions(stack)), ...certificate }, handler);
}

/** The same for HTTP/2. */
export async function createHttp2Server(stack, certificate, handler) {
  if (stack.kind === 'node') return createNodeHttp2Server(nodeOptions(stack, certificate), handler);
  return createHttpsServer({ ...(await ourOptions(stack)), ...certificate, http2: true }, handler);
}

/**
 * Connects. @param session of an earlier connection.
 * @returns { socket, ready, session }: ready and session are promises; the latter for the first ticket.
 */
export async function connectTo(stack, { port, certificate, session, ALPNProtocols }) {
  if (stack.kind === 'tcp') {
    const socket = connectTcp({ host: '127.0.0.1', port, noDelay: true });
    return withPromises(socket, 'connect');
  }
  const options = {
    host: '127.0.0.1',
    port,
    servername: 'localhost',
    ca: certificate.cert,
    ...(session === undefined ? {} : { session: Buffer.from(session, 'base64') }),
    ...(ALPNProtocols === undefined ? {} : { ALPNProtocols }),
  };
  const socket =
    stack.kind === 'node'
      ? connectNode({ ...options, ...parameters(stack), minVersion: 'TLSv1.3', noDelay: true })
      : connectOurs({ ...options, ...(await ourOptions(stack)) });
  return withPromises(socket, 'secureConnect');
}

function parameters({ group = 'X25519' }) {
  return { ciphers: 'TLS_AES_128_GCM_SHA256', ecdhCurve: group };
}

function nodeOptions(stack, certificate) {
  return { ...certificate, ...parameters(stack), minVersion: 'TLSv1.3', noDelay: true };
}

async function ourOptions(stack) {
  const { provider, offload, asynchronousSigning = false } = stack;
  return {
    ...parameters(stack),
    offload,
    asynchronousSigning,
    provider: provider === 'noble' ? await noble() : provider,
  };
}

/** Only a program that uses it carries it. */
async function noble() {
  const { nobleProvider } = await import('tls13-core/noble');
  return nobleProvider;
}

function withPromises(socket, readyEvent) {
  const ready = new Promise((resolve, reject) => {
    socket.once(readyEvent, () => resolve());
    socket.once('error', reject);
  });
  const session = new Promise((resolve, reject) => {
    socket.once('session', (bytes) => resolve(bytes.toString('base64')));
    socket.once('error', reject);
  });
  // Not everybody waits for both.
  for (const promise of [ready, session]) promise.catch(() => undefined);
  return { socket, ready, session };
}
