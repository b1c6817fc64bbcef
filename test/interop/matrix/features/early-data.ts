/** Early data (0-RTT, §2.3): taken, refused, and refused because of a HelloRetryRequest. */
import { writeFileSync } from 'node:fs';
import { type ConnectionInfo, parseSession, serializeSession } from 'tls13-core';
import { expect } from 'vitest';
import { scratch } from '../../identities.js';
import { receive } from '../../ours.js';
import { payload } from '../../peers/program.js';
import type { Cell, OurOptions, Pair } from '../cell.js';
import { answered, exchange, request } from '../exchange.js';
import type { Wish } from '../peer.js';
import type { Feature } from './feature.js';

const group = 'Early data (0-RTT)';

/** No ticket serves for early data. */
const refusing = { replayCache: { claim: () => false } };
/** Without a HelloRetryRequest for a better group. */
const direct: Wish = { groups: ['x25519'] };
/** curl sends early data only when it knows that the server speaks HTTP/1.1. */
const http = { ALPNProtocols: ['http/1.1'] };
const retrying: OurOptions = { ecdhCurve: ['x25519', 'secp256r1'], keyShares: ['x25519'] };

export const earlyData: readonly Feature[] = [
  {
    id: 'early-data',
    title: 'Accepted',
    group,
    client: async (cell) => {
      const { file, bytes } = early();
      const { first, ...pair } = await cell.resume({ earlyData: file }, { asServer: { ...http, earlyData: true } });
      expect(first.info?.earlyData).toBe('none');
      // Who sends requests has sent one.
      if (pair.link.service === 'pipe') expect(await receive(pair.connection, bytes.length)).toEqual(bytes);
      await cell.check(pair, { resumed: true, earlyData: 'accepted' }, { resumed: true, earlyData: true });
    },
    server: async (cell) => {
      const { connection, link, nth } = await sendEarly(cell, direct, {});
      expect(connection.info).toMatchObject({ resumed: true, earlyData: 'accepted' });
      // gnutls-serv, which echoes, says nothing of it.
      if (link.service === 'pipe') await link.program.until(/GET \/ HTTP\/1\.0/);
      if (link.service === 'http') await answered(connection);
      await cell.saidOf(link, { resumed: true, earlyData: true }, nth);
      if (link.service !== 'http') await exchange(connection, link, cell.role);
    },
  },
  {
    id: 'early-data-rejected',
    title: 'Rejected: sent before, or not wanted; the connection goes on',
    group,
    client: async (cell) => {
      const { file } = early();
      const pair = await cell.resume({ earlyData: file }, { asServer: { ...http, earlyData: refusing } });
      await cell.check(pair, { ...rejected, earlyDataReason: 'replay_suspected' }, { earlyData: false });
    },
    // A ticket that is not as old as our client says may be somebody's copy (§8.3).
    server: async (cell) => {
      const pair = await sendEarly(cell, direct, {}, aged);
      expect(pair.connection.earlyDataAccepted).toBe(false);
      await cell.check(pair, rejected, {});
    },
  },
  {
    id: 'early-data-retry',
    title: 'Rejected by a HelloRetryRequest',
    group,
    client: async (cell) => {
      const { file } = early();
      const theirs: Wish = { groups: ['x25519', 'secp256r1'], earlyData: file };
      const ours = { ecdhCurve: ['secp256r1'], handshakeTimeout: 5000, asServer: { ...http, earlyData: true } };
      const pair = await cell.resume(theirs, ours);
      const info = { earlyDataReason: 'hello_retry_request', helloRetryRequest: true } as const;
      await cell.check(pair, info, { earlyData: false });
    },
    server: async (cell) => {
      const pair = await sendEarly(cell, { groups: ['secp256r1'] }, retrying);
      expect(pair.connection.earlyDataAccepted).toBe(false);
      await cell.check(pair, { ...rejected, helloRetryRequest: true }, {});
    },
  },
];

const rejected: Partial<ConnectionInfo> = { earlyData: 'rejected' };

function early(): { file: string; bytes: Buffer } {
  const file = scratch('early-data');
  const bytes = payload(500, 7);
  writeFileSync(file, bytes);
  return { file, bytes };
}

/** A connection of ours that resumes another, with early data. */
function sendEarly(
  cell: Cell,
  theirs: Wish,
  ours: OurOptions,
  change?: (session: Buffer) => Uint8Array,
): Promise<Pair> {
  return cell.resume({ ...theirs, earlyData: '' }, ours, { asClient: { earlyData: request } }, change);
}

function aged(bytes: Buffer): Uint8Array {
  const session = parseSession(bytes);
  return serializeSession({ ...session, receivedAt: session.receivedAt - 300_000 });
}
