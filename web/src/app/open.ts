/** Pages that are there for everybody: mailed links lead to them, and they stand before the sign-in. */
export const OPEN_PLACES = ["register", "verify-email", "reset", "invitation", "patient"] as const;
export type OpenPlace = (typeof OPEN_PLACES)[number];

/** Where they stand, for links: each is loaded as a page of its own. */
export const addressOf = (place: OpenPlace | "") => `/app/${place}`;

/** The page that stands at a path, if it is one of these. */
export function openPlace(path: string): OpenPlace | undefined {
  const name = /^\/app\/([a-z-]+)\/?$/.exec(path)?.[1];
  return OPEN_PLACES.find((place) => place === name);
}
