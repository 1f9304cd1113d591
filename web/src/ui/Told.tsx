import { Alert } from "@mantine/core";
import { useEffect, useRef } from "react";

/** What has just been done, with the focus on it: what was pressed is gone. */
export function Told({ text }: { text: string }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), []);
  return (
    <Alert ref={box} tabIndex={-1} color="green" variant="outline">
      {text}
    </Alert>
  );
}
