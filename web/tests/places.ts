import type { Page } from "playwright-core";
import { demo } from "./pages";
import type { Role } from "./setup";
import { answer, type Person, settled } from "./walks/walk";

export const ROLES = ["registrar", "nurse", "physician", "auditor", "admin", "patient"] as const satisfies Role[];

/** A page as a role sees it. */
export interface Place {
  /** How the page is called in the guide's images. */
  name: string;
  role: Role;
  path: string;
}

interface Item {
  id: string;
}

/** Every page there is, each with the role that has most to do with it, of one patient who has some of everything. */
export async function everyPlace(): Promise<Place[]> {
  const { patient_id: patient } = await answer<{ patient_id: string }>("patient", "/auth/me");
  const chart = `/patients/${patient}`;
  const { items: doses } = await answer<{ items: Item[] }>("nurse", `${chart}/immunizations`);
  const { items: users } = await answer<{ items: (Item & Record<string, unknown>)[] }>("admin", "/admin/users");
  const nurse = users.find(({ username }) => username === demo.accounts.nurse.username);
  const { items: entries } = await answer<{ items: (Item & { action: string })[] }>("auditor", "/audit/logs");
  const entry = entries.find(({ action }) => action.startsWith("phi.")) ?? entries[0];
  const dose = `${chart}/immunizations/${doses[0]?.id}`;
  const paths: Record<Role, Record<string, string>> = {
    registrar: { find: "/patients", register: "/patients/register", edit: `${chart}/edit`, "chart-registrar": chart },
    nurse: {
      doses: `${chart}/immunizations`,
      "dose-new": `${chart}/immunizations/new`,
      dose,
      "dose-correct": `${dose}/correct`,
      "care-team": `${chart}/care-team`,
      account: "/account",
      "account-password": "/account/password",
      "account-factors": "/account/factors",
      "account-sessions": "/account/sessions",
    },
    physician: {
      chart,
      results: `${chart}/results`,
      encounters: `${chart}/encounters`,
      timeline: `${chart}/timeline`,
      consents: `${chart}/consents`,
      "consent-new": `${chart}/consents/new`,
      print: `${chart}/print`,
      missing: "/nowhere",
    },
    auditor: {
      log: "/audit",
      "log-entry": `/audit/entries/${entry?.id}`,
      "log-patient": `/audit/patients/${patient}`,
      "log-check": "/audit/check",
      "log-checkpoints": "/audit/checkpoints",
      "log-export": "/audit/export",
      emergencies: "/emergency",
      "access-reviews": "/admin/access-reviews",
    },
    admin: {
      system: "/admin",
      users: "/admin/users",
      user: `/admin/users/${nurse?.id}`,
      "user-new": "/admin/users/new",
      roles: "/admin/roles",
      "role-new": "/admin/roles/new",
      matrix: "/admin/roles/matrix",
      policy: "/admin/policy",
      "access-report": "/admin/report",
      tenants: "/admin/tenants",
      keys: "/admin/keys",
      "chart-seen": `${chart}/seen`,
    },
    patient: {
      record: "/record",
      "record-vaccinations": "/record/vaccinations",
      "record-results": "/record/results",
      "record-visits": "/record/visits",
      "record-consents": "/record/consents",
      "record-seen": "/record/seen",
    },
  };
  return Object.entries(paths).flatMap(([role, pages]) =>
    Object.entries(pages).map(([name, path]) => ({ name, role: role as Role, path })),
  );
}

/** The patient whose pages they are. */
export function theirPatient(): Promise<Person> {
  return answer<{ patient_id: string }>("patient", "/auth/me").then(({ patient_id }) =>
    answer<Person>("physician", `/patients/${patient_id}`),
  );
}

export function of(places: Place[], role: Role): Place[] {
  return places.filter((place) => place.role === role);
}

export async function visit(page: Page, { path }: Place): Promise<void> {
  await page.goto(`/app${path}`);
  await settled(page);
}

/** Says on which page something was wrong. */
export async function named(place: Place, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (error instanceof Error) error.message = `${place.role}, ${place.path}: ${error.message}`;
    throw error;
  }
}
