/** Every feature that the shim offers to the runner. A new one is a file here and a line in this list. */
import type { Feature } from '../feature.js';
import { alpn } from './alpn.js';
import { basics } from './basics.js';
import { callbacks } from './callbacks.js';
import { certificateCompression } from './certificate-compression.js';
import { certificates } from './certificates.js';
import { earlyData } from './early-data.js';
import { ech } from './ech.js';
import { exporters } from './exporters.js';
import { groups } from './groups.js';
import { helloShape } from './hello-shape.js';
import { inputOutput } from './input-output.js';
import { messageLog } from './message-log.js';
import { ocsp } from './ocsp.js';
import { olderVersions } from './older-versions.js';
import { psk } from './psk.js';
import { rawPublicKeys } from './raw-public-keys.js';
import { records } from './records.js';
import { serverName } from './server-name.js';
import { signatures } from './signatures.js';
import { tickets } from './tickets.js';

export const features: readonly Feature[] = [
  basics,
  alpn,
  callbacks,
  certificateCompression,
  certificates,
  earlyData,
  ech,
  exporters,
  groups,
  helloShape,
  inputOutput,
  messageLog,
  ocsp,
  olderVersions,
  rawPublicKeys,
  records,
  serverName,
  signatures,
  tickets,
  // Behind the certificates, which it may rule out.
  psk,
];
