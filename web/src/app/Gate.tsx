import { lazy, Suspense, useEffect, useLayoutEffect, useRef } from "react";
import { LAYERS } from "./layers";
import { SignIn } from "./SignIn";
import { session, useSession } from "./session";
import { Waiting } from "./Waiting";

/** Everything behind the sign-in is loaded after it. */
const Pages = lazy(() => import("./Pages"));

/** Lets people in, and out of sight what they left open. */
export function Gate() {
  const { status, user } = useSession();
  useEffect(() => void session.start(), []);

  if (status === "starting") return <Waiting />;
  if (status === "out" || !user) return <SignIn />;
  const isLocked = status === "locked";
  return (
    <>
      {/* Locked pages stay mounted, so that what was typed is not lost, but nothing of them can be seen or reached. */}
      <Curtain key={user.id} isClosed={isLocked} />
      {isLocked && <SignIn locked={user} />}
    </>
  );
}

function Curtain({ isClosed }: { isClosed: boolean }) {
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
      <Suspense fallback={<Waiting />}>
        <Pages />
      </Suspense>
      <div id={LAYERS} />
    </div>
  );
}
