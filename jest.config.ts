import type { Config } from 'jest';

/** `@swc/jest` takes its options from `.swcrc`, as `run.mjs` does, so tests run what the product runs. */
export default {
  roots: ['<rootDir>/tests', '<rootDir>/schema', '<rootDir>/subgraphs', '<rootDir>/gateway', '<rootDir>/clients'],
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '@swc/jest' },
  setupFiles: ['reflect-metadata'],
  globalSetup: './tests/setup/global-setup.mts',
  globalTeardown: './tests/setup/global-teardown.mts',
  reporters: [['default', { summary: false }], './tests/setup/reporter.ts'],
  testTimeout: 30_000,
  maxWorkers: 2,
  workerIdleMemoryLimit: '1.5GB', // what a test file loaded is never given back; another worker begins anew
} satisfies Config;
