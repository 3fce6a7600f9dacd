import "./palette.css";

import { Dialog } from "@base-ui/react/dialog";
import { useRouter } from "@tanstack/react-router";
import { useEffect, useId, useRef, useState } from "react";

import { useFind } from "../../api/find";
import { isOpenTo } from "../../routes/pages";
import { useSettled } from "../../ui/useSettled";
import { useMaySomewhere } from "../session/permission";
import type { Command } from "./commands";
import { actions, commandOf, matching, pages } from "./commands";
import { recentCommands, remember } from "./recent";

interface Group {
  title: string;
  commands: readonly Command[];
}

/** Palette goes to a page, an action or a resource by name, with the keyboard alone. */
export function Palette({ onClose, onShortcuts }: { onClose: () => void; onShortcuts: () => void }) {
  const router = useRouter();
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState("");
  const { groups, searching } = useGroups(typed);
  const follow = (command: Command) => {
    remember(command);
    onClose();
    router.history.push(command.href);
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="modal palette" initialFocus={input}>
          <Dialog.Title className="sr-only">Go to</Dialog.Title>
          <Choice inputRef={input} typed={typed} groups={groups} searching={searching} onType={setTyped} onChoose={follow} />
          <p className="palette-foot muted">
            <span>↑ ↓ to choose, Enter to go, Esc to close</span>
            <button type="button" className="link" onClick={onShortcuts}>
              Keyboard shortcuts
            </button>
          </p>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

interface ChoiceProps {
  inputRef: React.RefObject<HTMLInputElement | null>;
  typed: string;
  groups: readonly Group[];
  searching: boolean;
  onType: (typed: string) => void;
  onChoose: (command: Command) => void;
}

// Choice is a combobox as the ARIA practices have it: the focus stays in the field, and the field says which option is active.
function Choice({ inputRef, typed, groups, searching, onType, onChoose }: ChoiceProps) {
  const id = useId();
  // By its address: what is found later may come before it.
  const [active, setActive] = useState<string>();
  const list = useRef<HTMLDivElement>(null);
  const all = groups.flatMap(({ commands }) => commands);
  const at = Math.max(0, all.findIndex(({ href }) => href === active));
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const press = (event: React.KeyboardEvent) => {
    const steps: Partial<Record<string, number>> = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length };
    const next = steps[event.key];
    const chosen = all[at];
    if (next !== undefined && all.length > 0) setActive(all[next % all.length]?.href);
    else if (event.key === "Enter" && chosen && !event.nativeEvent.isComposing) onChoose(chosen);
    else return;
    event.preventDefault();
  };
  const optionId = (command: Command) => `${id}-${all.indexOf(command)}`;
  return (
    <>
      <input
        ref={inputRef}
        className="palette-input"
        role="combobox"
        aria-label="Page, action or name"
        aria-autocomplete="list"
        aria-expanded={all.length > 0}
        aria-controls={all.length > 0 ? `${id}-list` : undefined}
        aria-activedescendant={all[at] && optionId(all[at])}
        placeholder="Page, action, or name of a key, route, budget…"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        value={typed}
        onChange={(event) => {
          setActive(undefined);
          onType(event.target.value);
        }}
        onKeyDown={press}
      />
      <p role="status" className="sr-only">
        {all.length === 1 ? "1 choice" : `${all.length} choices`}
      </p>
      {all.length > 0 ? (
        <div ref={list} id={`${id}-list`} className="palette-list" role="listbox" aria-label="Choices">
          {groups.map(({ title, commands }) => (
            <div key={title} role="group" aria-label={title}>
              <div className="palette-group muted" aria-hidden="true">
                {title}
              </div>
              {commands.map((command) => (
                <div
                  key={command.href}
                  id={optionId(command)}
                  role="option"
                  aria-selected={all[at] === command}
                  className="palette-option"
                  onPointerMove={() => setActive(command.href)}
                  onClick={() => onChoose(command)}
                >
                  <span className="truncate">{command.label}</span>
                  <span className="muted nowrap">{command.kind}</span>
                </div>
              ))}
            </div>
          ))}
        </div>
      ) : (
        <p className="palette-none muted">{searching ? "Looking…" : "Nothing here has that name."}</p>
      )}
    </>
  );
}

const pauseMs = 150;

function useGroups(typed: string): { groups: Group[]; searching: boolean } {
  const may = useMaySomewhere();
  const permitted = (commands: readonly Command[]) => commands.filter((command) => isOpenTo(command, may));
  const text = typed.trim();
  const asked = useSettled(text, pauseMs);
  const { found, searching } = useFind(asked, may);
  const [recent] = useState(recentCommands);
  const names = text === "" ? [] : found.filter(({ name }) => name.toLowerCase().includes(text.toLowerCase())).map(commandOf);
  const groups = [
    { title: "Recent", commands: text === "" ? recent : [] },
    { title: "Pages", commands: matching(permitted(pages), text) },
    { title: "Actions", commands: matching(permitted(actions), text) },
    { title: "Named so", commands: names },
  ];
  const known = new Set<string>();
  const once = ({ href }: Command) => !known.has(href) && known.add(href);
  const filled = groups.map(({ title, commands }) => ({ title, commands: commands.filter(once) })).filter(({ commands }) => commands.length > 0);
  return { groups: filled, searching: searching || asked !== text };
}
