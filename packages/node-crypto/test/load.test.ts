// A machine without the addon, and the addon in a runtime without node's OpenSSL.
import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it, vi } from 'vitest';

afterEach(() => {
  vi.doUnmock('../src/load.js');
  vi.resetModules();
});

describe('where the addon does not load', () => {
  const reason = 'the native addon does not load: no build was found';
  const without = async () => {
    vi.resetModules();
    vi.doMock('../src/load.js', () => ({ loadBinding: () => ({ reason }) }));
    return import('../src/index.js');
  };

  it('the provider is that of node:crypto, and says why', async () => {
    const { createProvider, nativeProvider } = await without();
    expect(createProvider().report).toMatchObject({
      name: 'node',
      reason,
      recordProtection: 'portable',
      verifiesChains: false,
    });
    expect(createProvider()).toBe(createProvider());
    expect(() => nativeProvider()).toThrow(reason);
    const hash = createProvider()
      .hash('sha256')
      .digest(Uint8Array.of(97, 98, 99));
    expect(Buffer.from(hash).toString('hex')).toMatch(/^ba7816bf8f01cfea/);
  });

  it('no chain is accepted, and the reason is given', async () => {
    const { chainVerifier, RootStore, verifyChain } = await without();
    const chain = [Uint8Array.of(0x30, 0)];
    const refused = { ok: false, code: 'VERIFIER_UNAVAILABLE', alert: 'internal_error' };
    expect(verifyChain({ chain, purpose: 'server', host: 'host.example' })).toMatchObject(refused);
    expect(RootStore.bundled().verify({ chain, purpose: 'client' })).toMatchObject({
      ...refused,
      message: expect.stringContaining(reason),
    });
    const nothing = { serverName: undefined, ocspResponse: undefined, signedCertificateTimestamps: [], resumed: false };
    const peer = { role: 'client', certificateType: 'x509', certificates: chain, ...nothing } as const;
    expect(() => chainVerifier()(peer)).toThrow(reason);
  });
});

describe('the addon', () => {
  it('is refused as a whole where a symbol of OpenSSL is missing', () => {
    // Any process but node: its dlopen reports the missing symbol instead of dying at a later call.
    const addon = new URL('../build/Release/tls13_node_crypto.node', import.meta.url).pathname;
    const program = `import ctypes, sys\ntry:\n  ctypes.CDLL(sys.argv[1])\n  print("loaded")\nexcept OSError as error:\n  print(error)`;
    const { stdout } = spawnSync('python3', ['-c', program, addon], { encoding: 'utf8' });
    expect(stdout).toMatch(/undefined symbol/);
  });
});
