/** Hand-over to a kernel in memory: every policy and reason, what is counted, and that nothing leaves in clear. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { OffloadPolicy } from '../src/index.js';
import { fakePair, secured } from './fake-pair.js';
import { eventually, pattern, readAll, readBytes } from './support.js';

const policies: readonly OffloadPolicy[] = ['auto', 'send', 'both', 'off'];
const suites = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_CCM_SHA256',
] as const;

describe('hand-over', () => {
  for (const server of policies) {
    for (const client of policies) {
      it(`carries data with ${server} on the server and ${client} on the client`, async () => {
        const pair = await secured({
          server: { offload: server, allowHalfOpen: true },
          client: { offload: client, allowHalfOpen: true },
        });
        for (const [from, to] of [
          [pair.server, pair.client],
          [pair.client, pair.server],
        ] as const) {
          const data = pattern(200_000);
          from.write(data.subarray(0, 1));
          from.write(data.subarray(1, 70_000));
          from.end(data.subarray(70_000));
          expect((await readAll(to)).equals(data)).toBe(true);
        }
        await eventually(() => pair.kernel.openDescriptors === 0, 'both sides closed');
      });
    }
  }

  for (const suite of suites) {
    it(`hands ${suite} over in both directions`, async () => {
      const { server, client } = await secured({
        server: { offload: 'both' },
        client: { offload: 'both', cipherSuites: [suite] },
      });
      client.write('ping');
      expect(String(await readBytes(server, 4))).toBe('ping');
      server.write('pong');
      expect(String(await readBytes(client, 4))).toBe('pong');
      for (const side of [server, client]) {
        expect(side.offload).toEqual({
          send: { where: 'kernel', device: 'software' },
          receive: { where: 'kernel', device: 'software' },
        });
      }
    });
  }

  it('gives a reason for every direction that stays', async () => {
    const reasons = async (options: Parameters<typeof fakePair>[0]) => {
      const { server } = await secured(options);
      return [server.offload.send.reason, server.offload.receive.reason];
    };
    expect(await reasons({ server: { offload: 'off' } })).toEqual(['policy-off', 'policy-off']);
    expect(await reasons({ server: { offload: 'send' } })).toEqual([undefined, 'policy-send-only']);
    expect(await reasons({ abilities: { ulp: false }, server: { offload: 'both' } })).toEqual(['no-ulp', 'no-ulp']);
    expect(
      await reasons({
        server: { offload: 'both', cipherSuites: ['TLS_AES_128_CCM_8_SHA256'] },
        client: { cipherSuites: ['TLS_AES_128_CCM_8_SHA256'] },
      }),
    ).toEqual(['ccm8', 'ccm8']);
    expect(
      await reasons({
        abilities: { refuse: (cipher) => (cipher === 'aes-128-gcm' ? 'ENOENT' : undefined) },
        server: { offload: 'both' },
      }),
    ).toEqual(['cipher-unsupported', 'cipher-unsupported']);
    expect(
      await reasons({
        abilities: { refuse: (_cipher, direction) => (direction === 'send' ? 'ENOENT' : undefined) },
        server: { offload: 'both' },
      }),
    ).toEqual(['cipher-unsupported', undefined]);
    expect(await reasons({ abilities: { maxPayload: false }, server: { maxSendFragment: 1000 } })).toEqual([
      'record-size',
      'policy-send-only',
    ]);
    // The peer's limit counts as the option does (RFC 8449).
    const limited = { client: { recordSizeLimit: 1000 } };
    expect(await reasons({ ...limited, abilities: { maxPayload: false } })).toEqual([
      'record-size',
      'policy-send-only',
    ]);
    expect(await reasons(limited)).toEqual([undefined, 'policy-send-only']);
    const limiting = {
      server: { recordSizeLimit: 1000, offload: 'both' },
      client: { recordSizeLimit: 16_385 },
    } as const;
    expect(await reasons(limiting)).toEqual([undefined, 'record-size-limit']);
    expect(await reasons({ server: { padding: true, offload: 'both' } })).toEqual(['padding', undefined]);
    expect(await reasons({ server: { dynamicRecordSizing: true } })).toEqual([
      'dynamic-record-sizing',
      'policy-send-only',
    ]);
  });

  it('counts directions by where they went', async () => {
    const { telemetry } = await secured({ server: { offload: 'both' }, client: { offload: 'off' } });
    expect(telemetry.offload).toEqual({
      send: { kernel: 1, 'policy-off': 1 },
      receive: { kernel: 1, 'policy-off': 1 },
    });
  });

  it('stays in user space when attaching fails, and loses nothing', async () => {
    const { server, client } = await secured({ server: { prepare: (end) => end.failNext('ulp', 'EEXIST') } });
    expect(server.offload.send).toMatchObject({ where: 'user', reason: 'attach-failed' });
    server.end('all of it');
    expect(String(await readAll(client))).toBe('all of it');
  });

  it('closes, with a code and without one byte in clear, when the kernel refuses keys after attaching', async () => {
    const { server, client, serverEnd, errors, kernel } = fakePair({
      server: { prepare: (end) => end.failNext('crypto', 'EINVAL') },
    });
    client.on('error', () => undefined);
    server.write('a secret that must not leave');
    await once(server, 'close');
    expect(errors).toMatchObject([{ code: 'ERR_TLS_OFFLOAD_FAILED' }]);
    expect(Buffer.from(serverEnd.transmitted).includes('secret')).toBe(false);
    client.destroy();
    await eventually(() => kernel.openDescriptors === 0, 'descriptors closed');
  });
});
