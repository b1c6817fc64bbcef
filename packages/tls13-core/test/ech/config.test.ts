// ECHConfig and ECHConfigList (RFC 9849 §4): what a client takes and passes over, what a server promises, what is refused.
import { describe, expect, it } from 'vitest';
import { TlsError } from '../../src/alert.js';
import { concat } from '../../src/bytes.js';
import { isPublicName, selectEchConfig } from '../../src/ech/config.js';
import { describeEchConfigs } from '../../src/ech/describe.js';
import { generateEchConfig } from '../../src/ech/generate.js';
import { createEchKeys } from '../../src/ech/keys.js';
import { clientSettings, serverSettings } from '../../src/settings/index.js';
import {
  decodeEchConfig,
  decodeEchConfigList,
  type EchConfigContents,
  encodeEchConfig,
  encodeEchConfigList,
} from '../../src/wire/ech.js';
import { clientConfig, serverConfig } from '../engine/support/pair.js';
import { keys, newKey, provider } from './support.js';

const good = newKey();
const contents = contentsOf(good.config);
const otherVersion = Uint8Array.of(0xfe, 0x0a, 0, 3, 1, 2, 3);

function contentsOf(config: Uint8Array): EchConfigContents {
  const decoded = decodeEchConfig(config).contents;
  if (decoded === undefined) throw new Error('another version');
  return decoded;
}

const changed = (change: Partial<EchConfigContents>) => encodeEchConfig({ ...contents, ...change });
const unusable = {
  'another version': otherVersion,
  'an unknown KEM': changed({ kem: 0x6666, publicKey: Uint8Array.of(1, 2, 3) }),
  'unknown cipher suites': changed({ cipherSuites: [{ kdf: 0x1111, aead: 0x2222 }] }),
  'a mandatory extension': changed({ extensions: [{ type: 0x8001, data: new Uint8Array(0) }] }),
  'a public_name that is an address': changed({ publicName: '192.0.2.1' }),
  'a public_name with an underscore': changed({ publicName: 'under_score.example' }),
} as const;

describe('an ECHConfigList', () => {
  it('is read as it was written', () => {
    const list = encodeEchConfigList([otherVersion, good.config]);
    const [first, second, ...others] = decodeEchConfigList(list);
    expect(others).toEqual([]);
    expect(first).toEqual({ version: 0xfe0a, contents: undefined, bytes: otherVersion });
    expect(second?.bytes).toEqual(good.config);
    expect(second?.contents).toMatchObject({ configId: 7, publicName: 'public.example', maximumNameLength: 64 });
    expect(describeEchConfigs(list).map(({ publicName, config }) => [publicName, config.length])).toEqual([
      [undefined, otherVersion.length],
      ['public.example', good.config.length],
    ]);
  });

  it.each(Object.entries(unusable))('%s is passed over', (_name, config) => {
    expect(selectEchConfig(encodeEchConfigList([config]), provider)).toBeUndefined();
    expect(selectEchConfig(encodeEchConfigList([config, good.config]), provider)?.bytes).toEqual(good.config);
  });

  it('may have extensions that need not be understood', () => {
    const config = changed({ extensions: [{ type: 0x1a1a, data: Uint8Array.of(1) }] });
    expect(selectEchConfig(encodeEchConfigList([config]), provider)?.bytes).toEqual(config);
  });

  it('the first suite of the config that the provider has is taken', () => {
    const config = changed({
      cipherSuites: [
        { kdf: 0x1111, aead: 1 },
        { kdf: 1, aead: 0x2222 },
        { kdf: 1, aead: 3 },
        { kdf: 1, aead: 1 },
      ],
    });
    expect(selectEchConfig(encodeEchConfigList([config]), provider)?.suite.aead).toBe('ChaCha20Poly1305');
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['an empty list', Uint8Array.of(0, 0)],
    ['a list that is cut off', good.configList.subarray(0, -1)],
    ['something behind the list', concat(good.configList, Uint8Array.of(0))],
    ['a config alone', good.config],
    ['contents that are cut off', encodeEchConfigList([Uint8Array.of(0xfe, 0x0d, 0, 1, 7)])],
    ['a config without a public name', encodeEchConfigList([emptyPublicName()])],
  ])('is not %s', (_name, list) => {
    expect(() => selectEchConfig(list, provider)).toThrow(TlsError);
    expect(() => clientSettings(clientConfig(provider, { ech: { configs: list } }))).toThrow(
      /ech\.configs is not an ECHConfigList/,
    );
  });
});

/** The last fields of a generated config are the name, and two bytes for no extensions. */
function emptyPublicName(): Uint8Array {
  const whole = good.config.slice(0, good.config.length - 2 - 'public.example'.length - 1);
  const config = concat(whole, Uint8Array.of(0, 0, 0));
  config.set([(config.length - 4) >> 8, (config.length - 4) & 0xff], 2);
  return config;
}

describe('a public name (§6.1.7)', () => {
  it.each(['example', 'a.b', 'xn--bcher-kva.example', '1and1.example', '0x.example', 'a'.repeat(63), '1a'])(
    '%s is one',
    (name) => expect(isPublicName(name)).toBe(true),
  );

  it.each(
    [
      '',
      '.',
      'a.',
      '.a',
      'a..b',
      '-a.b',
      'a-.b',
      'a_b.c',
      'a b',
      '127.0.0.1',
      '1',
      'a.1',
      'a.0x',
      'a.0X1f',
      '0x7f000001',
    ].concat(['a'.repeat(64), 'ä.example', 'a\u0000.example', '[::1]']),
  )('%j is none', (name) => expect(isPublicName(name)).toBe(false));
});

describe('generateEchConfig', () => {
  it('makes a key that goes with its config', () => {
    const key = generateEchConfig(provider, { publicName: 'cover.example', configId: 3, maximumNameLength: 0 });
    expect(contentsOf(key.config)).toMatchObject({ configId: 3, publicName: 'cover.example', maximumNameLength: 0 });
    expect(keys(key).retryConfigs).toEqual(key.configList);
    expect(newKey().privateKey).not.toEqual(newKey().privateKey);
  });

  it('refuses what cannot be published', () => {
    expect(() => generateEchConfig(provider, { publicName: '10.0.0.1' })).toThrow(/publicName/);
    expect(() => generateEchConfig(provider, { publicName: 'a'.repeat(300) })).toThrow(TypeError);
    expect(() => generateEchConfig(provider, { publicName: 'a.b', configId: 256 })).toThrow(/configId/);
    expect(() => generateEchConfig(provider, { publicName: 'a.b', maximumNameLength: -1 })).toThrow(
      /maximumNameLength/,
    );
  });
});

describe('createEchKeys', () => {
  it('tells of the configs that are for retries', () => {
    const [one, two, three] = [newKey(1), newKey(2), newKey(3)];
    const set = keys({ ...one, retry: false }, two, three);
    expect(set.retryConfigs).toEqual(encodeEchConfigList([two.config, three.config]));
    set.replace([three, { ...two, retry: false }]);
    expect(set.retryConfigs).toEqual(three.configList);
  });

  it.each([
    ['no key for retries', () => keys({ ...good, retry: false }), /retry/],
    ['no key at all', () => keys(), /retry/],
    ['another key', () => keys({ ...good, privateKey: newKey().privateKey }), /does not go with/],
    ['a key of another length', () => keys({ ...good, privateKey: new Uint8Array(31) }), /not a private key/],
    ['a list for a config', () => keys({ ...good, config: good.configList }), /not one ECHConfig|of version/],
    ['another version', () => keys({ ...good, config: otherVersion }), /of version 0xfe0a/],
    ['a suite that is not there', () => keys({ ...good, config: unusable['unknown cipher suites'] }), /promises/],
    ['a KEM that is not there', () => keys({ ...good, config: unusable['an unknown KEM'] }), /promises/],
    ['a mandatory extension', () => keys({ ...good, config: unusable['a mandatory extension'] }), /extension 0x8001/],
    ['an extension that means something', () => keys({ ...good, config: withExtension(0x0102) }), /extension 0x102/],
    ['a public name that is none', () => keys({ ...good, config: changed({ publicName: '1.2.3.4' }) }), /public_name/],
  ])('refuses %s', (_name, create, message) => {
    expect(create).toThrow(TypeError);
    expect(create).toThrow(message);
  });

  it('takes reserved extensions, with which servers keep clients honest', () => {
    expect(() => keys({ ...good, config: withExtension(0x3a3a) })).not.toThrow();
  });

  it('takes P-256 and P-384 keys', () => {
    for (const [group, kem, length] of [
      ['secp256r1', 0x10, 32],
      ['secp384r1', 0x11, 48],
    ] as const) {
      const privateKey = new Uint8Array(length).fill(5);
      const publicKey = provider.importKeyShare(group, privateKey).keyExchange;
      const config = changed({ kem, publicKey });
      expect(createEchKeys(provider, [{ config, privateKey }]).retryConfigs).toEqual(encodeEchConfigList([config]));
    }
  });
});

function withExtension(type: number): Uint8Array {
  return changed({ extensions: [{ type, data: new Uint8Array(0) }] });
}

describe('the options', () => {
  it('a client may insist on ECH', () => {
    const none = encodeEchConfigList([otherVersion]);
    expect(() => clientSettings(clientConfig(provider, { ech: { required: true } }))).toThrow(/ech\.required/);
    expect(() => clientSettings(clientConfig(provider, { ech: { required: true, configs: none } }))).toThrow(
      /ech\.required/,
    );
    expect(clientSettings(clientConfig(provider, { ech: { configs: none } })).ech?.config).toBeUndefined();
    expect(
      clientSettings(clientConfig(provider, { ech: { required: true, configs: good.configList } })).ech?.config?.bytes,
    ).toEqual(good.config);
  });

  it('keys of a server come from createEchKeys', () => {
    const forged = { retryConfigs: good.configList, replace: () => undefined };
    expect(() => serverSettings(serverConfig(provider, { ech: { keys: forged } }))).toThrow(/createEchKeys/);
  });
});
