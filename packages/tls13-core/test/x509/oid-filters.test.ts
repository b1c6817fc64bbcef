/** OID filters (§4.3.5): made, sent, received, and held against certificates. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { derElement, derTags, objectIdentifier, objectIdentifierBytes } from '../../src/x509/der.js';
import {
  extendedKeyUsageFilter,
  keyUsageFilter,
  matchesOidFilters,
  type OidFilter,
  oidFiltersReceived,
  oidFiltersToSend,
} from '../../src/x509/oid-filters.js';
import { certificateFor, keyUsage } from '../engine/support/certificates.js';

const { publicKey } = generateKeyPairSync('ed25519');
const { sequence, objectIdentifier: oidTag, octetString } = derTags;
const extendedKeyUsage = (...purposes: string[]) =>
  derElement(
    sequence,
    derElement(oidTag, objectIdentifierBytes('2.5.29.37')),
    derElement(
      octetString,
      derElement(sequence, ...purposes.map((purpose) => derElement(oidTag, objectIdentifierBytes(purpose)))),
    ),
  );
const clientAuth = '1.3.6.1.5.5.7.3.2';
const emailProtection = '1.3.6.1.5.5.7.3.4';

describe('matchesOidFilters', () => {
  const certificate = certificateFor(publicKey, keyUsage(0xa0), extendedKeyUsage(clientAuth, emailProtection));

  it.each([
    ['no filter', []],
    ['some of its key usages', [keyUsageFilter('digitalSignature')]],
    ['all of them', [keyUsageFilter('keyEncipherment', 'digitalSignature')]],
    ['one of its purposes', [extendedKeyUsageFilter('clientAuth')]],
    ['its purposes in another order', [extendedKeyUsageFilter('emailProtection', clientAuth)]],
    ['an extension that nobody here knows', [{ oid: '1.2.3.4', values: Uint8Array.of(5, 0) }]],
  ])('is true of %s', (_what, filters: readonly OidFilter[]) => {
    expect(matchesOidFilters(certificate, filters)).toBe(true);
  });

  it.each([
    ['a key usage that it has not', [keyUsageFilter('digitalSignature', 'keyAgreement')]],
    ['one in the second byte', [keyUsageFilter('decipherOnly')]],
    ['a purpose that it has not', [extendedKeyUsageFilter('clientAuth', 'codeSigning')]],
    [
      'one filter that matches and one that does not',
      [keyUsageFilter('digitalSignature'), extendedKeyUsageFilter('serverAuth')],
    ],
  ])('is false of %s', (_what, filters) => {
    expect(matchesOidFilters(certificate, filters)).toBe(false);
  });

  it('is false of what has no such extension at all', () => {
    const bare = certificateFor(publicKey);
    expect(matchesOidFilters(bare, [keyUsageFilter('digitalSignature')])).toBe(false);
    expect(matchesOidFilters(bare, [extendedKeyUsageFilter('clientAuth')])).toBe(false);
  });
});

describe('filters', () => {
  it('are DER as RFC 5280 has it', () => {
    expect(Buffer.from(keyUsageFilter('digitalSignature').values).toString('hex')).toBe('03020780');
    expect(Buffer.from(keyUsageFilter('decipherOnly').values).toString('hex')).toBe('0303070080');
    expect(Buffer.from(extendedKeyUsageFilter('clientAuth').values).toString('hex')).toBe('300a06082b06010505070302');
  });

  it('come over as they were sent', () => {
    const filters = [keyUsageFilter('digitalSignature'), extendedKeyUsageFilter('clientAuth', '2.999.3')];
    expect(oidFiltersReceived(oidFiltersToSend(filters))).toEqual(filters);
  });

  it('that name no OID are left out: nobody recognizes them', () => {
    const filter = (...bytes: number[]) => ({
      certificateExtensionOid: Uint8Array.from(bytes),
      certificateExtensionValues: new Uint8Array(0),
    });
    expect(oidFiltersReceived([filter(0x55, 0x1d, 0x0f), filter(6, 3, 0x55, 0x1d), filter(6, 1, 0x80)])).toEqual([]);
  });

  it('are refused when §4.3.5 forbids them', () => {
    const twice = [keyUsageFilter('digitalSignature'), keyUsageFilter('keyAgreement')];
    const any = [extendedKeyUsageFilter('2.5.29.37.0')];
    for (const filters of [twice, any]) expect(() => oidFiltersToSend(filters)).toThrow(TypeError);
    const [right] = oidFiltersToSend([keyUsageFilter('digitalSignature')]);
    if (right === undefined) throw new Error('a filter was to be sent');
    expect(() => oidFiltersReceived([right, right])).toThrow(expect.objectContaining({ alert: 'illegal_parameter' }));
  });

  it('are refused when they are nothing', () => {
    expect(() => keyUsageFilter()).toThrow(TypeError);
    expect(() => extendedKeyUsageFilter()).toThrow(TypeError);
    expect(() => extendedKeyUsageFilter('1.x')).toThrow(TypeError);
  });
});

describe('an object identifier', () => {
  it.each([
    '2.5.29.15',
    '1.3.6.1.4.1.44363.44',
    '0.0',
    '1.39.1',
    '2.999.3',
    '2.25.329800735698586629295641978511506172918',
  ])('%s goes into bytes and back', (dotted) => {
    expect(objectIdentifier(objectIdentifierBytes(dotted))).toBe(dotted);
  });

  it('that is cut off, empty or longer than any is none', () => {
    expect(objectIdentifier(Uint8Array.of(0x2b, 0x81))).toBeUndefined();
    expect(objectIdentifier(new Uint8Array(0))).toBeUndefined();
    expect(objectIdentifier(new Uint8Array(256).fill(1))).toBeUndefined();
  });
});
