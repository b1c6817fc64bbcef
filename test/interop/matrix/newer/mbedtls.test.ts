/** The matrix over Mbed TLS. */
import { mbedtls } from '../peers/mbedtls.js';
import { matrixOf } from '../run.js';

matrixOf(mbedtls('developer', 'mbedtls'));
