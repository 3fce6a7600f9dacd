import "./ui/theme.css";
import "./ui/layout.css";
import "./ui/control.css";
import "./ui/table.css";
import "./ui/facts.css";
import "./ui/state.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { sameOriginTransport } from "./api/transport";
import { App } from "./app";
import { newQueryClient } from "./query";
import { newRouter } from "./routes/router";

const host = document.getElementById("root");
if (!host) throw new Error("index.html has no #root");

createRoot(host).render(
  <StrictMode>
    <App transport={sameOriginTransport()} queryClient={newQueryClient()} router={newRouter()} />
  </StrictMode>,
);
