/** The key schedule's doors, the transcript as a value, exporters and key updates. */
import { hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat } from '../../src/bytes.js';
import { hkdfExpand, hkdfExpandLabel, hkdfExtract } from '../../src/crypto/hkdf.js';
import { nobleProvider } from '../../src/crypto/noble.js';
import { asSecret, EarlySecret, exportKeyingMaterial, nextTrafficSecret } from '../../src/keys/schedule.js';
import { Transcript } from '../../src/keys/transcript.js';

const sha256 = nobleProvider.hash('sha256');
const sha384 = nobleProvider.hash('sha384');
const noBytes = new Uint8Array(0);

describe.each([sha256, sha384])('HKDF with $name', (hash) => {
  it('extracts and expands as node:crypto does', () => {
    const bytes = fc.uint8Array({ maxLength: 100 });
    fc.assert(
      fc.property(bytes, bytes, bytes, fc.integer({ min: 1, max: 300 }), (salt, ikm, info, length) => {
        const expected = new Uint8Array(hkdfSync(hash.name, ikm, salt, info, length));
        expect(hkdfExpand(hash, hkdfExtract(hash, salt, ikm), info, length)).toEqual(expected);
      }),
    );
  });

  it('builds HkdfLabel as §7.1 has it', () => {
    const secret = new Uint8Array(hash.length).fill(5);
    const context = Uint8Array.of(1, 2, 3);
    const info = concat(Uint8Array.of(0, 42, 9), new TextEncoder().encode('tls13 key'), Uint8Array.of(3), context);
    expect(hkdfExpandLabel(hash, secret, 'key', context, 42)).toEqual(hkdfExpand(hash, secret, info, 42));
  });

  it('refuses what does not fit', () => {
    const secret = new Uint8Array(hash.length);
    expect(() => hkdfExpandLabel(hash, secret, 'x'.repeat(250), noBytes, 1)).toThrow(RangeError);
    expect(() => hkdfExpandLabel(hash, secret, 'naïve', noBytes, 1)).toThrow(RangeError);
    expect(() => hkdfExpandLabel(hash, secret, 'x', new Uint8Array(256), 1)).toThrow(RangeError);
    expect(() => hkdfExpandLabel(hash, secret, 'x', noBytes, 1.5)).toThrow(RangeError);
    expect(() => hkdfExpandLabel(hash, secret, 'x', noBytes, 255 * hash.length + 1)).toThrow(RangeError);
    expect(hkdfExpandLabel(hash, secret, 'x'.repeat(249), new Uint8Array(255), 255 * hash.length)).toHaveLength(
      255 * hash.length,
    );
  });
});

describe('the key schedule', () => {
  it('takes no PSK and no shared secret as zeros', () => {
    const zeros = new Uint8Array(sha384.length);
    const [first, second] = [EarlySecret.from(sha384), EarlySecret.from(sha384, zeros)];
    expect(first.binderKey('ext')).toEqual(second.binderKey('ext'));
    expect(first.binderKey('ext')).not.toEqual(first.binderKey('res'));
    const handshakes = [first.handshake(undefined), second.handshake(zeros)];
    expect(handshakes[0]?.clientTraffic(zeros)).toEqual(handshakes[1]?.clientTraffic(zeros));
    expect(handshakes[0]?.main().exporter(zeros)).toEqual(handshakes[1]?.main().exporter(zeros));
  });

  it('refuses to derive from a secret that it has wiped, and leaves the caller its PSK', () => {
    const psk = new Uint8Array(32).fill(8);
    const early = EarlySecret.from(sha256, psk);
    const handshake = early.handshake(new Uint8Array(32).fill(9));
    expect(psk).toEqual(new Uint8Array(32).fill(8));
    expect(() => early.earlyExporter(psk)).toThrow(TypeError);
    expect(() => early.handshake(undefined)).toThrow(TypeError);
    const main = handshake.main();
    expect(() => handshake.serverTraffic(psk)).toThrow(TypeError);
    const resumption = main.resumption(psk);
    main.destroy();
    expect(() => main.resumption(psk)).toThrow(TypeError);
    expect(resumption.some((byte) => byte !== 0)).toBe(true);
    const unused = EarlySecret.from(sha256);
    unused.destroy();
    expect(() => unused.binderKey('res')).toThrow(TypeError);
  });

  it('gives each purpose a secret of its own', () => {
    const digest = new Uint8Array(32).fill(1);
    const early = EarlySecret.from(sha256, new Uint8Array(32).fill(2));
    const secrets = [early.binderKey('res'), early.binderKey('ext'), early.clientEarlyTraffic(digest)];
    secrets.push(early.earlyExporter(digest));
    const handshake = early.handshake(new Uint8Array(32).fill(3));
    secrets.push(handshake.clientTraffic(digest), handshake.serverTraffic(digest));
    const main = handshake.main();
    secrets.push(
      main.clientTraffic(digest),
      main.serverTraffic(digest),
      main.exporter(digest),
      main.resumption(digest),
    );
    expect(new Set(secrets.map((secret) => Buffer.from(secret).toString('hex'))).size).toBe(10);
  });

  it('updates traffic secrets with "traffic upd" (§7.2)', () => {
    const secret = asSecret(new Uint8Array(32).fill(4));
    expect(nextTrafficSecret(sha256, secret)).toEqual(hkdfExpandLabel(sha256, secret, 'traffic upd', noBytes, 32));
    expect(secret).toEqual(new Uint8Array(32).fill(4));
  });

  it('exports keying material (§7.5): no context is the same as an empty one', () => {
    const secret = asSecret(new Uint8Array(32).fill(6));
    const emptyHash = sha256.digest(noBytes);
    const inner = hkdfExpandLabel(sha256, secret, 'EXPORTER-test', emptyHash, 32);
    const context = Uint8Array.of(1, 2);
    const expected = hkdfExpandLabel(sha256, inner, 'exporter', sha256.digest(context), 50);
    expect(exportKeyingMaterial(sha256, secret, 'EXPORTER-test', context, 50)).toEqual(expected);
    expect(exportKeyingMaterial(sha256, secret, 'EXPORTER-test', noBytes, 50)).not.toEqual(expected);
    expect(() => exportKeyingMaterial(sha256, secret, 'EXPORTER-test', noBytes, 70_000)).toThrow(RangeError);
  });

  it('exports under an empty label too, as every other implementation does', () => {
    const secret = asSecret(new Uint8Array(32).fill(6));
    const inner = hkdfExpandLabel(sha256, secret, '', sha256.digest(noBytes), 32);
    const expected = hkdfExpandLabel(sha256, inner, 'exporter', sha256.digest(noBytes), 20);
    expect(exportKeyingMaterial(sha256, secret, '', noBytes, 20)).toEqual(expected);
  });
});

describe('Transcript', () => {
  it('is a value: what is appended to one does not show in the other', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 90 }), { maxLength: 8 }), (messages) => {
        const all = [Transcript.start(sha384)];
        for (const message of messages) all.push((all.at(-1) ?? Transcript.start(sha384)).append(message));
        // A branch off every one, before any digest is asked for.
        const branches = all.map((transcript) => transcript.append(Uint8Array.of(0xff)));
        for (const [index, transcript] of all.entries()) {
          const bytes = concat(...messages.slice(0, index));
          expect(transcript.digest()).toEqual(sha384.digest(bytes));
          expect(branches[index]?.digest()).toEqual(sha384.digest(concat(bytes, Uint8Array.of(0xff))));
        }
      }),
    );
  });

  it('replaces ClientHello1 by message_hash, from the transcript or from a cookie (§4.1)', () => {
    const clientHello1 = new Uint8Array(200).fill(1);
    const digest = sha256.digest(clientHello1);
    const replaced = Transcript.start(sha256).append(clientHello1).messageHash();
    expect(replaced.digest()).toEqual(sha256.digest(concat(Uint8Array.of(254, 0, 0, 32), digest)));
    const fromCookie = Transcript.fromClientHello1Hash(sha256, digest);
    expect(fromCookie.append(clientHello1).digest()).toEqual(replaced.append(clientHello1).digest());
    expect(() => Transcript.fromClientHello1Hash(sha384, digest)).toThrow(RangeError);
  });
});
