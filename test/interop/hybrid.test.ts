/** X25519MLKEM768, its sisters and everything else of OpenSSL 3.5, in the node:tls of newer Nodes, both roles. */
import { beforeAll, describe, expect, it } from 'vitest';
import { provideNode } from '../../scripts/lib/nodes.mjs';
import { serverIdentity, trusted } from './identities.js';
import { dial, listen, type ProviderName, provider, receive } from './ours.js';
import { connectionOf, nodeClient, nodeServer } from './peers/node-program.js';
import { payload } from './peers/program.js';

/** The first whose OpenSSL has the group, and the newest. */
const majors = [24, 26] as const;
const group = 'X25519MLKEM768';
const cases = majors.flatMap((major) => (['native', 'noble'] as const).map((name) => ({ major, name })));

const { pem, keyPem } = serverIdentity('p256');

// Where they are not there yet they are fetched.
beforeAll(async () => {
  for (const major of majors) await provideNode(major);
}, 300_000);

describe.each(cases)('$name and Node $major', ({ major, name }) => {
  it('our server prefers it', async () => {
    await asServer(major, name, { ecdhCurve: [group, 'x25519'] }, undefined, false);
  });

  it('our server asks for it', async () => {
    await asServer(major, name, { ecdhCurve: [group] }, `P-256:${group}`, true);
  });

  it('our client uses it', async () => {
    const connection = await asClient(major, name, { keyShares: [group] }, group);
    expect(connection.info).toMatchObject({ group, helloRetryRequest: false });
  });

  it('our client is asked for it', async () => {
    const connection = await asClient(major, name, { ecdhCurve: ['x25519', group] }, group);
    expect(connection.info).toMatchObject({ group, helloRetryRequest: true });
  });

  it('our client offers it beside others and gets another', async () => {
    const options = { ecdhCurve: [group, 'x25519'], keyShares: [group, 'x25519'] as const };
    const connection = await asClient(major, name, options, 'X25519');
    expect(connection.info).toMatchObject({ group: 'x25519', helloRetryRequest: false });
  });
});

const others = ['SecP256r1MLKEM768', 'SecP384r1MLKEM1024', 'x448'] as const;

describe.each(['native', 'noble'] as const)('%s and Node 24', (name) => {
  it.each(others)('%s, both roles', async (only) => {
    const theirs = only === 'x448' ? 'X448' : only;
    await asServer(24, name, { ecdhCurve: [only] }, theirs, false, only);
    const connection = await asClient(24, name, { ecdhCurve: [only] }, theirs);
    expect(connection.info).toMatchObject({ group: only, helloRetryRequest: false });
  });
});

async function asServer(
  major: number,
  name: ProviderName,
  options: { ecdhCurve?: string[] },
  ecdhCurve: string | undefined,
  retried: boolean,
  expected: string = group,
): Promise<void> {
  const ours = await listen({ ...provider(name), ...options });
  const address = { host: '127.0.0.1', port: ours.port, servername: 'localhost' };
  const peer = await nodeClient(major, {
    ...address,
    ca: trusted.pem,
    ...(ecdhCurve === undefined ? {} : { ecdhCurve }),
  });
  const connection = await ours.next();
  expect(connection.info).toMatchObject({ group: expected, helloRetryRequest: retried });
  const { exported } = await connectionOf(peer);
  expect(connection.exportKeyingMaterial(32, 'EXPORTER-interop').toString('hex')).toBe(exported);
  peer.write(payload(40_000));
  expect((await receive(connection, 40_000)).equals(payload(40_000))).toBe(true);
  connection.write(payload(40_000));
  expect((await peer.take(40_000)).equals(payload(40_000))).toBe(true);
}

async function asClient(major: number, name: ProviderName, options: Parameters<typeof dial>[1], ecdhCurve: string) {
  const { port, program } = await nodeServer(major, { cert: pem, key: keyPem, ecdhCurve });
  const connection = await dial(port, { ...provider(name), ...options });
  const { exported } = await connectionOf(program);
  expect(connection.exportKeyingMaterial(32, 'EXPORTER-interop').toString('hex')).toBe(exported);
  connection.write(payload(40_000));
  expect((await receive(connection, 40_000)).equals(payload(40_000))).toBe(true);
  return connection;
}
