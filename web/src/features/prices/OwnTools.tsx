import { useState } from "react";

import { mayDeletePriceOverride, mayGetPriceOverride, mayUpdatePriceOverride, usePriceOverride } from "../../api/price";
import type { ScopeNames } from "../budgets/names";
import { useMay } from "../session/permission";
import { DeletePriceDialog } from "./DeletePriceDialog";
import { PriceDialog } from "./PriceDialog";

interface OwnToolsProps {
  /** Of the price of one's own. */
  id: string;
  /** Which one it is, where several can be changed. */
  which?: string;
  names: ScopeNames;
}

/** OwnTools change a price of one's own. */
export function OwnTools({ id, which = "", names }: OwnToolsProps) {
  const may = useMay();
  const [open, setOpen] = useState<"change" | "delete">();
  const subject = usePriceOverride(may(mayGetPriceOverride) ? id : "").data?.priceOverride;
  const close = () => setOpen(undefined);
  const label = (verb: string) => (which ? `${verb} ${which}` : undefined);
  if (!subject) return null;
  return (
    <>
      {may(mayUpdatePriceOverride) && (
        <button type="button" className="button button-small" aria-label={label("Change")} onClick={() => setOpen("change")}>
          Change
        </button>
      )}
      {may(mayDeletePriceOverride) && (
        <button type="button" className="button button-small button-danger" aria-label={label("Delete")} onClick={() => setOpen("delete")}>
          Delete
        </button>
      )}
      {open === "change" && <PriceDialog subject={subject} names={names} onClose={close} />}
      {open === "delete" && <DeletePriceDialog subject={subject} onClose={close} onDeleted={close} />}
    </>
  );
}
