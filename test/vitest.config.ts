// Tests boot whole machines and share few cores: the time limits are there for what hangs, not for what is slow.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 300_000, maxWorkers: '100%' },
});
