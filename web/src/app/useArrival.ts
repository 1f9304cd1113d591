import { useEffect, useRef, useState } from "react";
import { useLocation } from "react-router";

/** How long a page may take to show its heading before the focus goes to the content as a whole. */
const HEADING_MS_MAX = 1500;

/**
 * After a change of page moves the focus to its heading, as loading a page would: who hears the page instead of seeing it learns where
 * they are, and the tab key goes on from there. Gives what is to be announced where there is no heading to read.
 */
export function useArrival(contentId: string): string {
  const { pathname } = useLocation();
  const last = useRef(pathname);
  const [announced, announce] = useState("");

  useEffect(() => {
    if (last.current === pathname) return;
    last.current = pathname;
    const content = document.getElementById(contentId);
    if (!content) return;
    announce("");
    // Whoever has put the focus somewhere by purpose, such as a page that begins with a field, keeps it.
    const isTaken = () => content !== document.activeElement && content.contains(document.activeElement);
    const arrive = () => {
      const heading = content.querySelector<HTMLElement>("h1");
      if (isTaken()) return true;
      if (!heading) return false;
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
      return true;
    };
    if (arrive()) return;
    const observer = new MutationObserver(() => arrive() && stop());
    const timer = setTimeout(() => {
      stop();
      content.focus({ preventScroll: true });
      announce(document.title);
    }, HEADING_MS_MAX);
    const stop = () => {
      observer.disconnect();
      clearTimeout(timer);
    };
    observer.observe(content, { childList: true, subtree: true });
    return stop;
  }, [pathname, contentId]);

  return announced;
}
