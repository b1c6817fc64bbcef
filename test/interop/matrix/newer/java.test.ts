/** The matrix over the JSSE of a newer Java. */
import { java, lackedBy27 } from '../peers/java.js';
import { matrixOf } from '../run.js';

matrixOf(java('developer', 'java-newer', '/usr/lib/jvm/java-27-openjdk-amd64/bin/', lackedBy27));
