/** Where the name is kept: it says of nobody more than to which house this browser belongs. */
const KEPT_AS = "iris-organization";

/** The organization that people of this browser sign in at, if it is not the installation's own. */
export function keptOrganization(): string {
  return localStorage.getItem(KEPT_AS) ?? "";
}

/** Remembers at which organization somebody has signed in. */
export function keepOrganization(name: string): void {
  if (name) localStorage.setItem(KEPT_AS, name);
  else localStorage.removeItem(KEPT_AS);
}
