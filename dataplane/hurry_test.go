package dataplane

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/dataplane/internal/spool"
)

// Told to stop twice, an agent ends at once, however long it may drain, and says what
// is left; the next start reports the request that was in flight.
func TestAHurriedStop(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-release
	}))
	defer upstream.Close()
	t.Setenv("WEIR_SECRET_TEST", "secret")
	dir, hurry := t.TempDir(), make(chan struct{})
	seed(t, dir, provider(upstream.URL))
	agent, stop := runUntil(t, Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", ControlURL: "http://127.0.0.1:1", StateDir: dir,
		KafkaBrokers: []string{"127.0.0.1:1"}, KafkaTopic: "usage", SpoolMaxBytes: 64 << 20, AllowUpstreams: []string{upstream.URL},
		DrainTimeout: time.Hour, Hurry: hurry})
	go func() { agent.ask(t, "chat") }()
	<-asked
	go func() {
		for !strings.Contains(agent.log.String(), "told to stop: not ready") {
			time.Sleep(time.Millisecond)
		}
		close(hurry)
	}()
	begun := time.Now()
	if err := stop(); !errors.Is(err, ErrHurried) || time.Since(begun) > 10*time.Second {
		t.Errorf("ended after %v: %v", time.Since(begun), err)
	}
	if log := agent.log.String(); !strings.Contains(log, `"msg":"told to stop again`) || !strings.Contains(log, `"requests":1,"records":0`) {
		t.Errorf("it says %s", log)
	}
	left := t.TempDir() // as the process ends
	if err := os.CopyFS(left, os.DirFS(filepath.Join(dir, "spool"))); err != nil {
		t.Fatal(err)
	}
	close(release)
	next, err := spool.Open(spool.Options{Dir: left})
	if err != nil {
		t.Fatal(err)
	}
	if s := next.Stats(); s.Records != 1 {
		t.Errorf("the next start has %+v", s)
	}
	if err := next.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestABootWhoseLastRecordsFindRoomLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		tries := 0
		end := func(err error, times int) func(context.Context) error {
			return func(context.Context) error {
				if tries++; tries <= times {
					return fmt.Errorf("late: %w", err)
				}
				return nil
			}
		}
		if err := retire(ctx, end(spool.ErrFull, 3)); err != nil || tries != 4 {
			t.Errorf("%d tries, %v", tries, err)
		}
		tries = 0
		if err := retire(ctx, end(spool.ErrClosed, 3)); !errors.Is(err, spool.ErrClosed) || tries != 1 {
			t.Errorf("what no wait mends: %d tries, %v", tries, err)
		}
		if err := retire(ctx, end(spool.ErrFull, 1000)); !errors.Is(err, spool.ErrFull) {
			t.Errorf("for ever: %v", err)
		}
	})
}
