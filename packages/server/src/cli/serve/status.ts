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

/** @param socket the request's; with HTTP/2 Node's stand-in for the connection, which passes for one. */
export function statusOf(socket: unknown, facts: ServerFacts, counters: Counters): Status {
  const connection = socket instanceof TlsConnection ? (summaryOf(socket) ?? null) : null;
  return { connection, server: { ...facts, counters } };
}
