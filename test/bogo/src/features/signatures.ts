/** Signature schemes (§4.3.3). */
import { type SignatureSchemeName, signatureSchemes } from 'tls13-core';
import { expectSame } from '../failure.js';
import type { Feature } from '../feature.js';
import { type Flags, number, numbers, Unimplemented } from '../flags.js';
import type { World } from '../world.js';

export const signatures: Feature = {
  flags: {
    values: ['signing-prefs', 'verify-prefs', 'expect-peer-signature-algorithm', 'expect-peer-verify-pref'],
  },
  client: accepted,
  server: accepted,
  check(info, flags) {
    const name = info.role === 'server' ? info.clientSignatureScheme : info.signatureScheme;
    // Nobody signs where a PSK authenticates; of the original handshake the library does not say it again.
    if (name === undefined && info.resumed) return;
    const scheme = name === undefined ? 0 : signatureSchemes[name];
    expectSame('signature scheme of the peer', scheme, number(flags, 'expect-peer-signature-algorithm') ?? scheme);
  },
};

/** What the peer accepts, while a credential is chosen. */
export function checkSchemes(flags: Flags, seen: readonly number[]): void {
  expectSame('signature_algorithms', seen.join(), numbers(flags, 'expect-peer-verify-pref')?.join() ?? seen.join());
}

function accepted(flags: Flags, world: World): { readonly signatureSchemes: readonly SignatureSchemeName[] } {
  const codes = numbers(flags, 'verify-prefs');
  return { signatureSchemes: codes?.map((code) => schemeName(code, world)) ?? usual };
}

/** What the runner takes for the default: neither P-521 nor Ed25519. */
const usual: readonly SignatureSchemeName[] = [
  'ecdsa_secp256r1_sha256',
  'rsa_pss_rsae_sha256',
  'ecdsa_secp384r1_sha384',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
];

function schemeName(code: number, { provider }: World): SignatureSchemeName {
  const name = provider.signatureSchemes.find((scheme) => signatureSchemes[scheme] === code);
  if (name === undefined) throw new Unimplemented(`signature scheme ${code}`);
  return name;
}
