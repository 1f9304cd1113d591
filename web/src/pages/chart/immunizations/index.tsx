import { Route, Routes } from "react-router";
import { CorrectDose } from "./CorrectDose";
import { DoseDetail } from "./DoseDetail";
import { List } from "./List";
import { RecordDose } from "./RecordDose";

/** The immunizations of the chart's patient: the list, one of them, a new one, a correction. */
export default function Immunizations() {
  return (
    <Routes>
      <Route index element={<List />} />
      <Route path="new" element={<RecordDose />} />
      <Route path=":dose" element={<DoseDetail />} />
      <Route path=":dose/correct" element={<CorrectDose />} />
    </Routes>
  );
}
