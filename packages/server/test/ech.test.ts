/** Encrypted Client Hello by the options of servers and clients, and its keys in PEM files (RFC 9934). */
import { once } from 'node:events';
import { createEchKeys, describeEchConfigs, generateEchConfig } from 'tls13-core';
import { nobleProvider } from 'tls13-core/noble';
import { createProvider } from 'tls13-node-crypto';
import { describe, expect, it } from 'vitest';
import { echPem } from '../src/ech.js';
import { type ConnectOptions, EchRejectedError, readEchKeys, type TlsServerOptions } from '../src/index.js';
import { certificates, dial, dialed, serve } from './support.js';

const publicName = 'other.example';
const key = generateEchConfig(createProvider(), { publicName, configId: 1 });
const stale = generateEchConfig(createProvider(), { publicName, configId: 2 });
const pem = echPem(key);
const base64 = (list: Uint8Array) => Buffer.from(list).toString('base64');
const configs = base64(key.configList);

function withPublicName(): Pick<TlsServerOptions, 'credentials'> {
  const { other } = certificates();
  return { credentials: [{ cert: other.pem, key: other.keyPem }] };
}

/** The client's error, and the names that the server has seen. */
async function rejected(server: Partial<TlsServerOptions>, client: Partial<ConnectOptions>): Promise<Error> {
  const listening = await serve({ ...withPublicName(), ...server }, () => undefined);
  const [error] = await once(dial(listening, client), 'error');
  if (!(error instanceof Error)) throw new Error('no error');
  return error;
}

describe('a server with a key file', () => {
  it.each([
    ['as text', pem],
    ['as bytes', Buffer.from(pem)],
    ['in a list', [pem]],
    ['as a config and a key', key],
    ['as keys of the core', createEchKeys(createProvider(), [key])],
  ])('%s opens what is encrypted to it', async (_name, keys) => {
    const listening = await serve({ ech: { keys } }, (connection) => connection.end());
    const accepted = once(listening, 'secureConnection');
    const connection = await dialed(listening, { ech: { configs } });
    expect(connection.info).toMatchObject({ echAccepted: true, serverName: 'localhost' });
    expect((await accepted)[0].info).toMatchObject({ echAccepted: true, serverName: 'localhost' });
  });

  it.each(['native', 'node', nobleProvider] as const)('with the provider %s', async (provider) => {
    const listening = await serve({ ech: { keys: pem }, provider }, (connection) => connection.end());
    const connection = await dialed(listening, { ech: { configs: key.configList }, provider });
    expect(connection.info?.echAccepted).toBe(true);
  });

  it('resumes', async () => {
    const listening = await serve({ ech: { keys: pem } }, (connection) => connection.end());
    const first = await dialed(listening, { ech: { configs } });
    const [session] = await once(first, 'session');
    const second = await dialed(listening, { ech: { configs }, session });
    expect(second.info).toMatchObject({ echAccepted: true, resumed: true });
  });

  it('of several, the first is current: the others are opened, and nobody is told of them', async () => {
    const ech = { keys: [echPem(stale), pem] };
    const listening = await serve({ ech, ...withPublicName() }, (connection) => connection.end());
    expect((await dialed(listening, { ech: { configs } })).info?.echAccepted).toBe(true);
    const unknown = base64(generateEchConfig(createProvider(), { publicName, configId: 3 }).configList);
    const [error] = await once(dial(listening, { ech: { configs: unknown } }), 'error');
    expect(error).toBeInstanceOf(EchRejectedError);
    expect(error.retryConfigs).toEqual(stale.configList);
  });

  it('changes keys while it runs', async () => {
    const keys = createEchKeys(createProvider(), readEchKeys(pem));
    const listening = await serve({ ech: { keys } }, (connection) => connection.end());
    keys.replace(readEchKeys(echPem(stale)));
    const connection = await dialed(listening, { ech: { configs: stale.configList } });
    expect(connection.info?.echAccepted).toBe(true);
  });

  it('may leave a name to the outer ClientHello', async () => {
    const error = await rejected(
      { ech: { keys: pem, accept: ({ serverName }) => serverName !== 'localhost' } },
      { ech: { configs } },
    );
    expect(error).toBeInstanceOf(EchRejectedError);
    expect(error).toMatchObject({ retryConfigs: undefined, publicName });
  });

  it('onClientHello sees what everybody sees', async () => {
    const names: (string | undefined)[] = [];
    const onClientHello = ({ serverName }: { serverName: string | undefined }) => void names.push(serverName);
    const listening = await serve({ ech: { keys: pem }, onClientHello }, (connection) => connection.end());
    expect((await dialed(listening, { ech: { configs } })).info?.echAccepted).toBe(true);
    expect(names).toEqual([publicName]);
  });
});

describe('a client that is rejected', () => {
  it('learns other configs from the public name', async () => {
    const error = await rejected({ ech: { keys: pem } }, { ech: { configs: base64(stale.configList) } });
    expect(error).toBeInstanceOf(EchRejectedError);
    expect(error).toMatchObject({ code: 'ERR_TLS_ECH_REQUIRED', retryConfigs: key.configList, publicName });
  });

  it.each<[string, Partial<ConnectOptions>]>([
    ['whatever it takes otherwise', { rejectUnauthorized: false }],
    ['whatever its own check says', { checkServerIdentity: () => undefined }],
  ])('believes nobody else, %s', async (_name, options) => {
    const listening = await serve({ ech: { keys: pem } }, (connection) => connection.end());
    const [error] = await once(dial(listening, { ech: { configs: base64(stale.configList) }, ...options }), 'error');
    expect(error).not.toBeInstanceOf(EchRejectedError);
    expect(error).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID', received: false });
  });

  it('does not show its certificate', async () => {
    const { client, root } = certificates();
    const error = await rejected(
      { ech: { keys: pem }, requestCert: true, ca: root.pem },
      { ech: { configs: base64(stale.configList) }, cert: client.pem, key: client.keyPem },
    );
    // The server, which wants one, is answered with none.
    expect(error).toMatchObject({ alert: expect.stringMatching(/certificate_required|ech_required/) });
  });
});

describe('key files', () => {
  it('are read as they were written', () => {
    const [read, ...others] = readEchKeys(pem);
    expect(others).toEqual([]);
    expect(read).toEqual({ config: key.config, privateKey: key.privateKey });
    expect(pem).toMatch(/^-----BEGIN PRIVATE KEY-----\n[\s\S]+-----END PRIVATE KEY-----\n-----BEGIN ECHCONFIG-----\n/);
    expect(describeEchConfigs(key.configList)).toMatchObject([{ configId: 1, publicName, version: 0xfe0d }]);
  });

  it.each([
    ['without a key', pem.slice(pem.indexOf('-----BEGIN ECHCONFIG')), /none/],
    ['without a config', pem.slice(0, pem.indexOf('-----BEGIN ECHCONFIG')), /no ECHCONFIG/],
    [
      'of another key',
      pem.slice(0, pem.indexOf('-----BEGIN ECHCONFIG')) + echPem(stale).slice(pem.indexOf('-----BEGIN ECHCONFIG')),
      /none of its configs/,
    ],
    [
      'with a certificate key',
      certificates().server.keyPem + pem.slice(pem.indexOf('-----BEGIN ECHCONFIG')),
      /X25519|none of its/,
    ],
    ['of nothing', 'nothing!', /base64/],
    ['with a damaged config', pem.replace(/(BEGIN ECHCONFIG-----\n)..../, '$1AAAA'), /ECHConfigList/],
  ])('%s are refused', (_name, text, message) => {
    expect(() => readEchKeys(text)).toThrow(TypeError);
    expect(() => readEchKeys(text)).toThrow(message);
  });

  it('configs of clients may be files too', async () => {
    const listening = await serve({ ech: { keys: pem } }, (connection) => connection.end());
    const file = pem.slice(pem.indexOf('-----BEGIN ECHCONFIG'));
    expect((await dialed(listening, { ech: { configs: file } })).info?.echAccepted).toBe(true);
    expect(() => dial(listening, { ech: { configs: 'what?' } })).toThrow(TypeError);
    expect(() => dial(listening, { ech: { required: true } })).toThrow(/ech\.required/);
  });
});
