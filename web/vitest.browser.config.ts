import { defineConfig } from "vitest/config";

/** Tests in a browser, against a binary that serves a demo clinic: `npm run browser`. */
export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: ["tests/setup.ts"],
    // They share one server and few cores. Each looks only for people whom it has registered itself.
    maxWorkers: 2,
    // A walk over every page takes long on a machine that does other things as well.
    testTimeout: 240_000,
    hookTimeout: 120_000,
  },
});
