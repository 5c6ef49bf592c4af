// The path of the binary, for programs that start it.

import { fileURLToPath } from 'node:url';

export const binary = fileURLToPath(new URL('./bin/conclave', import.meta.url));
