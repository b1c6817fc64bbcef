/** External PSKs, which the runner imports (RFC 9258), beside certificates and in place of them. */
import {
  type ClientHelloInfo,
  type ConnectionInfo,
  type PskToImport,
  parseImportedIdentity,
  signatureSchemes,
} from 'tls13-core';
import { candidates } from '../credentials.js';
import type { Feature } from '../feature.js';
import { base64, type Flags } from '../flags.js';
import { answerer, type World } from '../world.js';

export const psk: Feature = {
  flags: {
    switches: ['new-psk-credential', 'psk-importer-sha256', 'psk-importer-sha384'],
    values: ['psk-importer-context', 'psk-importer-identity', 'psk-importer-key'],
  },
  client: (flags) => (hasPsk(flags) ? { psks: pskCredentials(flags).map(({ psk }) => psk) } : {}),
  server(flags, world) {
    if (!hasPsk(flags)) return {};
    const psks = pskCredentials(flags).map(({ psk }) => psk);
    const certificates = candidates(flags, world);
    const certificateFirst = certificates.some(({ index }) => index === 0);
    const later = answerer(flags.switches.has('async'));
    const find = (identity: Uint8Array, hello: ClientHelloInfo) =>
      later(() => (certificateFirst && canSign(flags, world, hello) ? undefined : found(psks, identity)));
    return {
      psks: certificateFirst || flags.switches.has('async') ? find : psks,
      concealPskIdentities: false,
      ...(certificates.length === 0 ? { credentials: [] } : {}),
    };
  },
};

export function hasPsk(flags: Flags): boolean {
  return pskCredentials(flags).length > 0;
}

/** The place of the PSK of this connection among the credentials. */
export function pskIndex({ authentication, pskIdentity }: ConnectionInfo, flags: Flags): number | undefined {
  if (authentication !== 'psk' || pskIdentity === undefined) return undefined;
  return pskCredentials(flags).find(({ psk }) => same(psk.externalIdentity, pskIdentity))?.index;
}

function pskCredentials(flags: Flags): readonly { readonly index: number; readonly psk: PskToImport }[] {
  return flags.credentials.flatMap((credential, index) => {
    const key = base64(credential, 'psk-importer-key');
    const externalIdentity = base64(credential, 'psk-importer-identity');
    if (key === undefined || externalIdentity === undefined) return [];
    const context = base64(credential, 'psk-importer-context') ?? new Uint8Array(0);
    const hash = credential.switches.has('psk-importer-sha384') ? 'sha384' : 'sha256';
    return [{ index, psk: { key, externalIdentity, context, hash } }];
  });
}

function canSign(flags: Flags, world: World, hello: ClientHelloInfo): boolean {
  return candidates(flags, world).some(({ credential }) =>
    credential.signer.schemes.some((scheme) => hello.signatureSchemes.includes(signatureSchemes[scheme])),
  );
}

function found(psks: readonly PskToImport[], identity: Uint8Array): PskToImport | undefined {
  const parts = parseImportedIdentity(identity);
  return parts && psks.find(({ externalIdentity }) => same(externalIdentity, parts.externalIdentity));
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
