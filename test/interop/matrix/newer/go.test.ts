/** The matrix over Go's crypto/tls. */
import { go } from '../peers/go.js';
import { matrixOf } from '../run.js';

matrixOf(go('developer', 'go'));
