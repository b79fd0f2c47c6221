// usertests notices what is broken in the host kernel: memory and bad pointers.

import { describe } from 'vitest';
import { hostConsole, testSabotages } from './sabotage.ts';
import { MEMORY_SABOTAGES } from './sabotages-memory.ts';

describe('usertests notices, of memory and bad pointers,', () => testSabotages(MEMORY_SABOTAGES, hostConsole));
