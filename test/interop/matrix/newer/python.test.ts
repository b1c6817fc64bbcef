/** The matrix over the ssl module of a newer Python. */
import { lackedBy315, python } from '../peers/python.js';
import { matrixOf } from '../run.js';

matrixOf(python('developer', 'python-newer', 'python3.15', lackedBy315));
