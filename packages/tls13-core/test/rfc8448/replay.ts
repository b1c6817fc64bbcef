/** Replays a trace of RFC 8448 through one of our engines: its peer's records go in, our records are compared. */
import { createECDH, createPrivateKey, createPublicKey, diffieHellman, verify, X509Certificate } from 'node:crypto';
import { expect } from 'vitest';
import { toHex } from '../../../../test/vectors/hex.js';
import { type TraceName, type TraceStep, trace, valueIn } from '../../../../test/vectors/rfc8448.js';
import { nobleProvider } from '../../src/crypto/noble.js';
import type { CryptoProvider, EphemeralKey, Signer } from '../../src/crypto/provider.js';
import type { TlsEngine } from '../../src/engine/types.js';
import type { TlsEvent } from '../../src/events.js';
import type { NamedGroupName, SignatureSchemeName } from '../../src/registry.js';

type Role = 'client' | 'server';

/** A trace with the look-ups that the tests need. */
export class Trace {
  readonly steps: readonly TraceStep[];

  constructor(name: TraceName) {
    this.steps = trace(name);
  }

  /** Every message of this kind as it was sent, in order; `kind` as in the RFC, e.g. `ServerHello`. */
  messages(kind: string, who: Role): Uint8Array[] {
    return this.steps
      .filter((step) => step.who === who && step.values.has(kind) && step.what.startsWith('construct'))
      .map((step) => valueIn(step, kind));
  }

  message(kind: string, who: Role): Uint8Array {
    const [first] = this.messages(kind, who);
    if (first === undefined) throw new Error(`the trace has no ${kind} of the ${who}`);
    return first;
  }

  /** ClientHellos as they went out: with binders, which the step that constructs them does not have yet. */
  clientHellos(): Uint8Array[] {
    return this.records()
      .filter((step) => step.who === 'client' && valueIn(step, 'complete record')[0] === 22)
      .map((step) => valueIn(step, 'payload'));
  }

  records(): readonly TraceStep[] {
    return this.steps.filter((step) => step.values.has('complete record'));
  }

  /** What was derived under this label, e.g. `c hs traffic`. */
  secret(label: string): Uint8Array {
    const step = this.steps.find(({ what, values }) => what.endsWith(`"tls13 ${label}"`) && values.has('expanded'));
    return valueIn(step, 'expanded');
  }

  /** The ephemeral keys of one side, in order. */
  ephemeralKeys(who: Role): Key[] {
    return this.steps
      .filter((step) => step.who === who && step.what.startsWith('create an ephemeral'))
      .map((step) => ({
        group: step.what.includes('x25519') ? 'x25519' : 'secp256r1',
        privateKey: valueIn(step, 'private key'),
        publicKey: valueIn(step, 'public key'),
      }));
  }
}

interface Key {
  readonly group: NamedGroupName;
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** noble, but for what the trace fixes: random values and ephemeral keys come in the order of the trace. */
export function tracedProvider(random: readonly Uint8Array[], keys: readonly Key[]): CryptoProvider {
  const randoms = [...random];
  const ephemeral = [...keys];
  const nextKey = (group: NamedGroupName): Key => {
    const key = ephemeral.shift();
    if (key?.group !== group) throw new Error(`the trace makes no ${group} key here`);
    return key;
  };
  return {
    ...nobleProvider,
    random(length) {
      const value = randoms.shift();
      if (value?.length !== length) throw new Error(`the trace has no random value of ${length} bytes here`);
      return value.slice();
    },
    generateKeyShare(group): EphemeralKey {
      const key = nextKey(group);
      const decapsulate = (peer: Uint8Array) => sharedSecret(key, peer);
      return { group, keyExchange: key.publicKey, decapsulate, destroy: () => {} };
    },
    encapsulate(group, peer) {
      const key = nextKey(group);
      return { keyExchange: key.publicKey, sharedSecret: sharedSecret(key, peer) };
    },
  };
}

/**
 * Signs with the signature of the trace, whose random part cannot be made again; refuses unless that very content is
 * what the signature is over.
 */
export function recordedSigner(
  scheme: SignatureSchemeName,
  certificate: Uint8Array,
  certificateVerify: Uint8Array,
): Signer {
  const signature = certificateVerify.subarray(4 + 2 + 2);
  const { publicKey } = new X509Certificate(certificate);
  const key = scheme.startsWith('rsa_pss') ? { key: publicKey, padding: 6, saltLength: 32 } : publicKey;
  return {
    schemes: [scheme],
    sign(asked, content) {
      expect(asked).toBe(scheme);
      expect(verify('sha256', content, key, signature), 'the trace signed the same content').toBe(true);
      return signature.slice();
    },
  };
}

/** The only certificate of a Certificate message. */
export function onlyCertificate(message: Uint8Array): Uint8Array {
  const [high = 0, middle = 0, low = 0] = message.subarray(8, 11);
  return message.slice(11, 11 + (high << 16) + (middle << 8) + low);
}

export interface Replayed {
  /** Every event but `transmit`, in order. */
  readonly events: readonly TlsEvent[];
  /** Records of ours that were compared with the trace, byte for byte. */
  readonly compared: number;
}

/**
 * Plays one role against the trace: `data` and `close` follow the trace too. Every record that we send is compared
 * with the trace's, byte for byte.
 */
export function replay(engine: TlsEngine, name: Trace): Replayed {
  const events: TlsEvent[] = [];
  let out = new Uint8Array(0);
  let compared = 0;
  const take = (some: readonly TlsEvent[]): readonly TlsEvent[] => {
    for (const event of some) {
      if (event.type === 'failed') throw event.error;
      if (event.type === 'transmit') out = new Uint8Array([...out, ...event.data]);
      else events.push('data' in event ? { ...event, data: event.data.slice() } : event);
    }
    return some;
  };

  take(engine.start());
  for (const step of name.records()) {
    const record = valueIn(step, 'complete record');
    const payload = valueIn(step, 'payload');
    if (step.who !== engine.role) {
      take(engine.receive(record.slice()));
      continue;
    }
    if (step.what === 'send application_data record') {
      take(engine.earlyDataLeft > 0 ? engine.sendEarly(payload) : engine.send(payload));
    }
    if (step.what === 'send alert record') take(engine.close());
    const ours = out.slice(0, record.length);
    expect(toHex(ours), `${step.who}: ${step.what} ${compared}`).toBe(toHex(record));
    out = out.slice(record.length);
    compared += 1;
  }
  expect(toHex(out), 'nothing is sent that the trace does not have').toBe('');
  return { events, compared };
}

/** The secrets of a connection by their labels in a key log. */
export function secretsOf(events: readonly TlsEvent[]): Readonly<Record<string, string>> {
  const secrets: Record<string, string> = {};
  for (const event of events) if (event.type === 'secret') secrets[event.label] = toHex(event.secret);
  return secrets;
}

/** The same secrets as the trace derives them. */
export function secretsIn(of: Trace): Readonly<Record<string, string>> {
  return {
    CLIENT_HANDSHAKE_TRAFFIC_SECRET: toHex(of.secret('c hs traffic')),
    SERVER_HANDSHAKE_TRAFFIC_SECRET: toHex(of.secret('s hs traffic')),
    CLIENT_TRAFFIC_SECRET_0: toHex(of.secret('c ap traffic')),
    SERVER_TRAFFIC_SECRET_0: toHex(of.secret('s ap traffic')),
    EXPORTER_SECRET: toHex(of.secret('exp master')),
  };
}

function sharedSecret(key: Key, peer: Uint8Array): Uint8Array {
  if (key.group === 'secp256r1') {
    const ecdh = createECDH('prime256v1');
    ecdh.setPrivateKey(key.privateKey);
    return new Uint8Array(ecdh.computeSecret(peer));
  }
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), key.privateKey]);
  const spki = Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), peer]);
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  return new Uint8Array(diffieHellman({ privateKey, publicKey }));
}
