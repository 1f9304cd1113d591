import { fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { AccountMenu } from "../app/AccountMenu";
import { Broken } from "../app/Broken";
import { session } from "../app/session";
import { show, signIn } from "../testing/render";
import { Unsaved } from "./Unsaved";

function Fails(): never {
  throw new Error("no");
}

describe("what was typed and not stored", () => {
  beforeEach(() => signIn());

  async function signOut(isDirty: boolean) {
    await show(
      <>
        <AccountMenu />
        <Unsaved isDirty={isDirty} />
      </>,
      "/form",
    );
    fireEvent.click(await screen.findByRole("button", { name: /^Account of/ }));
    fireEvent.click(await screen.findByRole("menuitem", { name: "Sign out" }));
  }

  it("is asked about before signing out", async () => {
    await signOut(true);
    fireEvent.click(await screen.findByRole("button", { name: "Stay here" }));
    expect(session.current().status).toBe("in");
  });

  it("is not asked about when there is none", async () => {
    await signOut(false);
    await waitFor(() => expect(session.current().status).toBe("out"));
  });

  it("is asked about before the tab is closed", async () => {
    const { unmount } = await show(<Unsaved isDirty />, "/form");
    const closing = new Event("beforeunload", { cancelable: true });
    dispatchEvent(closing);
    expect(closing.defaultPrevented).toBe(true);
    unmount();
    const later = new Event("beforeunload", { cancelable: true });
    dispatchEvent(later);
    expect(later.defaultPrevented).toBe(false);
  });

  it("is told of truly when a page cannot be drawn", async () => {
    // React tells of the error on the console too.
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    await show(
      <Broken>
        <Fails />
      </Broken>,
      "/form",
    );
    expect(await screen.findByText("This page cannot be shown")).toBeTruthy();
    expect(screen.getByText(/Everything that was stored is safe/)).toBeTruthy();
  });
});
