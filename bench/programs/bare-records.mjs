// Records without a protocol around them: as little as a cipher's interface needs, to compare with.
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { nobleProvider } from 'tls13-core/noble';

/** With one cipher object of node:crypto a record. */
export function nodeRecords() {
  const { seal, open } = nodeCipher();
  let [sealed, opened] = [0n, 0n];
  return {
    seal: (content) => {
      const parts = [];
      for (let offset = 0; offset < content.length; offset += recordContent) {
        const length = Math.min(recordContent, content.length - offset);
        const inner = new Uint8Array(length + 1);
        inner.set(content.subarray(offset, offset + length));
        inner[length] = 23;
        const header = recordHeader(length + 1 + 16);
        parts.push(header, ...seal(nonceOf(sealed), header, inner));
        sealed += 1n;
      }
      return Buffer.concat(parts);
    },
    open: (bytes) => {
      for (let offset = 0; offset < bytes.length; ) {
        const header = bytes.subarray(offset, offset + 5);
        const length = header.readUInt16BE(3);
        open(nonceOf(opened), header, bytes.subarray(offset + 5, offset + 5 + length));
        opened += 1n;
        offset += 5 + length;
      }
    },
  };
}

function nodeCipher() {
  const key = createSecretKey(randomBytes(16));
  return {
    seal: (nonce, header, inner) => {
      const cipher = createCipheriv('aes-128-gcm', key, nonce);
      cipher.setAAD(header);
      const body = cipher.update(inner);
      cipher.final();
      return [body, cipher.getAuthTag()];
    },
    open: (nonce, header, sealed) => {
      const decipher = createDecipheriv('aes-128-gcm', key, nonce);
      decipher.setAAD(header);
      decipher.setAuthTag(sealed.subarray(sealed.length - 16));
      decipher.update(sealed.subarray(0, sealed.length - 16));
      decipher.final();
    },
  };
}

/**
 * Nothing but noble's calls: what goes in is cut and copied ahead, and what comes out stays where it came.
 * @param recordContent bytes of content in a record.
 */
export function nobleCalls(suite, recordContent) {
  const [name, keyLength] = nobleCiphers[suite];
  const aead = nobleProvider.aead(name, randomBytes(keyLength));
  const nonce = randomBytes(12);
  let prepared;
  return {
    seal: (content) => {
      prepared ??= innerPlaintexts(content, recordContent);
      return prepared.map(({ header, inner }) => ({ header, sealed: aead.seal(nonce, header, inner) }));
    },
    open: (records) => {
      for (const { header, sealed } of records) {
        if (aead.open(nonce, header, sealed) === undefined) throw new Error('a record did not open');
      }
    },
  };
}

const nobleCiphers = {
  TLS_AES_128_GCM_SHA256: ['aes-128-gcm', 16],
  TLS_CHACHA20_POLY1305_SHA256: ['chacha20-poly1305', 32],
};

function innerPlaintexts(content, recordContent) {
  const count = Math.ceil(content.length / recordContent);
  return Array.from({ length: count }, (_, index) => {
    const part = content.subarray(index * recordContent, (index + 1) * recordContent);
    return { header: recordHeader(part.length + 1 + 16), inner: Uint8Array.of(...part, 23) };
  });
}

function recordHeader(length) {
  return Buffer.from([23, 3, 3, length >> 8, length & 0xff]);
}

const recordContent = 16_384;
const iv = randomBytes(12);

function nonceOf(sequenceNumber) {
  const nonce = Buffer.from(iv);
  nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ sequenceNumber, 4);
  return nonce;
}
