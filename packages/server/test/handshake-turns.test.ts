/** How handshakes share the turns of the event loop. */
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { HandshakeTurns, handshakeTurns, type TurnTaker } from '../src/handshake-turns.js';
import { cleanUp, dial, eventually, serve } from './support.js';

describe('HandshakeTurns', () => {
  it('gives turns while there is time, and the next turn to those behind, in their order', async () => {
    const { turns, taker, log } = watched(10);
    for (const name of ['a', 'b', 'c', 'd', 'e']) turns.take(taker(name, 6));
    expect(log).toEqual(['a', 'b', 'c waits', 'd waits', 'e waits']);
    expect(turns.waiting).toBe(3);
    await turn();
    // The turn that began with a and b is over its time.
    expect(log.slice(5)).toEqual([]);
    await turn();
    expect(log.slice(5)).toEqual(['c goes on', 'c', 'd goes on', 'd']);
    turns.take(taker('f', 1));
    expect(log.at(-1)).toBe('f waits');
    await turn();
    expect(log.slice(10)).toEqual(['e goes on', 'e', 'f goes on', 'f']);
    expect(turns.waiting).toBe(0);
    turns.take(taker('g', 1));
    expect(log.at(-1)).toBe('g');
  });

  it('goes on with what has had a turn before anything else is begun, once', async () => {
    const { turns, taker, log } = watched(10);
    const begun = taker('begun', 10);
    turns.take(begun);
    turns.take(taker('new', 10));
    turns.take(begun);
    expect(log).toEqual(['begun', 'new waits', 'begun waits']);
    await turn();
    await turn();
    expect(log.slice(3)).toEqual(['begun goes on', 'begun']);
    turns.take(begun);
    expect(log.at(-1)).toBe('begun waits');
    await turn();
    expect(log.slice(6)).toEqual(['new goes on', 'new']);
    await turn();
    expect(log.slice(8)).toEqual(['begun goes on', 'begun']);
  });

  it('takes room in a turn as soon as the one before is over', async () => {
    const { turns, taker, log } = watched(1);
    turns.take(taker('a', 5));
    await turn();
    turns.take(taker('b', 5));
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

for (const transport of ['native', 'stream'] as const) {
  describe(`a handshake that waits for its turn, ${transport}`, () => {
    it('goes on when there is room again, and has lost nothing', async () => {
      const server = await serve({ transport }, (connection) => connection.pipe(connection));
      const release = takeAllTurns();
      const connection = dial(server);
      const secure = once(connection, 'secureConnect');
      await eventually(() => handshakeTurns.waiting > 0, 'the handshake to wait');
      expect(connection.info).toBe(undefined);
      release();
      await secure;
      connection.write('all of it');
      expect(String((await once(connection, 'data'))[0])).toBe('all of it');
      connection.destroy();
    });

    it('is given up after its time', async () => {
      const server = await serve({ transport, handshakeTimeout: 150 }, () => undefined);
      const failed = once(server, 'tlsClientError');
      cleanUp(takeAllTurns());
      const connection = dial(server);
      connection.on('error', () => undefined);
      await eventually(() => handshakeTurns.waiting > 0, 'the handshake to wait');
      expect((await failed)[0]).toMatchObject({ code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
      connection.destroy();
    });
  });
}

/** Somebody who always comes first, and leaves no room. @returns how to end it. */
function takeAllTurns(): () => void {
  let on = true;
  const greedy: TurnTaker = {
    turns: 1,
    wait: () => undefined,
    takeTurn: () => {
      for (const since = performance.now(); performance.now() - since < 2; );
      greedy.turns = 1;
      if (on) setImmediate(() => handshakeTurns.take(greedy));
    },
  };
  handshakeTurns.take(greedy);
  return () => {
    on = false;
  };
}

/** Turns of `budget` milliseconds by a clock that moves only where somebody takes a turn. */
function watched(budget: number) {
  let now = 0;
  const log: string[] = [];
  const taker = (name: string, cost: number): TurnTaker => ({
    turns: 0,
    wait: (on) => log.push(`${name} ${on ? 'waits' : 'goes on'}`),
    takeTurn: () => {
      now += cost;
      log.push(name);
    },
  });
  return { turns: new HandshakeTurns(budget, () => now), taker, log };
}
