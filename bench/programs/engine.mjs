// Engines of tls13-core in memory, and the bare ciphers beside them.
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { createClientEngine, createServerEngine, createTicketKeys } from 'tls13-core';
import { nobleProvider } from 'tls13-core/noble';
import { createProvider, privateKey, readCertificates } from 'tls13-node-crypto';
import { answer } from '../harness/program.mjs';

const piece = 65_536;
const recordContent = 16_384;
const text = new Uint8Array(Buffer.alloc(piece, 'a line of text that is neither all zeros nor random\n'));
let serverConfig;
let records;

answer({
  prepare: ({ provider, certificate }) => {
    if (provider === 'bare node') records = bareRecords(nodeCipher());
    else if (provider === 'bare noble') records = bareRecords(nobleCipher());
    else {
      serverConfig = configure(providerOf(provider), certificate);
      records = engineRecords();
    }
  },

  /** Microseconds of the server's side of a handshake. A step is taken with many engines, so that a clock costs nothing. */
  handshakes: ({ count }) => {
    let spent = 0;
    for (let left = count; left > 0; left -= batch) spent += handshakeBatch(Math.min(batch, left));
    return spent / count;
  },

  /** Microseconds per MiB. */
  seal: ({ mebibytes }) => {
    const pieces = (mebibytes * 1024 * 1024) / piece;
    return (
      timed(() => {
        for (let left = pieces; left > 0; left -= 1) records.seal(text);
      }) / mebibytes
    );
  },
  open: ({ mebibytes }) => {
    let spent = 0;
    for (let left = mebibytes; left > 0; left -= 1) {
      const sealed = [];
      for (let bytes = 0; bytes < 1024 * 1024; bytes += piece) sealed.push(records.seal(text));
      spent += timed(() => {
        for (const bytes of sealed) records.open(bytes);
      });
    }
    return spent / mebibytes;
  },
});

const batch = 50;

function handshakeBatch(size) {
  const pairs = Array.from({ length: size }, () => ({ client: createClientEngine(clientConfig()), server: undefined }));
  for (const pair of pairs) pair.hello = transmitted(pair.client.start());
  let spent = timed(() => {
    for (const pair of pairs) {
      pair.server = createServerEngine(serverConfig);
      pair.server.start();
      pair.flight = transmitted(pair.server.receive(pair.hello));
    }
  });
  for (const pair of pairs) pair.finished = transmitted(pair.client.receive(pair.flight));
  spent += timed(() => {
    for (const pair of pairs) pair.server.receive(pair.finished);
  });
  const missing = pairs.find(({ server }) => server.state !== 'connected');
  if (missing !== undefined) throw missing.server.error ?? new Error('a handshake did not end');
  return spent;
}

function timed(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function providerOf(name) {
  if (name === 'noble') return nobleProvider;
  const provider = createProvider({ prefer: name });
  if (provider.report.name !== name) throw new Error(provider.report.reason);
  return provider;
}

function configure(provider, { cert, key }) {
  const certificateChain = readCertificates(cert).map(({ raw }) => new Uint8Array(raw));
  const pkcs8 = new Uint8Array(privateKey(key).export({ format: 'der', type: 'pkcs8' }));
  return {
    provider,
    ...parameters,
    credentials: [{ certificateChain, signer: provider.signer(pkcs8) }],
    tickets: { protector: createTicketKeys(provider) },
  };
}

const parameters = { cipherSuites: ['TLS_AES_128_GCM_SHA256'], groups: ['x25519'] };

function clientConfig() {
  return { provider: createProvider(), ...parameters, serverName: 'localhost', verifyPeer: () => {} };
}

/** A connected pair of engines over the same provider: what the server seals the client opens. */
function engineRecords() {
  const server = createServerEngine(serverConfig);
  const client = createClientEngine({ ...clientConfig(), provider: serverConfig.provider });
  server.start();
  const flight = transmitted(server.receive(transmitted(client.start())));
  client.receive(transmitted(server.receive(transmitted(client.receive(flight)))));
  let sealed = 0;
  let opened = 0;
  return {
    seal: (content) => {
      sealed += content.length;
      return transmitted(server.send(content));
    },
    open: (bytes) => {
      for (const event of client.receive(bytes)) if (event.type === 'data') opened += event.data.length;
      if (opened > sealed || client.state !== 'connected') throw new Error('the records did not open');
    },
  };
}

function transmitted(events) {
  const parts = [];
  for (const event of events) {
    if (event.type === 'failed') throw event.error;
    if (event.type === 'transmit') parts.push(event.data);
  }
  return parts.length === 1 ? parts[0] : Buffer.concat(parts);
}

/** The same records without a protocol around them: as little as the cipher's interface needs. */
function bareRecords({ seal, open }) {
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

function recordHeader(length) {
  return Buffer.from([23, 3, 3, length >> 8, length & 0xff]);
}

const iv = randomBytes(12);

function nonceOf(sequenceNumber) {
  const nonce = Buffer.from(iv);
  nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ sequenceNumber, 4);
  return nonce;
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

/** The provider's own cipher, without the record layer. */
function nobleCipher() {
  const aead = nobleProvider.aead('aes-128-gcm', randomBytes(16));
  return {
    seal: (nonce, header, inner) => [aead.seal(nonce, header, inner)],
    open: (nonce, header, sealed) => {
      if (aead.open(nonce, header, sealed) === undefined) throw new Error('a record did not open');
    },
  };
}
