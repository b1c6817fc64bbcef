/** Certificates with their keys as a server presents them: read once, chosen by name and signature scheme, replaceable. */
import { type KeyObject, X509Certificate } from 'node:crypto';
import { type ClientHelloInfo, type Credential, firstUsableCredential, type Signer } from 'tls13-core';
import { type CertificateSource, credential, type PemOrDer, privateKey, readCertificates } from 'tls13-node-crypto';
import { delegatedCredential } from './delegation.js';
import { type PublicKeySource, rawPublicKeyCredential } from './raw-public-keys.js';
import { type StapledOptions, stapled } from './stapling.js';

/** A private key, or one with the passphrase that opens it. */
export type KeySource = PemOrDer | KeyObject | { readonly pem: PemOrDer; readonly passphrase?: string };

/** Certificates and keys, in the forms that node:tls takes. */
export interface SecureContextOptions extends StapledOptions {
  /** A chain, leaf first; or several chains, each with its key. */
  readonly cert?: CertificateSource | readonly CertificateSource[];
  /** A private key; or several, in any order. */
  readonly key?: KeySource | readonly KeySource[];
  /** Opens encrypted keys. */
  readonly passphrase?: string;
  /** Signs instead of `key`: for a key that never leaves an HSM, a KMS or another process. */
  readonly signer?: Signer;
  /**
   * Sign with `key` on libuv's thread pool: other connections go on meanwhile, where there is a processor for it. For RSA, whose
   * signatures take milliseconds, and not for elliptic curves, where the way there costs as much. Default false. A `signer`
   * may return a promise in any case.
   */
  readonly asynchronousSigning?: boolean;
  /**
   * A delegated credential (RFC 9345), in PEM as `delegate` makes it or DER; `key` is then the key that it delegates to.
   * Presented to clients that accept it; give the certificate's own pair in `credentials` for the others.
   */
  readonly delegatedCredential?: PemOrDer;
  /**
   * Show the public key alone (RFC 7250), without a `cert`, to peers that accept that: true for the one of `key`, or the
   * public key beside a `signer`.
   */
  readonly rawPublicKey?: boolean | PublicKeySource;
}

/** As node:tls has it: chooses by name; no context leaves the choice to the server. */
export type SniCallback = (
  servername: string,
  callback: (error: Error | null, context?: SecureContext | SecureContextOptions) => void,
) => void;

/** Certificates and keys, read and checked. */
export class SecureContext {
  readonly credentials: readonly Credential[];
  /** The leaves, in the order of `credentials`; undefined for a raw public key. */
  readonly certificates: readonly (X509Certificate | undefined)[];

  constructor(credentials: readonly Credential[]) {
    this.credentials = credentials;
    this.certificates = credentials.map(({ certificateChain: [leaf] }) => leaf && new X509Certificate(leaf));
  }
}

/** Throws TypeError with a sentence when certificates and keys are not readable or do not belong together. */
export function createSecureContext(options: SecureContextOptions): SecureContext {
  return new SecureContext(readCredentials(options));
}

export class CredentialStore {
  readonly #defaults: readonly NamedCredential[];
  readonly #contexts: readonly { readonly name: RegExp; readonly context: SecureContext }[];
  readonly #byName = new Map<string, readonly Credential[]>();

  /** @param contexts chosen by the name alone, whatever names their certificates hold; the last that fits wins. */
  constructor(
    defaults: readonly SecureContext[],
    contexts: readonly { readonly name: RegExp; readonly context: SecureContext }[] = [],
  ) {
    this.#defaults = defaults.flatMap(({ credentials, certificates }) =>
      credentials.map((credential, index) => ({ credential, certificate: certificates[index] })),
    );
    this.#contexts = contexts;
  }

  get isEmpty(): boolean {
    return this.#defaults.length === 0 && this.#contexts.length === 0;
  }

  withContext(hostname: string, context: SecureContext): CredentialStore {
    const defaults = [new SecureContext(this.#defaults.map(({ credential }) => credential))];
    return new CredentialStore(defaults, [...this.#contexts, { name: hostPattern(hostname), context }]);
  }

  /** With other certificates than those, but the same contexts. */
  withDefaults(defaults: readonly SecureContext[]): CredentialStore {
    return new CredentialStore(defaults, this.#contexts);
  }

  /** For the core: the choice, or the list when there is nothing to choose by name. */
  get choice(): readonly Credential[] | ((hello: ClientHelloInfo) => Credential | undefined) {
    const all = this.#defaults.map(({ credential }) => credential);
    if (all.length <= 1 && this.#contexts.length === 0 && all.length > 0) return all;
    return (hello) => this.choose(hello);
  }

  /** The first that holds the name and can sign for the client; else the first that can sign; else the first. */
  choose(hello: ClientHelloInfo): Credential | undefined {
    const named = hello.serverName === undefined ? [] : this.#named(hello.serverName.toLowerCase());
    const defaults = this.#defaults.map(({ credential }) => credential);
    return firstUsableCredential(named, hello) ?? firstUsableCredential(defaults, hello) ?? named[0] ?? defaults[0];
  }

  #named(name: string): readonly Credential[] {
    if (name.length > longestName) return [];
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const context = this.#contexts.findLast((one) => one.name.test(name))?.context;
    const found =
      context?.credentials ??
      this.#defaults
        .filter(({ certificate }) => certificate?.checkHost(name) !== undefined)
        .map(({ credential }) => credential);
    // Names come from strangers: what is remembered of them is bounded.
    if (this.#byName.size >= rememberedNames) this.#byName.clear();
    this.#byName.set(name, found);
    return found;
  }
}

/** Asks an SNICallback; waits only if it does not answer at once. */
export function askSni(callback: SniCallback, store: CredentialStore, hello: ClientHelloInfo) {
  const { serverName } = hello;
  if (serverName === undefined) return store.choose(hello);
  let answer: { readonly credential: Credential | undefined } | { readonly error: Error } | undefined;
  let later: { resolve(credential: Credential | undefined): void; reject(error: Error): void } | undefined;
  callback(serverName, (error, context) => {
    if (answer !== undefined) return;
    try {
      if (error !== null && error !== undefined) throw error;
      answer = { credential: fromContext(context, store, hello) };
      later?.resolve(answer.credential);
    } catch (thrown) {
      answer = { error: thrown instanceof Error ? thrown : new Error(String(thrown)) };
      later?.reject(answer.error);
    }
  });
  if (answer === undefined) {
    return new Promise<Credential | undefined>((resolve, reject) => {
      later = { resolve, reject };
    });
  }
  return unwrap(answer);
}

/** The credentials of `cert` and `key` (or `signer`): none when neither is given. */
export function readCredentials(options: SecureContextOptions): readonly Credential[] {
  const { rawPublicKey = false } = options;
  return rawPublicKey === false ? stapled(readPairs(options), options) : [rawPublicKeyCredential(options)];
}

function readPairs(options: SecureContextOptions): readonly Credential[] {
  const { cert, key, signer, passphrase, delegatedCredential: delegated } = options;
  if (cert === undefined) {
    if (key === undefined && signer === undefined) return [];
    throw new TypeError('key was given without cert: give the certificate chain that goes with it');
  }
  if (delegated !== undefined) return [delegatedPair(options, delegated)];
  if (signer !== undefined) {
    return [{ certificateChain: readCertificates(cert).map(({ raw }) => new Uint8Array(raw)), signer }];
  }
  if (key === undefined) throw new TypeError('cert was given without key: give the private key that goes with it');
  const asynchronous = options.asynchronousSigning ?? false;
  if (!isList(key)) return [credential({ cert, asynchronous, ...keyOptions(key, passphrase) })];
  const keys = key.map((one) => keyOptions(one, passphrase));
  const chains = isList(cert) ? cert : [cert];
  return chains.map((chain) => credential({ cert: chain, asynchronous, ...matchingKey(chain, keys) }));
}

function delegatedPair(options: SecureContextOptions, delegated: PemOrDer): Credential {
  const { cert, key, passphrase, asynchronousSigning: asynchronous = false } = options;
  if (cert === undefined || key === undefined || isList(key)) {
    throw new TypeError('delegatedCredential goes with one cert and one key, which is the one that it delegates to');
  }
  const own = keyOptions(key, passphrase);
  return delegatedCredential({ cert, ...own, delegated, asynchronous });
}

interface NamedCredential {
  readonly credential: Credential;
  readonly certificate: X509Certificate | undefined;
}

interface KeyOptions {
  readonly key: PemOrDer | KeyObject;
  readonly passphrase?: string;
}

const rememberedNames = 1000;
/** Of a DNS name; the protocol allows 65,535 bytes. */
const longestName = 253;

function fromContext(
  context: SecureContext | SecureContextOptions | undefined,
  store: CredentialStore,
  hello: ClientHelloInfo,
): Credential | undefined {
  if (context === undefined || context === null) return store.choose(hello);
  const { credentials } = context instanceof SecureContext ? context : createSecureContext(context);
  return firstUsableCredential(credentials, hello) ?? credentials[0];
}

function unwrap(answer: { readonly credential: Credential | undefined } | { readonly error: Error }) {
  if ('error' in answer) throw answer.error;
  return answer.credential;
}

function keyOptions(source: KeySource, passphrase: string | undefined): KeyOptions {
  if (typeof source === 'object' && 'pem' in source) return withPassphrase(source.pem, source.passphrase ?? passphrase);
  return withPassphrase(source, passphrase);
}

function withPassphrase(key: PemOrDer | KeyObject, passphrase: string | undefined): KeyOptions {
  return passphrase === undefined ? { key } : { key, passphrase };
}

function matchingKey(chain: CertificateSource, keys: readonly KeyOptions[]): KeyOptions {
  const [leaf] = readCertificates(chain);
  const found = keys.find(({ key, passphrase }) => leaf?.checkPrivateKey(privateKey(key, passphrase)));
  if (found !== undefined) return found;
  throw new TypeError(`none of the ${keys.length} keys belongs to the certificate of ${leaf?.subject ?? 'no name'}`);
}

/** As node:tls: a star stands for one label. */
function hostPattern(hostname: string): RegExp {
  const escaped = hostname
    .toLowerCase()
    .replaceAll(/[.*+?^${}()|[\]\\]/g, (character) => (character === '*' ? '[^.]*' : `\\${character}`));
  return new RegExp(`^${escaped}$`);
}

function isList<T>(source: T | readonly T[]): source is readonly T[] {
  return Array.isArray(source);
}
