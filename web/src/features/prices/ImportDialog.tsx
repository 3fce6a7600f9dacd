import { useState } from "react";

import type { ImportPart } from "../../api/price";
import { formatCount } from "../../format/number";
import { FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { counted } from "../budgets/words";
import { ImportChoice } from "./ImportChoice";
import { ImportFound } from "./ImportFound";
import type { PriceFile } from "./litellm";
import { listFor, partsOf, readPriceFile } from "./litellm";
import { outcomeOf, useImport } from "./useImport";

interface ImportDialogProps {
  /** Price lists that providers of the organization have. */
  lists: readonly string[];
  onClose: () => void;
}

const mostBytes = 20_000_000;

/** ImportDialog takes prices over from a file in LiteLLM's format, after showing what that would do. */
export function ImportDialog({ lists, onClose }: ImportDialogProps) {
  const [file, setFile] = useState<PriceFile>();
  const [unread, setUnread] = useState("");
  const [chosen, setChosen] = useState<ReadonlyMap<string, string>>(new Map());
  const [parts, setParts] = useState<readonly ImportPart[]>([]);
  const { state, forget, preview, apply } = useImport();
  const working = state.doing !== "nothing";
  const read = async (picked: File | undefined) => {
    if (!picked) return;
    const made = picked.size > mostBytes ? `It has ${formatCount(picked.size)} bytes; such files have about two million.` : readPriceFile(picked.name, await picked.text());
    if (typeof made === "string") {
      setUnread(`${picked.name}: ${made}`); // what was chosen before stays
      return;
    }
    setUnread("");
    setFile(made);
    setChosen(new Map([...made.providers.keys()].filter((name) => lists.includes(listFor(name))).map((name) => [name, listFor(name)])));
    forget();
  };
  const choose = (next: ReadonlyMap<string, string>) => {
    setChosen(next);
    forget();
  };
  const look = () => {
    if (!file) return;
    const made = partsOf(file, chosen);
    setParts(made);
    void preview(made);
  };
  const submit = () => {
    if (state.found) void apply(parts);
    else look();
  };
  const changes = state.found?.prices.filter((price) => outcomeOf(price) !== "same").length ?? 0;
  return (
    <Modal title="Import prices" open wide held={working} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault(); // no action: React would empty the field of the file after it
          submit();
        }}
        className="form"
      >
        <p className="muted">
          From LiteLLM&apos;s <code>model_prices_and_context_window.json</code>. Models whose price differs from what counts now get a price of your own; nothing else is touched, and nothing
          before you saw what it does.
        </p>
        {!state.applied && <FileField name={file?.name} problem={unread} disabled={working} onPick={(picked) => void read(picked)} />}
        {file && !state.applied && <ImportChoice file={file} chosen={chosen} disabled={working} onChange={choose} />}
        {working && <Progress doing={state.doing === "apply" ? "Applying" : "Comparing"} done={state.done} of={state.of} />}
        {state.applied && (
          <p className="notice notice-plain" role="status">
            <span>
              <b>Done.</b> {changes === 0 ? "Nothing was to be changed." : `${counted(changes, "price")} set, for requests from the next policy of each agent on.`}
            </span>
          </p>
        )}
        {state.found && <ImportFound found={state.found} />}
        <FormError error={state.error} />
        <div className="form-actions">
          <button type="button" className="button" disabled={working} onClick={onClose}>
            {state.applied ? "Close" : "Cancel"}
          </button>
          {!state.applied && (
            <button type="submit" className="button button-primary" disabled={working || chosen.size === 0 || (state.found !== undefined && changes === 0)}>
              {state.found ? `Set ${counted(changes, "price")}` : "Show what it would do"}
            </button>
          )}
        </div>
      </form>
    </Modal>
  );
}

interface FileFieldProps {
  name: string | undefined;
  problem: string;
  disabled: boolean;
  onPick: (file: File | undefined) => void;
}

function FileField({ name, problem, disabled, onPick }: FileFieldProps) {
  return (
    <div className="field">
      <label>
        Price file
        <input
          type="file"
          accept=".json,application/json"
          disabled={disabled}
          aria-invalid={problem ? true : undefined}
          aria-describedby={problem ? "price-file-problem" : undefined}
          onChange={(event) => onPick(event.target.files?.[0])}
        />
      </label>
      {problem && (
        <p id="price-file-problem" className="problem" role="alert">
          {problem} {name && `${name} is still the one that is imported.`}
        </p>
      )}
    </div>
  );
}

function Progress({ doing, done, of }: { doing: string; done: number; of: number }) {
  return (
    <div className="rerate-state" role="status">
      <progress className="rerate-progress" max={of} value={done} aria-label={doing} /> {doing}: {done} of {counted(of, "part")}
    </div>
  );
}
