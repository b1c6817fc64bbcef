// Every goal is held by a scenario that has its rows, and prose is about scenarios that there are.
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { goals } from '../goals.mjs';
import { kernelScenarios, scenarios as usual } from '../scenarios/index.mjs';

const scenarios = [...usual, ...kernelScenarios];

describe('the goals of the benchmarks', () => {
  it('each have a scenario with the row and with its peer', async () => {
    for (const { scenario: name, subject, peer } of goals) {
      const scenario = scenarios.find((one) => one.name === name);
      expect(scenario, `the scenario ${name}`).toBeDefined();
      const names = ((await scenario?.subjects(context)) ?? []).map((one) => one.name);
      expect(names, name).toEqual(expect.arrayContaining(peer === undefined ? [subject] : [subject, peer]));
    }
  });
});

describe('the scenarios of the benchmarks', () => {
  it('have names of their own, a sentence about what they measure, and rows of different names', async () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
    for (const scenario of scenarios) {
      expect(scenario.measures, scenario.name).toMatch(/^[^.].*[^.]$/);
      const names = (await scenario.subjects(context)).map(({ name }) => name);
      expect(new Set(names).size, scenario.name).toBe(names.length);
    }
  });

  it('are what each note is about', () => {
    const notes = readdirSync(new URL('../notes/', import.meta.url)).filter((name) => name.endsWith('.md'));
    const known = scenarios.map(({ name }) => `${name}.md`);
    expect(known).toEqual(expect.arrayContaining(notes));
  });
});

/** Nothing is looked for, and so nothing is fetched. */
const context = { other: () => Promise.resolve({ unavailable: 'not looked for' }) };
