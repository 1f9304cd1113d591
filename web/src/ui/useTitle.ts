import { useEffect } from "react";

const PRODUCT = "IRIS";

/** Names the page in the browser's tab and history. Never with anything that belongs to a patient: both outlive the session. */
export function useTitle(title: string): void {
  useEffect(() => {
    const before = document.title;
    document.title = title ? `${title} · ${PRODUCT}` : PRODUCT;
    // What covers a page for a while, such as the lock, gives the name back.
    return () => {
      document.title = before;
    };
  }, [title]);
}
