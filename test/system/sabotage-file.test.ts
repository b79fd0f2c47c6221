// usertests notices what is broken in the host kernel: files, descriptors, events and programs.

import { describe } from 'vitest';
import { hostConsole, testSabotages } from './sabotage.ts';
import { FILE_SABOTAGES } from './sabotages-file.ts';

describe('usertests notices, of files, descriptors, events and programs,', () => testSabotages(FILE_SABOTAGES, hostConsole));
