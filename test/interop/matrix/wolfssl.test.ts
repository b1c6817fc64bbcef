/** The matrix over the wolfSSL of this machine. */
import { lackedBy55, wolfssl } from './peers/wolfssl.js';
import { matrixOf } from './run.js';

matrixOf(wolfssl('machine', 'wolfssl', lackedBy55));
