import "../start/start.css";

import { Modal } from "../../ui/Overlay";
import { GatewayForm } from "../start/GatewayStep";

/** GatewayDialog makes one more gateway. */
export function GatewayDialog({ onClose }: { onClose: () => void }) {
  return (
    <Modal title="Create gateway" open onClose={onClose}>
      <p className="muted">A gateway is a fleet of agents that serve the same configuration: one for each region or stage, say.</p>
      <GatewayForm name="" primary onMade={onClose} />
    </Modal>
  );
}
