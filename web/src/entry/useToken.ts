import { useEffect, useState } from "react";

/** The token of a mailed link. It opens an account, so it leaves the address, and with it the browser's history, at once. */
export function useToken(): string {
  const [token] = useState(() => new URLSearchParams(location.search).get("token") ?? "");
  useEffect(() => {
    if (token) history.replaceState(null, "", location.pathname);
  }, [token]);
  return token;
}
