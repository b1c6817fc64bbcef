/** The matrix over the curl of this machine. */
import { curl } from './peers/curl.js';
import { matrixOf } from './run.js';

matrixOf(curl('machine', 'curl', false));
