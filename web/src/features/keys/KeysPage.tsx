import "./keys.css";

import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";

import type { Key } from "../../api/key";
import { mayCreateKey, mayGetKey, mayRevokeKey, useKeys } from "../../api/key";
import { mayListProjects, useProjects } from "../../api/project";
import { mayListRoutes, useRoutes } from "../../api/route";
import { viewerZone } from "../../format/time";
import { LoadMore } from "../../ui/LoadMore";
import { Page, Panel } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { useMay } from "../session/permission";
import { CreateKeyDialog } from "./CreateKeyDialog";
import { KeyDrawer } from "./KeyDrawer";
import { keyNames, KeyTable } from "./KeyTable";
import { RevokeKeyDialog } from "./RevokeKeyDialog";

const route = getRouteApi("/keys");

/** KeysPage lists virtual keys, makes new ones and ends old ones. */
export function KeysPage() {
  const { create, key } = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay();
  const keys = useKeys();
  const projects = useProjects(may(mayListProjects)).data?.pages.flatMap((page) => page.projects) ?? [];
  const routes = useRoutes(may(mayListRoutes)).data?.pages.flatMap((page) => page.routes) ?? [];
  const names = keyNames(projects, routes);
  const [revoking, setRevoking] = useState<Key>();
  // Who closes the dialog has decided already: nothing asks again.
  const setCreating = (open: boolean) =>
    void navigate({ search: open ? { create: true } : {}, ignoreBlocker: true });
  const open = (id: string | undefined) => void navigate({ search: id && may(mayGetKey) ? { key: id } : {} });
  return (
    <Page
      title="Keys"
      about={`What applications authenticate with. Times in ${viewerZone()}.`}
      actions={may(mayCreateKey) && <CreateButton onClick={() => setCreating(true)} />}
    >
      <Panel>
        <Async
          result={keys}
          what="keys"
          isEmpty={(d) => d.pages[0]?.keys.length === 0}
          empty={<NoKeys mayCreate={may(mayCreateKey)} />}
        >
          {(data) => (
            <KeyTable
              keys={data.pages.flatMap((page) => page.keys)}
              names={names}
              mayOpen={may(mayGetKey)}
              onRevoke={may(mayRevokeKey) ? setRevoking : undefined}
            />
          )}
        </Async>
        <LoadMore query={keys} />
      </Panel>
      {create && may(mayCreateKey) && (
        <CreateKeyDialog projects={projects} routes={routes} onClose={() => setCreating(false)} />
      )}
      {key && may(mayGetKey) && <KeyDrawer id={key} names={names} onClose={() => open(undefined)} />}
      {revoking && (
        <RevokeKeyDialog subject={revoking} onClose={() => setRevoking(undefined)} onRevoked={() => open(revoking.id)} />
      )}
    </Page>
  );
}

function CreateButton({ onClick }: { onClick: () => void }) {
  return (
    <button type="button" className="button button-primary" onClick={onClick}>
      Create key
    </button>
  );
}

function NoKeys({ mayCreate }: { mayCreate: boolean }) {
  return (
    <Empty title="No keys yet">
      <p>
        {mayCreate
          ? "Create the first one: it is shown once, with a line to paste."
          : "Your role may not create keys; ask an admin of your organization."}
      </p>
    </Empty>
  );
}
