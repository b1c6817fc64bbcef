/** tls13-core with the portable provider inside a real browser: both roles in one page, for everything it offers. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { type CipherSuiteName, cipherSuites, type NamedGroupName, namedGroups } from 'tls13-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { curveKey, type Issued, Pki, serverLeaf } from '../../packages/node-crypto/test/pki.js';
import { type Bundle, bundle, launchChromium } from './chromium.js';
import type { PageCase, PageIdentity } from './core-page.js';

const suites = names<CipherSuiteName>(cipherSuites);
const groups = names<NamedGroupName>(namedGroups);
/** Two records and a bit. */
const size = 40_000;

const pki = new Pki();
const identities = {
  p256: identity(pki.issue({ extensions: serverLeaf })),
  p384: identity(pki.issue({ extensions: serverLeaf, key: curveKey('P-384') })),
  p521: identity(pki.issue({ extensions: serverLeaf, key: curveKey('P-521') })),
  ed25519: identity(pki.issue({ extensions: serverLeaf, key: generateKeyPairSync('ed25519').privateKey })),
};
const schemes = {
  p256: 'ecdsa_secp256r1_sha256',
  p384: 'ecdsa_secp384r1_sha384',
  p521: 'ecdsa_secp521r1_sha512',
  ed25519: 'ed25519',
} as const;

let program: Bundle;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  program = await bundle('core-page.ts');
  browser = await launchChromium();
  page = await browser.newPage();
  await page.addScriptTag({ content: program.code });
});

afterAll(async () => {
  pki.remove();
  await browser?.close();
});

describe('the bundle', () => {
  it('holds the core and its libraries, and nothing of Node', async () => {
    expect(program.external).toEqual([]);
    const packages = new Set(program.inputs.map(packageOf));
    packages.delete('test/browser/core-page.ts');
    expect([...packages].filter((name) => !/^(tls13-core|@noble|@peculiar|asn1js|pvtsutils|pvutils|tslib)$/.test(name)))
      // Nothing else: what is new here is downloaded by every page.
      .toEqual(['micro-rsa-dsa-dh']);
    expect(packages).toContain('tls13-core');
    expect(await page.evaluate('[typeof process, typeof Buffer, typeof require]')).toEqual(Array(3).fill('undefined'));
  });
});

describe.each(suites)('%s in the page', (suite) => {
  const cases = groups.flatMap((group) =>
    (['p256', 'ed25519'] as const).map((certificate) => ({ group, certificate })),
  );
  it.each(cases)('$group with a certificate of $certificate', async ({ group, certificate }) => {
    await check({ suite, group, server: identities[certificate], size }, schemes[certificate]);
  });
});

describe('in the page', () => {
  const suite = 'TLS_AES_128_GCM_SHA256';

  it.each(['p384', 'p521'] as const)('a certificate of %s', async (certificate) => {
    await check({ suite, group: 'x25519', server: identities[certificate], size }, schemes[certificate]);
  });

  it.each(groups)('a HelloRetryRequest for %s', async (group) => {
    await check({ suite, group, server: identities.p256, retry: true, size }, schemes.p256);
  });

  it.each(['p256', 'ed25519'] as const)('a client with a certificate of %s', async (certificate) => {
    const client = identities[certificate];
    await check({ suite, group: 'x25519', server: identities.p256, client, size }, schemes.p256, schemes[certificate]);
  });

  it('refuses a server with another certificate than wanted', async () => {
    const spec = { suite, group: 'x25519', server: identities.p256, wanted: identities.ed25519, size } as const;
    const { full, resumed } = await page.evaluate((given) => globalThis.connect(given), spec);
    const nothing = { state: 'failed', bytes: 0, exported: '' };
    expect(full.client).toMatchObject({
      ...nothing,
      error: expect.stringContaining('another certificate than expected'),
    });
    expect(full.server).toMatchObject({ ...nothing, error: expect.stringContaining('bad_certificate') });
    expect(resumed).toBeUndefined();
  });
});

/** Two connections as the page reports them, the second resumed. */
async function check(spec: PageCase, scheme: string, clientScheme?: string): Promise<void> {
  const { full, resumed } = await page.evaluate((given) => globalThis.connect(given), spec);
  const sent = 3 * spec.size;
  for (const [connection, isResumed] of [
    [full, false],
    [resumed, true],
  ] as const) {
    if (connection === undefined) throw new Error('the server gave no ticket');
    const common = {
      state: 'connected',
      suite: spec.suite,
      group: spec.group,
      alpn: 'page/1',
      serverName: 'page.example',
      resumed: isResumed,
      retried: spec.retry === true,
      bytes: sent,
      closed: true,
    };
    const signed = isResumed ? {} : { scheme, ...(clientScheme === undefined ? {} : { clientScheme }) };
    expect(connection.client).toMatchObject({ ...common, ...signed, peer: spec.server.certificate });
    expect(connection.server).toMatchObject({ ...common, ...signed });
    expect(connection.server.peer).toBe(spec.client?.certificate);
    expect(connection.client.received).toBe(digest(3, spec.size, 2));
    expect(connection.server.received).toBe(digest(3, spec.size, 1));
    // The client's, the one it asked for, then the server's own.
    expect(connection.client.keyUpdates).toEqual(['send', 'receive', 'receive']);
    expect(connection.server.keyUpdates).toEqual(['receive', 'send', 'send']);
    expect(connection.client.exported).toBe(connection.server.exported);
    expect(connection.client.exported).toHaveLength(44);
  }
  expect(resumed?.client.exported).not.toBe(full.client.exported);
}

function digest(times: number, length: number, seed: number): string {
  const part = Uint8Array.from({ length }, (_, index) => (index * 31 + seed) & 0xff);
  const hash = createHash('sha256');
  for (let count = 0; count < times; count++) hash.update(part);
  return hash.digest('base64');
}

function identity({ der, key }: Issued): PageIdentity {
  return {
    certificate: Buffer.from(der).toString('base64'),
    key: key.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
  };
}

/** `node_modules/.pnpm/@noble+curves@2/node_modules/@noble/curves/x.js` → `@noble`. */
function packageOf(path: string): string {
  const own = /^packages\/([^/]+)\/dist\//.exec(path)?.[1];
  return own ?? /.*\/node_modules\/(@?[^/]+)\//.exec(path)?.[1] ?? path;
}

function names<Name extends string>(registry: Readonly<Record<Name, number>>): readonly Name[] {
  const isName = (name: string): name is Name => Object.hasOwn(registry, name);
  return Object.keys(registry).filter(isName);
}
