/** The matrix over the curl of a newer Debian. */
import { curl } from '../peers/curl.js';
import { matrixOf } from '../run.js';

matrixOf(curl('sid', 'curl-newer', true));
