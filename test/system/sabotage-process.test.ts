// usertests notices what is broken in the host kernel: processes, signals, threads and time.

import { describe } from 'vitest';
import { hostConsole, testSabotages } from './sabotage.ts';
import { PROCESS_SABOTAGES } from './sabotages-process.ts';

describe('usertests notices, of processes, signals, threads and time,', () => testSabotages(PROCESS_SABOTAGES, hostConsole));
