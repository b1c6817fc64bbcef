/** Which provider this process gets, chosen once, and what can be said about the choice. */
import type { CryptoProvider, NamedGroupName } from 'tls13-core';
import { loadBinding } from './load.js';
import { providerOver } from './native-provider.js';
import { nodeProvider } from './node-provider.js';

/** Where a provider's parts come from: for a start-up line, a status page, a bug report. */
export interface ProviderReport {
  readonly name: 'native' | 'node';
  /** Why it is not the native one. */
  readonly reason?: string;
  /** Version of the OpenSSL inside this node, e.g. `3.0.19`. */
  readonly openssl: string;
  /** Who computes each group: OpenSSL through the addon, node:crypto, or for ML-KEM the JavaScript library noble. */
  readonly groups: Readonly<Partial<Record<NamedGroupName, 'openssl' | 'node:crypto' | 'noble'>>>;
  /** `native`: many records a call; `portable`: one by one, by the core over node:crypto. */
  readonly recordProtection: 'native' | 'portable';
  /** Whether `verifyChain` can judge certificate chains here. */
  readonly verifiesChains: boolean;
}

export interface ProviderOptions {
  /** `native` (default) falls back to `node` where the addon does not load; the report says why. */
  readonly prefer?: 'native' | 'node';
}

export type NodeCryptoProvider = CryptoProvider & { readonly report: ProviderReport };

/** The fastest provider this machine has, or the one asked for. The same object at each call. */
export function createProvider(options: ProviderOptions = {}): NodeCryptoProvider {
  const { prefer = 'native' } = options;
  if (prefer === 'node') return nodeCryptoProvider();
  if (prefer !== 'native') throw new TypeError(`prefer is 'native' or 'node', not ${String(prefer)}`);
  const { reason } = loadBinding();
  if (reason === undefined) return nativeProvider();
  fallback ??= withReport(nodeProvider, { ...nodeReport(), reason });
  return fallback;
}

/** The provider over the native addon. Throws Error with the reason where it does not load. */
export function nativeProvider(): NodeCryptoProvider {
  const { binding, reason } = loadBinding();
  if (binding === undefined) throw new Error(reason);
  native ??= withReport(providerOver(binding), {
    name: 'native',
    openssl: binding.opensslVersion,
    groups: {
      ...groupsBy('openssl'),
      ...(binding.groups.includes('X25519MLKEM768') ? kemsBy('openssl') : kemsBy('noble')),
    },
    recordProtection: 'native',
    verifiesChains: true,
  });
  return native;
}

/** The provider over node:crypto alone. */
export function nodeCryptoProvider(): NodeCryptoProvider {
  node ??= withReport(nodeProvider, { ...nodeReport(), reason: 'node:crypto was asked for' });
  return node;
}

let native: NodeCryptoProvider | undefined;
let node: NodeCryptoProvider | undefined;
let fallback: NodeCryptoProvider | undefined;

type Computer = 'openssl' | 'node:crypto' | 'noble';

function groupsBy(who: Computer): ProviderReport['groups'] {
  return { x25519: who, secp256r1: who, secp384r1: who, secp521r1: who, x448: who };
}

function kemsBy(who: Computer): ProviderReport['groups'] {
  return { X25519MLKEM768: who, SecP256r1MLKEM768: who, SecP384r1MLKEM1024: who, MLKEM768: who, MLKEM1024: who };
}

function nodeReport(): ProviderReport {
  return {
    name: 'node',
    openssl: process.versions.openssl ?? 'none',
    groups: { ...groupsBy('node:crypto'), ...kemsBy('noble') },
    recordProtection: 'portable',
    verifiesChains: loadBinding().binding !== undefined,
  };
}

function withReport(provider: CryptoProvider, report: ProviderReport): NodeCryptoProvider {
  return { ...provider, report };
}
