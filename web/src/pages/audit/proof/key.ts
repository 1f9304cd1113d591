import { session } from "../../../app/session";

let kept = "";
session.onForget(() => {
  kept = "";
});

/** The public key that the reader has given, until they sign out. */
export const givenKey = {
  get: () => kept,
  set(text: string) {
    kept = text;
  },
};
