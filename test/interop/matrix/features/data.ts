/** Records, keys and the end of a connection. */
import type { TlsConnection } from 'tls13-server';
import { expect } from 'vitest';
import { failure } from '../../ours.js';
import { payload } from '../../peers/program.js';
import { exchange } from '../exchange.js';
import { both, type Feature, simple } from './feature.js';

const group = 'Records and keys';

export const data: readonly Feature[] = [
  {
    id: 'large',
    title: 'A quarter of a megabyte each way',
    group,
    ...both(async (cell) => cell.check(await cell.connect(), {}, {}, 1 << 18)),
  },
  {
    id: 'small-records',
    title: 'Records of 512 bytes, ours',
    group,
    ...both(async (cell) => cell.check(await cell.connect({}, { maxSendFragment: 512 }), {}, {}, 50_000)),
  },
  {
    id: 'their-small-records',
    title: 'Records of 512 bytes, theirs',
    group,
    ...both(async (cell) => cell.check(await cell.connect({ fragment: 512 }), {}, {}, 50_000)),
  },
  { id: 'their-padding', title: 'Padded records, theirs', group, ...both(simple({ theirs: { padding: 4096 } })) },
  {
    id: 'record-size-limit',
    title: 'record_size_limit (RFC 8449)',
    group,
    ...both(async (cell) => {
      const pair = await cell.connect({ recordSizeLimit: 1024 }, { recordSizeLimit: 700 });
      expect(pair.connection.info?.recordSizeLimit?.receive).toBe(700);
      await cell.check(pair, {}, {}, 600);
      if (pair.link.service !== 'pipe') return;
      pair.connection.write(payload(5000, 6));
      expect((await pair.link.program.take(5000)).equals(payload(5000, 6))).toBe(true);
    }),
  },
  {
    id: 'our-padding',
    title: 'Padded records, ours',
    group,
    ...both(simple({ ours: { padding: { multiple: 512 } } })),
  },
  {
    id: 'dynamic-records',
    title: 'Records that begin small and grow, ours',
    group,
    ...both(async (cell) => {
      const ours = { dynamicRecordSizing: { initial: 1369, after: 10_000 } };
      await cell.check(await cell.connect({}, ours), {}, {}, 50_000);
    }),
  },
  {
    id: 'key-update',
    title: 'KeyUpdate from the peer',
    group,
    ...both(async (cell) => {
      const { connection, link } = await cell.connect();
      await link.said(1);
      const received = updated(connection, 'receive');
      if (link.updateKeys === undefined) throw new Error('it cannot be told to');
      link.updateKeys(false);
      await received;
      await exchange(connection, link, cell.role);
    }),
  },
  {
    id: 'key-update-requested',
    title: 'KeyUpdate from the peer that asks for ours',
    group,
    ...both(async (cell) => {
      const { connection, link } = await cell.connect();
      await link.said(1);
      const both = [updated(connection, 'receive'), updated(connection, 'send')];
      if (link.updateKeys === undefined) throw new Error('it cannot be told to');
      link.updateKeys(true);
      await both[0];
      await exchange(connection, link, cell.role);
      await both[1];
      await exchange(connection, link, cell.role);
    }),
  },
  {
    id: 'our-key-update',
    title: 'KeyUpdate from us that asks for the peer’s',
    group,
    ...both(async (cell) => {
      const { connection, link } = await cell.connect();
      await exchange(connection, link, cell.role);
      const received = updated(connection, 'receive');
      connection.updateKeys({ requestPeer: true });
      // It answers with what it sends after it has read the request.
      await exchange(connection, link, cell.role);
      await exchange(connection, link, cell.role);
      await received;
    }),
  },
  {
    id: 'peer-closes',
    title: 'close_notify from the peer',
    group,
    ...both(async (cell) => {
      const { connection, link } = await cell.connect();
      await exchange(connection, link, cell.role);
      if (link.close === undefined) throw new Error('it cannot be told to');
      link.close();
      // Without close_notify the connection would fail with ERR_TLS_TRUNCATED.
      await expect(failure(connection)).rejects.toThrow('the connection ended well');
    }),
  },
];

/** Its next change of a key. */
function updated(connection: TlsConnection, which: 'receive' | 'send'): Promise<void> {
  return new Promise((resolve) => {
    connection.on('keyUpdate', ({ direction }: { direction: string }) => {
      if (direction === which) resolve();
    });
  });
}
