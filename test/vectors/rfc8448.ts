/** The traces of RFC 8448, as data: what is said there, step by step, under the names it has there. */
import { readFileSync } from 'node:fs';
import { fromHex } from './hex.js';

export const traceNames = [
  'simple-1-rtt',
  'resumed-0-rtt',
  'hello-retry-request',
  'client-authentication',
  'compatibility-mode',
] as const;
export type TraceName = (typeof traceNames)[number];

export interface TraceStep {
  readonly who: 'client' | 'server';
  /** As in the RFC, e.g. `send handshake record` or `derive secret "tls13 c hs traffic"`. */
  readonly what: string;
  /** By the names of the RFC, e.g. `complete record`. */
  readonly values: ReadonlyMap<string, Uint8Array>;
}

export function trace(name: TraceName): TraceStep[] {
  const steps: { who: 'client' | 'server'; what: string; values: Map<string, Uint8Array> }[] = [];
  for (const line of lines(name).slice(1)) {
    const heading = /^\{(client|server)\} (.*)$/.exec(line);
    if (heading?.[1] !== undefined && heading[2] !== undefined) {
      steps.push({ who: heading[1] === 'client' ? 'client' : 'server', what: heading[2], values: new Map() });
    } else if (line !== '') {
      const [key, value] = assignment(line);
      steps.at(-1)?.values.set(key, value);
    }
  }
  return steps;
}

/** The value of a step, which must be there. */
export function valueIn(step: TraceStep | undefined, name: string): Uint8Array {
  const value = step?.values.get(name);
  if (value === undefined) throw new Error(`the trace has no "${name}" in "${step?.what}"`);
  return value;
}

/** The first step of this name that has values (the RFC repeats some as "same as server"). */
export function stepOf(steps: readonly TraceStep[], what: string, who?: 'client' | 'server'): TraceStep {
  const found = steps.find((step) => step.what === what && (who === undefined || step.who === who));
  if (found === undefined) throw new Error(`the trace has no step "${what}"`);
  return found;
}

function lines(name: TraceName): string[] {
  return readFileSync(new URL(`./rfc8448/${name}.txt`, import.meta.url), 'utf8').split('\n');
}

function assignment(line: string): [string, Uint8Array] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), fromHex(line.slice(colon + 1))];
}
