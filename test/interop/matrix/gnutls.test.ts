/** The matrix over the GnuTLS of this machine. */
import { gnutls } from './peers/gnutls.js';
import { lackedByGnutls } from './peers/gnutls-lacks.js';
import { matrixOf } from './run.js';

matrixOf(gnutls('machine', 'gnutls', lackedByGnutls));
