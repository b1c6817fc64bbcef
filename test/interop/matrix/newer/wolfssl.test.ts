/** The matrix over the wolfSSL of a newer Debian. */
import { faultsOf59, lackedBy59, wolfssl } from '../peers/wolfssl.js';
import { matrixOf } from '../run.js';

matrixOf(wolfssl('developer', 'wolfssl-newer', lackedBy59, faultsOf59));
