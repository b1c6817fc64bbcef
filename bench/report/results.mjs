// What was measured, kept beside the document that is drawn from it: docs/benchmarks/NAME.json, one file a runtime. Each
// scenario in it says when and how it was measured, so that one can be measured again without the others.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { documentOf } from './document.mjs';

/**
 * @typedef {object} ResultSet
 * @property {string} label a few words for the head of a column: `Node 20`
 * @property {number} [nodeMajor]
 * @property {string} runtime the exact versions
 * @property {string} machine
 * @property {Record<string, Result>} scenarios by name
 *
 * @typedef {object} Result
 * @property {string} name
 * @property {string} title
 * @property {string} measures a sentence without its full stop: whose cost is counted, over what
 * @property {string} unit
 * @property {{ unit: string, over: number }} [alsoAs] the same as people may know it: `over` divided by the figure
 * @property {string} how rounds, warm-up, pinning, load, in a sentence
 * @property {string} when ISO 8601
 * @property {string} commit
 * @property {({ name: string, rounds: number[], comparedWith?: string } | { name: string, unavailable: string })[]} rows
 *   compared with the row they name, otherwise with the first that is measured
 */

const docs = fileURLToPath(new URL('../../docs/', import.meta.url));
const folder = join(docs, 'benchmarks');

/**
 * Puts results into a kept set, which is made where there is none. What it has of other scenarios stays, unless it is of
 * another machine or runtime: a set is of one.
 */
export function keepResults(name, { results, ...set }) {
  const path = join(folder, `${name}.json`);
  const kept = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
  const stays = kept?.machine === set.machine && kept.runtime === set.runtime;
  const scenarios = {
    ...(stays ? kept.scenarios : {}),
    ...Object.fromEntries(results.map((result) => [result.name, result])),
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, asJson({ ...set, scenarios }));
}

/** Draws docs/benchmarks.md and its charts from everything that is kept. @param order the scenarios' names */
export function writeDocument(order) {
  const { markdown, charts } = documentOf(keptSets(), readNotes(), order);
  for (const name of readdirSync(folder)) if (name.endsWith('.svg')) rmSync(join(folder, name));
  for (const [name, svg] of Object.entries(charts)) writeFileSync(join(folder, name), svg);
  writeFileSync(join(docs, 'benchmarks.md'), markdown);
}

/** Older Nodes first, then what is no Node. */
export function keptSets() {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  const sets = names.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
  const rank = ({ nodeMajor }) => nodeMajor ?? Number.POSITIVE_INFINITY;
  return sets.toSorted((one, other) => rank(one) - rank(other));
}

/** The prose: bench/notes/NAME.md about a scenario, bench/notes/document/NAME.md about all of them. */
export function readNotes() {
  const read = (path) => {
    const url = new URL(`../notes/${path}`, import.meta.url);
    const names = readdirSync(url).filter((name) => name.endsWith('.md'));
    return Object.fromEntries(
      names.map((name) => [name.slice(0, -3), readFileSync(new URL(name, url), 'utf8').trim()]),
    );
  };
  return { scenarios: read('./'), document: read('document/') };
}

/** Indented, but the figures of a row stay on one line. */
function asJson(value) {
  const rounded = JSON.stringify(
    value,
    (_key, one) => (typeof one === 'number' && !Number.isInteger(one) ? Number(one.toPrecision(6)) : one),
    2,
  );
  return `${rounded.replaceAll(/\[\s+([-\d.e+,\s]+?)\s+\]/g, (_all, list) => `[${list.replaceAll(/\s+/g, ' ')}]`)}\n`;
}
