import "./combobox.css";

import { Combobox as Base } from "@base-ui/react/combobox";
import { useState } from "react";

/** Option is one of those that can be chosen, and how it reads. */
export interface Option {
  value: string;
  label: string;
}

interface ComboboxProps {
  /** What is chosen: "Key". */
  label: string;
  /** What stands for no choice: "Any key". */
  any: string;
  options: readonly Option[];
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

// More are found by typing.
const most = 100;

/**
 * Combobox narrows a list by one of many things, found by typing part of its name, or by nothing. Its list is no Popup
 * of the library's: that would hide the rest of the page, the field too, from those who can't see it, and leave it
 * for the keyboard to come to.
 */
export function Combobox({ label, any, options, value, onChange }: ComboboxProps) {
  // The list is drawn in the landmark that its field is in: outside of all, readers that go by landmarks would not come by it.
  const [group, setGroup] = useState<HTMLElement | null>(null);
  const [open, setOpen] = useState(false);
  const chosen = options.find((option) => option.value === value) ?? null;
  return (
    <Base.Root
      items={options}
      limit={most}
      open={open}
      onOpenChange={setOpen}
      value={chosen}
      isItemEqualToValue={(a: Option, b: Option) => a.value === b.value}
      onValueChange={(next: Option | null) => onChange(next?.value)}
    >
      <Base.InputGroup ref={setGroup} className="combobox">
        <Base.Input className="select-small" aria-label={label} placeholder={any} spellCheck={false} autoCapitalize="off" onBlur={() => setOpen(false)} />
        {chosen && (
          <Base.Clear className="combobox-clear" aria-label={`Any ${label.toLowerCase()}`}>
            ✕
          </Base.Clear>
        )}
      </Base.InputGroup>
      {open && (
        <Base.Portal container={group?.closest("main") ?? undefined}>
          <Base.Positioner className="combobox-place" align="start" sideOffset={4}>
            <div className="combobox-popup" onMouseDown={(event) => event.preventDefault() /* the field keeps the focus */}>
              <Base.Empty className="combobox-empty">No {label.toLowerCase()} is called so.</Base.Empty>
              <Base.List className="combobox-list" aria-label={`${label}s`}>
                {(option: Option) => (
                  <Base.Item key={option.value} value={option} className="combobox-item">
                    <span>{option.label}</span>
                    <Base.ItemIndicator aria-hidden="true">✓</Base.ItemIndicator>
                  </Base.Item>
                )}
              </Base.List>
            </div>
          </Base.Positioner>
        </Base.Portal>
      )}
    </Base.Root>
  );
}
