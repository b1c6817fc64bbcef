/** The matrix over the ssl module of this machine's Python. */
import { lackedBy311, python } from './peers/python.js';
import { matrixOf } from './run.js';

matrixOf(python('machine', 'python', '/usr/bin/python3', lackedBy311));
