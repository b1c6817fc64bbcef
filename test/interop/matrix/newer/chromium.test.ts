/** The matrix over Chromium. */
import { chromium } from '../peers/browsers.js';
import { matrixOf } from '../run.js';

matrixOf(chromium);
