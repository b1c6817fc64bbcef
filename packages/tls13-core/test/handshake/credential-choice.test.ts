/** Which of several credentials is shown: by the peer's certificate_authorities (§4.3.4) and what comes before them (§4.5.1.2). */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { certificateOf, nameOf } from '../../../../test/vectors/certificate.js';
import type { ClientConfig, Credential, ServerConfig } from '../../src/config/index.js';
import { firstUsableCredential } from '../../src/handshake/credential-choice.js';
import { signatureSchemes } from '../../src/registry.js';
import { clientSettings, serverSettings } from '../../src/settings/index.js';
import { untilCertificate } from './client-support.js';
import { provider, TestClient, TestServer } from './server-support.js';

/** Ed25519 under a chain of one, issued by `issuer` with ECDSA and SHA-256. */
function issuedBy(issuer: string, more: Partial<Credential> = {}): Credential {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const der = (encoded: Buffer) => new Uint8Array(encoded);
  return {
    certificateChain: [certificateOf(der(publicKey.export({ type: 'spki', format: 'der' })), issuer)],
    signer: provider.signer(der(privateKey.export({ type: 'pkcs8', format: 'der' }))),
    ...more,
  };
}

const gated = (issuer: string) => issuedBy(issuer, { mustMatchIssuer: true });
const [a, b] = [issuedBy('A'), issuedBy('B')];
const authorities = (...names: readonly string[]) => names.map(nameOf);

describe('firstUsableCredential', () => {
  const accepted = {
    certificateTypes: ['x509', 'rawPublicKey'],
    signatureSchemes: [signatureSchemes.ed25519],
    certificateSignatureSchemes: [signatureSchemes.ecdsa_secp256r1_sha256],
    delegatedCredentialSchemes: [],
  } as const;
  const chosen = (credentials: readonly Credential[], names: readonly string[], more = {}) =>
    firstUsableCredential(credentials, { ...accepted, certificateAuthorities: authorities(...names), ...more });

  it('is the first where the peer names no authorities', () => {
    expect(chosen([a, b], [])).toBe(a);
  });

  it('has an issuer that the peer names, if any has', () => {
    expect(chosen([a, b], ['B'])).toBe(b);
    expect(chosen([a, b], ['C', 'B'])).toBe(b);
    expect(chosen([a, b], ['B', 'A'])).toBe(a);
    expect(chosen([a, b], ['C'])).toBe(a);
  });

  it('finds the issuer anywhere in the chain', () => {
    const long = { ...b, certificateChain: [...b.certificateChain, ...issuedBy('root').certificateChain] };
    expect(chosen([a, long], ['root'])).toBe(long);
  });

  it('has a chain that the peer can verify before it has an issuer that it names', () => {
    const strange = { ...b, certificateChain: [flippedAlgorithm(b.certificateChain[0])] };
    expect(chosen([a, strange], ['B'])).toBe(a);
    expect(chosen([strange, a], ['C'])).toBe(a);
  });

  it('may be a raw public key, which has no issuer', () => {
    const raw = { certificateChain: [], rawPublicKey: Uint8Array.of(0x30, 0), signer: a.signer };
    expect(chosen([raw, b], ['B'])).toBe(raw);
  });

  it('may be one that cannot be read', () => {
    const odd = { ...a, certificateChain: [Uint8Array.of(1, 2, 3)] };
    expect(chosen([odd], ['B'])).toBe(odd);
    expect(chosen([odd, b], ['B'])).toBe(b);
    expect(chosen([{ ...odd, mustMatchIssuer: true }], ['B'])).toBeUndefined();
  });

  it('is none under mustMatchIssuer but one with an issuer that is named', () => {
    const only = [gated('A'), gated('B')] as const;
    expect(chosen(only, ['B'])).toBe(only[1]);
    expect(chosen(only, ['C'])).toBeUndefined();
    expect(chosen(only, [])).toBeUndefined();
    expect(chosen([...only, a], [])).toBe(a);
  });
});

describe('a server', () => {
  function shown(credentials: NonNullable<ServerConfig['credentials']>, ...names: readonly string[]) {
    const certificateAuthorities = names.length === 0 ? undefined : authorities(...names);
    return {
      client: new TestClient({ extensions: { certificateAuthorities } }),
      server: new TestServer({ credentials }),
    };
  }
  const certificate = ({ client, server }: ReturnType<typeof shown>) =>
    server.receive(client.hello()).sent('certificate').body.certificateList[0]?.certData;

  it('shows one with an issuer that the client names', () => {
    expect(certificate(shown([a, b], 'B'))).toEqual(b.certificateChain[0]);
    expect(certificate(shown([a, b], 'C'))).toEqual(a.certificateChain[0]);
    expect(certificate(shown([gated('A'), b], 'C'))).toEqual(b.certificateChain[0]);
  });

  it.each([[['B']], [[]]])('with none but others under mustMatchIssuer refuses: handshake_failure', (names) => {
    for (const credentials of [[gated('A'), gated('C')], () => gated('A')]) {
      const { client, server } = shown(credentials, ...names);
      const hello = client.hello();
      expect(() => server.receive(hello)).toThrow(/certificate_authorities name \d issuers, none of them/);
      expect(server.alertFor(hello)).toBe('handshake_failure');
    }
  });
});

describe('a client', () => {
  function shown(credential: NonNullable<ClientConfig['credential']>, ...names: readonly string[]) {
    const { client, server } = untilCertificate({ credential });
    const signatureAlgorithms = [signatureSchemes.ed25519];
    const certificateAuthorities = names.length === 0 ? undefined : authorities(...names);
    client.receive(server.certificateRequest({ extensions: { signatureAlgorithms, certificateAuthorities } }));
    client.receive(server.certificate());
    client.receive(server.certificateVerify());
    client.receive(server.finished());
    return client.sent('certificate').body.certificateList.map(({ certData }) => certData);
  }

  it('shows one with an issuer that the server names, else its first', () => {
    expect(shown([a, b])).toEqual(a.certificateChain);
    expect(shown([a, b], 'B')).toEqual(b.certificateChain);
    expect(shown([a, b], 'C')).toEqual(a.certificateChain);
    expect(shown([gated('A'), b], 'C')).toEqual(b.certificateChain);
  });

  it('shows none where mustMatchIssuer leaves none', () => {
    expect(shown([gated('A'), gated('B')], 'C')).toEqual([]);
    expect(shown(gated('A'))).toEqual([]);
    expect(shown(() => gated('A'), 'B')).toEqual([]);
    expect(shown([])).toEqual([]);
  });
});

describe('settings', () => {
  const client = (credential: NonNullable<ClientConfig['credential']>) =>
    clientSettings({ provider, verifyPeer: () => {}, credential });
  const raw: Credential = { certificateChain: [], rawPublicKey: Uint8Array.of(0x30, 0), signer: a.signer };

  it('offer the types of the credentials, in their order', () => {
    expect(client([raw, a, b]).clientCertificateTypes).toEqual(['rawPublicKey', 'x509']);
    expect(client(a).clientCertificateTypes).toEqual(['x509']);
    expect(client([]).clientCertificateTypes).toEqual(['x509']);
  });

  it('refuse mustMatchIssuer on a key, and a list with one that cannot be shown', () => {
    const wrong = { ...raw, mustMatchIssuer: true };
    expect(() => client([a, wrong])).toThrow(/credential: mustMatchIssuer is for certificates/);
    expect(() => serverSettings({ provider, credentials: [wrong] })).toThrow(/mustMatchIssuer is for certificates/);
    expect(() => client([a, { ...b, certificateChain: [] }])).toThrow(/credential: a certificateChain is empty/);
  });
});

/** The same certificate, signed with an algorithm of no scheme: the OIDs of the signature end in another arc. */
function flippedAlgorithm(certificate: Uint8Array | undefined): Uint8Array {
  const hex = Buffer.from(certificate ?? []).toString('hex');
  return new Uint8Array(Buffer.from(hex.replaceAll('06082a8648ce3d040302', '06082a8648ce3d04037f'), 'hex'));
}
