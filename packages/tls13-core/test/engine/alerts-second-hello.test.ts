/** Alert table, what a server refuses of the ClientHello that answers its HelloRetryRequest: §4.2.2, §4.2.4, §4.3.2. */
import { describe, expect, it } from 'vitest';
import type { AlertName } from '../../src/alert.js';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { extensionTypes, signatureSchemes } from '../../src/registry.js';
import { createTicketKeys } from '../../src/ticket-keys.js';
import { asItIs, type Change, extra, withBody } from './support/hand.js';
import { HandClient } from './support/hand-client.js';
import { changed, edited, pskOf, share, withoutExtension } from './support/hello-changes.js';

interface Refusal {
  readonly what: string;
  readonly alert: AlertName;
  readonly first?: Change<'client_hello'>;
  readonly change: Change<'client_hello'>;
}

describe('§4.2.4 the second ClientHello', () => {
  const stateful = { groups: ['secp256r1'] } as const;
  const stateless = { ...stateful, cookies: createTicketKeys(provider) } as const;
  const fresh = () => share(provider, 'secp256r1');

  const cases: readonly Refusal[] = [
    {
      what: 'another random',
      alert: 'illegal_parameter',
      change: (right) => ({ ...right, random: new Uint8Array(32) }),
    },
    {
      what: 'another legacy_session_id',
      alert: 'illegal_parameter',
      change: (right) => ({ ...right, legacySessionId: new Uint8Array(32) }),
    },
    {
      what: 'other cipher suites',
      alert: 'illegal_parameter',
      change: (right) => ({ ...right, cipherSuites: [0x1301, 0x1302] }),
    },
    {
      what: 'other signature algorithms',
      alert: 'illegal_parameter',
      change: changed(() => ({ signatureAlgorithms: [signatureSchemes.ed25519] })),
    },
    {
      what: 'another server_name',
      alert: 'illegal_parameter',
      change: changed(() => ({ serverName: 'other.test' })),
    },
    {
      what: 'another protocol',
      alert: 'illegal_parameter',
      change: changed(() => ({ alpn: ['h2'] })),
    },
    {
      what: 'an unknown extension that was not there',
      alert: 'illegal_parameter',
      change: changed(() => extra(0xfafa, 1)),
    },
    {
      what: 'an unknown extension less',
      alert: 'illegal_parameter',
      first: changed(() => extra(0xfafa, 1)),
      change: asItIs,
    },
    {
      what: '§4.3.8 a share of another group than was asked for',
      alert: 'illegal_parameter',
      change: changed(() => ({ keyShare: [share(provider, 'x25519')] })),
    },
    {
      what: '§4.3.8 the share that was asked for and another one',
      alert: 'illegal_parameter',
      change: changed(() => ({ keyShare: [share(provider, 'x25519'), fresh()] })),
    },
    { what: '§4.3.8 no share', alert: 'illegal_parameter', change: changed(() => ({ keyShare: [] })) },
    {
      what: '§4.3.10 early_data',
      alert: 'illegal_parameter',
      change: changed(() => ({ earlyData: true, preSharedKey: pskOf() })),
    },
    {
      what: '§4.3.11 a PSK that the first did not offer',
      alert: 'illegal_parameter',
      change: changed(() => ({ preSharedKey: pskOf() })),
    },
  ];

  describe.each([
    ['held by the server', stateful],
    ['held in a cookie', stateless],
  ])('state %s', (_where, config) => {
    for (const { what, alert, change, first = asItIs } of cases)
      it(`§4.2.2 ${what}: ${alert}`, () => {
        const client = new HandClient(provider, config).clientHello(first);
        expect(client.retry).toBeDefined();
        client.clientHello(change).expectRefusal(alert);
      });

    it('§4.3 the extensions in another order: taken, as some clients send them so', () => {
      const client = new HandClient(provider, config).clientHello();
      client.clientHello(edited((all) => [...all].reverse())).finished();
      expect(client.end.engine.state).toBe('connected');
    });
  });

  it('§4.3.2 a cookie where none was given: illegal_parameter', () => {
    const client = new HandClient(provider, stateful).clientHello();
    client.clientHello(changed(() => ({ cookie: Uint8Array.of(1) }))).expectRefusal('illegal_parameter');
  });

  it('§4.3.2 without the cookie that was given: missing_extension', () => {
    const client = new HandClient(provider, stateless).clientHello();
    client.clientHello(withoutExtension('cookie')).expectRefusal('missing_extension');
  });

  it('§4.3.2 with the cookie changed in one bit: illegal_parameter', () => {
    const client = new HandClient(provider, stateless).clientHello();
    const flip = (cookie: Uint8Array) => cookie.map((byte, index) => (index === 40 ? byte ^ 1 : byte));
    client.clientHello(edited(withBody(extensionTypes.cookie, flip))).expectRefusal('illegal_parameter');
  });

  it('§4.3.2 with a cookie that is too old: illegal_parameter', () => {
    let now = 1_000_000;
    const client = new HandClient(provider, { ...stateless, now: () => now }).clientHello();
    now += 3_600_000;
    client.clientHello().expectRefusal('illegal_parameter');
  });
});
