/** The matrix over the JSSE of this machine's Java. */
import { java, lackedBy17 } from './peers/java.js';
import { matrixOf } from './run.js';

matrixOf(java('machine', 'java', '', lackedBy17));
