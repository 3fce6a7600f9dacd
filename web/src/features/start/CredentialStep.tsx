import { useState } from "react";

import type { Gateway } from "../../api/gateway";
import { useSetGatewayKey } from "../../api/gateway";
import type { Provider } from "../../api/provider";
import { useUpdateProvider } from "../../api/provider";
import { useRequestId } from "../../api/transport";
import { FormError, TextField } from "../../ui/Form";
import { Copyable } from "../keys/Copyable";
import { useViewer } from "../session/permission";
import { bytesOf, newKeyCommand, sealCommand } from "./command";
import type { StepProps } from "./FirstSteps";
import { bare } from "./steps";

/** CredentialStep seals what a provider has no credential by yet, on a machine of the viewer's. */
export function CredentialStep({ progress }: StepProps) {
  const [provider] = bare(progress);
  const [gateway] = progress.gateways ?? [];
  if (!provider) return null;
  if (!gateway) return <p className="muted">Sealing is for the agents of one gateway: create it first.</p>;
  return (
    <>
      <p>
        Nobody but the agents of {gateway.name} will be able to open the credential of {provider.name}, neither Weir nor its backups.
      </p>
      {gateway.publicKey.length === 0 ? <GatewayKey gateway={gateway} onSet={progress.refresh} /> : <Seal gateway={gateway} provider={provider} onSealed={progress.refresh} />}
    </>
  );
}

function GatewayKey({ gateway, onSet }: { gateway: Gateway; onSet: () => void }) {
  const set = useSetGatewayKey();
  const requestId = useRequestId();
  const [written, setWritten] = useState("");
  const key = bytesOf(written);
  const fits = key?.length === 32;
  const submit = () => set.mutate({ id: gateway.id, publicKey: key ?? new Uint8Array(), mutation: { requestId: requestId(written) } }, { onSuccess: onSet });
  return (
    <form action={submit} className="form start-form">
      <Copyable title="Make the gateway's key, where its agents will run" text={newKeyCommand} what="command that makes the key" />
      <TextField
        label="Public key"
        required
        hint="What the command printed. The private half stays in gateway.key: keep it, and keep a copy apart."
        problem={written !== "" && !fits ? "This is no public key: 32 bytes in base64, 44 characters." : undefined}
        value={written}
        onChange={setWritten}
      />
      <FormError error={set.error} />
      <div className="start-actions">
        <button type="submit" className="button button-primary" disabled={set.isPending || !fits}>
          {set.isPending ? "Saving…" : "Use this key"}
        </button>
      </div>
    </form>
  );
}

function Seal({ gateway, provider, onSealed }: { gateway: Gateway; provider: Provider; onSealed: () => void }) {
  const update = useUpdateProvider();
  const requestId = useRequestId();
  const organizationId = useViewer()?.organizationId ?? "";
  const [written, setWritten] = useState("");
  const sealed = bytesOf(written);
  const submit = () =>
    update.mutate(
      {
        provider: { id: provider.id, etag: provider.etag, sealedCredentials: [{ gatewayId: gateway.id, version: 1n, sealed: sealed ?? new Uint8Array() }] },
        updateMask: { paths: ["sealed_credentials"] },
        mutation: { requestId: requestId(written) },
      },
      { onSuccess: onSealed },
    );
  return (
    <form action={submit} className="form start-form">
      <p>
        Compare this fingerprint with the one that <code>weir-agent gateway-key new</code> printed: <code>{gateway.keyFingerprint}</code>. If they differ, somebody
        put another key in its place: seal nothing.
      </p>
      <Copyable title="Put the credential into credential.txt, then seal it" text={sealCommand({ organizationId, gateway, provider })} what="command that seals" />
      <TextField
        label="Sealed credential"
        required
        hint="What the command printed."
        problem={written !== "" && !sealed ? "This is not what the command printed: base64 was expected." : undefined}
        value={written}
        onChange={setWritten}
      />
      <FormError error={update.error} />
      <div className="start-actions">
        <button type="submit" className="button button-primary" disabled={update.isPending || !sealed?.length}>
          {update.isPending ? "Saving…" : "Save sealed credential"}
        </button>
      </div>
    </form>
  );
}
