import { SeenBy } from "../audit/SeenBy";
import { Section } from "./Section";

interface Props {
  patient: string;
  title: string;
}

/** Who has seen a record, as a part of it. */
export default function Seen({ patient, title }: Props) {
  return (
    <Section title={title}>
      <SeenBy patientId={patient} />
    </Section>
  );
}
