/** The doctor on the crypto provider: the addon over OpenSSL's symbols, and what stands in for it. */
import type { ProviderReport } from 'tls13-node-crypto';
import { type Finding, oneLine } from './finding.js';

export function examineCrypto(report: ProviderReport): readonly Finding[] {
  return [providerFinding(report), chainsFinding(report), hybridFinding(report)];
}

function providerFinding({ name, openssl, reason }: ProviderReport): Finding {
  const finding = { check: 'crypto.provider', title: 'provider' };
  if (name === 'native') {
    const found = `native addon over OpenSSL ${openssl} of node ${process.version}`;
    return { ...finding, status: 'ok', found, advice: 'All symbols of OpenSSL that the addon needs are there.' };
  }
  const found = `node:crypto (OpenSSL ${openssl}); ${oneLine(reason ?? 'the native addon did not load')}`;
  const advice =
    'Records cost about twice as much: `npm run build`, or `npm rebuild tls13-node-crypto` with g++, make, python3.';
  return { ...finding, status: 'warn', found, advice };
}

function chainsFinding({ verifiesChains }: ProviderReport): Finding {
  const finding = { check: 'crypto.chains', title: 'certificate chains' };
  if (verifiesChains) {
    const advice = "Peers' certificates are judged by the library that node:tls uses.";
    return { ...finding, status: 'ok', found: "verified by OpenSSL's X509_verify_cert", advice };
  }
  const advice = 'Clients refuse every server and servers every client certificate until the addon is built.';
  return { ...finding, status: 'bad', found: 'cannot be verified: the native addon did not load', advice };
}

function hybridFinding({ groups }: ProviderReport): Finding {
  const who = groups.X25519MLKEM768;
  const found = who === undefined ? 'not offered' : `computed by ${who === 'openssl' ? 'OpenSSL' : who}`;
  const advice =
    who === 'openssl'
      ? 'Recorded traffic stays secret from a quantum computer of the future, at OpenSSL speed.'
      : 'Node 22 and later bring ML-KEM in OpenSSL, about five times as fast as the JavaScript used here.';
  return { check: 'crypto.ml-kem', title: 'ML-KEM hybrids', status: 'ok', found, advice };
}
