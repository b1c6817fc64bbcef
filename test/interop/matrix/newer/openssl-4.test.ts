/** The matrix over OpenSSL 4.0. */
import { openssl } from '../peers/openssl.js';
import { lackedBy40 } from '../peers/openssl-lacks.js';
import { matrixOf } from '../run.js';

matrixOf(openssl('experimental', 'openssl-4', 'OpenSSL', lackedBy40));
