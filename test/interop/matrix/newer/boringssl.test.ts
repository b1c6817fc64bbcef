/** The matrix over BoringSSL. */
import { boringssl } from '../peers/boringssl.js';
import { matrixOf } from '../run.js';

matrixOf(boringssl);
