import "@mantine/core/styles.layer.css";

import type { ComponentType } from "react";
import { Doorstep } from "../app/Doorstep";
import type { OpenPlace } from "../app/open";
import { NewPasswordByLink } from "./NewPasswordByLink";
import { PatientSignIn } from "./PatientSignIn";
import { Register } from "./Register";
import { Reset } from "./Reset";
import { VerifyEmail } from "./VerifyEmail";

const PAGES: Record<OpenPlace, ComponentType> = {
  register: Register,
  "verify-email": VerifyEmail,
  reset: Reset,
  invitation: () => <NewPasswordByLink about="invitation" />,
  patient: PatientSignIn,
};

/** One of the pages that are there for everybody. */
export default function Open({ place }: { place: OpenPlace }) {
  const Page = PAGES[place];
  return (
    <Doorstep width={480}>
      <Page />
    </Doorstep>
  );
}
