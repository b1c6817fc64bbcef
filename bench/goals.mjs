// What the figures are held against: each goal names the scenario that measures it, the row, and the row's peer.

/**
 * @typedef {object} Goal
 * @property {string} what as people say it
 * @property {string} scenario its name in bench/scenarios or bench/kernel
 * @property {string} subject the row that is held against it
 * @property {string} [peer] the row that it is compared with; without one the figure itself counts
 * @property {number} atMost a ratio, or with no peer a figure in the scenario's unit
 * @property {string} [stated] the goal as it was set, where that is not `≤ atMost × peer`
 * @property {number} [fromNode] the major version of Node from which on it is a goal
 */

/** @type {readonly Goal[]} */
export const goals = [
  { what: 'Full handshake', scenario: 'full-handshake', subject: 'ours', peer: 'node:tls', atMost: 0.6 },
  { what: 'Full handshake', scenario: 'full-handshake', subject: 'ours', peer: 'nginx', atMost: 1 },
  { what: 'Resumed handshake', scenario: 'resumed-handshake', subject: 'ours', peer: 'node:tls', atMost: 0.6 },
  {
    what: 'With X25519MLKEM768',
    scenario: 'hybrid-handshake',
    subject: 'ours, X25519MLKEM768',
    peer: 'ours, X25519',
    atMost: 1.4,
    fromNode: 22,
  },
  { what: 'Bulk sending, user space', scenario: 'bulk-send', subject: 'ours', peer: 'node:tls', atMost: 0.9 },
  { what: 'Bulk receiving, user space', scenario: 'bulk-receive', subject: 'ours', peer: 'node:tls', atMost: 0.6 },
  { what: 'Static file, user space', scenario: 'static-file', subject: 'ours', peer: 'node:https', atMost: 0.6 },
  { what: 'Static file, user space', scenario: 'static-file', subject: 'ours', peer: 'nginx', atMost: 0.8 },
  { what: 'Small HTTP/1.1 answers', scenario: 'requests', subject: 'ours', peer: 'node:https', atMost: 0.75 },
  { what: 'Memory per idle connection', scenario: 'idle-memory', subject: 'ours', peer: 'node:https', atMost: 0.35 },
  {
    what: 'Static file, kernel seals, instructions',
    scenario: 'kernel-file-instructions',
    subject: 'ours, kernel seals',
    peer: 'nginx, kernel seals',
    atMost: 1.05,
  },
  {
    what: 'Static file, kernel seals, instructions',
    scenario: 'kernel-file-instructions',
    subject: 'ours, kernel seals',
    peer: 'node:https',
    atMost: 0.8,
  },
  {
    what: 'Event loop, 1,000 handshakes in flight',
    scenario: 'event-loop',
    subject: 'ours',
    atMost: 10,
    stated: 'no stall > 10 ms',
  },
  {
    what: 'Growth from files of 1 MiB to 4 GiB',
    scenario: 'growth-files',
    subject: 'ours, 4 GiB',
    peer: 'ours, 1 MiB',
    atMost: 1.15,
    stated: 'flat: ≤ 1.15 ×',
  },
  {
    what: 'Growth from 1 to 10,000 connections',
    scenario: 'growth-connections',
    subject: 'ours, 10,000 connections',
    peer: 'ours, 1 connection',
    atMost: 1.15,
    stated: 'flat: ≤ 1.15 ×',
  },
  ...portable('Portable core, sealing', 'portable-seal'),
  ...portable('Portable core, opening', 'portable-open'),
];

/** The goal in a few words. */
export function statedGoal({ stated, atMost, peer, fromNode }) {
  const bound = stated ?? `≤ ${atMost.toFixed(2)} × ${peer}`;
  return fromNode === undefined ? bound : `${bound} (Node ≥ ${fromNode})`;
}

/** A speed of 0.95 is a cost of 1 ÷ 0.95. */
function portable(what, scenario) {
  const kinds = ['AES-128-GCM, 16 KiB', 'AES-128-GCM, 1 KiB', 'ChaCha20-Poly1305, 16 KiB', 'ChaCha20-Poly1305, 1 KiB'];
  return kinds.map((kind) => ({
    what: `${what}, ${kind}`,
    scenario,
    subject: `portable core, ${kind}`,
    peer: `noble alone, ${kind}`,
    atMost: 1 / 0.95,
    stated: 'speed ≥ 0.95 × noble alone',
  }));
}
