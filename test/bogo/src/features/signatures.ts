/** Signature schemes (§4.3.3). */
import { type SignatureSchemeName, signatureSchemes } from 'tls13-core';
import { expectSame } from '../failure.js';
import type { Feature } from '../feature.js';
import { type Flags, number, numbers } from '../flags.js';
import type { World } from '../world.js';

export const signatures: Feature = {
  flags: {
    values: ['signing-prefs', 'verify-prefs', 'expect-peer-signature-algorithm', 'expect-peer-verify-pref'],
  },
  // What only clients may sign with is nothing to offer to a server.
  client: (flags, world) => accepted(flags, world, /^(?!.*_legacy$)/),
  server: (flags, world) => accepted(flags, world, /^/),
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

function accepted(
  flags: Flags,
  world: World,
  allowed: RegExp,
): { readonly signatureSchemes: readonly SignatureSchemeName[] } {
  const codes = numbers(flags, 'verify-prefs');
  const named = codes?.flatMap((code) =>
    world.provider.signatureSchemes.filter((name) => signatureSchemes[name] === code && allowed.test(name)),
  );
  // Where none of those named may sign a handshake, the runner wants to see just that.
  return { signatureSchemes: named === undefined || named.length === 0 ? usual : named };
}

/** What the runner takes for the default: neither P-521 nor Ed25519. */
const usual: readonly SignatureSchemeName[] = [
  'ecdsa_secp256r1_sha256',
  'rsa_pss_rsae_sha256',
  'ecdsa_secp384r1_sha384',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
];
