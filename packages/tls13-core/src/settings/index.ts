/** What the protocol relies on: an application's configuration, checked and with its defaults. */
export { type ClientSettings, clientSettings } from './client.js';
export type { CommonSettings } from './common.js';
export { checkCredential } from './credential.js';
export { type ServerSettings, serverSettings } from './server.js';
