/**
 * Early data in HTTP (RFC 8470): safe requests are handed to the application before the client has finished the handshake,
 * all others when it has; `425 Too Early` for the application that does not want one of the former.
 */
import { IncomingMessage, type ServerResponse } from 'node:http';
import { TlsConnection } from './connection.js';

declare module 'node:http' {
  interface IncomingMessage {
    /**
     * Whether the request came as early data, here or at a proxy before (header `Early-Data: 1`), and so may be a copy
     * that somebody else sends again. Set by the servers of this library.
     */
    earlyData?: boolean;
  }
}

/** Answers 425 (RFC 8470 §5.2): the client sends the request again when its handshake is complete. */
export function tooEarly(response: ServerResponse): void {
  response.statusCode = 425;
  response.setHeader('Cache-Control', 'no-store');
  response.end();
}

/**
 * Marks a request, and holds it back until the client has finished when it is not safe to be done twice, or when one
 * before it waits.
 * @param give hands it to the application.
 * @returns whether that was done at once.
 */
export function inItsTime(event: string, request: unknown, give: () => void): boolean {
  if (!(request instanceof IncomingMessage)) return true;
  request.earlyData = request.headers['early-data'] === '1';
  const { socket } = request;
  if (!(socket instanceof TlsConnection) || !socket.inEarlyData) return true;
  if (event === 'request' && safeMethods.has(request.method ?? '') && !holding.has(socket)) {
    request.earlyData = true;
    // RFC 8470 §5.1: so that it is not lost on whoever passes the request on.
    request.headers['early-data'] = '1';
    return true;
  }
  holding.add(socket);
  socket.once('confirmed', () => {
    holding.delete(socket);
    give();
  });
  return false;
}

/** Events of an http.Server that hand out a request. */
export const requestEvents: ReadonlySet<string | symbol> = new Set([
  'request',
  'checkContinue',
  'checkExpectation',
  'upgrade',
  'connect',
]);

/** RFC 9110 §9.2.1 */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

const holding = new WeakSet<TlsConnection>();
