import { CSPProvider } from "@base-ui/react/csp-provider";
import type { Transport } from "@connectrpc/connect";
import { TransportProvider } from "@connectrpc/connect-query";
import type { QueryClient } from "@tanstack/react-query";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";

import type { Router } from "./routes/router";

interface AppProps {
  transport: Transport;
  queryClient: QueryClient;
  router: Router;
}

/** App is the console on a given transport, query client and router. */
export function App({ transport, queryClient, router }: AppProps) {
  return (
    <CSPProvider disableStyleElements>
      <TransportProvider transport={transport}>
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </TransportProvider>
    </CSPProvider>
  );
}
