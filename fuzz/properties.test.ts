/** Every property, bounded, and every case that once contradicted one. */
import { describe, expect, it } from 'vitest';
import { properties } from './properties/index.js';
import { keptSeeds } from './support/seeds.js';

/** Milliseconds in which a property begins new cases; on an idle machine it has run all of its own before. */
const bound = 1_200;

describe.each(properties)('$name', (property) => {
  it('holds', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const { failure } = await property.check({ seed, runs: property.runs, time: bound });
    expect(failure?.report).toBeUndefined();
  });

  it.each(keptSeeds(property.name))('holds for seed $seed, path $path', async ({ seed, path }) => {
    const { failure } = await property.check({ seed, path, runs: 1 });
    expect(failure?.report).toBeUndefined();
  });
});
