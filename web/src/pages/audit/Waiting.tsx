import { Center, Loader } from "@mantine/core";

/** Something is being read. */
export function Waiting({ label }: { label: string }) {
  return (
    <Center py="xl">
      <Loader role="status" aria-label={label} />
    </Center>
  );
}
