/** How handshakes share the turns of the event loop. */
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { HandshakeTurns, type TurnTaker } from '../src/handshake-turns.js';
import { dial, eventually, serve } from './support.js';

describe('HandshakeTurns', () => {
  it('gives turns while there is time, and the next turn to those behind, in their order', async () => {
    const { turns, taker, log } = watched(10);
    for (const name of ['a', 'b', 'c', 'd', 'e']) turns.take(taker(name, 6), Uint8Array.of(1));
    expect(log).toEqual(['a', 'b', 'c waits', 'd waits', 'e waits']);
    expect(turns.waiting).toBe(3);
    await turn();
    // The turn that began with a and b is over its time.
    expect(log.slice(5)).toEqual([]);
    await turn();
    expect(log.slice(5)).toEqual(['c goes on', 'c', 'd goes on', 'd']);
    turns.take(taker('f', 1), Uint8Array.of(1));
    expect(log.at(-1)).toBe('f waits');
    await turn();
    expect(log.slice(10)).toEqual(['e goes on', 'e', 'f goes on', 'f']);
    expect(turns.waiting).toBe(0);
    turns.take(taker('g', 1), Uint8Array.of(1));
    expect(log.at(-1)).toBe('g');
  });

  it('keeps the bytes of those that wait', async () => {
    const { turns, taker } = watched(1);
    const bytes = Uint8Array.of(1, 2, 3);
    const seen: Uint8Array[] = [];
    turns.take(taker('a', 5), bytes);
    turns.take({ wait: () => {}, takeTurn: (given) => seen.push(given) }, bytes);
    bytes.fill(0);
    await turn();
    await turn();
    expect(seen).toEqual([Uint8Array.of(1, 2, 3)]);
  });

  it('takes room in a turn as soon as the one before is over', async () => {
    const { turns, taker, log } = watched(1);
    turns.take(taker('a', 5), Uint8Array.of(1));
    await turn();
    turns.take(taker('b', 5), Uint8Array.of(1));
    expect(log).toEqual(['a', 'b']);
  });
});

it('many handshakes at once all complete', async () => {
  let secured = 0;
  const server = await serve({}, (connection) => {
    secured += 1;
    connection.on('error', () => undefined);
    connection.resume();
  });
  const connections = Array.from({ length: 60 }, () => dial(server));
  await Promise.all(connections.map((connection) => once(connection, 'secureConnect')));
  await eventually(() => secured === 60, 'all to be secure at the server');
});

/** Turns of `budget` milliseconds by a clock that moves only where somebody takes a turn. */
function watched(budget: number) {
  let now = 0;
  const log: string[] = [];
  const taker = (name: string, cost: number): TurnTaker => ({
    wait: (on) => log.push(`${name} ${on ? 'waits' : 'goes on'}`),
    takeTurn: () => {
      now += cost;
      log.push(name);
    },
  });
  return { turns: new HandshakeTurns(budget, () => now), taker, log };
}
