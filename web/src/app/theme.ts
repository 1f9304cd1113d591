import { createTheme, type MantineColorsTuple } from "@mantine/core";

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
  primaryShade: { light: 7, dark: 4 },
  colors: { iris },
  autoContrast: true,
  respectReducedMotion: true,
  defaultRadius: "sm",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
});
