import { DirectionProvider, MantineProvider } from "@mantine/core";
import { Broken } from "./Broken";
import { Gate } from "./Gate";
import { nonce } from "./nonce";
import { theme, variables } from "./theme";

export function App() {
  return (
    <DirectionProvider detectDirection>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={variables}
        defaultColorScheme="auto"
        getStyleNonce={() => nonce}
      >
        <Broken>
          <Gate />
        </Broken>
      </MantineProvider>
    </DirectionProvider>
  );
}
