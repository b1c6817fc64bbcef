/** What the visitor's own connection is, and how the server fares: the JSON behind the example page. */
import { TlsConnection } from '../../connection.js';
import type { Counters } from '../../diagnostics.js';
import type { OffloadPolicy } from '../../offload.js';
import { type ConnectionSummary, summaryOf } from '../summary.js';

/** Known from the start. */
export interface ServerFacts {
  readonly offload: {
    readonly policy: OffloadPolicy;
    /** One line for people: `kernel: send, AES-GCM/CCM/ChaCha20, rekey`. */
    readonly summary: string;
  };
  /** Name of the crypto provider. */
  readonly provider: string;
}

export interface Status {
  /** Null when the request came over something else. */
  readonly connection: ConnectionSummary | null;
  readonly server: ServerFacts & { readonly counters: Counters };
}

/** @param socket the request's. */
export function statusOf(socket: unknown, facts: ServerFacts, counters: Counters): Status {
  const connection = connectionOf(socket);
  const summary = connection === undefined ? undefined : summaryOf(connection);
  return { connection: summary ?? null, server: { ...facts, counters } };
}

/** HTTP/2 puts a stream between itself and what is no socket of node:net, and the request a stand-in before that. */
function connectionOf(socket: unknown): TlsConnection | undefined {
  if (socket instanceof TlsConnection) return socket;
  const carried: unknown = typeof socket === 'object' && socket !== null ? Reflect.get(socket, 'stream') : undefined;
  return carried instanceof TlsConnection ? carried : undefined;
}
