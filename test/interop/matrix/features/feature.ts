/** A row of the table. */
import type { ConnectionInfo } from 'tls13-core';
import type { KeyKind } from '../../identities.js';
import type { Cell, OurOptions } from '../cell.js';
import type { Said, Wish } from '../peer.js';

export type Run = (cell: Cell) => Promise<void>;

export interface Feature {
  readonly id: string;
  readonly title: string;
  readonly group: string;
  /** With the peer as client; without one the row has no such cells. */
  readonly client?: Run;
  readonly server?: Run;
  /** Why it cannot be run yet, for want of something on our side. */
  readonly open?: string;
}

/** The same run for both roles. */
export function both(run: Run): Pick<Feature, 'client' | 'server'> {
  return { client: run, server: run };
}

export interface Simple {
  readonly theirs?: Wish;
  readonly ours?: OurOptions;
  readonly kind?: KeyKind;
  readonly info?: Partial<ConnectionInfo>;
  readonly said?: Said;
}

/** A connection that is made with these options, of which both sides say this, and that passes data. */
export function simple({ theirs = {}, ours = {}, kind = 'p256', info = {}, said = {} }: Simple): Run {
  return async (cell) => cell.check(await cell.connect(theirs, ours, kind), info, said);
}
