package dataplane

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// TestAStopWaitsForRequestsThenForTheirCopies: in that order, and within one time.
func TestAStopWaitsForRequestsThenForTheirCopies(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	steps := make(chan string, 10)
	begun, release, copies := make(chan struct{}), make(chan struct{}), make(chan struct{})
	d := drain{timeout: time.Minute, logger: slog.New(slog.DiscardHandler)}
	server, cut := d.server(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(begun)
		<-release
		steps <- "request"
	}))
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() {
		door := newDoor(listener)
		stopped <- serveUntil(ctx, door, server, func() error {
			steps <- "before"
			return d.finish(door, server, cut, func(limit context.Context) {
				if _, bounded := limit.Deadline(); !bounded {
					t.Error("it may wait for ever")
				}
				<-copies
				steps <- "after"
			})
		})
	}()
	go func() {
		response, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		_ = response.Body.Close()
	}()
	<-begun
	stop()
	if step := <-steps; step != "before" {
		t.Fatal(step)
	}
	close(release)
	if step := <-steps; step != "request" {
		t.Fatal(step)
	}
	select {
	case err := <-stopped:
		t.Fatalf("it did not wait: %v", err)
	case step := <-steps:
		t.Fatal(step)
	default:
	}
	close(copies)
	if step := <-steps; step != "after" {
		t.Fatal(step)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if server.ReadHeaderTimeout == 0 || server.IdleTimeout == 0 {
		t.Error("headers may take for ever")
	}
}
