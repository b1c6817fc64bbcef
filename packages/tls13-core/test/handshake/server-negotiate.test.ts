import { describe, expect, it } from 'vitest';
import { nobleProvider } from '../../src/crypto/noble.js';
import { cipherSuite } from '../../src/crypto/suites.js';
import { chooseAlpnProtocol, chooseGroup, commonCipherSuites, orderGroups } from '../../src/handshake/negotiate.js';
import { namedGroups } from '../../src/registry.js';
import { serverSettings } from '../../src/settings/index.js';

const alert = (name: string) => expect.objectContaining({ name: 'TlsError', alert: name });

describe('cipher suites', () => {
  const ours = (['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256'] as const).map(cipherSuite);

  it("are those of both sides, in the server's order", () => {
    expect(commonCipherSuites(ours, [0x0a0a, 0x1303, 0x1301, 0x1302]).map(({ name }) => name)).toEqual([
      'TLS_AES_256_GCM_SHA384',
      'TLS_AES_128_GCM_SHA256',
    ]);
  });

  it('begin with ChaCha20-Poly1305 where that is wanted, for a client that puts it first of those in common', () => {
    const all = (['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'] as const).map(
      cipherSuite,
    );
    const first = (offered: readonly number[], prioritize: boolean) =>
      commonCipherSuites(all, offered, prioritize)[0].code;
    expect(first([0x0a0a, 0x1303, 0x1301], true)).toBe(0x1303);
    expect(first([0x1302, 0x1303, 0x1301], true)).toBe(0x1301);
    expect(first([0x1303, 0x1301], false)).toBe(0x1301);
  });

  it('without any in common are a handshake_failure, which says what was seen and wanted (§4.2.1)', () => {
    expect(() => commonCipherSuites(ours, [0x1303, 0xc02f])).toThrow(alert('handshake_failure'));
    expect(() => commonCipherSuites(ours, [0x1303, 0xc02f])).toThrow(
      /TLS_CHACHA20_POLY1305_SHA256, 0xc02f; wanted is one of TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256/,
    );
    const thousands = Array.from({ length: 30_000 }, (_, index) => index + 0x2000);
    expect(() => commonCipherSuites(ours, thousands)).toThrow(/^.{0,400}and 29984 more.{0,200}$/);
  });
});

describe('the group', () => {
  const { x25519, secp256r1, secp384r1 } = namedGroups;
  const ours = ['X25519MLKEM768', 'x25519', 'secp256r1'] as const;
  const share = (group: number) => ({ group, keyExchange: Uint8Array.of(group & 0xff) });

  it("is the server's best that there is a share for", () => {
    expect(chooseGroup(ours, [secp256r1, x25519], [share(secp256r1), share(x25519)])).toEqual({
      group: 'x25519',
      keyExchange: Uint8Array.of(x25519),
    });
  });

  it('with a share wins over a better one without, for the sake of the round trip', () => {
    const offered = [namedGroups.X25519MLKEM768, x25519, secp256r1];
    expect(chooseGroup(ours, offered, [share(secp256r1)])).toMatchObject({ group: 'secp256r1' });
  });

  it('with a share does not win over a better one where the server insists', () => {
    const offered = [namedGroups.X25519MLKEM768, x25519, secp256r1];
    expect(chooseGroup(ours, offered, [share(secp256r1)], true)).toBe('X25519MLKEM768');
    expect(chooseGroup(ours, offered, [share(offered[0] ?? 0)], true)).toMatchObject({ group: 'X25519MLKEM768' });
    expect(chooseGroup(ours, [secp256r1], [share(secp256r1)], true)).toMatchObject({ group: 'secp256r1' });
  });

  it("is asked for when there is no share: the server's best that the client has", () => {
    expect(chooseGroup(ours, [secp384r1, secp256r1, x25519], [share(secp384r1)])).toBe('x25519');
  });

  it('is a handshake_failure when there is none in common (§4.2.1)', () => {
    expect(() => chooseGroup(ours, [secp384r1], [share(secp384r1)])).toThrow(alert('handshake_failure'));
    expect(() => chooseGroup(ours, [], [])).toThrow(alert('handshake_failure'));
  });
});

describe('the protocol (RFC 7301)', () => {
  it("is the server's best that the client offers", () => {
    expect(chooseAlpnProtocol(['h2', 'http/1.1'], ['http/1.1', 'h2'])).toBe('h2');
  });

  it('is none when either side has none', () => {
    expect(chooseAlpnProtocol([], ['h2'])).toBeUndefined();
    expect(chooseAlpnProtocol(['h2'], [])).toBeUndefined();
  });

  it('is a no_application_protocol when there is none in common (§3.2)', () => {
    expect(() => chooseAlpnProtocol(['h2'], ['h3'])).toThrow(alert('no_application_protocol'));
  });
});

describe('orderGroups', () => {
  const ours = ['X25519MLKEM768', 'SecP256r1MLKEM768', 'x25519', 'secp256r1'] as const;
  const { x25519, secp256r1, SecP256r1MLKEM768, X25519MLKEM768 } = namedGroups;

  it('is the order of the server without sets, and lets the client choose within one', () => {
    expect(orderGroups(ours, [], [SecP256r1MLKEM768, X25519MLKEM768])).toEqual(ours);
    const sets = [['X25519MLKEM768', 'SecP256r1MLKEM768'] as const, ['x25519', 'secp256r1'] as const];
    expect(orderGroups(ours, sets, [secp256r1, x25519, SecP256r1MLKEM768, X25519MLKEM768])).toEqual([
      'SecP256r1MLKEM768',
      'X25519MLKEM768',
      'secp256r1',
      'x25519',
    ]);
  });

  it('puts what the client does not have last in its set', () => {
    expect(orderGroups(ours, [['X25519MLKEM768', 'SecP256r1MLKEM768']], [SecP256r1MLKEM768])[0]).toBe(
      'SecP256r1MLKEM768',
    );
  });

  it('wants neighbours (equalGroups)', () => {
    const config = { provider: nobleProvider, credentials: () => undefined, groups: ours };
    expect(() => serverSettings({ ...config, equalGroups: [['X25519MLKEM768', 'x25519']] })).toThrow(/neighbours/);
    expect(() => serverSettings({ ...config, equalGroups: [['secp384r1']] })).toThrow(/secp384r1/);
    expect(serverSettings({ ...config, equalGroups: [['x25519', 'secp256r1']] }).equalGroups).toHaveLength(1);
  });
});

describe('ML-KEM by itself', () => {
  it('is offered and accepted only when it is asked for by name', () => {
    const config = { provider: nobleProvider, credentials: () => undefined };
    expect(serverSettings(config).groups).not.toContain('MLKEM1024');
    expect(serverSettings({ ...config, groups: ['MLKEM1024'] }).groups).toEqual(['MLKEM1024']);
  });
});
