import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { mailServer } from "./mail";

/** Roles of the demo clinic. */
export type Role = "admin" | "physician" | "nurse" | "registrar" | "auditor" | "patient";

/** Where the server is, and who may sign in. */
export interface Demo {
  url: string;
  accounts: Record<Role, { username: string; password: string }>;
  /** The binary that serves it, for what people do with its commands. */
  binary: string;
  /** The folder in which the mails are that it has sent. */
  mails: string;
}

declare module "vitest" {
  interface ProvidedContext {
    demo: Demo;
  }
}

const PATIENTS = 200;
/** Making the clinic takes a while in a debug build. */
const START_MS_MAX = 300_000;
const STOP_MS_MAX = 10_000;

/** Starts a demo clinic for all tests, and ends it after them. */
export default async function setup(project: TestProject) {
  const folder = mkdtempSync(join(tmpdir(), "iris-browser-"));
  const [port, metrics] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const program = binary();
  const mails = join(folder, "mails");
  mkdirSync(mails);
  const post = await mailServer(mails);
  const server = start(program, join(folder, "data"), { port, metrics, post: post.url });
  const end = async () => {
    await stop(server);
    post.server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await healthy(server, url);
    const kept = readFileSync(join(folder, "data", "demo-credentials.json"), "utf8");
    project.provide("demo", { url, accounts: JSON.parse(kept) as Demo["accounts"], binary: program, mails });
  } catch (error) {
    await end();
    throw error;
  }
  return end;
}

interface Places {
  port: number;
  metrics: number;
  /** Where mails go. */
  post: string;
}

function start(program: string, data: string, { port, metrics, post }: Places): ChildProcess {
  const flags = ["--data-dir", data, "--http-listen", `127.0.0.1:${port}`, "--metrics-listen", `127.0.0.1:${metrics}`];
  const args = ["serve", "--demo", "--demo-patients", String(PATIENTS), "--log-level", "warn", ...flags];
  // The server refuses settings that it does not know, and the tests are to be the same whatever is set around them.
  const around = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("IRIS_")));
  const env = { ...around, IRIS_SMTP_URL: post, IRIS_MAIL_FROM: "IRIS <iris@clinic.example>" };
  return spawn(program, args, { env, stdio: ["ignore", "ignore", "inherit"] });
}

/** `IRIS_BINARY`, or what the last debug build made. */
function binary(): string {
  const given = process.env.IRIS_BINARY;
  if (given) return given;
  const args = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
  const metadata = JSON.parse(execFileSync("cargo", args, { encoding: "utf8", maxBuffer: 1 << 28 }));
  const built = join((metadata as { target_directory: string }).target_directory, "debug", "iris");
  if (!existsSync(built))
    throw new Error(`there is no ${built}: build it with cargo build --package iris, or set IRIS_BINARY`);
  return built;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

async function healthy(server: ChildProcess, url: string): Promise<void> {
  const until = Date.now() + START_MS_MAX;
  while (Date.now() < until) {
    if (server.exitCode !== null) throw new Error(`the server ended with status ${server.exitCode}; it said why above`);
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`the server was not ready after ${START_MS_MAX / 1000} seconds`);
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const ended = once(server, "exit");
  server.kill("SIGTERM");
  const late = setTimeout(() => server.kill("SIGKILL"), STOP_MS_MAX);
  await ended;
  clearTimeout(late);
}
