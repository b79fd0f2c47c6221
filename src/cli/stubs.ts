// `npm run stubs`: makes src/libc/stubs.ts from the system call table, as gensys does in the guest.

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { stubsText } from '../abi/stubs.ts';

writeFileSync(resolve(import.meta.dirname, '../libc/stubs.ts'), stubsText(), 'latin1');
