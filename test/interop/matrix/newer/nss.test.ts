/** The matrix over NSS. */
import { nss } from '../peers/nss.js';
import { matrixOf } from '../run.js';

matrixOf(nss);
