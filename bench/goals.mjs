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
  { what: 'Bulk sending, user space', scenario: 'bulk-send', subject: 'ours', peer: 'node:tls', atMost: 0.9 },
  { what: 'Bulk receiving, user space', scenario: 'bulk-receive', subject: 'ours', peer: 'node:tls', atMost: 0.6 },
  { what: 'Static file, user space', scenario: 'static-file', subject: 'ours', peer: 'node:https', atMost: 0.6 },
  { what: 'Static file, user space', scenario: 'static-file', subject: 'ours', peer: 'nginx', atMost: 0.8 },
  { what: 'Small HTTP/1.1 answers', scenario: 'requests', subject: 'ours', peer: 'node:https', atMost: 0.75 },
  { what: 'Memory per idle connection', scenario: 'idle-memory', subject: 'ours', peer: 'node:tls', atMost: 0.35 },
];

/** The goal in a few words. */
export function statedGoal({ stated, atMost, peer, fromNode }) {
  const bound = stated ?? `≤ ${atMost.toFixed(2)} × ${peer}`;
  return fromNode === undefined ? bound : `${bound} (Node ≥ ${fromNode})`;
}
