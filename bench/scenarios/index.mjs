// Every scenario, in the order in which they run.
import { bulkReceive, bulkSend, clientReceive, clientSend } from './bulk.mjs';
import { engineHandshake, engineOpen, engineSeal } from './engine.mjs';
import { clientHandshake, fullHandshake, resumedHandshake } from './handshakes.mjs';
import { requests, staticFile } from './http.mjs';
import { idleMemory } from './memory.mjs';

export const scenarios = [
  fullHandshake,
  resumedHandshake,
  bulkSend,
  bulkReceive,
  staticFile,
  requests,
  idleMemory,
  clientHandshake,
  clientSend,
  clientReceive,
  engineHandshake,
  engineSeal,
  engineOpen,
];
