/** Browsers, which load a page of our server; what they choose themselves is what there is to see. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { scratch, trusted } from '../../identities.js';
import { Program } from '../../peers/program.js';
import { type Peer, printed, start, versionIn } from '../peer.js';

const knows = {
  features: [
    'TLS_AES_128_GCM_SHA256',
    'x25519',
    'secp256r1',
    'X25519MLKEM768',
    'grease',
    'large',
    'small-records',
    'ecdsa_secp256r1_sha256',
    'resumption',
    'our-padding',
    'dynamic-records',
    'compress-brotli',
  ],
  otherwise: 'a page cannot ask for it',
};

const more = ['compress-zlib', 'compress-zstd', 'delegated'];

export const chromium: Peer = {
  id: 'chromium',
  name: 'Chromium',
  version: () => versionIn('machine', /Chromium (\S+)/, 'chromium', '--version'),
  lacks: {},
  follows: true,
  browses: true,
  // It sends no share for P-256, and no early data unless it is set up for it.
  knows: {
    ...knows,
    features: [
      ...knows.features.filter((name) => name !== 'secp256r1'),
      'retry',
      'stateless-retry',
      'resumption-retry',
      'sni',
      'rsa_pss_rsae_sha256',
    ],
  },
  client: async (port, wish) => {
    const { servername = 'localhost' } = wish;
    const profile = scratch(`chromium-${port}`);
    const database = `${profile}/.pki/nssdb`;
    mkdirSync(database, { recursive: true });
    await printed('machine', 'certutil', '-N', '-d', `sql:${database}`, '--empty-password');
    await printed('machine', ...trusting(database));
    const parameters = [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
      ...['--disable-background-networking', '--disable-component-update', `--user-data-dir=${profile}`],
      ...[`--host-resolver-rules=MAP * 127.0.0.1`, '--remote-debugging-port=0'],
      `https://${servername}:${port}/`,
    ];
    const program = new Program('chromium', parameters, { HOME: profile });
    return { program, service: 'browser', said: async () => ({}) };
  },
};

/** Its profile has the authority among those it trusts. */
export const firefox: Peer = {
  id: 'firefox',
  name: 'Firefox',
  version: () => versionIn('sid', /Mozilla Firefox (\S+)/, 'firefox', '--version'),
  lacks: {},
  follows: true,
  browses: true,
  knows: { ...knows, features: [...knows.features, 'early-data', 'early-data-rejected', 'record-size-limit', ...more] },
  client: async (port) => {
    const profile = scratch(`firefox-${port}`);
    mkdirSync(profile);
    await printed('sid', 'certutil', '-N', '-d', `sql:${profile}`, '--empty-password');
    await printed('sid', ...trusting(profile));
    const quiet = [
      'app.update.auto',
      'datareporting.policy.dataSubmissionEnabled',
      'network.captive-portal-service.enabled',
    ];
    const lines = [...quiet, 'network.connectivity-service.enabled', 'toolkit.telemetry.enabled'].map(
      (name) => `user_pref("${name}", false);\n`,
    );
    const wanted = 'user_pref("security.tls.enable_delegated_credentials", true);\n';
    writeFileSync(`${profile}/user.js`, [...lines, wanted].join(''));
    const address = `https://localhost:${port}/`;
    const command = ['env', `HOME=${profile}`, 'MOZ_DISABLE_CONTENT_SANDBOX=1', 'firefox', '--headless', '--no-remote'];
    const program = start('sid', [...command, '--profile', profile, address]);
    return { program, service: 'browser', said: async () => ({}) };
  },
};

function trusting(database: string): string[] {
  return ['certutil', '-A', '-d', `sql:${database}`, '-n', 'authority', '-t', 'CT,C,', '-i', trusted.files.cert];
}
