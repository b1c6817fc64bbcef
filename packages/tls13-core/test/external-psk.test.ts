import { describe, expect, it } from 'vitest';
import type { Psk, PskToImport } from '../src/config/index.js';
import { nobleProvider as noble } from '../src/crypto/noble.js';
import { createClientEngine, createServerEngine } from '../src/engine/index.js';
import { importPsk, parseImportedIdentity } from '../src/external-psk.js';

const text = (value: string) => new TextEncoder().encode(value);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const source: PskToImport = { externalIdentity: text('psk1'), key: text('ABCD'.repeat(8)), context: text('context1') };

describe('importPsk (RFC 9258 §5.1)', () => {
  it('makes one PSK for each hash, with an identity that names it', () => {
    const [one, two] = importPsk(noble, source);
    expect([one?.hash, two?.hash, one?.key.length, two?.key.length]).toEqual(['sha256', 'sha384', 32, 48]);
    // ImportedIdentity: external_identity<1..2^16-1>, context<0..2^16-1>, target_protocol, target_kdf.
    const fields = (kdf: string) => `0004${hex(text('psk1'))}0008${hex(text('context1'))}0304${kdf}`;
    expect([one, two].map((psk) => psk && hex(psk.identity))).toEqual([fields('0001'), fields('0002')]);
  });

  it('has no context unless there is one', () => {
    const [one] = importPsk(noble, { externalIdentity: text('a'), key: source.key }, ['sha256']);
    expect(one && hex(one.identity)).toBe('0001610000' + '03040001');
  });

  it('makes another key of another hash, context, identity or key, and the same of the same', () => {
    const variants: readonly PskToImport[] = [
      source,
      { ...source, hash: 'sha384' },
      { ...source, context: text('context2') },
      { ...source, externalIdentity: text('psk2') },
      { ...source, key: text('EFGH'.repeat(8)) },
    ];
    const keys = variants.flatMap((one) => importPsk(noble, one).map(({ key }) => hex(key)));
    expect(new Set(keys).size).toBe(keys.length);
    expect(importPsk(noble, source)).toEqual(importPsk(noble, source));
  });

  it('is undone, but for the key, by parseImportedIdentity; other bytes are no imported identity', () => {
    const [, two] = importPsk(noble, source);
    const identity = two?.identity ?? text('');
    expect(parseImportedIdentity(identity)).toEqual({
      externalIdentity: source.externalIdentity,
      context: source.context,
      hash: 'sha384',
    });
    const dtls = Uint8Array.from(identity);
    dtls.set([0xfe, 0xfc], identity.length - 4);
    const others = [text('psk1'), identity.subarray(1), Uint8Array.of(...identity, 0), dtls];
    expect(others.map(parseImportedIdentity)).toEqual(others.map(() => undefined));
  });
});

describe('what cannot be a PSK is refused before anything is sent', () => {
  const identity = text('a');
  it.each<[string, Psk, RegExp]>([
    ['a key that could be guessed', { identity, key: new Uint8Array(15) }, /120 bits can be guessed.*128 random bits/],
    ['an empty identity', { identity: text(''), key: source.key }, /identity must be a Uint8Array of 1 to 65535/],
    ['an identity that does not fit', { identity: new Uint8Array(65_536), key: source.key }, /1 to 65535 bytes/],
    ['an empty external identity', { ...source, externalIdentity: text('') }, /externalIdentity must be/],
    ['a context that does not fit', { ...source, context: new Uint8Array(65_000) }, /context must be/],
  ])('%s', (_what, psk, message) => {
    expect(() => createClientEngine({ provider: noble, psks: [psk] })).toThrow(message);
    expect(() => createServerEngine({ provider: noble, psks: [psk] })).toThrow(message);
    expect(() => createClientEngine({ provider: noble, psks: [psk] })).toThrow(/psks\[0\]/);
  });

  it('two of one identity, no mode, nobody to believe, nothing to show', () => {
    const psk = { identity, key: source.key };
    expect(() => createServerEngine({ provider: noble, psks: [psk, psk] })).toThrow(/psks\[1\] has the identity/);
    const modes = { provider: noble, psks: [psk], pskKeyExchangeModes: [] };
    expect(() => createClientEngine(modes)).toThrow(/pskKeyExchangeModes must not be empty/);
    expect(() => createClientEngine({ provider: noble })).toThrow(/verifyPeer must be a function/);
    expect(() => createServerEngine({ provider: noble })).toThrow(/credentials must hold at least one.*psks/);
    expect(() => createServerEngine({ provider: noble, psks: [] })).toThrow(/credentials must hold/);
  });
});
