import { useEffect, useState } from "react";

/** useRepaint changes whenever the theme does, by the system's choice or the viewer's. */
export function useRepaint(): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const bump = () => setCount((n) => n + 1);
    const system = matchMedia("(prefers-color-scheme: dark)");
    const observer = new MutationObserver(bump);
    system.addEventListener("change", bump);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return () => {
      system.removeEventListener("change", bump);
      observer.disconnect();
    };
  }, []);
  return count;
}
