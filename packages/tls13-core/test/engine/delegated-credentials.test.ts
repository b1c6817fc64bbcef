/** Delegated credentials (RFC 9345) between two engines: offered, chosen, refused; in both roles. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Credential } from '../../src/config/index.js';
import { nobleProvider } from '../../src/crypto/noble.js';
import {
  createDelegatedCredential,
  parseDelegatedCredential,
} from '../../src/handshake/create-delegated-credential.js';
import { signatureSchemes } from '../../src/registry.js';
import { decodeDelegatedCredential, encodeDelegatedCredential } from '../../src/wire/index.js';
import { credential, keyUsage, nodeSigner } from './support/certificates.js';
import {
  delegated,
  delegatedCredential,
  delegatedScheme,
  delegationUsage,
  delegator,
  now,
  spki,
} from './support/delegation.js';
import { type PairOptions, pair } from './support/pair.js';

const provider = nobleProvider;
const week = 604_800;
const accepts = { delegatedCredentialSchemes: [delegatedScheme], now: () => now } as const;

function handshake(credentials: readonly Credential[], client: PairOptions['client'] = accepts, time = now) {
  return pair(provider, { server: { credentials, now: () => time }, client }).handshake();
}

/** What the client says of a server that shows this credential. */
function refusalOf(shown: Credential, client: PairOptions['client'] = accepts): string {
  const { error } = handshake([shown], client).client.engine;
  return error === undefined ? 'none' : `${error.alert}: ${error.message}`;
}

describe('a server with a delegated credential', () => {
  it('presents it to clients that accept its scheme', () => {
    const { client, server } = handshake([delegatedCredential(), credential(provider, 'ed25519')]);
    expect(client.engine.info).toMatchObject({ signatureScheme: delegatedScheme, peerDelegatedCredential: true });
    expect(client.engine.info?.localDelegatedCredential).toBe(false);
    expect(server.engine.info).toMatchObject({ localDelegatedCredential: true, peerDelegatedCredential: false });
  });

  it.each([
    ['offer none', { now: () => now }],
    ['accept other schemes', { ...accepts, delegatedCredentialSchemes: ['ed25519'] }],
    ["do not accept the certificate's scheme", { ...accepts, signatureSchemes: ['ecdsa_secp384r1_sha384'] }],
  ] as const)('passes on to the next credential for clients that %s', (_what, client) => {
    const other = credential(provider, 'p384');
    const { client: end } = handshake([delegatedCredential(), other, credential(provider, 'ed25519')], client);
    expect(end.engine.info).toMatchObject({
      signatureScheme: 'ecdsa_secp384r1_sha384',
      peerDelegatedCredential: false,
      peerCertificates: other.certificateChain,
    });
  });

  it('does not present one that has ended', () => {
    const old = delegatedCredential({ lifetime: 60 });
    const { server } = handshake([old], accepts, now + 61_000);
    expect(server.engine.error).toMatchObject({ alert: 'handshake_failure' });
  });

  it('has one that its signer can sign for, or is told so', () => {
    const wrong = { ...delegatedCredential(), signer: delegator().signer };
    expect(() => handshake([wrong])).toThrow(/signs with ecdsa_secp256r1_sha256, and the signer given with it/);
    const garbage = { ...delegatedCredential(), delegatedCredential: new Uint8Array(5) };
    expect(() => handshake([garbage])).toThrow(TypeError);
  });
});

describe('a client refuses a delegated credential', () => {
  const later = (seconds: number) => ({ ...accepts, now: () => now + seconds * 1000 });

  it.each([
    ['that has ended', delegatedCredential({ lifetime: 60 }), later(61)],
    ['that holds longer than seven days from its own time', delegatedCredential({ lifetime: week }), later(-1)],
    [
      'with a changed time',
      delegatedCredential(
        {},
        changed((right) => ({ cred: { ...right.cred, validTime: right.cred.validTime + 1 } })),
      ),
      accepts,
    ],
    [
      'with a changed signature',
      delegatedCredential(
        {},
        changed(() => ({ signature: new Uint8Array(64) })),
      ),
      accepts,
    ],
    [
      'with an empty signature',
      delegatedCredential(
        {},
        changed(() => ({ signature: new Uint8Array(0) })),
      ),
      accepts,
    ],
    ['that is for the other side', delegatedCredential({ role: 'client' }), accepts],
    [
      'whose key is of another type than it says',
      delegatedCredential({ publicKey: spki(generateKeyPairSync('ed25519').publicKey) }),
      accepts,
    ],
  ])('%s: illegal_parameter (RFC 9345 §4.1.3)', (_what, shown, client) => {
    expect(refusalOf(shown, client)).toMatch(/^illegal_parameter: the server's delegated credential/);
  });

  it.each([
    ['without DelegationUsage', [keyUsage(0x80)], /^illegal_parameter: .*DelegationUsage/],
    ['without a Key Usage', [delegationUsage], /^illegal_parameter: .*Key Usage/],
  ])('by a certificate %s: illegal_parameter (RFC 9345 §4.2)', (_what, extensions, said) => {
    const fit = delegator();
    const unfit = delegator(...extensions);
    const shown = delegatedCredential({ credential: fit });
    expect(refusalOf({ ...shown, certificateChain: unfit.certificateChain })).toMatch(said);
  });

  it('whose key did not sign the handshake: decrypt_error', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const shown = { ...delegatedCredential(), signer: nodeSigner(privateKey, [delegatedScheme]) };
    expect(refusalOf(shown)).toMatch(/^decrypt_error: /);
  });

  it('that is cut off: decode_error', () => {
    const shown = delegatedCredential();
    expect(() => parseDelegatedCredential((shown.delegatedCredential ?? new Uint8Array()).subarray(0, -1))).toThrow(
      expect.objectContaining({ alert: 'decode_error' }),
    );
  });
});

describe('a client with a delegated credential', () => {
  const server = { clientAuthentication: 'require', ...accepts } as const;

  it('presents it to servers that accept it', () => {
    const own = delegatedCredential({ role: 'client' });
    const { client, server: end } = pair(provider, { server, client: { credential: own, now: () => now } }).handshake();
    expect(end.engine.info).toMatchObject({
      peerDelegatedCredential: true,
      clientSignatureScheme: delegatedScheme,
      peerCertificates: own.certificateChain,
    });
    expect(client.engine.info).toMatchObject({ localDelegatedCredential: true });
  });

  it('shows none to servers that do not', () => {
    const own = delegatedCredential({ role: 'client' });
    const plain = { clientAuthentication: 'request', now: () => now } as const;
    const { server: end } = pair(provider, { server: plain, client: { credential: own, now: () => now } }).handshake();
    expect(end.engine.info).toMatchObject({ peerCertificates: [], peerDelegatedCredential: false });
  });

  it('is refused when it was delegated to a server', () => {
    const own = delegatedCredential({ role: 'server' });
    const { server: end } = pair(provider, { server, client: { credential: own, now: () => now } }).handshake();
    expect(end.engine.error).toMatchObject({ alert: 'illegal_parameter' });
  });
});

describe('delegatedCredentialSchemes', () => {
  it.each(['rsa_pss_rsae_sha256', 'rsa_pkcs1_sha256'] as const)('refuses %s (RFC 9345 §4.2)', (scheme) => {
    expect(() => pair(provider, { client: { delegatedCredentialSchemes: [scheme] } })).toThrow(TypeError);
  });
});

describe('createDelegatedCredential', () => {
  const options = { credential: delegator(), publicKey: spki(delegated.publicKey), scheme: delegatedScheme, now };

  it('says what was asked for', () => {
    const made = createDelegatedCredential({ ...options, lifetime: 3600 });
    if (made instanceof Promise) throw new Error('the signer answers at once');
    expect(parseDelegatedCredential(made)).toEqual({
      publicKey: spki(delegated.publicKey),
      schemeCode: signatureSchemes.ecdsa_secp256r1_sha256,
      signatureSchemeCode: signatureSchemes.ed25519,
      // From the notBefore of the test's certificates.
      validTime: (now - Date.UTC(2025, 0, 1)) / 1000 + 3600,
    });
  });

  it.each([
    ['a lifetime of more than seven days', { lifetime: week + 1 }, RangeError],
    ['a lifetime of nothing', { lifetime: 0 }, RangeError],
    ['a delegation that outlives the certificate', { now: Date.UTC(2045, 0, 1) - 1000 }, RangeError],
    ['a certificate that is not valid yet', { now: Date.UTC(2024, 0, 1) }, RangeError],
    ['a certificate that may not delegate', { credential: delegator(keyUsage(0x80)) }, TypeError],
    ['an empty chain', { credential: { ...delegator(), certificateChain: [] } }, TypeError],
    ['a scheme that no delegated key may use', { scheme: 'rsa_pss_rsae_sha256' as const }, TypeError],
    ["a scheme that is not the certificate key's", { signatureScheme: 'ecdsa_secp384r1_sha384' as const }, TypeError],
  ])('refuses %s', (_what, changes, error) => {
    expect(() => createDelegatedCredential({ ...options, ...changes })).toThrow(error);
  });
});

type Decoded = ReturnType<typeof decodeDelegatedCredential>;

function changed(change: (right: Decoded) => Partial<Decoded>): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => {
    const right = decodeDelegatedCredential(bytes);
    return encodeDelegatedCredential({ ...right, ...change(right) });
  };
}
