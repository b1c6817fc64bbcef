// Connections that a pre-shared key authenticates, in both key exchange modes: the kernel protects them like any other.
import { describe, expect, it } from 'vitest';
import { pair, readBytes, write } from './support/connections.js';
import { bytesOf } from './support/files.js';
import { countTlsStat } from './support/kernel.js';

const psks = [{ identity: Buffer.from('meter'), key: Buffer.alloc(32, 5) }];
const message = bytesOf(40_000);

describe.each([['psk_dhe_ke'], ['psk_ke']] as const)('%s', (mode) => {
  it('goes through the kernel both ways', async () => {
    const options = { psks, pskKeyExchangeModes: [mode], offload: 'both' } as const;
    const risen = countTlsStat();
    const { client, server } = await pair({ client: options, server: options });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      const [content] = await Promise.all([readBytes(to, message.length), write(from, message)]);
      expect(content.equals(message)).toBe(true);
    }
    for (const connection of [client, server]) {
      expect(connection.info).toMatchObject({ authentication: 'psk', peerCertificates: [] });
      expect(connection.offload).toMatchObject({ send: { where: 'kernel' }, receive: { where: 'kernel' } });
    }
    expect([risen('TlsTxSw'), risen('TlsRxSw'), risen('TlsDecryptError')]).toEqual([2, 2, 0]);
  });
});
