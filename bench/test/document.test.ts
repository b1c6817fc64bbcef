// docs/benchmarks.md as it is drawn: from results that are made up here, and as it lies in the repository.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { documentOf, type Result, type ResultSet } from '../report/document.mjs';

describe('the document of the benchmarks', () => {
  it('shows medians, ranges, ratios within a round, and how they were taken', () => {
    const { markdown } = documentOf([nodeSet(20, handshakes([50, 56, 55]))], notes, ['full-handshake']);
    expect(markdown).toContain('| node:tls | 100 | 90.0 – 110 | 1.00 × | 1.00 – 1.00 |');
    expect(markdown).toContain('| ours | 55.0 | 50.0 – 56.0 | 0.51 × | 0.50 – 0.61 |');
    expect(markdown).toContain('8 rounds of warm-up; not pinned. Measured 2030-01-02 at abc1234.');
    expect(markdown).toContain('- **Node 20**: Node v20.0.0; a machine.');
  });

  it('says of each goal whether it is met', () => {
    const met = documentOf([nodeSet(20, handshakes([50, 56, 55]))], notes, []).markdown;
    expect(met).toContain('| [Full handshake](#full-handshake) | ≤ 0.60 × node:tls | ✓ met: 0.51 × (0.50 – 0.61) |');
    const missed = documentOf([nodeSet(20, handshakes([70, 77, 63]))], notes, []).markdown;
    expect(missed).toContain('≤ 0.60 × node:tls | **✗ not met**: 0.70 × (0.70 – 0.70) |');
  });

  it('says why a row is not there, and of its goals that they were not measured', () => {
    const { markdown } = documentOf([nodeSet(20, handshakes([50, 56, 55]))], notes, []);
    expect(markdown).toContain('- nginx: not measured: this machine has no nginx');
    expect(markdown).toContain('| [Full handshake](#full-handshake) | ≤ 1.00 × nginx | not measured |');
  });

  it('lists what is dearer than its peer', () => {
    const [cheap, dear] = [handshakes([50, 56, 55]), handshakes([150, 165, 135])];
    const { markdown } = documentOf([nodeSet(20, cheap), nodeSet(24, dear)], notes, []);
    expect(markdown).toContain('- [Full handshake, server](#full-handshake), ours: 1.50 × node:tls on Node 24');
  });

  it('has a note beside its figures, and a chart of every runtime', () => {
    const sets = [nodeSet(20, handshakes([50, 56, 55])), nodeSet(24, handshakes([40, 44, 36]))];
    const { markdown, charts } = documentOf(sets, notes, []);
    expect(markdown).toContain('What remains is the signature.');
    expect(markdown).toContain('![Full handshake, server](benchmarks/full-handshake.svg)');
    const svg = charts['full-handshake.svg'] ?? '';
    for (const text of ['Node 20', 'Node 24', '0.40 ×', '≤ 0.60 × node:tls', 'prefers-color-scheme:dark']) {
      expect(svg).toContain(text);
    }
    expect(svg).not.toContain('NaN');
  });

  it('stays in the picture with a row that is far dearer', () => {
    const { charts } = documentOf([nodeSet(20, handshakes([5000, 6000, 7000]))], notes, []);
    const widths = [
      ...(charts['full-handshake.svg'] ?? '').matchAll(/<rect class="(?:ours|peer)".*? width="([\d.]+)"/g),
    ];
    expect(widths.length).toBe(2);
    for (const [, width] of widths) expect(Number(width)).toBeLessThanOrEqual(330);
  });

  it('in the repository shows every chart that lies beside it, and no other', () => {
    const docs = new URL('../../docs/', import.meta.url);
    const charts = readdirSync(new URL('benchmarks/', docs)).filter((name) => name.endsWith('.svg'));
    const markdown = readFileSync(new URL('benchmarks.md', docs), 'utf8');
    for (const chart of charts) expect(markdown).toContain(`(benchmarks/${chart})`);
    for (const [, chart] of markdown.matchAll(/\(benchmarks\/([\w-]+\.svg)\)/g)) expect(charts).toContain(chart);
  });
});

const notes = {
  scenarios: { 'full-handshake': 'What remains is the signature.' },
  document: { introduction: 'Figures.', method: 'By the clock.', limits: 'One machine.' },
};

function nodeSet(nodeMajor: number, ...results: Result[]): ResultSet {
  const scenarios = Object.fromEntries(results.map((result) => [result.name, result]));
  return { label: `Node ${nodeMajor}`, nodeMajor, runtime: `Node v${nodeMajor}.0.0`, machine: 'a machine', scenarios };
}

function handshakes(ours: readonly number[]): Result {
  return {
    name: 'full-handshake',
    title: 'Full handshake, server',
    measures: 'processor time per connection',
    unit: 'µs',
    how: '8 rounds of warm-up; not pinned.',
    when: '2030-01-02T03:04:05.678Z',
    commit: 'abc1234',
    rows: [
      { name: 'node:tls', rounds: [100, 110, 90] },
      { name: 'ours', rounds: ours },
      { name: 'nginx', unavailable: 'this machine has no nginx' },
    ],
  };
}
