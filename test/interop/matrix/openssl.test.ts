/** The matrix over the OpenSSL of this machine. */
import { openssl } from './peers/openssl.js';
import { lackedBy30 } from './peers/openssl-lacks.js';
import { matrixOf } from './run.js';

matrixOf(openssl('machine', 'openssl', 'OpenSSL', lackedBy30));
