import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";

/** A mail as it came. */
export interface Mail {
  to: string;
  subject: string;
  text: string;
}

/**
 * A mail server on loopback (RFC 5321, as much of it as one sender needs) that keeps each mail as a file, where every test can look
 * for its own.
 */
export async function mailServer(folder: string): Promise<{ server: Server; url: string }> {
  let count = 0;
  const keep = (to: string, letter: string) => {
    count += 1;
    const path = join(folder, `${String(count).padStart(6, "0")}.json`);
    // Whoever looks sees whole files only.
    writeFileSync(`${path}.part`, JSON.stringify(read(to, letter)));
    renameSync(`${path}.part`, path);
  };
  const server = createServer((socket) => serve(socket, keep));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  return { server, url: `smtp://127.0.0.1:${typeof address === "object" ? address?.port : 0}` };
}

function serve(socket: Socket, keep: (to: string, letter: string) => void): void {
  const say = (line: string) => socket.write(`${line}\r\n`);
  let [unread, to] = ["", ""];
  let letter: string[] | undefined;
  const hear = (line: string) => {
    if (letter) {
      if (line !== ".") return letter.push(line.replace(/^\./, ""));
      keep(to, letter.join("\n"));
      letter = undefined;
      return say("250 kept");
    }
    const word = line.slice(0, 4).toUpperCase();
    if (word === "DATA") letter = [];
    if (word === "RCPT") to = /<(.*)>/.exec(line)?.[1] ?? "";
    if (word === "QUIT") socket.end("221 bye\r\n");
    else say(word === "DATA" ? "354 go on" : "250 good");
  };
  socket.setEncoding("utf8");
  socket.on("data", (text) => {
    const lines = `${unread}${text}`.split("\r\n");
    unread = lines.pop() ?? "";
    lines.forEach(hear);
  });
  // The sender may go whenever it likes.
  socket.on("error", () => socket.destroy());
  say("220 loopback");
}

function read(to: string, letter: string): Mail {
  const end = letter.indexOf("\n\n");
  const [head, body] = [letter.slice(0, end), letter.slice(end + 2)];
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, "im").exec(head)?.[1] ?? "";
  const isQuoted = header("Content-Transfer-Encoding") === "quoted-printable";
  return { to, subject: header("Subject"), text: isQuoted ? unquoted(body) : body };
}

/** RFC 2045, 6.7: lines that were broken are one again, and bytes that were written as numbers are bytes. */
function unquoted(body: string): string {
  const whole = body.replace(/=\n/g, "");
  return whole.replace(/(?:=[0-9A-F]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll("=", ""), "hex").toString("utf8"));
}

const WAIT_MS_MAX = 30_000;

/** The newest mail with this subject to an address, waited for; there were so many of them `before`. */
export async function mailTo(folder: string, to: string, subject: string, before = 0): Promise<Mail> {
  const until = Date.now() + WAIT_MS_MAX;
  while (Date.now() < until) {
    const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
    const mails = names.sort().map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Mail);
    const found = mails.filter((mail) => mail.to === to && mail.subject === subject);
    if (found.length > before) return found.at(-1) as Mail;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no mail “${subject}” came to ${to} within ${WAIT_MS_MAX / 1000} seconds`);
}

/** The link in a mail. */
export function linkIn({ text }: Mail): string {
  const link = /https?:\S+/.exec(text)?.[0];
  if (!link) throw new Error("there is no link in the mail");
  return link;
}
