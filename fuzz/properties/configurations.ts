/**
 * Random pairs of configurations: both ends agree, or both fail with an alert that says why; and the same pair with
 * node:tls at either end comes to the same.
 */
import * as fc from 'fast-check';
import type { ClientConfig, ServerConfig } from '../../packages/tls13-core/src/config/index.js';
import type { ConnectionInfo } from '../../packages/tls13-core/src/connection-info.js';
import { createClientEngine, createServerEngine } from '../../packages/tls13-core/src/engine/index.js';
import type { CipherSuiteName, NamedGroupName, SignatureSchemeName } from '../../packages/tls13-core/src/registry.js';
import {
  authority,
  credential,
  identity,
  type KeyKind,
  keyKinds,
  schemesOf,
} from '../../packages/tls13-core/test/engine/support/certificates.js';
import { type Meeting, meetNode, type NodeOptions } from '../../packages/tls13-core/test/engine/support/node-tls.js';
import { bytes, clientConfig, pair, serverConfig } from '../../packages/tls13-core/test/engine/support/pair.js';
import { expectAgreement } from '../support/agreement.js';
import { property } from '../support/property.js';
import { fastProvider as provider } from '../support/providers.js';
import { expectClean } from '../support/verdict.js';

const suiteNames = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'] as const;
/** What node:tls calls them. */
const groupNames = { x25519: 'X25519', secp256r1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' } as const;
const schemeNames: Readonly<Partial<Record<SignatureSchemeName, string>>> = {
  ecdsa_secp256r1_sha256: 'ECDSA+SHA256',
  ecdsa_secp384r1_sha384: 'ECDSA+SHA384',
  ecdsa_secp521r1_sha512: 'ECDSA+SHA512',
  ed25519: 'ed25519',
  rsa_pss_rsae_sha256: 'rsa_pss_rsae_sha256',
  rsa_pss_rsae_sha384: 'rsa_pss_rsae_sha384',
  rsa_pss_rsae_sha512: 'rsa_pss_rsae_sha512',
  rsa_pss_pss_sha256: 'rsa_pss_pss_sha256',
  rsa_pss_pss_sha384: 'rsa_pss_pss_sha384',
  rsa_pss_pss_sha512: 'rsa_pss_pss_sha512',
};
const protocols = ['h2', 'http/1.1', 'h3', 'x'] as const;

interface Side {
  readonly suites: readonly CipherSuiteName[];
  readonly groups: readonly (keyof typeof groupNames)[];
  readonly schemes: readonly SignatureSchemeName[];
  readonly alpn: readonly string[];
  readonly kind: KeyKind | undefined;
}

interface Both {
  readonly client: Side;
  readonly server: Side & { readonly kind: KeyKind };
  readonly clientAuthentication: 'none' | 'request' | 'require';
  readonly middleboxCompatibility: boolean;
}

const someOf = <T>(all: readonly T[]): fc.Arbitrary<readonly T[]> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant(all) },
    { weight: 3, arbitrary: fc.shuffledSubarray([...all], { minLength: 1 }) },
  );

const allSchemes = Object.values(schemesOf).flat();

const side = {
  suites: someOf<CipherSuiteName>(suiteNames),
  groups: someOf(Object.keys(groupNames) as (keyof typeof groupNames)[]),
  schemes: someOf(allSchemes),
  alpn: fc.oneof(fc.constant([]), fc.shuffledSubarray([...protocols])),
};

const both: fc.Arbitrary<Both> = fc.record({
  client: fc.record({ ...side, kind: fc.option(fc.constantFrom(...keyKinds), { nil: undefined }) }),
  server: fc.record({ ...side, kind: fc.constantFrom(...keyKinds) }),
  clientAuthentication: fc.constantFrom('none', 'none', 'request', 'require'),
  middleboxCompatibility: fc.boolean(),
});

/** OpenSSL's list is also what it signs with, and what may have signed its certificate: Ed25519, which signed them all. */
function schemesWithOwn({ schemes, kind }: Side): readonly SignatureSchemeName[] {
  return [...new Set([...schemes, ...(kind === undefined ? [] : schemesOf[kind]), 'ed25519' as const])];
}

function configOf(given: Side) {
  const { suites, groups, alpn } = given;
  return {
    cipherSuites: suites,
    groups: groups as readonly NamedGroupName[],
    signatureSchemes: schemesWithOwn(given),
    alpnProtocols: alpn,
  };
}

function clientOf({ client, middleboxCompatibility }: Both): ClientConfig {
  const shown = client.kind === undefined ? {} : { credential: credential(provider, client.kind) };
  return clientConfig(provider, { ...configOf(client), ...shown, middleboxCompatibility });
}

function serverOf({ server, clientAuthentication }: Both): ServerConfig {
  return serverConfig(provider, {
    ...configOf(server),
    credentials: [credential(provider, server.kind)],
    clientAuthentication,
  });
}

function nodeOf(given: Side): NodeOptions {
  const { suites, groups, alpn, kind } = given;
  const own = kind === undefined ? undefined : identity(kind);
  return {
    ca: [authority.certificatePem],
    ciphers: suites.join(':'),
    ecdhCurve: groups.map((group) => groupNames[group]).join(':'),
    sigalgs: schemesWithOwn(given)
      .map((scheme) => schemeNames[scheme])
      .join(':'),
    honorCipherOrder: true,
    ...(alpn.length === 0 ? {} : { alpnProtocols: alpn }),
    ...(own === undefined ? {} : { cert: own.certificatePem, key: own.keyPem }),
  };
}

/** What came of a meeting, as far as it is not a matter of taste. */
interface Result {
  readonly connected: boolean;
  readonly suite: string | undefined;
  readonly alpn: string | undefined;
  readonly clientShown: boolean | undefined;
}

const failed: Result = { connected: false, suite: undefined, alpn: undefined, clientShown: undefined };

function resultOf(info: ConnectionInfo | undefined, clientShown: boolean): Result {
  if (info === undefined) return failed;
  return { connected: true, suite: info.cipherSuite, alpn: info.alpnProtocol, clientShown };
}

function oursAlone(given: Both): Result {
  const { client, server } = pair(provider, { client: clientOf(given), server: serverOf(given) }).handshake();
  expectClean(client.engine);
  expectClean(server.engine);
  const { info, error } = server.engine;
  if (info === undefined) {
    if (client.engine.state !== 'failed') throw new Error('the client does not know that the server failed');
    if (error !== undefined && client.engine.error?.alert !== error.alert)
      throw new Error('they tell different alerts');
    return failed;
  }
  const other = client.engine.info;
  if (other === undefined) throw new Error('the server is connected, and the client is not');
  expectAgreement(other, info, false);
  client.take(client.engine.send(bytes(5)));
  return resultOf(info, info.peerCertificates.length > 0);
}

async function withNode(
  engine: Parameters<typeof meetNode>[0],
  options: NodeOptions,
): Promise<{ ours: Result; theirs: Result }> {
  const meeting = await meetNode(engine, options);
  try {
    expectClean(engine);
    const { end, node, error } = meeting;
    // A client has finished before the server has judged its certificate: its failure then comes as an alert.
    const alive = end.engine.state === 'connected' && error === undefined;
    const shown = engine.role === 'server' ? (engine.info?.peerCertificates.length ?? 0) > 0 : showed(meeting);
    const ours = alive ? resultOf(end.engine.info, shown) : failed;
    if (!alive) return { ours, theirs: failed };
    const theirs: Result = {
      connected: node.getProtocol() === 'TLSv1.3',
      suite: node.getCipher().standardName,
      alpn: node.alpnProtocol === false || node.alpnProtocol === null ? undefined : node.alpnProtocol,
      clientShown: shown,
    };
    return { ours, theirs };
  } finally {
    meeting.node.destroy();
  }
}

function showed({ node }: Meeting): boolean {
  const certificate: object | null = node.getPeerCertificate();
  return certificate !== null && Object.keys(certificate).length > 0;
}

export const configurationProperties = [
  property('two ends with any configurations agree, or fail cleanly', 150, both, (given) => {
    oursAlone(given);
  }),
  property('a client of ours agrees with node:tls as with a server of ours', 40, both, async (given) => {
    const expected = oursAlone(given);
    const { clientAuthentication } = given;
    const requestCert = clientAuthentication !== 'none';
    const options = { ...nodeOf(given.server), requestCert, rejectUnauthorized: clientAuthentication === 'require' };
    compare(expected, await withNode(createClientEngine(clientOf(given)), options));
  }),
  property('a server of ours agrees with node:tls as with a client of ours', 40, both, async (given) => {
    const expected = oursAlone(given);
    compare(expected, await withNode(createServerEngine(serverOf(given)), nodeOf(given.client)));
  }),
];

function compare(expected: Result, { ours, theirs }: { ours: Result; theirs: Result }): void {
  const [among, beside, node] = [expected, ours, theirs].map((result) => JSON.stringify(result));
  if (beside !== node) throw new Error(`the two of one connection differ: ${beside} and ${node}`);
  if (among !== beside) throw new Error(`among ourselves ${among}, with node:tls ${beside}`);
}
