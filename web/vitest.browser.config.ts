import { defineConfig } from "vitest/config";

/** Tests in a browser, against a binary that serves a demo clinic: `npm run browser`. */
export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: ["tests/setup.ts"],
    // They share one server and few cores. Each looks only for people whom it has registered itself.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
