/** The key schedule, the Finished computations and the records of RFC 8448's five traces, byte for byte. */
import { describe, expect, it } from 'vitest';
import { stepOf, type TraceStep, trace, traceNames, valueIn } from '../../../../test/vectors/rfc8448.js';
import { deriveSecret, hkdfExpandLabel, hkdfExtract } from '../../src/crypto/hkdf.js';
import { nobleProvider } from '../../src/crypto/noble.js';
import type { TrafficKeys } from '../../src/crypto/provider.js';
import { cipherSuite } from '../../src/crypto/suites.js';
import { finishedVerifyData, verifyFinished } from '../../src/keys/finished.js';
import { asSecret, EarlySecret, resumptionPsk, type Secret } from '../../src/keys/schedule.js';
import { trafficKeys } from '../../src/keys/traffic.js';
import { Transcript } from '../../src/keys/transcript.js';
import { plaintextRecords } from '../../src/record/header.js';
import { portableRecordProtection } from '../../src/record/protection.js';
import { contentTypes } from '../../src/registry.js';

const hash = nobleProvider.hash('sha256');
const suite = cipherSuite('TLS_AES_128_GCM_SHA256');
const protection = portableRecordProtection(nobleProvider);

describe.each(traceNames)('RFC 8448: %s', (name) => {
  const steps = trace(name);

  it('derives every secret with the functions of §7.1', () => {
    let count = 0;
    for (const step of withValues(steps, 'PRK')) {
      const label = /"tls13 (.*)"/.exec(step.what)?.[1];
      if (label === undefined || label === 'finished' || label === 'resumption') continue;
      count++;
      const derived = deriveSecret(hash, valueIn(step, 'PRK'), label, valueIn(step, 'hash'));
      expect(derived, step.what).toEqual(valueIn(step, 'expanded'));
    }
    for (const step of withValues(steps, 'salt')) {
      count++;
      const extracted = hkdfExtract(hash, valueIn(step, 'salt'), valueIn(step, 'IKM'));
      expect(extracted, step.what).toEqual(valueIn(step, 'secret'));
    }
    expect(count).toBeGreaterThanOrEqual(10);
  });

  it('derives every traffic key', () => {
    const derived = withValues(steps, 'key expanded');
    for (const step of derived) {
      const keys = trafficKeys(suite, hash, asSecret(valueIn(step, 'PRK')));
      expect(keys, step.what).toEqual({
        aead: 'aes-128-gcm',
        key: valueIn(step, 'key expanded'),
        iv: valueIn(step, 'iv expanded'),
        sequenceNumber: 0n,
      });
    }
    expect(derived.length).toBeGreaterThanOrEqual(4);
  });

  it('goes through the schedule and the transcript, from the messages alone', () => {
    const { secrets, verified } = walk(steps);
    const derived = withValues(steps, 'PRK').filter(({ what }) => /^derive secret "/.test(what));
    for (const step of derived) expect(secrets.get(step.what), step.what).toEqual(valueIn(step, 'expanded'));
    expect(derived.length).toBeGreaterThanOrEqual(6);
    expect(verified).toBe(2);
  });

  it('seals and opens every record', () => {
    const writing: Record<TraceStep['who'], TrafficKeys | undefined> = { client: undefined, server: undefined };
    const sealers = { client: plainSealer, server: plainSealer };
    const openers = { client: plainOpener, server: plainOpener };
    let protectedRecords = 0;
    for (const { who, step, keys } of recordsAndKeys(steps)) {
      if (keys !== undefined) {
        writing[who] = keys;
        const sealer = protection.sealer(keys);
        const opener = protection.opener(keys);
        sealers[who] = (type, content) => sealer.seal(type, content, 2 ** 14);
        openers[who] = (record) => opener.open(record);
        continue;
      }
      const record = valueIn(step, 'complete record');
      const payload = valueIn(step, 'payload');
      const kind = /^send (\w+) record$/.exec(step.what)?.[1];
      const contentType = knownContentType(kind);
      // Compatibility's change_cipher_spec is never protected, and the first record says TLS 1.0 (§5.1).
      if (writing[who] === undefined || contentType === contentTypes.change_cipher_spec) {
        const version = ((record[1] ?? 0) << 8) | (record[2] ?? 0);
        expect(plaintextRecords(contentType, payload, 2 ** 14, version)).toEqual(record);
        continue;
      }
      protectedRecords++;
      expect(sealers[who](contentType, payload), step.what).toEqual(record);
      expect(openers[who](record), step.what).toEqual({
        fragments: [{ contentType, content: payload }],
        count: 1,
        consumed: record.length,
        failure: undefined,
      });
    }
    expect(protectedRecords).toBeGreaterThanOrEqual(4);
  });
});

describe('RFC 8448: tickets and binders', () => {
  it('makes the PSK of the ticket', () => {
    const step = stepOf(trace('simple-1-rtt'), 'generate resumption secret "tls13 resumption"', 'server');
    const psk = resumptionPsk(hash, asSecret(valueIn(step, 'PRK')), valueIn(step, 'hash'));
    expect(psk).toEqual(valueIn(step, 'expanded'));
    expect(psk).toEqual(valueIn(stepOf(trace('resumed-0-rtt'), 'extract secret "early"'), 'IKM'));
  });

  it('makes the binder over the truncated ClientHello', () => {
    const steps = trace('resumed-0-rtt');
    const step = stepOf(steps, 'calculate PSK binder');
    const early = EarlySecret.from(hash, valueIn(stepOf(steps, 'extract secret "early"'), 'IKM'));
    const binderKey = early.binderKey('res');
    expect(binderKey).toEqual(valueIn(step, 'PRK'));
    const transcript = Transcript.start(hash).append(valueIn(step, 'ClientHello prefix'));
    expect(transcript.digest()).toEqual(valueIn(step, 'binder hash'));
    const binder = finishedVerifyData(hash, binderKey, transcript.digest());
    expect(binder).toEqual(valueIn(step, 'finished'));
    const clientHello = valueIn(stepOf(steps, 'send handshake record', 'client'), 'payload');
    expect(clientHello.subarray(-32)).toEqual(binder);
    expect(hkdfExpandLabel(hash, binderKey, 'finished', new Uint8Array(0), 32)).toEqual(valueIn(step, 'expanded'));
  });
});

/** Every secret of §7.1 under the RFC's name of the step, and how many Finished were verified on the way. */
function walk(steps: readonly TraceStep[]): { secrets: ReadonlyMap<string, Secret>; verified: number } {
  const ikm = valueIn(
    withValues(steps, 'IKM').find(({ what }) => /"early"/.test(what)),
    'IKM',
  );
  const early = EarlySecret.from(hash, ikm.some((byte) => byte !== 0) ? ikm : undefined);
  const sharedSecret = valueIn(stepOf(steps, 'extract secret "handshake"', 'server'), 'IKM');
  const secrets = new Map<string, Secret>();
  let verified = 0;

  const messages = withMessages(steps);
  const serverFinished = messages.findIndex(({ who, type }) => who === 'server' && type === 'Finished');
  const clientFinished = messages.findIndex(({ who, type }) => who === 'client' && type === 'Finished');
  const lastServerHello = messages.findLastIndex(({ type }) => type === 'ServerHello');
  const upTo = (end: number) => transcriptOf(messages.slice(0, end + 1)).digest();
  const put = (label: string, secret: Secret) => secrets.set(`derive secret "tls13 ${label}"`, secret);

  put('c e traffic', early.clientEarlyTraffic(upTo(0)));
  put('e exp master', early.earlyExporter(upTo(0)));
  const handshake = early.handshake(sharedSecret);
  const clientSecret = handshake.clientTraffic(upTo(lastServerHello));
  const serverSecret = handshake.serverTraffic(upTo(lastServerHello));
  put('c hs traffic', clientSecret);
  put('s hs traffic', serverSecret);
  const main = handshake.main();
  put('c ap traffic', main.clientTraffic(upTo(serverFinished)));
  put('s ap traffic', main.serverTraffic(upTo(serverFinished)));
  put('exp master', main.exporter(upTo(serverFinished)));
  put('res master', main.resumption(upTo(clientFinished)));

  for (const [index, secret] of [
    [serverFinished, serverSecret],
    [clientFinished, clientSecret],
  ] as const) {
    const verifyData = messages[index]?.message.subarray(4) ?? new Uint8Array(0);
    const before = upTo(index - 1);
    if (verifyFinished(hash, secret, before, verifyData)) verified++;
    const changed = verifyData.slice();
    changed[31] = (changed[31] ?? 0) ^ 1;
    expect(verifyFinished(hash, secret, before, changed)).toBe(false);
    expect(verifyFinished(hash, secret, before, verifyData.subarray(1))).toBe(false);
  }
  return { secrets, verified };
}

interface Message {
  readonly who: TraceStep['who'];
  readonly type: string;
  readonly message: Uint8Array;
}

/** The handshake messages as sent; the ClientHello with its binders is the one of the record. */
function withMessages(steps: readonly TraceStep[]): Message[] {
  const messages: Message[] = [];
  let clientHellos = 0;
  for (const step of steps) {
    const type = /^construct an? (\w+) handshake message$/.exec(step.what)?.[1];
    if (type === undefined || type === 'NewSessionTicket') continue;
    const sent = steps.filter(({ who, what }) => who === 'client' && what === 'send handshake record');
    const message = type === 'ClientHello' ? valueIn(sent[clientHellos++], 'payload') : valueIn(step, type);
    messages.push({ who: step.who, type, message });
  }
  return messages;
}

function transcriptOf(messages: readonly Message[]): Transcript {
  const second = messages.findIndex(({ type }, index) => index > 0 && type === 'ClientHello');
  let transcript = Transcript.start(hash);
  for (const [index, { message }] of messages.entries()) {
    // A HelloRetryRequest follows the first of two ClientHellos (§4.1).
    if (index === 1 && second > 0) transcript = transcript.messageHash();
    transcript = transcript.append(message);
  }
  return transcript;
}

/** What is written and under which new keys, in the order of the wire: keys change where the RFC sends the first record under them. */
function recordsAndKeys(steps: readonly TraceStep[]) {
  const list: { who: TraceStep['who']; step: TraceStep; keys?: TrafficKeys }[] = [];
  const all = withValues(steps, 'key expanded');
  for (const step of steps) {
    const written = /^derive write traffic keys for (.*?)( \(same.*\))?$/.exec(step.what)?.[1];
    if (written !== undefined) {
      // "same as server handshake data read traffic keys": those have the values.
      const read = {
        who: step.who === 'client' ? 'server' : 'client',
        what: `derive read traffic keys for ${written}`,
      };
      const source = step.values.has('key expanded')
        ? step
        : all.find(({ who, what }) => who === read.who && what === read.what);
      list.push({ who: step.who, step, keys: trafficKeys(suite, hash, asSecret(valueIn(source, 'PRK'))) });
    } else if (step.values.has('complete record')) {
      list.push({ who: step.who, step });
    }
  }
  return list;
}

function withValues(steps: readonly TraceStep[], name: string): TraceStep[] {
  return steps.filter(({ values }) => values.has(name));
}

function knownContentType(name: string | undefined): number {
  for (const [known, code] of Object.entries(contentTypes)) if (known === name) return code;
  throw new Error(`no content type ${name}`);
}

function plainSealer(contentType: number, content: Uint8Array): Uint8Array {
  throw new Error(`record of type ${contentType} with ${content.length} bytes before there were keys`);
}

function plainOpener(record: Uint8Array): ReturnType<ReturnType<typeof protection.opener>['open']> {
  throw new Error(`record of ${record.length} bytes before there were keys`);
}
