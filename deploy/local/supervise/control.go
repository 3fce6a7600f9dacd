package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// ErrNotRunning means that no supervisor listens in the folder.
var ErrNotRunning = errors.New("nothing runs here")

const (
	socketName  = "control.sock"
	requestTime = time.Minute // a stop may take a part's whole grace
)

// Request asks a running supervisor: "status", "stop" or "start"; the latter two need a part.
type Request struct {
	Verb string `json:"verb"`
	Part string `json:"part,omitempty"`
}

// Answer is the state of all parts after the request, or why it was refused.
type Answer struct {
	Parts []Status `json:"parts,omitempty"`
	Error string   `json:"error,omitempty"`
}

// Serve answers requests on a socket in dir until ctx ends. The caller holds the folder's lock: a socket that is there is stale.
func Serve(ctx context.Context, dir string, s *Supervisor) error {
	folder, path, err := shortPath(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a stale control socket: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		listener.Close()
		return fmt.Errorf("control socket: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	var calls sync.WaitGroup
	defer calls.Wait()
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("control socket: %w", err)
		}
		calls.Go(func() { s.answer(conn) })
	}
}

func (s *Supervisor) answer(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(requestTime))
	var r Request
	if err := json.NewDecoder(conn).Decode(&r); err != nil {
		return
	}
	var answer Answer
	if err := s.do(r); err != nil {
		answer.Error = err.Error()
	}
	answer.Parts = s.Status()
	_ = json.NewEncoder(conn).Encode(answer) // the caller may be gone
}

func (s *Supervisor) do(r Request) error {
	switch r.Verb {
	case "status":
		return nil
	case "stop":
		return s.Down(r.Part)
	case "start":
		return s.Up(r.Part)
	}
	return fmt.Errorf("unknown request %q", r.Verb)
}

// Ask sends one request to the supervisor that runs in dir.
func Ask(ctx context.Context, dir string, r Request) (Answer, error) {
	folder, path, err := shortPath(dir)
	if err != nil {
		return Answer{}, err
	}
	defer folder.Close()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if err != nil {
		return Answer{}, notRunning(dir)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(requestTime))
	if err := json.NewEncoder(conn).Encode(r); err != nil {
		return Answer{}, fmt.Errorf("ask the supervisor: %w", err)
	}
	var answer Answer
	if err := json.NewDecoder(conn).Decode(&answer); err != nil {
		return Answer{}, fmt.Errorf("ask the supervisor: %w", err)
	}
	if answer.Error != "" {
		return answer, errors.New(answer.Error)
	}
	return answer, nil
}

func notRunning(dir string) error {
	return fmt.Errorf("%w: no supervisor answers in %s (is `make run` up?)", ErrNotRunning, dir)
}

// shortPath names the socket through an open descriptor of its folder: socket addresses end at 107 bytes.
func shortPath(dir string) (*os.File, string, error) {
	folder, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", notRunning(dir)
	}
	if err != nil {
		return nil, "", fmt.Errorf("open folder: %w", err)
	}
	return folder, filepath.Join("/proc/self/fd", fmt.Sprint(folder.Fd()), socketName), nil
}
