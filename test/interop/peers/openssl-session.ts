/** A file from which OpenSSL's programs take a PSK of SHA-384. */
import { writeFileSync } from 'node:fs';
import { scratch } from '../identities.js';

/** What OpenSSL keeps of a session, with a key of our choice: version, protocol, suite, no identity, the key, early data. */
export function sessionFile(key: Uint8Array, maxEarlyData = 0): string {
  const field = (tag: number, ...content: readonly number[]) => [tag, content.length, ...content];
  const fields = [
    ...field(0x02, 1),
    ...field(0x02, 0x03, 0x04),
    ...field(0x04, 0x13, 0x02),
    ...field(0x04),
    ...field(0x04, ...key),
    ...(maxEarlyData === 0 ? [] : field(0xaf, ...field(0x02, maxEarlyData >> 8, maxEarlyData & 0xff))),
  ];
  const der = Buffer.from(field(0x30, ...fields));
  const path = scratch('psk-session.pem');
  const pem = `-----BEGIN SSL SESSION PARAMETERS-----\n${der.toString('base64')}\n-----END SSL SESSION PARAMETERS-----\n`;
  writeFileSync(path, pem);
  return path;
}
