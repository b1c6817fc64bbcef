/** Chromium visits the example site over `tls13 serve`: what the page says of its connection is what Chromium says. */
import { createHash, createPublicKey, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { signatureSchemes } from 'tls13-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type KeyKind, scratch, serverIdentity } from '../interop/identities.js';
import { Program } from '../interop/peers/program.js';
import { launchChromium } from './chromium.js';

const program = fileURLToPath(new URL('../../packages/server/bin/tls13.js', import.meta.url));
const site = fileURLToPath(new URL('../../examples/site', import.meta.url));
const statusPath = '/.well-known/tls13/status';
const kinds: readonly KeyKind[] = ['p256', 'p384', 'rsa'];

/** Chromium's names. */
const ciphers: Readonly<Record<string, string>> = {
  AES_128_GCM: 'TLS_AES_128_GCM_SHA256',
  AES_256_GCM: 'TLS_AES_256_GCM_SHA384',
  CHACHA20_POLY1305: 'TLS_CHACHA20_POLY1305_SHA256',
};
const groups: Readonly<Record<string, string>> = {
  X25519: 'x25519',
  'P-256': 'secp256r1',
  'P-384': 'secp384r1',
  X25519MLKEM768: 'X25519MLKEM768',
};

let browser: Browser;

beforeAll(async () => {
  // The tests' certificates, and no others, are let pass.
  const known = kinds.map((kind) => {
    const key = createPublicKey(serverIdentity(kind).pem).export({ type: 'spki', format: 'der' });
    return createHash('sha256').update(key).digest('base64');
  });
  browser = await launchChromium([`--ignore-certificate-errors-spki-list=${known.join(',')}`]);
});

afterAll(async () => {
  await browser?.close();
});

describe('the example site in Chromium', () => {
  it.each([
    { what: 'HTTP/1.1', alpn: 'http/1.1' },
    { what: 'HTTP/2', alpn: 'h2' },
    { what: 'both, of which HTTP/2 wins', alpn: 'h2,http/1.1', agreed: 'h2' },
    { what: 'AES-256-GCM', more: ['--suites', 'TLS_AES_256_GCM_SHA384'], suite: 'TLS_AES_256_GCM_SHA384' },
    { what: 'ChaCha20', more: ['--suites', 'TLS_CHACHA20_POLY1305_SHA256'], suite: 'TLS_CHACHA20_POLY1305_SHA256' },
    { what: 'X25519MLKEM768', more: ['--groups', 'X25519MLKEM768'], group: 'X25519MLKEM768' },
    { what: 'X25519', more: ['--groups', 'x25519'], group: 'x25519' },
    { what: 'P-256 after a HelloRetryRequest', more: ['--groups', 'secp256r1'], group: 'secp256r1' },
    { what: 'P-384 after a HelloRetryRequest', more: ['--groups', 'secp384r1'], group: 'secp384r1' },
    { what: 'a certificate with P-384', kind: 'p384', scheme: 'ecdsa_secp384r1_sha384' },
    { what: 'a certificate with RSA', kind: 'rsa', scheme: 'rsa_pss_rsae_sha256' },
    { what: 'the portable provider', alpn: 'h2', more: ['--provider', 'noble', '--groups', 'X25519MLKEM768'] },
  ] as const)('knows its connection: $what', async (row) => {
    const { alpn = 'http/1.1', more = [], kind = 'p256' } = { more: [], ...row };
    const url = await serve(site, ['--alpn', alpn, ...more], kind);
    const { page, responses } = await visit(url);
    await text(page, 'protocol', 'TLS 1.3');
    await page.uncheck('#live');

    // The first connection cannot be resumed.
    const document = responses.get(url);
    expect(document?.security).toMatchObject({ protocol: 'TLS 1.3', subjectName: 'localhost', issuer: 'Interop CA' });
    const scheme = 'scheme' in row ? row.scheme : 'ecdsa_secp256r1_sha256';
    expect(document?.security.serverSignatureAlgorithm).toBe(signatureSchemes[scheme]);

    const { security, protocol } = await statusResponse(page, url, responses);
    const shown = (id: string) => page.textContent(`#${id}`);
    expect(await shown('protocol')).toBe(security.protocol);
    expect(await shown('cipher-suite')).toBe(ciphers[security.cipher]);
    expect(await shown('group')).toBe(groups[security.keyExchangeGroup ?? '']);
    expect(await shown('alpn')).toBe(protocol);
    expect(await shown('server-name')).toBe('localhost');
    const signed = await shown('signature');
    if ((await shown('resumed'))?.startsWith('yes')) expect(signed).toMatch(/^none/);
    else expect(signed).toBe(scheme);
    if ('suite' in row) expect(await shown('cipher-suite')).toBe(row.suite);
    if ('group' in row) expect(await shown('group')).toBe(row.group);
    expect(protocol).toBe('agreed' in row ? row.agreed : alpn);
    expect(await shown('verdict')).toContain('TLS 1.3');
  });

  it.each(['http/1.1', 'h2'])('downloads with progress over %s', async (alpn) => {
    const url = await serve(site, ['--alpn', alpn]);
    const { page } = await visit(url);
    await page.evaluate(`
      globalThis.seen = [];
      new MutationObserver(() => seen.push(document.getElementById('progress').value))
        .observe(document.getElementById('download-progress'), { childList: true, characterData: true, subtree: true });
    `);
    const loaded = page.waitForResponse((response) => response.url().includes('/download'));
    await page.click('#download');
    const response = await loaded;
    await text(page, 'download-result', /^Done: 64 MiB, /);
    expect(response.headers()['content-length']).toBe(String(64 << 20));
    const seen: unknown = await page.evaluate('seen.filter((value) => value > 0 && value < 1).length');
    expect(seen).toBeGreaterThan(0);
    expect(await page.evaluate(`document.getElementById('progress').value`)).toBe(1);
  });

  it('stops a download', async () => {
    const url = await serve(site, []);
    const { page } = await visit(url);
    await page.selectOption('#size', String(1 << 30));
    await page.click('#download');
    await expect.poll(() => page.evaluate(`document.getElementById('progress').value`), waiting).toBeGreaterThan(0);
    await page.click('#cancel');
    await text(page, 'download-result', /^Cancelled/);
    // The server is as well as before.
    await page.reload();
    await text(page, 'protocol', 'TLS 1.3');
  });

  it('resumes its session on further connections', async () => {
    const url = await serve(site, []);
    const { page } = await visit(url);
    // Over HTTP/1.1 requests side by side need connections of their own.
    const answers: unknown = await page.evaluate(`
      Promise.all(Array.from({ length: 6 }, () => fetch('${statusPath}').then((answer) => answer.json())))
        .then((all) => all.map(({ connection }) => connection.resumed))
    `);
    expect(answers).toHaveLength(6);
    expect(answers).toContain(true);
  });
});

describe('Chromium and files', () => {
  it.each(['http/1.1', 'h2'])('are the same on both sides over %s', async (alpn) => {
    const folder = scratch(`files-${alpn.replace('/', '-')}`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>files</title>');
    const sizes = [0, 1, 16_383, 16_384, 16_385, 5 << 20];
    const digests = sizes.map((size) => {
      const bytes = randomBytes(size);
      writeFileSync(join(folder, `${size}.bin`), bytes);
      return createHash('sha256').update(bytes).digest('base64');
    });
    const url = await serve(folder, ['--alpn', alpn]);
    const { page } = await visit(url);
    const got: unknown = await page.evaluate(`
      (async () => {
        const digests = [];
        for (const size of ${JSON.stringify(sizes)}) {
          const bytes = await (await fetch('/' + size + '.bin')).arrayBuffer();
          const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
          digests.push(btoa(String.fromCharCode(...digest)));
        }
        return digests;
      })()
    `);
    expect(got).toEqual(digests);
  });
});

/** `tls13 serve` in a process of its own, which must end well when it is told to. Returns its URL. */
async function serve(folder: string, more: readonly string[], kind: KeyKind = 'p256'): Promise<string> {
  const { files } = serverIdentity(kind);
  const options = ['--json', '--port', '0', '--cert', files.cert, '--key', files.key, ...more];
  const server = new Program(process.execPath, [program, 'serve', ...options, folder]);
  onTestFinished(async () => {
    server.kill('SIGTERM');
    expect(await server.ended()).toEqual({ status: 0, signal: null });
  });
  const [, port] = await server.until(/"port":(\d+)/);
  return `https://localhost:${port}/`;
}

const waiting = { timeout: 30_000, interval: 20 };

/** Waits until an element of the page says this. The page's own policy forbids to ask it by script. */
function text(page: Page, id: string, hasText: string | RegExp): Promise<void> {
  return page.locator(`#${id}`, { hasText }).waitFor({ timeout: waiting.timeout });
}

interface Seen {
  readonly security: SecurityDetails;
  /** Of ALPN. */
  readonly protocol: string;
}

/** Of Chromium's DevTools. */
interface SecurityDetails {
  readonly protocol: string;
  readonly cipher: string;
  readonly keyExchangeGroup?: string;
  readonly serverSignatureAlgorithm?: number;
}

/** Opens a page, and notes what Chromium says of the latest response of each address. */
async function visit(url: string): Promise<{ page: Page; responses: Map<string, Seen> }> {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const responses = new Map<string, Seen>();
  const devTools = await context.newCDPSession(page);
  await devTools.send('Network.enable');
  devTools.on('Network.responseReceived', ({ response: { url: address, securityDetails, protocol } }) => {
    if (securityDetails === undefined || protocol === undefined) return;
    responses.set(address, { security: securityDetails, protocol });
  });
  await page.goto(url);
  return { page, responses };
}

/** Asks anew, so that what the page shows and what Chromium says is of the same response. */
async function statusResponse(page: Page, url: string, responses: ReadonlyMap<string, Seen>): Promise<Seen> {
  const answered = page.waitForResponse((response) => response.url().endsWith(statusPath));
  await page.click('#refresh');
  await (await answered).finished();
  const seen = responses.get(new URL(statusPath, url).href);
  if (seen === undefined) throw new Error('Chromium says nothing of the status');
  return seen;
}
