// ktls-bind on a kernel whose tls module is not there.
import { describe, expect, it } from 'vitest';
import { kernel } from '../../../packages/ktls-bind/src/index.js';
import { readToEnd, socketPair } from '../../../packages/ktls-bind/test/pairs.js';
import { randomKeys } from '../../../packages/ktls-bind/test/records.js';

describe('a kernel without the tls module', () => {
  it('pitfall 5: is told from the ENOENT of the ULP', () => {
    expect(kernel.probe()).toMatchObject({
      available: false,
      summary: 'user space: this kernel has no tls ULP (ENOENT)',
      error: { code: 'ERR_KTLS_NO_ULP', step: 'ulp', errno: 'ENOENT' },
    });
    expect(kernel.readTlsStat()).toBeUndefined();
  });

  it('pitfall 4: leaves the socket usable in user space, once that is said', async () => {
    const [a, b] = socketPair();
    expect(() => a.enable('send', randomKeys())).toThrow(expect.objectContaining({ code: 'ERR_KTLS_NO_ULP' }));
    expect(a.attached).toBe(false);
    expect(() => a.write([Buffer.from('secret')])).toThrow(expect.objectContaining({ code: 'ERR_KTLS_UNSEALED' }));
    a.continueInUserSpace();
    expect(a.write([Buffer.from('sealed by the caller')])).toBe(20);
    a.close();
    expect((await readToEnd(b)).toString()).toBe('sealed by the caller');
    expect(b.info()).toEqual({ version: undefined, cipher: undefined, send: 'none', receive: 'none' });
    b.close();
  });
});
