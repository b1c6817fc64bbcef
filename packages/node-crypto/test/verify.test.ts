// Chain verification: verdicts, their alerts, and agreement with node:tls on every chain.
import { X509Certificate } from 'node:crypto';
import * as tls from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { chainVerifier, RootStore, rootCertificates, verifyChain } from '../src/index.js';
import { verdictOnClient, verdictOnServer } from './node-tls.js';
import { authority, clientLeaf, curveKey, type Issued, Pki, serverLeaf } from './pki.js';

const pki = new Pki();
afterAll(() => pki.remove());

const root = pki.issue({ name: 'root', extensions: authority });
const intermediate = authorityBelow(authority);
const leaf = leafBelow(intermediate);
const good = [leaf, intermediate];

interface Case {
  readonly what: string;
  readonly chain: readonly Issued[];
  readonly host?: string;
  /** Undefined where the chain is good. */
  readonly code?: string;
  readonly alert?: string;
  readonly depth?: number;
  /** What node:tls calls it, where it differs: OpenSSL stops at the first fault, node:tls shows the last. */
  readonly nodeCode?: string;
}

const constrained = authorityBelow([
  ...authority,
  'nameConstraints=critical,permitted;DNS:example,permitted;IP:192.0.2.0/255.255.255.0,permitted;IP:2001:db8::/ffff:ffff::',
]);
const elsewhere = authorityBelow([...authority, 'nameConstraints=critical,permitted;DNS:elsewhere.example']);
const shortPath = authorityBelow(['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=critical,keyCertSign']);
const belowShortPath = pki.issue({ name: 'too deep', extensions: authority, issuer: shortPath });
const noSigning = authorityBelow(['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,cRLSign']);
const noAuthority = authorityBelow(['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,keyCertSign']);
const clientsOnly = authorityBelow([...authority, 'extendedKeyUsage=clientAuth']);
const selfSigned = pki.issue({ extensions: serverLeaf });
const stranger = pki.issue({ name: 'stranger', extensions: authority });
// The same name as the root's, another key.
const impostor = pki.issue({ name: 'root', extensions: authority });

const cases: readonly Case[] = [
  { what: 'a good chain', chain: good },
  { what: 'a good chain with its root', chain: [...good, root] },
  { what: 'a good chain in another order', chain: [leaf, root, intermediate] },
  { what: 'name constraints that are met', chain: [leafBelow(constrained), constrained] },
  {
    what: 'a name constraint violated',
    chain: [leafBelow(elsewhere), elsewhere],
    code: 'PERMITTED_VIOLATION',
    alert: 'bad_certificate',
  },
  {
    what: 'a path length exceeded',
    chain: [leafBelow(belowShortPath), belowShortPath, shortPath],
    code: 'PATH_LENGTH_EXCEEDED',
    alert: 'bad_certificate',
    depth: 2,
  },
  {
    what: 'an issuer without keyCertSign',
    chain: [leafBelow(noSigning), noSigning],
    code: 'INVALID_CA',
    nodeCode: 'KEYUSAGE_NO_CERTSIGN',
    alert: 'bad_certificate',
    depth: 1,
  },
  {
    what: 'an issuer that is no authority',
    chain: [leafBelow(noAuthority), noAuthority],
    code: 'INVALID_CA',
    nodeCode: 'INVALID_PURPOSE',
    alert: 'bad_certificate',
    depth: 1,
  },
  {
    what: 'a leaf for clients',
    chain: [leafBelow(intermediate, clientLeaf.concat('subjectAltName=DNS:host.example')), intermediate],
    code: 'INVALID_PURPOSE',
    alert: 'unsupported_certificate',
  },
  {
    what: 'an intermediate for clients',
    chain: [leafBelow(clientsOnly), clientsOnly],
    code: 'INVALID_PURPOSE',
    alert: 'unsupported_certificate',
    depth: 1,
  },
  {
    what: 'an unknown critical extension',
    chain: [leafBelow(intermediate, [...serverLeaf, '1.2.3.4=critical,ASN1:NULL']), intermediate],
    code: 'UNHANDLED_CRITICAL_EXTENSION',
    alert: 'unsupported_certificate',
  },
  {
    what: 'an expired leaf',
    chain: [pki.issue({ extensions: serverLeaf, issuer: intermediate, days: -1 }), intermediate],
    code: 'CERT_HAS_EXPIRED',
    alert: 'certificate_expired',
  },
  {
    what: 'an expired leaf of an authority that nobody knows',
    chain: [pki.issue({ extensions: serverLeaf, issuer: stranger, days: -1 })],
    code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    nodeCode: 'CERT_HAS_EXPIRED',
    alert: 'unknown_ca',
  },
  {
    what: 'an expired leaf for clients',
    chain: [pki.issue({ extensions: clientLeaf, issuer: intermediate, days: -1 }), intermediate],
    code: 'INVALID_PURPOSE',
    nodeCode: 'CERT_HAS_EXPIRED',
    alert: 'unsupported_certificate',
  },
  {
    what: 'an expired leaf, which is for another name too',
    chain: [
      pki.issue({
        extensions: [...serverLeaf.slice(0, 3), 'subjectAltName=DNS:other.example'],
        issuer: intermediate,
        days: -1,
      }),
      intermediate,
    ],
    code: 'HOSTNAME_MISMATCH',
    nodeCode: 'CERT_HAS_EXPIRED',
    alert: 'certificate_unknown',
  },
  { what: 'a self-signed leaf', chain: [selfSigned], code: 'DEPTH_ZERO_SELF_SIGNED_CERT', alert: 'unknown_ca' },
  {
    what: 'a chain to another root, which it brings',
    chain: [leafBelow(stranger), stranger],
    code: 'SELF_SIGNED_CERT_IN_CHAIN',
    alert: 'unknown_ca',
    depth: 1,
  },
  {
    what: 'a leaf without its intermediate',
    chain: [leaf],
    code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    nodeCode: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    alert: 'unknown_ca',
  },
  {
    what: 'a leaf signed by an impostor of the root',
    chain: [leafBelow(impostor)],
    code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    nodeCode: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    alert: 'unknown_ca',
  },
  {
    what: 'a changed signature',
    chain: [changed(leaf), intermediate],
    code: 'CERT_SIGNATURE_FAILURE',
    alert: 'bad_certificate',
  },
  { what: 'a wildcard', chain: good, host: 'any.wild.example' },
  { what: 'a name in capitals', chain: good, host: 'HOST.Example' },
  { what: 'an IPv4 address', chain: good, host: '192.0.2.7' },
  ...['two.labels.wild.example', 'wild.example', 'other.example', 'host.example.com'].map((host) => ({
    what: `the name ${host}`,
    chain: good,
    host,
    code: 'HOSTNAME_MISMATCH',
    alert: 'certificate_unknown',
    nodeCode: 'ERR_TLS_CERT_ALTNAME_INVALID',
  })),
  ...['192.0.2.8', '2001:db8::8'].map((host) => ({
    what: `the address ${host}`,
    chain: good,
    host,
    code: 'IP_ADDRESS_MISMATCH',
    alert: 'certificate_unknown',
    nodeCode: 'ERR_TLS_CERT_ALTNAME_INVALID',
  })),
  {
    what: 'a partial wildcard',
    chain: [leafBelow(intermediate, [...serverLeaf.slice(0, 3), 'subjectAltName=DNS:h*.example']), intermediate],
    code: 'HOSTNAME_MISMATCH',
    alert: 'certificate_unknown',
  },
];

describe('a server chain with', () => {
  const store = new RootStore({ roots: root.pem });

  it.each(cases)(
    '$what: $code',
    async ({ chain, host = 'host.example', code, alert, depth = 0, nodeCode = code, what }) => {
      const verdict = store.verify({ chain: chain.map(({ der }) => der), purpose: 'server', host });
      if (code === undefined) expect(verdict).toMatchObject({ ok: true });
      else expect(verdict).toMatchObject({ ok: false, code, alert, depth });
      const mismatched = nodeCode === 'ERR_TLS_CERT_ALTNAME_INVALID';
      if (code !== undefined && !mismatched) expect(verdict).toMatchObject({ lastCode: nodeCode });
      // node:tls gives its own opinion of partial wildcards, which RFC 9525 has abolished.
      if (what !== 'a partial wildcard')
        expect(shortCode(await verdictOnServer(chain, root, host))).toBe(shortCode(nodeCode));
    },
  );

  it('a good chain gives the chain that was built, up to the root', () => {
    const verdict = store.verify({
      chain: [leaf.der, root.der, intermediate.der],
      purpose: 'server',
      host: 'host.example',
    });
    expect(verdict).toEqual({ ok: true, chain: [leaf.der, intermediate.der, root.der] });
  });

  it('an IPv6 address in any spelling (of which not every node:tls makes the same)', () => {
    for (const host of ['2001:db8::7', '2001:0DB8:0:0::7', '2001:db8:0:0:0:0:0:7']) {
      expect(store.verify({ chain: good.map(({ der }) => der), purpose: 'server', host })).toMatchObject({ ok: true });
    }
  });

  it('a common name instead of a subjectAltName: refused, unlike by node:tls', () => {
    const old = leafBelow(intermediate, serverLeaf.slice(0, 3));
    const verdict = store.verify({ chain: [old.der, intermediate.der], purpose: 'server', host: 'host.example' });
    expect(verdict).toMatchObject({ code: 'HOSTNAME_MISMATCH', message: expect.stringContaining('host.example') });
  });

  it('a key that may not sign (§4.5.1.2): refused, although TLS 1.2 could use it', () => {
    const encipher = leafBelow(intermediate, ['keyUsage=keyEncipherment', ...serverLeaf.slice(2)]);
    const verdict = store.verify({ chain: [encipher.der, intermediate.der], purpose: 'server', host: 'host.example' });
    expect(verdict).toMatchObject({ code: 'INVALID_PURPOSE', alert: 'unsupported_certificate' });
  });

  it('a SHA-1 signature: refused at the default security level', () => {
    const weak = pki.issue({ extensions: serverLeaf, issuer: root, hash: 'sha1' });
    const verdict = store.verify({ chain: [weak.der], purpose: 'server', host: 'host.example' });
    expect(verdict).toMatchObject({ code: 'CA_MD_TOO_WEAK', alert: 'bad_certificate' });
  });

  it('bytes that are no certificate: malformed, wherever they stand', () => {
    const verify = (...chain: Uint8Array[]) => store.verify({ chain, purpose: 'server', host: 'host.example' });
    const longer = Uint8Array.from([...leaf.der, 0]);
    expect(verify(longer)).toMatchObject({ code: 'MALFORMED', alert: 'bad_certificate', depth: 0 });
    expect(verify(leaf.der, new Uint8Array())).toMatchObject({ code: 'MALFORMED', depth: 1 });
    expect(verify(leaf.der, intermediate.der.subarray(0, -1))).toMatchObject({ code: 'MALFORMED', depth: 1 });
  });

  it('any time', () => {
    const at = (time: Date | number) =>
      store.verify({ chain: good.map(({ der }) => der), purpose: 'server', host: 'host.example', time });
    const day = 86_400_000;
    expect(at(new Date())).toMatchObject({ ok: true });
    expect(at(Date.now() + 29 * day)).toMatchObject({ ok: true });
    expect(at(Date.now() + 31 * day)).toMatchObject({ code: 'CERT_HAS_EXPIRED', alert: 'certificate_expired' });
    expect(at(Date.now() - day)).toMatchObject({ code: 'CERT_NOT_YET_VALID', alert: 'certificate_expired' });
  });

  it('more intermediates than allowed', () => {
    const second = pki.issue({ name: 'second', extensions: authority, issuer: intermediate });
    const chain = [leafBelow(second), second, intermediate].map(({ der }) => der);
    expect(store.verify({ chain, purpose: 'server', host: 'host.example' })).toMatchObject({ ok: true });
    const verdict = store.verify({ chain, purpose: 'server', host: 'host.example', depth: 1 });
    expect(verdict).toMatchObject({ code: 'CERT_CHAIN_TOO_LONG', alert: 'bad_certificate' });
  });

  it('no roots: nobody is trusted', () => {
    const verdict = verifyChain({
      chain: good.map(({ der }) => der),
      purpose: 'server',
      host: 'host.example',
      roots: [],
    });
    expect(verdict).toMatchObject({ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', alert: 'unknown_ca' });
  });

  it('the bundled roots, by default', () => {
    const verdict = verifyChain({ chain: good.map(({ der }) => der), purpose: 'server', host: 'host.example' });
    expect(verdict).toMatchObject({ ok: false, alert: 'unknown_ca' });
    expect(RootStore.bundled().size).toBeGreaterThan(100);
    expect(RootStore.bundled()).toBe(RootStore.bundled());
  });
});

describe('revocation lists', () => {
  const revoked = leafBelow(intermediate);
  const lists = [pki.revoke(intermediate, [revoked]), pki.revoke(root, [])];

  it.each([
    { what: 'a certificate that is not listed', chain: good, crls: lists, code: undefined, alert: undefined },
    {
      what: 'a revoked one',
      chain: [revoked, intermediate],
      crls: lists,
      code: 'CERT_REVOKED',
      alert: 'certificate_revoked',
    },
    {
      what: 'a missing list',
      chain: good,
      crls: lists.slice(0, 1),
      code: 'UNABLE_TO_GET_CRL',
      alert: 'certificate_unknown',
    },
  ])('$what: $code', async ({ chain, crls, code, alert }) => {
    const verdict = verifyChain({
      chain: chain.map(({ der }) => der),
      purpose: 'server',
      host: 'host.example',
      roots: root.pem,
      crls,
    });
    if (code === undefined) expect(verdict).toMatchObject({ ok: true });
    else expect(verdict).toMatchObject({ ok: false, code, alert });
    expect(shortCode(await verdictOnServer(chain, root, 'host.example', crls))).toBe(shortCode(code));
  });
});

describe('a client chain', () => {
  const store = new RootStore({ roots: root.pem });
  const client = leafBelow(intermediate, clientLeaf);

  it.each([
    { what: 'for clients', chain: [client, intermediate] },
    { what: 'for servers', chain: good, code: 'INVALID_PURPOSE', alert: 'unsupported_certificate' },
    {
      what: 'of an unknown root',
      chain: [leafBelow(stranger, clientLeaf), stranger],
      code: 'SELF_SIGNED_CERT_IN_CHAIN',
      alert: 'unknown_ca',
    },
  ])('$what: $code', async ({ chain, code, alert }) => {
    const verdict = store.verify({ chain: chain.map(({ der }) => der), purpose: 'client' });
    if (code === undefined) expect(verdict).toMatchObject({ ok: true });
    else expect(verdict).toMatchObject({ ok: false, code, alert });
    expect(shortCode(await verdictOnClient(chain, root, leaf))).toBe(shortCode(code));
  });
});

describe('misuse', () => {
  const chain = good.map(({ der }) => der);
  const store = new RootStore({ roots: root.der });

  it('a server without a name must be asked for', () => {
    expect(() => store.verify({ chain, purpose: 'server' })).toThrow(/host or ip is needed/);
    expect(store.verify({ chain, purpose: 'server', anyName: true })).toMatchObject({ ok: true });
  });

  it.each([
    '',
    '.',
    '.host.example',
    '*.wild.example',
    'host example',
    'host.example\0.evil',
    'a..b',
    `${'a'.repeat(64)}.example`,
  ])('%j is no name', (host) => {
    expect(() => store.verify({ chain, purpose: 'server', host })).toThrow(/not a DNS name/);
  });

  it('of the other arguments', () => {
    expect(() => store.verify({ chain: [], purpose: 'client' })).toThrow(/at least one certificate/);
    expect(() => store.verify({ chain, purpose: 'server', ip: 'host.example' })).toThrow(/not an IP address/);
    expect(() => store.verify({ chain, purpose: 'server', ip: '::1', host: 'a' })).toThrow(/either/);
    expect(() => store.verify({ chain, purpose: 'client', time: Number.NaN })).toThrow(/milliseconds/);
    expect(() => new RootStore({ roots: 'nothing' })).toThrow(/no root is in this PEM text/);
    expect(() => new RootStore({ roots: root.pem, crls: Uint8Array.of(1, 2) })).toThrow(/revocation list 1/);
    expect(() => verifyChain({ chain, purpose: 'client', roots: store, crls: [] })).toThrow(/RootStore/);
  });

  it('an internationalised name is looked for in its ASCII form', () => {
    const special = leafBelow(intermediate, [...serverLeaf.slice(0, 3), 'subjectAltName=DNS:xn--bcher-kva.example']);
    const verdict = store.verify({ chain: [special.der, intermediate.der], purpose: 'server', host: 'bücher.example' });
    expect(verdict).toMatchObject({ ok: true });
  });
});

describe('chainVerifier', () => {
  const certificates = good.map(({ der }) => der);
  const shown = {
    certificateType: 'x509',
    ocspResponse: undefined,
    signedCertificateTimestamps: [],
    resumed: false,
  } as const;

  it('takes the name asked for and refuses with the alert of the verdict', () => {
    const verify = chainVerifier({ roots: [root.pem] });
    const peer = { ...shown, role: 'server', certificates } as const;
    expect(verify({ ...peer, serverName: 'host.example' })).toBeUndefined();
    expect(() => verify({ ...peer, serverName: 'other.example' })).toThrow(
      expect.objectContaining({ alert: 'certificate_unknown', code: 'ERR_TLS_CERTIFICATE_UNKNOWN' }),
    );
    expect(() => verify({ ...peer, serverName: undefined })).toThrow(TypeError);
    const late = chainVerifier({ roots: root.pem, host: '192.0.2.7', now: () => Date.now() + 40 * 86_400_000 });
    expect(() => late({ ...peer, serverName: undefined })).toThrow(
      expect.objectContaining({ alert: 'certificate_expired' }),
    );
  });

  it('judges clients without a name', () => {
    const client = leafBelow(intermediate, clientLeaf);
    const verify = chainVerifier({ roots: root.pem });
    const peer = { ...shown, role: 'client', serverName: 'host.example' } as const;
    expect(verify({ ...peer, certificates: [client.der, intermediate.der] })).toBeUndefined();
    expect(() => verify({ ...peer, certificates })).toThrow(
      expect.objectContaining({ alert: 'unsupported_certificate' }),
    );
  });
});

describe('rootCertificates', () => {
  it('reads the bundled ones, and none of them twice', () => {
    const roots = rootCertificates();
    expect(roots.length).toBeGreaterThan(100);
    expect(rootCertificates('bundled', 'bundled').length).toBe(roots.length);
    expect(() => new RootStore({ roots })).not.toThrow();
  });

  it("reads the system's and the extra ones as this node names them, or from their files", () => {
    const file = pki.write('pem', root.pem + stranger.pem);
    process.env.SSL_CERT_FILE = file;
    process.env.NODE_EXTRA_CA_CERTS = file;
    for (const source of ['system', 'extra'] as const) {
      const byNode: unknown = Reflect.get(tls, 'getCACertificates');
      const pems: readonly string[] = typeof byNode === 'function' ? byNode(source) : [root.pem, stranger.pem];
      const expected = new Set(pems.map((pem) => new X509Certificate(pem).fingerprint256));
      const found = new Set(rootCertificates(source).map((der) => new X509Certificate(der).fingerprint256));
      expect(found).toEqual(expected);
    }
  });
});

function authorityBelow(extensions: readonly string[]): Issued {
  return pki.issue({ name: 'intermediate', extensions, issuer: root, key: curveKey() });
}

function leafBelow(issuer: Issued, extensions: readonly string[] = serverLeaf): Issued {
  return pki.issue({ extensions, issuer });
}

/** With the last bit of its signature flipped. */
function changed(issued: Issued): Issued {
  const der = Uint8Array.from(issued.der);
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  const base64 = Buffer.from(der).toString('base64');
  return {
    ...issued,
    der,
    pem: `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  };
}

/** node:tls has names for the older half of OpenSSL's verdicts only. */
function shortCode(code: string | undefined): string | undefined {
  const named = /^(CERT_|UNABLE_|DEPTH_|SELF_|INVALID_|PATH_LENGTH|HOSTNAME|ERR_TLS)/;
  return code === undefined || named.test(code) ? code : 'UNSPECIFIED';
}
