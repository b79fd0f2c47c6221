// usertests notices what is broken in the host kernel: VM spaces and VPAGETABLE mappings.

import { describe } from 'vitest';
import { hostConsole, testSabotages } from './sabotage.ts';
import { VMSPACE_SABOTAGES } from './sabotages-vmspace.ts';

describe('usertests notices, of VM spaces,', () => testSabotages(VMSPACE_SABOTAGES, hostConsole));
