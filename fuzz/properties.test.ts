/** Every property, bounded, and every case that once contradicted one. */
import { describe, expect, it } from 'vitest';
import { properties } from './properties/index.js';
import { keptSeeds } from './support/seeds.js';

/** Milliseconds in which a property begins new cases; on an idle machine it has run all of its own before. */
const bound = 2_500;

for (const property of properties) {
  describe(property.name, () => {
    it('holds', async () => {
      const seed = Math.floor(Math.random() * 2 ** 31);
      const { failure } = await property.check({ seed, runs: property.runs, time: bound });
      expect(failure?.report).toBeUndefined();
    });

    for (const { seed, path } of keptSeeds(property.name)) {
      it(`holds for seed ${seed}, path ${path}`, async () => {
        const { failure } = await property.check({ seed, path, runs: 1 });
        expect(failure?.report).toBeUndefined();
      });
    }
  });
}
