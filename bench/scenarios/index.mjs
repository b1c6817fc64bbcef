// Every scenario, in the order in which they run.
import { bulkReceive, bulkSend, clientReceive, clientSend } from './bulk.mjs';
import { clusterScaling } from './cluster.mjs';
import { engineHandshake, engineOpen, engineSeal } from './engine.mjs';
import { eventLoop, signingCost, signingStall } from './event-loop.mjs';
import { growthConnections, growthFiles } from './growth.mjs';
import { clientHandshake, fullHandshake, hybridHandshake, resumedHandshake } from './handshakes.mjs';
import { requests, staticFile } from './http.mjs';
import { kernelFile, kernelFileInstructions } from './kernel-file.mjs';
import { http2Requests, httpsConnections, wrkRequests } from './loaded.mjs';
import { idleMemory } from './memory.mjs';
import { portableOpen, portableSeal } from './portable.mjs';

export const scenarios = [
  fullHandshake,
  resumedHandshake,
  hybridHandshake,
  bulkSend,
  bulkReceive,
  staticFile,
  requests,
  wrkRequests,
  http2Requests,
  httpsConnections,
  idleMemory,
  eventLoop,
  signingStall,
  signingCost,
  growthFiles,
  growthConnections,
  clusterScaling,
  clientHandshake,
  clientSend,
  clientReceive,
  engineHandshake,
  engineSeal,
  engineOpen,
  portableSeal,
  portableOpen,
];

/** Those of `npm run bench:kernel`. */
export const kernelScenarios = [kernelFile, kernelFileInstructions];
