import type { Bytes } from "./bytes";

/** The signed part of an entry: 64 bytes, big-endian. */
export interface Header {
  tenant: number;
  action: string;
  outcome: string;
  /** RFC 3339, to the millisecond. */
  at: string;
  /** SHA-256 of the sealed details. */
  commitment: Bytes;
}

const BYTES = 64;
const VERSION = 1;
const OUTCOMES = ["success", "denied", "failure", "error"];

/** Reads header bytes of version 1: version · tenant u32 · actor token 16 · action u16 · outcome u8 · time i64 µs · commitment 32. */
export function readHeader(bytes: Bytes): Header | undefined {
  if (bytes.length !== BYTES || bytes[0] !== VERSION) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const action = ACTIONS[view.getUint16(21)];
  const outcome = OUTCOMES[view.getUint8(23)];
  const ms = Number(view.getBigInt64(24) / 1000n);
  if (!action || !outcome || Number.isNaN(new Date(ms).getTime())) return undefined;
  return {
    tenant: view.getUint32(1),
    action,
    outcome,
    at: new Date(ms).toISOString(),
    commitment: bytes.slice(32),
  };
}

/** What the numbers in headers mean; they never change (`spine/audit/tests/catalogue.txt`). */
export const ACTIONS: Record<number, string> = {
  101: "login.success",
  102: "login.failure",
  103: "login.locked",
  104: "logout",
  105: "token.refresh",
  106: "token.reuse",
  107: "token.issue",
  108: "token.refused",
  109: "session.revoke",
  110: "password.change",
  111: "session.expire",
  112: "session.step_up",
  121: "factor.add",
  122: "factor.remove",
  123: "factor.refuse",
  124: "login.challenge",
  201: "phi.read",
  202: "phi.vread",
  203: "phi.history",
  204: "phi.search",
  205: "phi.count",
  206: "phi.not_modified",
  207: "phi.summary",
  211: "phi.create",
  212: "phi.update",
  213: "phi.delete",
  214: "phi.transaction",
  215: "phi.batch",
  216: "phi.merge",
  217: "phi.unmerge",
  221: "phi.export",
  222: "phi.disclose",
  223: "phi.stream",
  231: "phi.denied",
  301: "import.start",
  302: "import.finish",
  303: "import.reject",
  304: "import.store",
  401: "audit.query",
  402: "audit.read",
  403: "audit.proof",
  404: "audit.verify",
  405: "audit.export",
  406: "audit.gap",
  407: "audit.disclosures",
  501: "user.create",
  502: "user.update",
  503: "user.disable",
  504: "user.unlock",
  505: "user.read",
  511: "role.grant",
  512: "role.revoke",
  513: "role.define",
  521: "client.create",
  522: "client.update",
  523: "client.revoke",
  531: "tenant.create",
  532: "tenant.update",
  533: "tenant.read",
  541: "access.denied",
  551: "register.ask",
  552: "email.verify",
  553: "password.reset_ask",
  554: "password.reset",
  555: "message.send",
  556: "message.drop",
  557: "portal.ask",
  558: "portal.refuse",
  561: "review.start",
  562: "review.decide",
  563: "review.read",
  601: "key.create",
  602: "key.rotate",
  603: "key.destroy",
  604: "key.escrow",
  701: "config.change",
  702: "server.start",
  703: "server.stop",
  711: "index.rebuild",
  712: "index.verify",
  713: "store.scrub",
  721: "backup.create",
  722: "backup.restore",
  801: "consent.grant",
  802: "consent.revoke",
  803: "consent.expire",
  811: "breakglass.start",
  812: "breakglass.end",
  813: "breakglass.review",
  814: "breakglass.read",
  901: "retention.hold",
  902: "retention.purge",
};
