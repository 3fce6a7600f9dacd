package chaos

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// state of a link.
type state int

const (
	open state = iota
	// cutOff resets what is connected and whoever comes.
	cutOff
	// stalled passes nothing on, and all of it once it is open again.
	stalled
	// muted passes on what clients say and drops the answers: what they asked for is done,
	// and they never hear of it.
	muted
)

// link is what one user of a server connects to in its place.
type link struct {
	name     string
	port     int
	target   string // host:port
	answers  func(io.Reader, io.Writer, *frames) error
	requests func(io.Reader, io.Writer, *frames) error
	listener net.Listener
	serving  sync.WaitGroup

	mu      sync.Mutex
	state   state
	changed chan struct{} // closed at the next change
	pipes   map[*pipe]struct{}
}

// pipe is one connection through a link.
type pipe struct{ client, server net.Conn }

// lingers is how long a server may take to end what lost its client.
const lingers = 3 * time.Second

// reset breaks the client's side. The server is told that there is no more to come and what
// it still says is dropped: the embedded ClickHouse aborts when a connection is reset.
func (p *pipe) reset() {
	if tcp, ok := p.client.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = p.client.Close()
	_ = p.server.SetDeadline(time.Now().Add(lingers))
}

// endWrites says that there is no more to come.
func endWrites(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
}

func newLink(ctx context.Context, name, target string) (*link, error) {
	l, err := prepareLink(ctx, name, target)
	if err == nil {
		l.serving.Go(l.accept)
	}
	return l, err
}

// prepareLink has an address and lets nobody in yet.
func prepareLink(ctx context.Context, name, target string) (*link, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &link{
		name: name, target: target, listener: listener, port: listener.Addr().(*net.TCPAddr).Port,
		answers: plainly, requests: plainly, changed: make(chan struct{}), pipes: map[*pipe]struct{}{},
	}, nil
}

func (l *link) address() string { return "127.0.0.1:" + strconv.Itoa(l.port) }

// set changes the state. What was cut off or muted is not whole: it is reset.
func (l *link) set(to state) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.state
	l.state = to
	close(l.changed)
	l.changed = make(chan struct{})
	if to == cutOff || was == muted {
		for p := range l.pipes {
			p.reset()
		}
	}
}

func (l *link) close() {
	_ = l.listener.Close()
	l.set(cutOff)
	l.serving.Wait()
}

func (l *link) accept() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.serving.Go(func() { l.serve(client) })
	}
}

func (l *link) serve(client net.Conn) {
	server, err := net.Dial("tcp", l.target)
	if err != nil {
		_ = client.Close()
		return
	}
	p := &pipe{client, server}
	l.mu.Lock()
	l.pipes[p] = struct{}{}
	refused := l.state == cutOff
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.pipes, p)
		l.mu.Unlock()
	}()
	defer server.Close()
	if refused {
		p.reset()
		return
	}
	defer client.Close()
	seen := &frames{}
	var both sync.WaitGroup
	both.Go(func() { _ = l.requests(client, gate{l, server, false}, seen); endWrites(server) })
	both.Go(func() {
		_ = l.answers(server, gate{l, client, true}, seen)
		endWrites(client)
		_, _ = io.Copy(io.Discard, server)
	})
	both.Wait()
}

// plainly copies bytes.
func plainly(from io.Reader, to io.Writer, _ *frames) error {
	_, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 16<<10))
	return err
}

// gate writes as the link's state allows.
type gate struct {
	link    *link
	to      net.Conn
	answers bool
}

func (g gate) Write(b []byte) (int, error) {
	for {
		g.link.mu.Lock()
		now, changed := g.link.state, g.link.changed
		g.link.mu.Unlock()
		switch {
		case now == cutOff:
			return 0, errors.New("the link is cut")
		case now == muted && g.answers:
			return len(b), nil
		case now == stalled:
			<-changed
		default:
			return g.to.Write(b)
		}
	}
}
