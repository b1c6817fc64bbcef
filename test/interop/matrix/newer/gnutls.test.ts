/** The matrix over the GnuTLS of a newer Debian. */
import { gnutls } from '../peers/gnutls.js';
import { lackedByGnutls } from '../peers/gnutls-lacks.js';
import { matrixOf } from '../run.js';

matrixOf(gnutls('sid', 'gnutls-newer', lackedByGnutls));
