/** Runs every feature over a peer as tests, one a cell, and keeps what came of them for the table. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cacheFolder } from '../../../scripts/lib/run.mjs';
import { Cell } from './cell.js';
import { type Feature, features } from './features.js';
import { type Peer, type Role, reasonFor } from './peer.js';

interface Outcome {
  readonly verdict: 'passed' | 'failed' | 'fault' | 'lacking' | 'open';
  /** Why, unless it passed. */
  readonly reason?: string;
}

/** Makes the tests of a peer. */
export function matrixOf(peer: Peer): void {
  const outcomes: { feature: string; role: Role; outcome: Outcome }[] = [];
  let version = '';
  const { prepare } = peer;
  if (prepare !== undefined) beforeAll(() => prepare(), 300_000);
  const roles = (['client', 'server'] as const).filter((role) => peer[role] !== undefined);
  for (const role of roles) {
    const keep = (feature: Feature, outcome: Outcome) => outcomes.push({ feature: feature.id, role, outcome });
    describe(`${peer.name} as ${role}`, () => {
      for (const feature of features) {
        const run = role === 'client' ? feature.client : feature.server;
        const unknown = peer.knows?.features.includes(feature.id) === false ? peer.knows.otherwise : undefined;
        const lack = reasonFor(peer.lacks, feature.id, role) ?? unknown;
        const fault = reasonFor(peer.faults, feature.id, role);
        if (feature.open !== undefined) keep(feature, { verdict: 'open', reason: feature.open });
        else if (run === undefined) continue;
        else if (lack !== undefined) keep(feature, { verdict: 'lacking', reason: lack });
        else if (fault !== undefined) {
          it(`${feature.title}: ${fault}`, async () => {
            keep(feature, { verdict: 'fault', reason: fault });
            await expect(run(new Cell(peer, role)), 'no longer a fault').rejects.toThrow();
          });
        } else {
          it(feature.title, async () => {
            try {
              await run(new Cell(peer, role));
              keep(feature, { verdict: 'passed' });
            } catch (error) {
              keep(feature, { verdict: 'failed', reason: error instanceof Error ? error.message : String(error) });
              throw error;
            }
          });
        }
      }
    });
  }

  it(`${peer.name} has a version`, async () => {
    version = await peer.version();
    expect(version).toMatch(/^\d/);
  });

  it(`${peer.name} lacks only features that there are`, () => {
    const known = features.map(({ id }) => id);
    const named = [peer.lacks, peer.faults ?? {}].flatMap((reasons) => Object.keys(reasons));
    expect(named.filter((id) => !known.includes(id))).toEqual([]);
  });

  afterEach(() => {
    const folder = join(cacheFolder, 'reports/interop');
    mkdirSync(folder, { recursive: true });
    const { id, name } = peer;
    const titles = features.map((feature) => ({ id: feature.id, title: feature.title, group: feature.group }));
    writeFileSync(
      join(folder, `${id}.json`),
      JSON.stringify({ id, name, version, outcomes, features: titles }, null, 1),
    );
  });
}
