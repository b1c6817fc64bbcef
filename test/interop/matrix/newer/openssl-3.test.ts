/** The matrix over OpenSSL 3.6. */
import { openssl } from '../peers/openssl.js';
import { lackedBy36 } from '../peers/openssl-lacks.js';
import { matrixOf } from '../run.js';

matrixOf(openssl('sid', 'openssl-3', 'OpenSSL', lackedBy36));
