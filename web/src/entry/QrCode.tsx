import { encode } from "uqr";
import classes from "./QrCode.module.css";

/** Light around the code, in modules; cameras want four. */
const MARGIN = 4;

/** A text as a QR code: always dark on light, which is what cameras know. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { ecc: "M", border: MARGIN });
  const path = data.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return (
    <svg
      className={classes.code}
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
    >
      <rect width={size} height={size} className={classes.ground} />
      <path d={path} className={classes.dark} />
    </svg>
  );
}
