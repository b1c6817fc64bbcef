/** record_size_limit (RFC 8449) with GnuTLS, which speaks it, and padded and small records with those who must open them. */
import { describe, expect, it } from 'vitest';
import { serverIdentity } from './identities.js';
import { dial, listen, receive } from './ours.js';
import { gnutlsCli, gnutlsServ } from './peers/gnutls.js';
import { sClient, sServer } from './peers/openssl.js';
import { payload } from './peers/program.js';

const identity = serverIdentity('p256').files;
const anonymous = ['--disable-client-cert'];

describe('record_size_limit with GnuTLS', () => {
  it('our client asks for small records and gets them', async () => {
    const { port } = await gnutlsServ({ identity, more: anonymous });
    const connection = await dial(port, { recordSizeLimit: 513 });
    expect(connection.info?.recordSizeLimit).toMatchObject({ receive: 513 });
    const line = `${'a'.repeat(3000)}\n`;
    connection.write(line);
    expect((await receive(connection, line.length)).toString()).toBe(line);
  });

  it('our client keeps to the limit of a server that takes little', async () => {
    const { port } = await gnutlsServ({ identity, more: [...anonymous, '--recordsize', '1024'] });
    const connection = await dial(port, { recordSizeLimit: 16_385 });
    expect(connection.info?.recordSizeLimit?.send).toBeLessThan(16_385);
    const line = `${'b'.repeat(3000)}\n`;
    connection.write(line);
    expect((await receive(connection, line.length)).toString()).toBe(line);
  });

  it.each([{}, { recordSizeLimit: 600 }])('our server keeps to the limit of a client, %j', async (options) => {
    const ours = await listen(options);
    const program = gnutlsCli(ours.port, { more: ['--recordsize', '1024'] });
    const connection = await ours.next();
    expect(connection.info?.recordSizeLimit).toMatchObject({ receive: options.recordSizeLimit ?? 16_385 });
    expect(connection.info?.recordSizeLimit?.send).toBeLessThan(1100);
    connection.write(`${'c'.repeat(5000)}\n`);
    await program.until(/c{5000}\n/);
  });
});

describe('padded and small records with OpenSSL', () => {
  const options = { padding: { random: 300 }, dynamicRecordSizing: { initial: 1369 } } as const;

  it('our server', async () => {
    const ours = await listen(options);
    const program = sClient(ours.port, { more: ['-quiet'] });
    const connection = await ours.next();
    expect(connection.offload.send).toMatchObject({ where: 'user' });
    connection.write(payload(200_000));
    expect((await program.take(200_000)).equals(payload(200_000))).toBe(true);
  });

  it('our client', async () => {
    const { port, program } = await sServer({ identity });
    const connection = await dial(port, { ...options, padding: { multiple: 512 } });
    connection.write(`${'d'.repeat(50_000)}\n`);
    await program.until(/d{50000}\n/);
  });
});
