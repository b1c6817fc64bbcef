/** The matrix over Botan. */
import { botan } from '../peers/botan.js';
import { matrixOf } from '../run.js';

matrixOf(botan);
