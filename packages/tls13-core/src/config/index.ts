/** What an application chooses. Defaults and refusals are in `settings/`: a wrong configuration never reaches a peer. */
export type * from './authentication.js';
export type * from './client.js';
export type * from './common.js';
export type * from './deviations.js';
export type * from './early-data.js';
export type * from './ech.js';
export type * from './limits.js';
export type * from './psk.js';
export type * from './records.js';
export type * from './server.js';
