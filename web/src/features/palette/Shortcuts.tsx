import "./palette.css";

import { destinations, isOpenTo } from "../../routes/pages";
import { Modal } from "../../ui/Overlay";
import { useMaySomewhere } from "../session/permission";
import { modKey } from "./keyboard";

interface ShortcutsProps {
  enabled: boolean;
  onEnable: (enabled: boolean) => void;
  onClose: () => void;
}

/** Shortcuts lists what keys do, and switches those off that are single characters. */
export function Shortcuts({ enabled, onEnable, onClose }: ShortcutsProps) {
  const may = useMaySomewhere();
  return (
    <Modal title="Keyboard shortcuts" open onClose={onClose}>
      <div className="form">
        <div className="field">
          <label className="choice">
            <input type="checkbox" role="switch" checked={enabled} aria-describedby="shortcuts-about" onChange={(event) => onEnable(event.target.checked)} />
            Shortcuts of single keys
          </label>
          <p id="shortcuts-about" className="muted">
            Switch them off where they get in the way of speech input. They never act while you type. This holds for this browser.
          </p>
        </div>
      </div>
      <dl className="shortcuts">
        <Shortcut about="Go to a page, an action or a name" keys={[modKey(), "K"]} />
        <Shortcut about="Search or filter on this page" keys={["/"]} />
        <Shortcut about="This list" keys={["?"]} />
        {destinations
          .filter((page) => isOpenTo(page, may))
          .map(({ path, title, key }) => (
            <Shortcut key={path} about={title} keys={["g", key]} />
          ))}
      </dl>
    </Modal>
  );
}

function Shortcut({ about, keys }: { about: string; keys: readonly string[] }) {
  return (
    <div>
      <dt>{about}</dt>
      <dd>
        {keys.map((key, i) => (
          <span key={i}>
            {i > 0 && " "}
            <kbd>{key}</kbd>
          </span>
        ))}
      </dd>
    </div>
  );
}
