import { lazy, Suspense, useEffect, useLayoutEffect, useRef, useState } from "react";
import { Away } from "./Away";
import { LAYERS } from "./layers";
import { openPlace } from "./open";
import { SignIn } from "./SignIn";
import { session, useSession } from "./session";
import { Waiting } from "./Waiting";

/** Everything behind the sign-in is loaded after it. */
const Pages = lazy(() => import("./Pages"));
const Open = lazy(() => import("../entry/Open"));
const Forced = lazy(() => import("../entry/Forced"));

/** Lets people in, and out of sight what they left open. */
export function Gate() {
  const place = openPlace(location.pathname);
  if (!place) return <Closed />;
  return (
    <Suspense fallback={<Waiting />}>
      <Open place={place} />
    </Suspense>
  );
}

function Closed() {
  const { status, user, must, error } = useSession();
  useEffect(() => void session.start(), []);

  if (status === "starting") return <Waiting />;
  if (status === "away") return <Away error={error} />;
  if (status === "out" || !user) return <SignIn />;
  const isLocked = status === "locked";
  const isForced = !isLocked && must.length > 0;
  return (
    <>
      {/* Locked pages stay mounted, so that what was typed is not lost, but nothing of them can be seen or reached. */}
      <Curtain key={user.id} isClosed={isLocked || isForced} isHeld={must.length > 0} />
      {isLocked && <SignIn locked={user} />}
      {isForced && (
        <Suspense fallback={<Waiting />}>
          <Forced key={user.id} must={must} />
        </Suspense>
      )}
    </>
  );
}

/** Hides the pages; those that were never open are not opened before all is done that must be. */
function Curtain({ isClosed, isHeld }: { isClosed: boolean; isHeld: boolean }) {
  const [isOpened, setOpened] = useState(!isHeld);
  if (!isHeld && !isOpened) setOpened(true);
  const box = useRef<HTMLDivElement>(null);
  const before = useRef<HTMLElement>(null);

  // Before the browser moves the focus away from what is about to be hidden.
  useLayoutEffect(() => {
    if (!isClosed) return;
    const focused = document.activeElement;
    before.current = focused instanceof HTMLElement && box.current?.contains(focused) ? focused : null;
    return () => before.current?.focus();
  }, [isClosed]);

  return (
    <div hidden={isClosed} ref={box}>
      <Suspense fallback={<Waiting />}>{isOpened && <Pages />}</Suspense>
      <div id={LAYERS} />
    </div>
  );
}
