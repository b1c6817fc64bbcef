// The ground of the tests for a machine whose kernel has no tls module: it must really lack it.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

describe('the kernel without the tls module', () => {
  it('offers no tls ULP and no counters', () => {
    expect(readFileSync('/proc/sys/net/ipv4/tcp_available_ulp', 'utf8').split(/\s+/)).not.toContain('tls');
    expect(existsSync('/proc/net/tls_stat')).toBe(false);
  });
});
