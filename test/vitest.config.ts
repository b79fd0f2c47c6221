// Tests boot whole machines and share few cores: the time limits are there for what hangs, not for what is slow.
// DAMSELFLY_TESTS=PATTERN npm test runs the files of that pattern alone.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: [process.env.DAMSELFLY_TESTS ?? 'test/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 300_000, maxWorkers: '100%' },
});
