/** The matrix over Firefox. */
import { firefox } from '../peers/browsers.js';
import { matrixOf } from '../run.js';

matrixOf(firefox);
