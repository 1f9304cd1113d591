import { type CSSVariablesResolver, createTheme, darken, type MantineColorsTuple, Portal } from "@mantine/core";
import { LAYERS } from "./layers";

/** The house colour; every shade that carries text keeps a contrast of 4.5 to 1 or more. */
const iris: MantineColorsTuple = [
  "#e3f5f9",
  "#cbe9f0",
  "#9bd3e1",
  "#67bcd1",
  "#3ea8c3",
  "#1f8faa",
  "#117490",
  "#0b5d74",
  "#084a5d",
  "#062f3b",
];

export const theme = createTheme({
  primaryColor: "iris",
  primaryShade: { light: 7, dark: 6 },
  colors: { iris },
  autoContrast: true,
  // Where black and white stand out equally well: the better of them always reaches 4.5 to 1.
  luminanceThreshold: 0.18,
  respectReducedMotion: true,
  defaultRadius: "sm",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  components: {
    // An element that is there for the focus alone is none that a menu may hold.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    // Dialogs and menus too are hidden when the pages are locked.
    Portal: Portal.extend({ defaultProps: { target: `#${LAYERS}` } }),
  },
});

/** The library's colours of text fall short of 4.5 to 1 here and there. */
export const variables: CSSVariablesResolver = ({ colors }) => {
  const light: Record<string, string> = {
    "--mantine-color-dimmed": "#565d64",
    "--mantine-color-placeholder": "#6a7178",
    "--mantine-color-error": "#b3261e",
    "--mantine-color-default-border": "#868e96",
  };
  const dark: Record<string, string> = {
    "--mantine-color-dimmed": "#b3b8bd",
    "--mantine-color-placeholder": "#9aa0a6",
    "--mantine-color-error": "#ff9d97",
    "--mantine-color-gray-filled": "#495057",
    // Also on the lighter ground of a row under the pointer.
    "--mantine-color-anchor": iris[3],
    "--mantine-color-iris-text": iris[3],
    "--mantine-color-default-border": "#7a7f85",
  };
  for (const [name, shades] of Object.entries(colors)) {
    if (name === "iris" || name === "dark") continue;
    light[`--mantine-color-${name}-text`] = darken(shades[9], 0.35);
    light[`--mantine-color-${name}-outline`] = darken(shades[9], 0.35);
    light[`--mantine-color-${name}-light-color`] = darken(shades[9], 0.45);
    dark[`--mantine-color-${name}-outline`] = shades[3];
  }
  return { variables: {}, light, dark };
};
