/** How a server gives its clients what they need to resume (§4.7.1), from what was configured; and what a client asks for. */
import { type Awaitable, isPromised } from '../awaitable.js';
import type { ClientConfig, SessionStore, TicketConfig } from '../config/index.js';
import type { CryptoProvider } from '../crypto/provider.js';

export interface TicketSettings {
  /** The ticket for a session's state, `undefined` when it could not be kept. */
  readonly keep: (state: Uint8Array, lifetime: number) => Awaitable<Uint8Array | undefined>;
  /** The state that a ticket stands for. */
  readonly open: (ticket: Uint8Array) => Awaitable<Uint8Array | undefined>;
  readonly count: number;
  readonly countLimit: number;
  /** A ticket is good for all of this server's names. */
  readonly acrossNames: boolean;
  readonly retainOnlySha256OfClientCerts: boolean;
  /** Seconds. */
  readonly lifetime: number;
  readonly accept: TicketConfig['accept'];
}

const maximumTicketLifetime = 604_800;
const mostTickets = 16;

/** Throws TypeError or RangeError naming the option. */
export function ticketSettings(config: TicketConfig, provider: CryptoProvider): TicketSettings {
  const { protector, store, count = 2, lifetime = 7_200 } = config;
  const { countLimit = Math.max(count, 8), acrossNames = false, retainOnlySha256OfClientCerts = false } = config;
  for (const [name, value] of Object.entries({ count, countLimit })) {
    if (!Number.isInteger(value) || value < 0 || value > mostTickets) {
      throw new RangeError(`tickets.${name} must be a whole number from 0 to ${mostTickets}, not ${value}`);
    }
  }
  if (!Number.isInteger(lifetime) || lifetime < 1 || lifetime > maximumTicketLifetime) {
    throw new RangeError(`tickets.lifetime must be 1 to ${maximumTicketLifetime} seconds (§4.7.1), not ${lifetime}`);
  }
  const terms = { count, countLimit, lifetime, acrossNames, accept: config.accept, retainOnlySha256OfClientCerts };
  if (store !== undefined && protector === undefined) return { ...stored(store, provider), ...terms };
  if (store !== undefined || protector === undefined) {
    throw new TypeError(
      'tickets: give either a protector, for tickets that hold the session, or a store that keeps it',
    );
  }
  return { keep: (state) => protector.protect(state), open: (ticket) => protector.unprotect(ticket), ...terms };
}

/** Throws RangeError for what does not fit into a byte. */
export function checkTicketRequest(request: NonNullable<ClientConfig['ticketRequest']>): void {
  for (const [name, value] of Object.entries(request)) {
    if (!Number.isInteger(value) || value < 0 || value > 255) {
      throw new RangeError(`ticketRequest.${name} must be a whole number from 0 to 255, not ${value}`);
    }
  }
}

const idLength = 32;

function stored(store: SessionStore, provider: CryptoProvider): Pick<TicketSettings, 'keep' | 'open'> {
  return {
    keep(state, lifetime) {
      const id = provider.random(idLength);
      return orNothing(() => {
        const done = store.set(id.slice(), state, lifetime);
        return isPromised(done) ? Promise.resolve(done).then(() => id) : id;
      });
    },
    open(ticket) {
      return ticket.length === idLength ? orNothing(() => store.take(ticket.slice())) : undefined;
    },
  };
}

/** A store that fails must not take the server with it. */
function orNothing<T>(call: () => Awaitable<T | undefined>): Awaitable<T | undefined> {
  try {
    const answer = call();
    return isPromised(answer) ? Promise.resolve(answer).catch(() => undefined) : answer;
  } catch {
    return undefined;
  }
}
