import { useEffect, useState } from "react";

/** The token of a mailed link: behind the `#`, so that no server and no log on the way sees it, or in the query. */
export function tokenOf({ hash, search }: { hash: string; search: string }): string {
  return new URLSearchParams(hash.slice(1)).get("token") ?? new URLSearchParams(search).get("token") ?? "";
}

/** The token of the link that led here. It opens an account, so it leaves the address, and with it the browser's history, at once. */
export function useToken(): string {
  const [token] = useState(() => tokenOf(location));
  useEffect(() => {
    if (token) history.replaceState(null, "", location.pathname);
  }, [token]);
  return token;
}
