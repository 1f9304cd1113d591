import { Route, Routes } from "react-router";
import { ConsentForm } from "./ConsentForm";
import { ConsentList } from "./ConsentList";

/** What the patient has agreed to. */
export default function Consents() {
  return (
    <Routes>
      <Route index element={<ConsentList />} />
      <Route path="new" element={<ConsentForm />} />
      <Route path=":consent" element={<ConsentForm />} />
    </Routes>
  );
}
