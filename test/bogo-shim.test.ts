/** The shim for BoringSSL's runner without the runner: it starts, and answers as the runner's contract wants. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleShim } from './bogo/bundle.mjs';

describe.each(['native', 'noble'])('the shim over the %s provider', (provider) => {
  const folder = mkdtempSync(join(tmpdir(), 'bogo-'));
  let bundle = '';
  const shim = (...flags: readonly string[]) =>
    spawnSync(process.execPath, [bundle, ...flags], { encoding: 'utf8', timeout: 25_000 });

  beforeAll(async () => {
    bundle = await bundleShim(provider, folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is no handshaker', () => {
    expect(shim('-is-handshaker-supported')).toMatchObject({ status: 0, stdout: 'No\n', stderr: '' });
  });

  it('passes over a case whose flag it does not know, wherever the flag holds', () => {
    for (const flag of ['-no-such-flag', '-on-resume-no-such-flag']) {
      const ended = shim('-server', flag);
      expect(ended).toMatchObject({ status: 89, stdout: '' });
      expect(ended.stderr).toContain(`unknown flag ${flag}`);
    }
  });

  it('fails where nobody listens, which is none of the two', () => {
    const ended = shim('-port', '1', '-shim-id', '1');
    expect(ended.status).toBe(1);
    expect(ended.stderr).not.toBe('');
  });
});
