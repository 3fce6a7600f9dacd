package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/weirhq/weir/dataplane/llmtest"
	"github.com/weirhq/weir/deploy/local/demo"
	"github.com/weirhq/weir/deploy/local/oidc"
)

// serveOIDC is the login provider's process. Secrets come by environment: arguments can be read by everybody.
func serveOIDC(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("oidc", flag.ContinueOnError)
	listen := flags.String("listen", "", "address")
	issuer := flags.String("issuer", "", "URL under which browsers reach it")
	keys := flags.String("keys", "", "folder of the signing key")
	client := flags.String("client", "", "client id of the console")
	redirect := flags.String("redirect", "", "redirect URI of the console")
	afterLogout := flags.String("after-logout", "", "redirect URI after logout")
	if err := flags.Parse(args); err != nil {
		return err
	}
	handler, err := oidc.New(oidc.Config{
		Issuer: *issuer, KeyDir: *keys,
		Clients: []oidc.Client{{
			ID: *client, Secret: os.Getenv("WEIR_OIDC_CLIENT_SECRET"),
			RedirectURIs: []string{*redirect}, PostLogoutRedirectURIs: []string{*afterLogout},
		}},
		Users: []oidc.User{{Email: demo.OwnerEmail, Name: "Ada Lovelace", Password: os.Getenv("WEIR_DEMO_PASSWORD")}},
	})
	if err != nil {
		return err
	}
	return serve(ctx, *listen, handler)
}

// serveMock is the mock upstream's process.
func serveMock(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("mock", flag.ContinueOnError)
	listen := flags.String("listen", "", "address")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return serve(ctx, *listen, llmtest.New(llmtest.Options{APIKey: mockKey}))
}

// serve answers until ctx ends and then lets running requests finish.
func serve(ctx context.Context, address string, handler http.Handler) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	closed := make(chan error, 1)
	go func() {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		closed <- server.Shutdown(ctx)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	if err := <-closed; err != nil {
		return server.Close()
	}
	return nil
}
