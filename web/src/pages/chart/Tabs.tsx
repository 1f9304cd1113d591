import { Link, useLocation } from "react-router";
import classes from "../../ui/Tabs.module.css";

interface Props {
  label: string;
  /** The path that all parts stand under. */
  base: string;
  /** The parts by the rest of their path, the first one's being empty. */
  places: readonly { place: string; text: string }[];
}

/** The parts of a record, each with an address of its own; which one is open is told, not only shown. */
export function Tabs({ label, base, places }: Props) {
  const { pathname } = useLocation();
  const open = pathname.slice(base.length).split("/").find(Boolean) ?? "";
  return (
    <nav aria-label={label} className={classes.compact}>
      {places.map(({ place, text }) => (
        <Link
          key={place}
          to={place ? `${base}/${place}` : base}
          className={classes.tab}
          aria-current={open === place ? "page" : undefined}
        >
          {text}
        </Link>
      ))}
    </nav>
  );
}
