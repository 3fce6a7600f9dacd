package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// screen writes one line per thing that happens: readable in a terminal and in a log file alike.
type screen struct {
	mu    sync.Mutex
	out   io.Writer
	began time.Time
}

func newScreen(out io.Writer) *screen { return &screen{out: out, began: time.Now()} }

func (s *screen) line(mark, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "%6.1fs %s %s\n", time.Since(s.began).Seconds(), mark, fmt.Sprintf(format, args...))
}

// note tells something that happened later on.
func (s *screen) note(format string, args ...any) { s.line("·", format, args...) }

// step runs one step of the start and tells how long it took.
func (s *screen) step(name, what string, run func() error) error {
	began := time.Now()
	s.line("…", "%-13s %s", name, what)
	if err := run(); err != nil {
		return err
	}
	s.line("✓", "%-13s %s, took %.1f s", name, what, time.Since(began).Seconds())
	return nil
}

const welcome = `
  Weir is up.

  Console     %s
              log in as %s with password %s
  Demo key    %s

  Send a request:

    curl %s/v1/chat/completions \
      -H "Authorization: Bearer %s" -H 'Content-Type: application/json' \
      -d '{"model":"demo","messages":[{"role":"user","content":"What does a weir do?"}]}'

  and see it in the console, or with SQL:

    source %s
    curl $WEIR_URL/weir.admin.v1.ReportService/RunQuery \
      -H "Authorization: Bearer $WEIR_TOKEN" -H 'Content-Type: application/json' \
      -d '{"sql":"SELECT * FROM requests ORDER BY started_at DESC LIMIT 5"}'

  Logs        %s
  Outages     go run ./deploy/local stop|start|status <part>
  Stop        Ctrl-C (data is kept; make clean-local removes it)

`

// welcome ends the start with all that a newcomer needs.
func (s *screen) welcome(st *stack) {
	s.mu.Lock()
	defer s.mu.Unlock()
	agent := st.url("AGENT")
	fmt.Fprintf(s.out, welcome, st.url("CONTROL"), st.demo.email, st.demo.password, st.demo.key,
		agent, st.demo.key, st.path("env"), st.path("log"))
}
